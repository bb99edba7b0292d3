"""Writing the invented study: small tables as CSV, the long ones as Parquet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from svcmetrics.io.whole import write_whole
from svcmetrics.simulate.build import LONG
from svcmetrics.simulate.forms import PLAN_SCHEMA, RATING_SCHEMA
from svcmetrics.simulate.records import EVENT_SCHEMA

SCHEMAS = dict(zip(LONG, (EVENT_SCHEMA, PLAN_SCHEMA, RATING_SCHEMA)))


class LongFiles:
    """Parquet files that grow piece by piece; memory holds one piece.

    They are written under another name and take their place when all is done: a run that is
    stopped leaves the files of the last one as they were.
    """

    def __init__(self, directory: Path):
        self._paths = {name: directory / f"{name}.parquet" for name in SCHEMAS}
        self._writers = {
            name: pq.ParquetWriter(
                _partial(path), SCHEMAS[name], compression="zstd", compression_level=9
            )
            for name, path in self._paths.items()
        }

    def take(self, name: str, piece: pa.Table) -> None:
        self._writers[name].write_table(piece)

    def __enter__(self) -> LongFiles:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        for writer in self._writers.values():
            writer.close()
        for path in self._paths.values():
            if failed:
                _partial(path).unlink(missing_ok=True)
            else:
                _partial(path).replace(path)


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def write_small(directory: Path, tables: dict[str, pd.DataFrame]) -> None:
    """UTF-8, LF, flags as true and false: the same bytes on every system."""
    for name, table in tables.items():
        out = table.copy()
        for column in table.select_dtypes("bool"):
            out[column] = table[column].map({True: "true", False: "false"})
        write_whole(
            directory / f"{name}.csv", out.to_csv(index=False, lineterminator="\n").encode()
        )


def write_text(path: Path, text: str) -> None:
    """UTF-8 and LF, whatever the system prefers."""
    write_whole(path, text.encode())

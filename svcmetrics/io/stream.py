"""Rows of the embedded engine that pass through Python a part at a time, in the order they lie in.

For arithmetic that needs the order of rows and no more: what would be a sort in the engine is one
reading. Engines that have no such order (Spark) say so, and their caller asks in another way.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from svcmetrics.io import engine

Part = TypeVar("Part")

_KEPT_BYTES = 31 << 20


def parts(table: Table, *, rows: int) -> Iterator[pa.RecordBatch] | None:
    """The rows in parts of about so many, in the order they lie in; None where there is no order.

    Until the last part is taken, the engine must be asked nothing else.
    """
    backend = engine.home(table)
    if backend.name != "duckdb":
        return None
    backend._run_pre_execute_hooks(table)
    found = backend.con.execute(backend.compile(table))
    modern = hasattr(found, "to_arrow_reader")
    return iter(found.to_arrow_reader(rows) if modern else found.fetch_record_batch(rows))


def ahead(found: Iterator[Part]) -> Generator[Part, None, None]:
    """The same parts in the same order, the next one read in a thread while this one is worked on."""
    # Where the C library gives memory of this size back as soon as it is free, every part asks for
    # it anew, which takes a fifth of the time. After a piece so large was freed it keeps it.
    np.empty(_KEPT_BYTES, np.uint8)
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, found, None)
        while (part := coming.result()) is not None:
            coming = reader.submit(next, found, None)
            yield part


class Spool:
    """Rows that are put aside on the disk part by part."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path, self._schema = path, schema
        self._writer = pa.ipc.new_file(str(path), schema)

    def add(self, columns: Mapping[str, Any]) -> None:
        """One more part, with the columns of the schema."""
        rows = [_typed(columns[f.name], f.type) for f in self._schema]
        self._writer.write_batch(pa.RecordBatch.from_arrays(rows, schema=self._schema))

    def close(self) -> None:
        """No more parts."""
        self._writer.close()

    def parts(self) -> list[pa.RecordBatch]:
        """All parts as they lie on the disk, at least one: they take memory while they are looked at."""
        self.close()
        found = pa.ipc.open_file(pa.memory_map(str(self._path)))
        parts = [found.get_batch(i) for i in range(found.num_record_batches)]
        return parts or [pa.RecordBatch.from_pylist([], self._schema)]


def hold(parts: Sequence[pa.RecordBatch]) -> Table:
    """Parts as a table of the embedded engine, which reads them where they lie."""
    return engine.hold(pa.Table.from_batches(parts))


def _typed(values: Any, kind: pa.DataType) -> pa.Array:
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)


@contextmanager
def spools(**schemas: pa.Schema) -> Iterator[dict[str, Spool]]:
    """Places to put rows aside; of their files only what was asked for stays, and only to be read.

    Where a file that is still read cannot be deleted, it goes with all others of this process.
    """
    place = tempfile.TemporaryDirectory(dir=engine.scratch(), ignore_cleanup_errors=True)
    with place as folder:
        made = {name: Spool(Path(folder, name), schema) for name, schema in schemas.items()}
        try:
            yield made
        finally:
            for spool in made.values():
                spool.close()
            pa.default_memory_pool().release_unused()

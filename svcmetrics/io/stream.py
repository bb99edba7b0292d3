"""Rows of the embedded engine that pass through Python a part at a time, in the order they lie in.

For arithmetic that needs the order of rows and no more: what would be a sort in the engine is one
reading. Engines that have no such order (Spark) say so, and their caller asks in another way.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from svcmetrics.io import engine

Part = TypeVar("Part")


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
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, found, None)
        while (part := coming.result()) is not None:
            coming = reader.submit(next, found, None)
            yield part


class Spool:
    """Rows that are put aside on the disk part by part, and then kept in the engine."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path, self._schema = path, schema
        self._writer = pa.ipc.new_file(str(path), schema)

    def add(self, columns: dict[str, Any]) -> None:
        """One more part, with the columns of the schema."""
        rows = [_typed(columns[f.name], f.type) for f in self._schema]
        self._writer.write_batch(pa.RecordBatch.from_arrays(rows, schema=self._schema))

    def close(self) -> None:
        """No more parts."""
        self._writer.close()

    def keep(self) -> Table:
        """All parts as a table of the embedded engine, handed over one after the other."""
        self.close()
        backend, name = engine.engine(), ibis.util.gen_name("spool")
        with pa.OSFile(str(self._path)) as file, pa.ipc.open_file(file) as found:
            rows = (found.get_batch(i) for i in range(found.num_record_batches))
            backend.con.register(name, pa.RecordBatchReader.from_batches(self._schema, rows))
            try:
                return engine.keep(backend.table(name), ordered=False)
            finally:
                backend.con.unregister(name)


def _typed(values: Any, kind: pa.DataType) -> pa.Array:
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)


@contextmanager
def spools(**schemas: pa.Schema) -> Iterator[dict[str, Spool]]:
    """Places to put rows aside, gone afterwards; what was kept in the engine stays."""
    with tempfile.TemporaryDirectory(dir=engine.scratch()) as folder:
        made = {name: Spool(Path(folder, name), schema) for name, schema in schemas.items()}
        try:
            yield made
        finally:
            for spool in made.values():
                spool.close()
            pa.default_memory_pool().release_unused()

"""The one module that names the backend: embedded DuckDB, spoken to through Ibis.

An event log of any size stays in the engine until a statistic asks for numbers. Everything that
engines do differently is a verb of this page (`micros`, `first_by`, `next_row`, `keep`, …), so that
another engine is a translation of these verbs and nothing else: `spark.py` has those of Spark.
DuckDB would fetch extensions from the network; that is switched off.
"""

from __future__ import annotations

import atexit
import datetime as dt
import shutil
import tempfile
import weakref
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as types
import ibis.expr.operations as ops
import pandas as pd
from ibis.expr.types import IntegerColumn, Table, Value

from svcmetrics.problems import table_error

# Everything that is a physical source of rows in somebody's engine.
_SOURCES = (ops.DatabaseTable, ops.SQLQueryResult)
_SETTINGS = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}

_KEPT = "kept"  # what is computed once has this in its name
_shared: dict[str, Any] = {}
_files: weakref.WeakKeyDictionary[Any, Path] = weakref.WeakKeyDictionary()


def connect(path: str | Path = ":memory:", *, memory: str = "", threads: int = 0) -> Any:
    """A new embedded engine. ``memory``: a limit such as "1GB", beyond which it spills to disk."""
    limits: dict[str, Any] = {}
    if memory:
        limits["memory_limit"] = memory
    if threads:
        limits["threads"] = threads
    backend = ibis.duckdb.connect(path, **_SETTINGS, **limits)
    quoted = scratch().replace("'", "''")
    backend.raw_sql(f"SET temp_directory = '{quoted}'")
    backend.raw_sql("SET TimeZone = 'UTC'")  # no instant depends on the machine it is read on
    return backend


@cache
def scratch() -> str:
    """Where the engine spills to: readable by this user only, gone when the process ends.

    Left to itself it would spill rows of the study into the folder one happens to work in.
    """
    folder = tempfile.mkdtemp(prefix="svcmetrics-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def engine() -> Any:
    """The embedded engine that serves every call which brings no engine of its own."""
    if "backend" not in _shared:
        _shared["backend"] = connect()
    return _shared["backend"]


def limit(*, memory: str = "", threads: int = 0) -> None:
    """Bound the embedded engine, e.g. ``limit(memory="1GB")``; results do not change."""
    if memory:
        engine().raw_sql(f"SET memory_limit = '{_plain(memory)}'")
    if threads:
        engine().raw_sql(f"SET threads = {int(threads)}")


def is_table(data: object) -> bool:
    """Whether the data already live in an engine: an Ibis table or a frame of Spark."""
    return isinstance(data, Table) or _is_spark(data)


def as_table(data: Any) -> Table:
    """A frame of pandas or Spark, an Arrow table, an Ibis table or a Parquet file, as an Ibis table.

    A frame is registered, not copied row by row; whoever gave it does not notice.
    """
    if _is_spark(data):
        from svcmetrics.io import spark

        return spark.table_of(data)
    if isinstance(data, Table):
        return data if home(data).name == "duckdb" else _known(data)
    if isinstance(data, (str, Path)):
        table = engine().read_parquet(str(data))
        _files[table.op()] = Path(data)
        return table
    if isinstance(data, pd.DataFrame):
        data = data.reset_index(drop=True)
        text = [c for c in data.columns if _is_mixed_text(data[c])]
        return ibis.memtable(data.assign(**{c: data[c].astype("str") for c in text}))
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "to_pandas"):
        return ibis.memtable(data)
    raise table_error("not_a_table", found=type(data).__name__)


def home(*expressions: Value | Table) -> Any:
    """The engine in which these tables live; the embedded one when they are only frames."""
    found = {id(s): s for e in expressions for s in _sources(e)}
    if len(found) > 1:
        raise table_error("two_engines")
    return next(iter(found.values()), None) or engine()


def frame(expression: Table) -> pd.DataFrame:
    """The rows as a pandas frame."""
    return arrow(expression).to_pandas()


def arrow(expression: Table) -> Any:
    """The rows as an Arrow table: for arithmetic on columns of which most are not numbers."""
    return home(expression).to_pyarrow(expression)


def row(expression: Table) -> dict[str, Any]:
    """The one row of an aggregate, as plain values."""
    return {str(k): v for k, v in frame(expression).iloc[0].items()}


def keep(expression: Table, *, ordered: bool = True) -> Table:
    """Compute once and hold the rows in the engine, for several later questions.

    ``ordered``: whether the rows must lie as they came; without an order it takes half the time.
    """
    backend, name = home(expression), ibis.util.gen_name(_KEPT)
    with nullcontext() if ordered or backend.name != "duckdb" else _any_order(backend):
        # Ibis itself would give an older answer when the same is asked of rows that have changed.
        table = backend._create_cached_table(name, expression)
    weakref.finalize(table.op(), backend._drop_cached_table, name).atexit = False
    return table


def hold(rows: Any) -> Table:
    """An Arrow table as one of the embedded engine, read where it lies: nothing is copied."""
    backend, name = engine(), ibis.util.gen_name(_KEPT)
    backend.con.register(name, rows)
    table = backend.table(name)
    weakref.finalize(table.op(), backend.con.unregister, name).atexit = False
    return table


@contextmanager
def _any_order(backend: Any) -> Iterator[None]:
    backend.raw_sql("SET preserve_insertion_order = false")
    try:
        yield
    finally:
        backend.raw_sql("SET preserve_insertion_order = true")


def file_of(data: Any) -> Path | None:
    """The file that this table is, if ``as_table`` has opened one."""
    return _files.get(data.op()) if isinstance(data, Table) else None


def checksum(data: Any, columns: Sequence[str] = ()) -> Hashable | None:
    """What tells the rows of this table from any others in its engine; None where it cannot be had.

    One pass over the columns, whatever the table is called. Rows that `keep` made do not change.
    """
    table = as_table(data)
    backend = home(table)
    if isinstance(table.op(), ops.DatabaseTable) and table.op().name.startswith(f"ibis_{_KEPT}_"):
        return table.op().name
    table = table.select(*([c for c in columns if c in table.columns] or table.columns))
    if any(kind.is_map() for kind in table.schema().types):
        return None
    backend._run_pre_execute_hooks(table)
    found = getattr(backend, "checksum", _checksum)(backend, backend.compile(table))
    return (id(backend), str(table.schema()), found)


def micros(stamp: Value) -> IntegerColumn:
    """Microseconds since 1970 of a time column (its own clock when it has no zone).

    Engines disagree about differences in seconds; whole microseconds are the same everywhere.
    """
    return _epoch_us(stamp)


def whole(number: Value) -> Value:
    """A number as the nearest whole one: sums of these are the same in every order of the rows.

    Sums of floats are not: two threads add in another order at every run.
    """
    return number.round().cast("int64")


def exact_sum(whole_number: Value, times: Value | None = None) -> Value:
    """The sum of whole numbers below 1e18, or of their products, exact until it becomes a float."""
    value = whole_number.cast("decimal(19, 0)")
    if times is not None:
        value = value * times.cast("decimal(19, 0)")
    return value.sum().cast("float64")


def instant(us: Value) -> Value:
    """Microseconds since 1970, UTC, as a time column with that zone."""
    return _instant(us)


def month(us: Value) -> Value:
    """The month "2024-09" of local microseconds."""
    return day(us).substr(0, 7)


def day(us: Value) -> Value:
    """The date "2024-09-01" of local microseconds."""
    return _timestamp(us).date().cast("string")  # a pattern would take several times as long


def first_by(value: Value, key: Value, where: Value) -> Value:
    """The value of the row with the smallest key among those where the condition holds."""
    return (_first_text if value.type().is_string() else _first_whole)(value, key, where=where)


def last_by(value: Value, key: Value, where: Value) -> Value:
    """The value of the row with the largest key among those where the condition holds."""
    return (_last_text if value.type().is_string() else _last_whole)(value, key, where=where)


def next_row(left: Table, right: Table, *, within: str, by: str) -> Table:
    """Each left row with the right row that comes next: same ``within``, smallest larger ``by``.

    Both tables have these two columns, unique as a pair; the right one brings all its others,
    under new names. Rows without a next one stay.
    """
    other = right.rename(within_of_right=within, by_of_right=by)
    joined = getattr(home(left, right), "next_row", _next_row)(left, other, within, by)
    return joined.drop("within_of_right", "by_of_right")


def bits(value: Value) -> IntegerColumn:
    """How many bits of a whole number are set."""
    return _bit_count(value)


def small(columns: Mapping[str, Any] | pd.DataFrame) -> Table:
    """A small table of our own (a calendar, a catalogue) that can be joined in any engine."""
    return ibis.memtable(pd.DataFrame(columns).reset_index(drop=True))


@ibis.udf.scalar.builtin(name="epoch_us")
def _epoch_us(stamp) -> int: ...  # type: ignore[no-untyped-def, empty-body]


@ibis.udf.scalar.builtin(name="make_timestamp")
def _timestamp(us: int) -> dt.datetime: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="make_timestamptz", signature=((types.int64,), types.Timestamp("UTC"))
)
def _instant(us): ...  # type: ignore[no-untyped-def]


@ibis.udf.scalar.builtin(name="bit_count")
def _bit_count(value: int) -> int: ...  # type: ignore[empty-body]


@ibis.udf.agg.builtin(name="arg_min")
def _first_whole(value: int, key: int) -> int: ...  # type: ignore[empty-body]


@ibis.udf.agg.builtin(name="arg_max")
def _last_whole(value: int, key: int) -> int: ...  # type: ignore[empty-body]


@ibis.udf.agg.builtin(name="arg_min")
def _first_text(value: str, key: int) -> str: ...  # type: ignore[empty-body]


@ibis.udf.agg.builtin(name="arg_max")
def _last_text(value: str, key: int) -> str: ...  # type: ignore[empty-body]


def _next_row(left: Table, right: Table, within: str, by: str) -> Table:
    same = left[within] == right["within_of_right"]
    return left.asof_join(right, on=left[by] < right["by_of_right"], predicates=[same])


def _checksum(backend: Any, sql: str) -> tuple[Any, ...]:
    total = f"SELECT count(*), sum(hash(t))::TEXT FROM ({sql}) t"  # noqa: S608 (compiled by us)
    found = backend.con.execute(total)
    return tuple(found.fetchone())


def _sources(expression: Any) -> list[Any]:
    return [node.source for node in expression.op().find(_SOURCES)]


def _known(table: Table) -> Table:
    backend = home(table)
    if backend.name != "pyspark":
        raise table_error("engine_unknown", found=backend.name)
    from svcmetrics.io import spark

    return table if isinstance(backend, spark.Spark) else spark.table_of(table)


def _is_spark(data: object) -> bool:
    return type(data).__module__.startswith("pyspark.") and hasattr(data, "sparkSession")


def _is_mixed_text(column: pd.Series) -> bool:
    """An object column that the engine cannot type by itself: ids given as numbers and text."""
    known = {"boolean", "string", "empty", "integer", "floating", "datetime", "date", "decimal"}
    return column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) not in known


def _plain(setting: str) -> str:
    if not all(c.isalnum() or c in ". %" for c in setting):
        raise table_error("not_a_limit", found=setting)
    return setting

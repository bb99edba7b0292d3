"""The engine's verbs in the words of Spark; the session, local or on a cluster, is the caller's.

A table of Spark answers the same questions as one of the embedded engine, with the same numbers.
What Spark says differently is translated here and nowhere else, so that a measure names no engine.
No setting of the session is read or changed: an instant does not depend on its time zone.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.schema as sch
import pyspark.sql.types as pt
import sqlglot.expressions as sge
from ibis.backends.pyspark import Backend
from ibis.backends.pyspark.datatypes import PySparkType
from ibis.backends.sql.compilers.base import NULL
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.expr.types import Table

_CHOICE = {"arg_min": "min_by", "arg_max": "max_by"}


class Words(PySparkCompiler):
    """Ibis expressions as Spark's SQL, where Ibis itself has no word or another meaning."""

    def visit_ScalarUDF(self, op: Any, **parts: Any) -> Any:
        name, values = op.__func_name__, list(parts.values())
        if name == "epoch_us":
            zoned = op.args[0].dtype.timezone is not None
            return self.f.unix_micros(*values) if zoned else self._since(*values)
        if name == "make_timestamp":
            unit = sge.Var(this="MICROSECOND")
            return self.f.anon.timestampadd(unit, *values, _epoch())
        if name == "make_timestamptz":
            return self.f.anon.timestamp_micros(*values)
        return super().visit_ScalarUDF(op, **parts)

    def _since(self, stamp: Any) -> Any:
        return self.f.anon.timestampdiff(sge.Var(this="MICROSECOND"), _epoch(), stamp)

    def visit_AggUDF(self, op: Any, *, where: Any, **parts: Any) -> Any:
        value, *others = parts.values()
        # Spark would take a missing value where the embedded engine passes it over.
        given = value.is_(NULL).not_()
        where = given if where is None else sge.And(this=where, expression=given)
        name = _CHOICE.get(op.__func_name__, op.__func_name__)
        return self.agg[name](value, *others, where=where)

    def visit_BitwiseLeftShift(self, op: Any, *, left: Any, right: Any) -> Any:
        return self.f.anon.shiftleft(left, self.cast(right, dt.int32))

    def visit_Strftime(self, op: Any, *, arg: Any, format_str: Any) -> Any:
        # The readings of a clock as text, which no time zone of a session can shift.
        width = {"%Y-%m": 7, "%Y-%m-%d": 10}[format_str.this]
        return self.f.anon.left(self.cast(arg, dt.string), sge.convert(width))

    def visit_BitOr(self, op: Any, *, arg: Any, where: Any) -> Any:
        return self.agg.bit_or(arg, where=where)


def _epoch() -> Any:
    return sge.Cast(this=sge.convert("1970-01-01"), to=sge.DataType.build("TIMESTAMPNTZ"))


class Kinds(PySparkType):
    """Instants have the zone UTC, readings of a clock have none; Ibis would not tell them apart."""

    @classmethod
    def to_ibis(cls, typ: Any, nullable: bool = True) -> Any:
        if isinstance(typ, pt.TimestampType):
            return dt.Timestamp("UTC", nullable=nullable)
        return super().to_ibis(typ, nullable)

    @classmethod
    def from_ibis(cls, dtype: Any) -> Any:
        if dtype.is_timestamp() and dtype.timezone is None:
            return pt.TimestampNTZType()
        return super().from_ibis(dtype)


class Spark(Backend):
    """A Spark session as an engine: tables come and go as Arrow, so that nothing missing is text."""

    compiler = Words()

    def do_connect(self, session: Any) -> None:
        self._mode, self._session = "batch", session

    def get_schema(self, name: str, **place: Any) -> Any:
        path = ".".join(p for p in (place.get("catalog"), place.get("database"), name) if p)
        return _schema(self._session.table(path))

    def _get_schema_using_query(self, query: str) -> Any:
        return _schema(self._session.sql(query))

    def _register_in_memory_table(self, op: Any) -> None:
        fields = [pt.StructField(n, Kinds.from_ibis(t)) for n, t in op.schema.items()]
        rows = op.data.to_pyarrow(op.schema)
        frame = self._session.createDataFrame(rows, schema=pt.StructType(fields))
        frame.createOrReplaceTempView(op.name)

    def _create_cached_table(self, name: str, expr: Any) -> Any:
        """Rows without their history: Spark plans all of it anew for each question otherwise."""
        self._register_in_memory_tables(expr)
        rows = self._session.sql(self.compile(expr)).localCheckpoint()
        # Named anew: Spark knows a column by a number, and that of the rows it was made from
        # would be its own; a join of both may then be refused.
        rows.toDF(*rows.columns).createTempView(name)
        return self.table(name)

    def _drop_cached_table(self, name: str) -> None:
        self._session.catalog.dropTempView(name)  # Spark drops the rows when nobody looks at them

    @staticmethod
    def checksum(backend: Any, sql: str) -> tuple[Any, ...]:
        """How many rows, and the sum of their hashes."""
        total = "sum(CAST(xxhash64(*) AS DECIMAL(38, 0)))"
        query = f"SELECT count(*), {total} FROM ({sql})"  # noqa: S608 (compiled by us)
        found = backend._session.sql(query).first()
        return (found[0], str(found[1]))

    def to_pyarrow(self, expr: Any, /, **options: Any) -> Any:
        table = expr.as_table()
        self._run_pre_execute_hooks(table)
        found = self._session.sql(self.compile(table, **options)).toArrow()
        return expr.__pyarrow_result__(found.cast(table.schema().to_pyarrow()))

    def execute(self, expr: Any, /, **options: Any) -> Any:
        return expr.__pandas_result__(self.to_pyarrow(expr.as_table(), **options).to_pandas())

    def next_row(self, left: Table, right: Table, within: str, by: str) -> Table:
        """What the other engine has a join for: first the number of the next row, then that row."""
        named = {within: "within_of_right", by: "by_of_right"}
        mine, theirs = left.select(within, by), right.select(**named)
        rows = mine.mutate(own=True).union(theirs.mutate(own=False))
        # Downwards, so that all rows before are later ones; of two equals the left one comes first.
        order = [ibis.desc(by), ibis.desc("own")]
        before = ibis.window(group_by=within, order_by=order, preceding=(None, 1))
        number = ibis.ifelse(rows["own"], ibis.null(rows[by].type()), rows[by])
        found = rows.mutate(next_by=number.min().over(before)).filter("own")
        found = found.select("next_by", within_left=within, by_left=by)
        left = left.left_join(
            found, [left[within] == found["within_left"], left[by] == found["by_left"]]
        )
        left = left.drop("within_left", "by_left")
        on = [left[within] == right["within_of_right"], left["next_by"] == right["by_of_right"]]
        return left.left_join(right, on).drop("next_by")


def _schema(frame: Any) -> sch.Schema:
    return sch.Schema({f.name: Kinds.to_ibis(f.dataType) for f in frame.schema})


@cache
def connect(session: Any) -> Spark:
    """The engine of a Spark session, one for each."""
    Spark.register_options()
    backend = Spark()
    backend.do_connect(session)
    return backend


def table_of(frame: Any) -> Table:
    """A frame of Spark, or a table that Ibis itself has made of one, as a table of its session."""
    if isinstance(frame, Table):
        frame = frame.get_backend().raw_sql(frame.compile())
    name = ibis.util.gen_name("frame")
    frame.createOrReplaceTempView(name)
    return connect(frame.sparkSession).table(name)

"""What the measures of cases have in common: the cases, what they are grouped by, what is named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.expr.types import BooleanValue, IntegerValue, Table, Value

from svcmetrics.io import engine, held
from svcmetrics.measure.cases import COUNTS, KINDS, PARTS, case_times, joined, timed_once
from svcmetrics.measure.catalogue import attributes, default_clock, service_table
from svcmetrics.measure.clocks import HOUR, Clocks, clocks, mark_of
from svcmetrics.measure.instants import local_micros, utc_micros
from svcmetrics.measure.log import Log, cast, read_log
from svcmetrics.measure.part_scope import scoped_cases
from svcmetrics.problems import table_error
from svcmetrics.result import Finding
from svcmetrics.tables import require

By = str | Sequence[str] | None
# What is odd about a case, in the order in which it is named.
ODD = ("no_start", "negative", "after_close")


@dataclass(frozen=True)
class Cases:
    """Cases with microseconds and catalogue, the names they are grouped by, and what was dropped."""

    table: Table
    by: list[str]
    dropped: dict[str, int] = field(default_factory=dict)
    odd: dict[str, int] = field(default_factory=dict)
    clocks: int = 0

    def findings(self) -> list[Finding]:
        """Oddities of the log, named."""
        return [Finding(f"log.{k}", {"count": n}, "warning") for k, n in self.odd.items() if n]


def read_cases(
    events: Any,
    *,
    services: pd.DataFrame | None,
    steps: pd.DataFrame | None,
    calendar: pd.DataFrame | None,
    timezone: str,
    by: By = None,
) -> Cases:
    """Events, or the table that ``cases`` made of them, ready to be measured.

    Cases whose service is out of scope, that never started or that end before they start cannot
    be measured; they are counted.
    """
    book = clocks(calendar, timezone) if calendar is not None else {}
    log = None if is_case_table(events) else read_log(events, timezone)
    mark = log.mark if log else held.mark(events)
    asked = _Asked(events, log, mark, services, steps, book, timezone)
    known, names = held.marks(services, steps), columns_of(by)
    key = ("cases", known, mark_of(book), timezone)
    found = held.once(mark if known else None, key, asked.narrow)
    table = found.table
    if set(names) - set(table.columns):
        # Grouped by what is not held (a count, a flag): from all columns of the cases.
        every = _measurable(asked.wide())
        table = every if set(names) & set(every.columns) - set(table.columns) else table
    return replace(
        found, table=_grouped(table, services, names), by=names,
        dropped=dict(found.dropped), odd=dict(found.odd),
    )  # fmt: skip


@dataclass(frozen=True)
class _Asked:
    """What was given, read; with the catalogue and the clocks."""

    events: Any
    log: Log | None
    mark: held.Mark
    services: pd.DataFrame | None
    steps: pd.DataFrame | None
    book: Clocks
    timezone: str

    def wide(self) -> Table:
        """All cases with all their columns."""
        if self.log:
            table = case_times(self.log, self.services, self.steps, self.book)
        else:
            catalogue = service_table(self.services, self.book)
            table = _from_cases(self.events, catalogue, self.timezone)
            clock = ibis.coalesce(table["clock_id"], default_clock(self.book))
            table = table.mutate(clock_id=clock)
        day = engine.day(local_micros(table["start_us"], self.timezone))
        return table.mutate(start_day=day, month=day.substr(0, 7))

    def narrow(self) -> Cases:
        """Cases that can be measured, with what most questions need."""
        parts = self._parts()
        if parts:
            catalogue = service_table(self.services, self.book)
            table, counts = scoped_cases(parts, catalogue, self.timezone)
        else:
            wide = self.wide()
            table, counts = engine.keep(_narrow(_measurable(wide)), ordered=False), _odd(wide)
        table = table.mutate(month=table["start_day"].substr(0, 7))
        left = {k: counts[k] for k in ("out_of_scope", "no_start", "negative") if counts[k]}
        dropped = self.log.dropped | left if self.log else left
        return Cases(table, [], dropped, {k: counts[k] for k in ODD}, len(self.book))

    def _parts(self) -> list[pa.RecordBatch] | None:
        if not self.log:
            return held.found(self.mark, PARTS)  # type: ignore[no-any-return]
        return timed_once(self.log, self.services, self.steps, self.book).parts


def _narrow(table: Table) -> Table:
    """What the questions about cases have in common, worked out once."""
    return table.select(
        "case_id", "service_id", "provider_id", "routine", "status", "start_day",
        "is_emergency", "n_returns", "n_rejects", "promise_us", "elapsed_us", "start_us", "stop_us",
        stopped_us=table["paused_us"] + table["requester_us"],
        promised=promised(table), net_us=net(table), gross_us=gross(table),
        fresh=table["prev_case_id"].isnull(),
    )  # fmt: skip


def _measurable(table: Table) -> Table:
    return table.filter(_in_scope(table) & ~table["no_start"] & ~table["negative"])


def _in_scope(table: Table) -> BooleanValue:
    return table["in_scope"].fill_null(True)  # type: ignore[no-any-return]


def _odd(table: Table) -> dict[str, int]:
    """How many cases cannot be measured (out of scope, never started, ended before the start), or are odd."""
    odd = {k: table[k].sum() for k in ODD}
    counts = engine.row(table.aggregate(out_of_scope=(~_in_scope(table)).sum(), **odd))
    return {k: 0 if pd.isna(v) else int(v) for k, v in counts.items()}


def is_case_table(data: Any) -> bool:
    """Whether the data are the cases themselves, not their events."""
    return {"status", "elapsed_h", "start_at"} <= set(getattr(data, "columns", ()))


def columns_of(by: By) -> list[str]:
    """The grouping columns as a list."""
    return [] if by is None else [by] if isinstance(by, str) else list(by)


def net(table: Table) -> IntegerValue:
    """Time on the clock of the promise, without what waited for the requester."""
    if "net_us" in table.columns:
        return table["net_us"]  # type: ignore[no-any-return]
    business = table["business_us"] - table["paused_business_us"] - table["requester_business_us"]
    return ibis.ifelse(by_calendar(table), natural(table), business)


def natural(table: Table) -> IntegerValue:
    """Time day and night, without what waited for the requester."""
    if "stopped_us" in table.columns:
        return table["elapsed_us"] - table["stopped_us"]  # type: ignore[no-any-return]
    return table["elapsed_us"] - table["paused_us"] - table["requester_us"]  # type: ignore[no-any-return]


def gross(table: Table) -> IntegerValue:
    """Time on the clock of the promise, nothing taken off."""
    if "gross_us" in table.columns:
        return table["gross_us"]  # type: ignore[no-any-return]
    return ibis.ifelse(by_calendar(table), table["elapsed_us"], table["business_us"])


def by_calendar(table: Table) -> BooleanValue:
    """Whether the promise runs day and night."""
    return (table["clock"] == "calendar").fill_null(False)


def promised(table: Table) -> BooleanValue:
    """Whether a promise was in force when the case started."""
    if "promised" in table.columns:
        return table["promised"]  # type: ignore[no-any-return]
    day = table["start_day"]
    since = (table["valid_from"] <= day).fill_null(True)
    until = (day <= table["valid_to"]).fill_null(True)
    return table["promise_us"].notnull() & since & until


def ratios(table: Table, keys: list[str], unit: str = "promise") -> pd.DataFrame:
    """Per group of cases: how many, and the list of their times as multiples of the promise.

    ``unit``: "hours" gives the times of all cases in hours, whatever was promised; "natural_hours"
    counts day and night, for a log without a calendar.

    Where no promise was in force, or the time is unknown, there is no ratio. The lists are in no
    order; a row per group instead of one per case is what keeps ten million events small.
    """
    whole = table["promise_us"].cast("float64") if unit == "promise" else float(HOUR)
    time = natural(table) if unit == "natural_hours" else net(table)
    known = time.notnull() & (promised(table) if unit == "promise" else True)
    ratio = time / whole
    ratio = ibis.ifelse(known, ratio, ibis.null("float64"))
    rows = engine.frame(table.group_by(keys).aggregate(cases=table.count(), ratio=ratio.collect()))
    values = [np.empty(0) if v is None else np.asarray(v, dtype=float) for v in rows["ratio"]]
    return rows.assign(ratio=pd.Series(values, rows.index, dtype=object))


def together(values: Iterable[np.ndarray]) -> np.ndarray:
    """Several lists as one."""
    return np.concatenate([np.empty(0), *values])


def _grouped(table: Table, services: pd.DataFrame | None, names: list[str]) -> Table:
    further = [c for c in names if c not in table.columns]
    if not further:
        return table
    return joined(table, engine.small(attributes(services, further)), "service_id")


def _from_cases(cases: Any, catalogue: Table, timezone: str) -> Table:
    table = engine.as_table(cases)
    times = [f"{k}_h" for k in KINDS]
    require(table, "case_id", "service_id", "status", "start_at", "end_at", *COUNTS, *times)  # type: ignore[arg-type]
    hours = {f"{k}_us": (table[f"{k}_h"] * HOUR).round().cast("int64") for k in KINDS}
    start = utc_micros(table["start_at"], timezone)
    ends = (
        ibis.null("int64")
        if table["end_at"].type().is_null()
        else utc_micros(table["end_at"], timezone)
    )
    own = {c: cast(table, c, "boolean").fill_null(False) for c in ODD}
    base = table.select(
        "case_id", "service_id", "status", "n_events", "n_returns", "n_rejects", "n_resubmits",
        prev_case_id=cast(table, "prev_case_id", "string"),
        start_us=start, end_us=ends, stop_us=start + hours["elapsed_us"], **hours, **own,
    )  # fmt: skip
    if base["service_id"].type().is_null():
        raise table_error("missing_columns", missing=["service_id"], present=list(table.columns))
    base = joined(base, catalogue, "service_id")
    return base.mutate(is_emergency=(base["routine"] == "emergency").fill_null(False))


def share(part: Value, whole: Value) -> Value:
    """A ratio of two sums; nothing of nothing is unknown."""
    return part / whole.nullif(0)

"""The workflow log as every measure reads it: canonical columns, instants in microseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import BooleanValue, Table, Value

from svcmetrics.io import engine
from svcmetrics.measure.instants import typed, utc_micros
from svcmetrics.problems import table_error
from svcmetrics.tables import EVENT, words_of

# What ends a case, what opens it again, and what moves it on. A comment, a transfer or a stopped
# clock does not move a case.
ACTIONS = words_of("action")
ENDS = ("close", "reject", "withdraw")
REOPENS = ("submit", "resubmit", "return")
OUTPUTS = ("deliver", "approve")
FLOW = ("submit", "resubmit", "accept", "deliver", "approve", "return", *ENDS)

_TYPES = {
    "id": "string", "word": "string", "text": "string", "int": "int64", "bool": "boolean",
}  # fmt: skip


@dataclass(frozen=True)
class Log:
    """Canonical events with ``at_us``; the last instant of the log; what could not be used."""

    events: Table
    until: int
    dropped: dict[str, int] = field(default_factory=dict)


def read_log(events: Any, timezone: str, *, until: object = None) -> Log:
    """Events as an engine table, once checked: columns, times, words and repeated keys.

    Rows without a case, number, service, time or action cannot be used; they are counted.
    """
    table = canonical(events, timezone)
    needed = ("case_id", "seq", "service_id", "at_us", "action")
    whole = _all(table[c].notnull() for c in needed)
    counts = engine.frame(
        table.group_by(action="action").aggregate(
            n=table.count(), whole=whole.sum(), last=table["at_us"].max()
        )
    )
    unknown = sorted(set(counts["action"].dropna()) - set(ACTIONS))
    if unknown:
        raise table_error("unknown_word", unknown=unknown[:10], known=list(ACTIONS))
    incomplete = int(counts["n"].sum() - counts["whole"].sum())
    _check_keys(table)
    last = counts["last"].max()
    if until is not None:
        last = _instant(until, timezone)
    return Log(
        table.filter(whole) if incomplete else table,
        int(last) if pd.notna(last) else 0,
        {"incomplete_events": incomplete} if incomplete else {},
    )


def canonical(events: Any, timezone: str) -> Table:
    """The columns of the ``event`` table with their types, and ``at_us``; what is not there is NULL."""
    if isinstance(events, pd.DataFrame) and "at" in events:
        known = [
            c
            for c in EVENT.names
            if c in events and (c in EVENT.required or events[c].notna().any())
        ]
        events = events[known].assign(at=typed(events["at"], timezone))
    table = engine.as_table(events)
    missing = [c for c in EVENT.required if c not in table.columns]
    if missing:
        raise table_error("missing_columns", missing=missing, present=list(table.columns)[:20])
    columns: dict[str, Value] = {
        c.name: cast(table, c.name, _TYPES[c.kind]) for c in EVENT.columns if c.kind != "time"
    }
    return table.select(**columns, at_us=utc_micros(table["at"], timezone))


def cast(table: Table, column: str, kind: str) -> Value:
    """A column in its canonical type; NULL when it is not there or holds nothing."""
    if column not in table.columns:
        return ibis.null(kind)
    value = table[column]
    if value.type().is_floating() and kind == "string":  # ids that a spreadsheet made numbers of
        raise table_error("not_an_id", column=column)
    return value if str(value.type()) == kind else value.cast(kind)


def is_in(value: Value, words: tuple[str, ...]) -> BooleanValue:
    """Whether an action is one of these words; never NULL."""
    return value.isin(words).fill_null(False)  # type: ignore[no-any-return]


def _check_keys(table: Table) -> None:
    """Stop when (case_id, seq) repeats: the order of events would be a guess.

    Up to 60 numbers of a case are marked as bits of one integer: as many bits as events means
    that none repeats. Longer cases are counted one by one.
    """
    bit = ibis.literal(1, "int64") << (table["seq"] % 61).cast("int64")
    case = table.group_by("case_id").aggregate(
        n=table["seq"].count(), wide=table["seq"].max() - table["seq"].min(), bits=bit.bit_or()
    )
    doubtful = case.filter((engine.bits(case["bits"]) != case["n"]) | (case["wide"] > 60))
    suspects = table.semi_join(doubtful, "case_id")
    double = suspects.group_by("case_id", "seq").aggregate(times=suspects.count())
    double = double.filter((double["times"] > 1) & double["case_id"].notnull())
    found = engine.frame(double.order_by("case_id", "seq").limit(1))
    if len(found):
        total = engine.row(double.aggregate(rows=double["times"].sum()))["rows"]
        example = [str(found["case_id"][0]), str(found["seq"][0])]
        raise table_error(
            "duplicate_rows", count=int(total), key=["case_id", "seq"], example=example
        )


def _instant(value: object, timezone: str) -> int:
    stamp = pd.Timestamp(value)  # type: ignore[arg-type]
    stamp = stamp if stamp.tz is not None else stamp.tz_localize(timezone)
    return int(stamp.tz_convert("UTC").as_unit("us").asm8.astype("int64"))


def _all(conditions: Any) -> BooleanValue:
    first, *rest = conditions
    for condition in rest:
        first = first & condition
    return first  # type: ignore[no-any-return]

"""The workflow log as every measure reads it: canonical columns, instants in microseconds."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import ibis
import pandas as pd
from ibis.expr.types import Table, Value

from svcmetrics.io import engine, held
from svcmetrics.io.held import Mark
from svcmetrics.measure.actions import ACTIONS, ENDS, FLOW, OUTPUTS, REOPENS, is_in
from svcmetrics.measure.in_order import pieces
from svcmetrics.measure.instants import typed, utc_micros
from svcmetrics.measure.kinds import KINDS
from svcmetrics.measure.per_case import per_case, usable
from svcmetrics.problems import table_error
from svcmetrics.tables import EVENT

__all__ = ["ACTIONS", "ENDS", "FLOW", "KINDS", "OUTPUTS", "REOPENS", "Log", "canonical", "cast", "is_in",
           "read_log", "tally"]  # fmt: skip

Made = TypeVar("Made")

_TYPES = {
    "id": "string", "word": "string", "text": "string", "int": "int64", "bool": "boolean",
}  # fmt: skip


@dataclass(frozen=True)
class Log:
    """Canonical events with ``at_us``; their cases; the last instant; what could not be used.

    ``cases`` has one row for each, held in the engine: see ``per_case``. ``mark`` tells this log
    from any other, so that what was computed from it can be held. ``ready``: what came with the
    cases in the same reading, by name; such a log has one service in each case.
    """

    events: Table
    cases: Table
    until: int
    dropped: dict[str, int] = field(default_factory=dict)
    mark: Mark = None
    ready: Mapping[str, Any] = field(default_factory=dict)

    def once(self, key: Hashable | None, make: Callable[[], Made]) -> Made:
        """What was computed from this log before under this name, or now; without one, now."""
        if isinstance(key, str) and key in self.ready:
            return self.ready[key]  # type: ignore[no-any-return]
        return held.once(self.mark if key else None, key, make)


def read_log(events: Any, timezone: str, *, until: object = None) -> Log:
    """Events as an engine table, once checked: columns, times, words and repeated keys.

    Rows without a case, number, service, time or action cannot be used; they are counted. The same
    events, asked again, are not read again.
    """
    mark = held.mark(events, EVENT.names)
    if mark is not None:
        mark = ("log", mark, timezone)
    log = held.once(mark, "log", lambda: _read(events, timezone, mark))
    return log if until is None else replace(log, until=_instant(until, timezone))


def _read(events: Any, timezone: str, mark: Mark) -> Log:
    """One reading in the ordinary case; a log with flaws is looked at more closely."""
    table = canonical(events, timezone)
    file = Path(events) if isinstance(events, (str, Path)) else engine.file_of(events)
    if found := pieces(table, file=file, timezone=timezone):
        ready = {"stretches": (found.pauses, found.back), "decisions": found.decisions,
                 "parts": found.parts, "services": found.services}  # fmt: skip
        if found.tally is not None:
            ready["tally"] = found.tally
        return Log(table, found.cases, _sums(found.cases)["last"], {}, mark, ready)
    cases = engine.keep(per_case(table))
    counts = _sums(cases)
    dropped = {}
    if counts["unusable"]:
        dropped["incomplete_events"] = _incomplete(table)
    if counts["unusable"] or counts["doubtful"]:
        _check_keys(table)
    if counts["unusable"]:
        table = table.filter(usable(table))
        cases = engine.keep(per_case(table))
    return Log(table, cases, counts["last"], dropped, mark)


def _sums(cases: Table) -> dict[str, int]:
    found = engine.row(
        cases.aggregate(
            unusable=cases["n_unusable"].sum(),
            doubtful=cases["is_doubtful"].sum(),
            last=cases["last_us"].max(),
        )
    )
    return {k: 0 if pd.isna(v) else int(v) for k, v in found.items()}


def _incomplete(table: Table) -> int:
    """How many rows cannot be used; an action that nobody knows is an error."""
    counts = engine.frame(
        table.group_by(action="action").aggregate(n=table.count(), whole=usable(table).sum())
    )
    unknown = sorted(set(counts["action"].dropna()) - set(ACTIONS))
    if unknown:
        raise table_error("unknown_word", unknown=unknown[:10], known=list(ACTIONS))
    return int(counts["n"].sum() - counts["whole"].sum())


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


def _check_keys(table: Table) -> None:
    """Stop when (case_id, seq) repeats: the order of events would be a guess."""
    counts = per_case(table).select("case_id", "is_doubtful")
    suspects = table.semi_join(counts.filter(counts["is_doubtful"]), "case_id")
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


def tally(log: Log) -> Table:
    """How many events of each kind there are: what counting starts from, instead of the events."""
    e = log.events
    counts = e.group_by(list(KINDS)).aggregate(events=e.count())
    return log.once("tally", lambda: engine.keep(counts, ordered=False))

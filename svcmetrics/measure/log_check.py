"""What is odd about a workflow log: counted and named before anything is measured with it."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.cases import case_times
from svcmetrics.measure.clocks import clocks
from svcmetrics.measure.instants import bare_stamps, odd_hours
from svcmetrics.measure.log import Log, read_log
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.result import Finding, Result, estimates

_SAME = ("case_id", "at_us", "action", "step_no", "to_step_no", "unit_id", "actor_key")


@metric(better="lower", low=0, high=1, source="House rules of the log; Wilson 1927, JASA 22")
def log_check(
    events: Any,
    *,
    services: pd.DataFrame | None = None,
    steps: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    timezone: str = "Asia/Shanghai",
) -> Result:
    """What is odd about this log, and how often?

    Arguments as in ``cases``. Nothing is mended: the measures say how they treat each oddity.

    Comes back as shares with Wilson intervals and counts. Of events: ``incomplete`` (no case,
    number, service, time or action), ``out_of_order`` (earlier than the event numbered before
    it), ``repeated`` (the same event under another number), ``unknown_service``,
    ``outside_calendar``; and of stamps without an offset ``skipped_hour`` (the zone skips this
    hour when clocks go forward; read as that much later) and ``doubled_hour`` (it has it twice,
    when they go back; the first is meant). Of cases: ``no_start`` (no submission), ``after_close``
    (work after the end), ``negative`` (ends before it starts), ``broken_link`` (re-submits a case
    that is not there). The same number twice in a case is an error, because the order would be a
    guess.

    It misleads when the log was cleaned before: what was taken out cannot be counted.

    Source: House rules of the log.

    >>> log = pd.DataFrame({"case_id": ["a", "a"], "seq": [1, 2], "service_id": "s",
    ...     "action": ["submit", "close"], "at": ["2024-09-03", "2024-09-02"]})
    >>> log_check(log).table.query("count > 0")["variant"].tolist()
    ['out_of_order', 'negative']
    """
    log = read_log(events, timezone)
    e = _event_flags(log, services, calendar, timezone)
    e |= odd_hours(bare_stamps(events), timezone)
    cases = case_times(log, services, steps, {})
    known = log.events.select(prev_case_id="case_id", there=ibis.literal(True)).distinct()
    linked = cases.filter(cases["prev_case_id"].notnull()).anti_join(known, "prev_case_id")
    names = ("no_start", "after_close", "negative")
    c = engine.row(cases.aggregate(n=cases.count(), **{k: cases[k].sum() for k in names}))
    c["broken_link"] = engine.row(linked.aggregate(n=linked.count()))["n"]
    dropped = log.dropped.get("incomplete_events", 0)
    e = {"n": e["n"] + dropped, "incomplete": dropped, **{k: v for k, v in e.items() if k != "n"}}
    table = pd.concat([_rows(e), _rows(c)])
    return Result(
        "log_check", table, _findings(table), {"method": "Wilson", "dropped": log.dropped}
    )


def _event_flags(
    log: Log, services: pd.DataFrame | None, calendar: pd.DataFrame | None, timezone: str
) -> dict[str, Any]:
    e = log.events
    window = ibis.window(group_by="case_id", order_by="seq")
    e = e.mutate(earlier=(e["at_us"] < e["at_us"].lag().over(window)).fill_null(False))
    counts = engine.row(e.aggregate(n=e.count(), out_of_order=e["earlier"].sum()))
    same = log.events.group_by(list(_SAME)).aggregate(times=log.events.count())
    counts["repeated"] = engine.row(same.aggregate(n=(same["times"] - 1).sum()))["n"]
    if services is not None:
        known = services["service_id"].astype(str).tolist()
        counts["unknown_service"] = engine.row(e.aggregate(n=e["service_id"].notin(known).sum()))[
            "n"
        ]
    if calendar is not None:
        counts["outside_calendar"] = _outside(log.events, calendar, timezone)
    return {k: 0 if pd.isna(v) else int(v) for k, v in counts.items()}


def _outside(events: Table, calendar: pd.DataFrame, timezone: str) -> int:
    """Events that no calendar covers."""
    book = clocks(calendar, timezone)
    start, end = (
        f(edge)
        for f, edge in (
            (min, [c.start for c in book.values()]),
            (max, [c.end for c in book.values()]),
        )
    )
    out = ~events["at_us"].between(start, end)
    found = engine.row(events.aggregate(n=out.sum()))["n"]
    return 0 if pd.isna(found) else int(found)


def _rows(counts: dict[str, Any]) -> pd.DataFrame:
    n = int(counts.pop("n"))
    found = [0 if pd.isna(v) else int(v) for v in counts.values()]
    low, high = intervals.wilson(found, n)
    share = [f / n if n else float("nan") for f in found]
    return estimates(
        "log_check", variant=list(counts), estimate=share, low=low, high=high, n=n, count=found
    )


def _findings(table: pd.DataFrame) -> list[Finding]:
    odd = table[table["count"] > 0]
    if odd.empty:
        return [Finding("log_check.clean", {"events": int(table["n"].iloc[0])})]
    return [
        Finding(f"log.{row['variant']}", {"count": int(row["count"])}, "warning")
        for row in odd.to_dict("records")
    ]

"""How long cases, and the gaps between their events, take."""

from __future__ import annotations

from typing import Any, Literal

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.cases import case_times
from svcmetrics.measure.clocks import HOUR, clocks, with_worked
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.log import Log, read_log
from svcmetrics.metric import metric
from svcmetrics.numeric import summaries
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import require

Of = Literal["case", "span", "gap"]
QUANTILES = {"p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}


@metric(
    better="neither",
    low=0,
    source="Conover 1999, section 3.2; Hyndman and Fan 1996, type 7",
    drawing="series",
)
def duration(
    events: Any,
    *,
    of: Of = "case",
    services: pd.DataFrame | None = None,
    steps: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    by: By = "service_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How long do cases, or the gaps between their events, take?

    ``of``: "case" – from submission to the end, of cases that have ended; "span" – from the first
    to the last event of every case; "gap" – from one event to the next, grouped by columns of the
    later one (``action``, ``step_no``, ``unit_id``). ``calendar``: adds working hours. ``by``: None
    for all together; raw hours of several services say little, so compare within a service.

    Comes back per group: ``mean`` (Student's limits), ``p25, median, p75, p90`` (quantiles of type
    7, limits from order statistics), in hours; with a calendar the same as ``business_…``.

    It misleads about slow cases that are still open: they are counted, not guessed. See
    ``survival``. Negative gaps (the clock of two machines) stay in and are named.

    Source: Hyndman and Fan (1996), type 7; Conover (1999), 3.2.

    >>> log = pd.DataFrame({"case_id": ["a", "a"], "seq": [1, 2], "service_id": "s",
    ...     "action": ["submit", "close"], "at": ["2024-09-02 09:00", "2024-09-02 21:00"]})
    >>> duration(log).table[["service_id", "variant", "estimate"]].head(1).values.tolist()
    [['s', 'mean', 12.0]]
    """
    names = columns_of(by)
    log = read_log(events, timezone)
    book = clocks(calendar, timezone) if calendar is not None else {}
    left: dict[str, int] = {}
    if of == "gap":
        rows = _gaps(log, services)
    else:
        rows, left = _spans(case_times(log, services, steps, {}), of)
    rows = rows.mutate(clock_id=_clock(rows, book))
    rows = with_worked(rows, book, {"a_work": "a_us", "b_work": "b_us"})
    missing = [c for c in names if c not in rows.columns]
    if missing:
        raise table_error("missing_columns", missing=missing, present=list(rows.columns))
    frame = engine.frame(
        rows.select(
            *names, elapsed=rows["b_us"] - rows["a_us"], business=rows["b_work"] - rows["a_work"]
        )
    )
    table = _table(frame, names, bool(book))
    dropped = log.dropped | left
    unknown = int(frame["business"].isna().sum()) if book else 0
    if unknown:
        dropped["outside_calendar"] = unknown
    about = {"method": "type 7 quantiles; order statistics", "of": of, "level": 0.95}
    about |= _drawn(frame) | {"dropped": dropped}
    return Result("duration", table, _findings(frame, of, left), about)


def _drawn(frame: pd.DataFrame) -> dict[str, Any]:
    """What to draw: working hours, where a calendar gives them."""
    known = bool(frame["business"].notna().any())
    prefix = "business_" if known else ""
    return {"drawn": [f"{prefix}median", f"{prefix}p90"], "unit": f"{prefix}hours"}


def _spans(cases: Table, of: Of) -> tuple[Table, dict[str, int]]:
    names = ("service_id", "provider_id", "status", "clock_id")
    if of == "span":
        return cases.select(*names, a_us="first_us", b_us="last_us"), {}
    cases = engine.keep(cases)
    still = cases["status"] == "open"
    # A case that says neither when it began nor when it ended lacks both; the start comes first.
    counts = engine.row(
        cases.aggregate(
            open=(still & ~cases["no_start"]).sum(),
            no_start=cases["no_start"].sum(),
            negative=(cases["negative"] & ~still & ~cases["no_start"]).sum(),
        )
    )
    ended = cases.filter(~still & ~cases["no_start"] & ~cases["negative"])
    left = {k: int(v) for k, v in counts.items() if pd.notna(v) and v}
    return ended.select(*names, a_us="start_us", b_us="end_us"), left


def _gaps(log: Log, services: pd.DataFrame | None) -> Table:
    window = ibis.window(group_by="case_id", order_by="seq")
    rows = log.events.mutate(a_us=log.events["at_us"].lag().over(window))
    rows = rows.filter(rows["a_us"].notnull())
    own = {} if services is None else _calendars(services)
    clock = (
        rows["service_id"].substitute(own, else_=ibis.null("string"))
        if own
        else ibis.null("string")
    )
    return rows.select(
        "service_id", "action", "step_no", "unit_id", "a_us", b_us="at_us", clock_id=clock
    )


def _calendars(services: pd.DataFrame) -> dict[str, str]:
    if "calendar_id" not in services:
        return {}
    require(services, "service_id")
    known = services.dropna(subset=["calendar_id"])
    return dict(zip(known["service_id"].astype(str), known["calendar_id"].astype(str)))


def _clock(rows: Table, book: dict[str, Any]) -> Any:
    return ibis.coalesce(rows["clock_id"], next(iter(book))) if len(book) == 1 else rows["clock_id"]


def _table(frame: pd.DataFrame, by: list[str], with_business: bool) -> pd.DataFrame:
    parts = []
    groups = frame.groupby(by, dropna=False) if by else [((), frame)]
    for key, part in groups:
        for kind in ("elapsed", "business") if with_business else ("elapsed",):
            us = np.sort(part[kind].dropna().to_numpy(dtype=float)) / HOUR
            prefix = "" if kind == "elapsed" else "business_"
            found = [summaries.mean(us), *(summaries.quantile(us, q) for q in QUANTILES.values())]
            estimate, low, high = zip(*found)
            parts.append(
                estimates(
                    "duration",
                    groups=dict(zip(by, key if isinstance(key, tuple) else (key,))),
                    variant=[prefix + v for v in ("mean", *QUANTILES)],
                    estimate=estimate,
                    low=low,
                    high=high,
                    n=len(us),
                )
            )
    return pd.concat(parts) if parts else estimates("duration", n=0)


def _findings(frame: pd.DataFrame, of: Of, left: dict[str, int]) -> list[Finding]:
    hours = np.sort(frame["elapsed"].to_numpy(dtype=float)) / HOUR
    named = ("no_start", "negative")
    odd = [Finding(f"log.{k}", {"count": left[k]}, "warning") for k in named if k in left]
    if left.get("open"):
        odd.insert(0, Finding("duration.open", {"count": left["open"]}))
    if not len(hours):
        return [Finding("duration.none", {}, "refused"), *odd]
    middle, low, high = summaries.quantile(hours, 0.5)
    values = {
        "median": middle,
        "low": low,
        "high": high,
        "n": len(hours),
        "p90": float(np.quantile(hours, 0.9)),
    }
    out = [Finding(f"duration.{of}", values), *odd]
    negative = int((hours < 0).sum())
    if negative:
        out.append(Finding("log.negative", {"count": negative}, "warning"))
    return out

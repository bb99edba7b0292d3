"""How much there is: cases, events, and events by kind."""

from __future__ import annotations

from typing import Any

import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.cases import joined
from svcmetrics.measure.catalogue import attributes
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.instants import local_micros
from svcmetrics.measure.log import KINDS, Log, read_log, tally
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.result import Finding, Result, estimates


@metric(better="neither", low=0, source="Garwood 1936, Biometrika 28", drawing="series")
def volume(
    events: Any,
    *,
    services: pd.DataFrame | None = None,
    by: By = "service_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How many cases and events are there, and of which kind?

    ``by``: columns of the events (``service_id, step_no, unit_id, action, month``) or of the
    catalogue; None for all together.

    Comes back per group: ``cases`` (distinct), ``events``, and one variant per action. Limits are
    those of a Poisson count: what a like period would bring. The count itself is exact.

    It misleads as a measure of work: a comment is an event too.

    Source: Garwood (1936), Biometrika 28, 437–442.

    >>> log = pd.DataFrame({"case_id": ["a", "a"], "seq": [1, 2], "service_id": "s",
    ...     "action": ["submit", "close"], "at": ["2024-09-02", "2024-09-03"]})
    >>> volume(log).table[["variant", "estimate"]].values.tolist()
    [['cases', 1.0], ['events', 2.0], ['close', 1.0], ['submit', 1.0]]
    """
    names = columns_of(by)
    log = read_log(events, timezone)
    rows, cases = _countable(log, services, names, timezone)
    sums = rows.group_by(list(dict.fromkeys([*names, "action"])))
    kinds = engine.frame(sums.aggregate(count=rows["events"].sum()))
    whole = _whole(kinds, cases, names)
    parts = [whole.assign(variant=k, count=whole[k]) for k in ("cases", "events")]
    if "action" not in names:
        parts.append(kinds.assign(variant=kinds["action"]))
    counts = pd.concat(parts, ignore_index=True)
    rank = counts["variant"].map({"cases": 0, "events": 1}).fillna(2)
    counts = counts.assign(rank=rank).sort_values([*names, "rank", "variant"], kind="stable")
    low, high = intervals.garwood(counts["count"])
    table = estimates(
        "volume",
        groups={c: counts[c].to_numpy() for c in names},
        variant=counts["variant"].to_numpy(),
        estimate=counts["count"].to_numpy(),
        low=low,
        high=high,
        n=counts["count"].to_numpy(),
    )
    total = engine.row(log.cases.aggregate(cases=log.cases.count()))
    total["events"] = kinds["count"].sum()
    found = Finding("volume.overall", {k: int(v) for k, v in total.items()})
    return Result(
        "volume", table, [found], {"method": "Garwood", "drawn": ["cases"], "dropped": log.dropped}
    )


def _countable(
    log: Log, services: pd.DataFrame | None, names: list[str], timezone: str
) -> tuple[Table, Table]:
    """Kinds of events with how many there are, and events or cases to be counted as cases.

    A month is that of each event; otherwise kinds are counted once for all questions.
    """
    e = log.events
    own = set(names) & {"month", *e.columns}
    if "month" in names:
        e = e.mutate(month=engine.month(local_micros(e["at_us"], timezone)))
    counted = tally(log) if own <= set(KINDS) else e.mutate(events=1)
    # In a log in order a case has one service: what tells services apart tells cases apart.
    cases = log.cases if log.ready and own <= {"service_id"} else e
    further = [c for c in names if c not in own]
    if further:
        known = engine.small(attributes(services, further))
        counted, cases = (joined(t, known, "service_id") for t in (counted, cases))
    return counted, cases


def _whole(kinds: pd.DataFrame, cases: Table, names: list[str]) -> pd.DataFrame:
    """Events and cases of each group."""
    distinct = cases.count() if "first_us" in cases.columns else cases["case_id"].nunique()
    if not names:
        number = engine.row(cases.aggregate(n=distinct))["n"]
        return pd.DataFrame({"cases": [number], "events": [kinds["count"].sum()]})
    events = kinds.groupby(names, dropna=False, as_index=False)[["count"]].sum()
    found = engine.frame(cases.group_by(names).aggregate(cases=distinct))
    return found.merge(events.rename(columns={"count": "events"}), on=names)

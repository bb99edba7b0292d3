"""How much there is: cases, events, and events by kind."""

from __future__ import annotations

from typing import Any

import pandas as pd

from svcmetrics.io import engine
from svcmetrics.measure.cases import joined
from svcmetrics.measure.catalogue import attributes
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.instants import local_micros
from svcmetrics.measure.log import read_log
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
    e = log.events
    e = e.mutate(month=engine.month(local_micros(e["at_us"], timezone)))
    further = [c for c in names if c not in e.columns]
    if further:
        e = joined(e, engine.small(attributes(services, further)), "service_id")
    groups = e.group_by(names) if names else e
    whole = engine.frame(groups.aggregate(cases=e["case_id"].nunique(), events=e.count()))
    kinds = engine.frame(
        e.group_by(list(dict.fromkeys([*names, "action"]))).aggregate(count=e.count())
    )
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
    total = engine.row(e.aggregate(cases=e["case_id"].nunique(), events=e.count()))
    found = Finding("volume.overall", {k: int(v) for k, v in total.items()})
    return Result(
        "volume", table, [found], {"method": "Garwood", "drawn": ["cases"], "dropped": log.dropped}
    )

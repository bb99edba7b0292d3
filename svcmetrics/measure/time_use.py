"""Where the time of cases goes: queueing, being worked on, stopped, with the requester."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table, Value

from svcmetrics.io import engine
from svcmetrics.measure.cases import case_times, joined
from svcmetrics.measure.catalogue import attributes, service_table
from svcmetrics.measure.clocks import HOUR
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.log import read_log
from svcmetrics.measure.passages import visit_table
from svcmetrics.metric import metric
from svcmetrics.numeric.intervals import normal_quantile
from svcmetrics.result import Finding, Result, estimates

PARTS = ("queue", "touch", "untold", "stopped", "requester", "other")
# A share of time beyond which it is said that queueing and work cannot be told apart.
_MUCH = 0.05


@metric(
    better="neither",
    low=0,
    high=1,
    source="Cochran 1977, Sampling Techniques, section 6.3 (ratio of sums); house facts 4 and 6 of the log",
    drawing="parts",
)
def time_use(
    events: Any,
    *,
    services: pd.DataFrame | None = None,
    steps: pd.DataFrame | None = None,
    by: By = "provider_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """Where does the time of a case go: to queues, to work, to stopped clocks, to the requester?

    Arguments as in ``returns``. ``by``: ``service_id``, ``provider_id`` or columns of the catalogue;
    with ``unit_id`` or ``step_no`` (as text) the time at the steps only. None: all together.

    Comes back per group the share of all elapsed hours (``hours``) of its ``n`` ended cases:
    ``queue`` (until a step accepted the work), ``touch`` (from then on, stopped clock taken
    off), ``untold`` (at a step that records no acceptance: queue and work cannot be told apart),
    ``stopped``, ``requester`` (with the requester, who sent nothing back yet; charged to nobody)
    and ``other`` (closing, or a step that is not named). The shares of a group add up to 1. Limits
    are those of a ratio of sums over cases. Emergencies and open cases are left out and counted: a
    case that everybody forgot would outweigh all others.

    It misleads when acceptance is a click that follows at once: all is then ``touch``. It counts
    nights and week-ends too, for all parts alike; a few very long cases weigh much.

    Source: Cochran (1977), Sampling Techniques, 3rd ed., section 6.3; house facts of the log.

    >>> log = pd.DataFrame({"case_id": "a", "seq": [1, 2, 3], "service_id": "s",
    ...     "action": ["submit", "accept", "close"], "step_no": [None, 1, 1],
    ...     "at": ["2024-09-02 09:00", "2024-09-02 12:00", "2024-09-02 13:00"]})
    >>> time_use(log, by=None).table[["variant", "estimate"]].head(2).values.tolist()
    [['queue', 0.75], ['touch', 0.25]]
    """
    names = columns_of(by)
    log = read_log(events, timezone)
    cases = engine.keep(case_times(log, services, steps, {}))
    facts = _facts(cases, services, names)
    visits = joined(visit_table(log, cases, steps, {}), facts, "case_id")
    counts = engine.frame(_sums(visits.filter(visits["left_out"] == ""), names))
    reasons = engine.frame(facts.group_by("left_out").aggregate(n=facts.count()))
    left = {str(k): int(n) for k, n in zip(reasons["left_out"], reasons["n"]) if k}
    table = _table(counts, names)
    about = {
        "method": "ratio of sums over cases",
        "level": 0.95,
        "dropped": log.dropped | {k: left[k] for k in sorted(left)},
    }
    return Result("time_use", table, _findings(table), about)


def _facts(cases: Table, services: pd.DataFrame | None, names: list[str]) -> Table:
    """Of each case: the first reason why it is left out, and the columns of the catalogue asked for."""
    known = service_table(services, {}).select("service_id", inside="in_scope")
    table = joined(cases, known, "service_id")
    reason = ibis.cases(
        (~table["inside"].fill_null(True), "out_of_scope"),
        (table["no_start"], "no_start"),
        (table["negative"], "negative"),
        (table["is_emergency"], "emergency"),
        (table["status"] == "open", "open"),
        else_="",
    )
    table = table.mutate(left_out=reason)
    own = [n for n in names if n not in ("unit_id", "step_no", "service_id")]
    further = [n for n in own if n not in table.columns]
    if further:
        table = joined(table, engine.small(attributes(services, further)), "service_id")
    return table.select("case_id", "left_out", *own)


def _sums(visits: Table, names: list[str]) -> Table:
    """Per group: hours of each part, and the squares that its limits need."""
    case = visits.group_by(list(dict.fromkeys([*names, "case_id"]))).aggregate(
        **{k: v.sum() for k, v in _parts(visits, names).items()}
    )
    case = case.mutate(whole=sum((case[k] for k in PARTS[1:]), case[PARTS[0]]))

    def hours(one: str, other: str = "") -> Value:
        total = engine.exact_sum(case[one], case[other] if other else None)
        return total / (float(HOUR) ** 2 if other else HOUR)

    sums: dict[str, Value] = {"n": case.count(), "hours": hours("whole")}
    sums["whole_2"] = hours("whole", "whole")
    for k in PARTS:
        sums |= {k: hours(k), f"{k}_2": hours(k, k), f"{k}_whole": hours(k, "whole")}
    groups = case.group_by(names) if names else case
    return groups.aggregate(**sums)


def _parts(v: Table, names: list[str]) -> dict[str, Value]:
    """The elapsed microseconds of each visit, taken apart; they add up to its elapsed time."""
    at_step, told = v["kind"] == "step", v["queue_h"].notnull()
    taken = at_step & told
    elsewhere = ~at_step & (v["kind"] != "requester")
    own = ibis.literal(not {"unit_id", "step_no"} & set(names))  # other time belongs to no step
    queue, touch, spent, paused = (
        engine.whole(v[f"{k}_h"] * HOUR) for k in ("queue", "touch", "elapsed", "paused")
    )
    stopped = ibis.ifelse(told, spent - queue - touch, paused)
    rows = {
        "queue": (taken, queue),
        "touch": (taken, touch),
        "untold": (at_step & ~told, spent - paused),
        "stopped": (at_step, ibis.greatest(stopped, 0)),
        "requester": ((v["kind"] == "requester") & own, spent),
        "other": (elsewhere & own, spent),
    }
    return {k: ibis.ifelse(where, us, 0).fill_null(0) for k, (where, us) in rows.items()}


def _table(counts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    counts = counts[counts["hours"] > 0]
    counts = counts.sort_values(by, kind="stable") if by else counts
    if counts.empty:
        return estimates("time_use", groups={c: [] for c in by}, variant=[], n=[], hours=[])
    total, n = counts["hours"].to_numpy(dtype=float), counts["n"].to_numpy(dtype=int)
    told = (counts["queue"] + counts["touch"]).to_numpy(dtype=float) > 0
    rows = []
    for k in PARTS:
        hours = counts[k].to_numpy(dtype=float)
        share = hours / total
        squares = counts[f"{k}_2"] - 2 * share * counts[f"{k}_whole"] + share**2 * counts["whole_2"]
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = np.maximum(squares.to_numpy(dtype=float), 0.0) * n / (n - 1)
            half = normal_quantile(0.95) * np.sqrt(variance) / total
        if k in ("queue", "touch"):  # without any acceptance neither is known
            share = np.where(told, share, np.nan)
        low, high = np.clip(share - half, 0.0, None), np.clip(share + half, None, 1.0)
        groups = {c: counts[c].to_numpy() for c in by}
        rows.append(
            estimates("time_use", groups=groups, variant=k, estimate=share, low=low, high=high, n=n,
                      hours=hours)
        )  # fmt: skip
    table = pd.concat(rows)
    return table.sort_values(by, kind="stable") if by else table


def _findings(table: pd.DataFrame) -> list[Finding]:
    if table.empty:
        return [Finding("time_use.none", {}, "refused")]
    hours = table.groupby("variant")["hours"].sum()
    share = {k: float(hours[k] / hours.sum()) for k in PARTS}
    n = int(table.loc[table["variant"] == PARTS[0], "n"].sum())
    accepts = share["queue"] + share["touch"] > 0
    key, level = ("overall", "note") if accepts else ("no_accept", "warning")
    found = [Finding(f"time_use.{key}", {**share, "n": n}, level)]  # type: ignore[arg-type]
    for part in ("untold", "other") if accepts else ("other",):
        if share[part] > _MUCH:
            found.append(Finding(f"time_use.{part}", {"share": share[part]}, "warning"))
    return found

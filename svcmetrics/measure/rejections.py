"""Rejections, and the new cases in which the same request comes back."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine, held
from svcmetrics.measure.cases import case_facts, joined
from svcmetrics.measure.catalogue import attributes
from svcmetrics.measure.clocks import DAY
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.log import Log, read_log
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates

_KINDS = ("rejected", "linked_by_id", "linked_by_rule", "linked", "rework_within", "rework")


@metric(
    better="neither",
    low=0,
    high=1,
    source="House fact 1 of the log; Wilson 1927, JASA 22",
    drawing="series",
)
def rejections(
    events: Any,
    *,
    services: pd.DataFrame | None = None,
    steps: pd.DataFrame | None = None,
    days: float = 30,
    by: By = "service_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How many cases are rejected, and how many of them come back as a new case?

    A rejection ends a case, and its re-submission is a new one: rework that is counted within
    cases only is undercounted. ``days``: a later case is linked by rule when the same requester
    (``actor_key`` of the submission) submits the same service within so many days after the
    rejection; each new case is linked once, to the latest rejection before it.

    Comes back per group with Wilson intervals: ``rejected`` (of finished cases); of the rejected
    ones ``linked_by_id`` (through ``prev_case_id``), ``linked_by_rule`` and ``linked`` (either);
    ``rework_within`` (finished cases with a return) and ``rework`` (with a return, or a
    re-submission of a rejected case), so that the result can be seen with and without the link.

    It misleads when one requester often asks for the same service: the rule then links what does
    not belong together. Compare it with the links by id.

    Source: house fact 1 of the log.

    >>> log = pd.DataFrame({"case_id": ["a", "a", "b", "b"], "seq": [1, 2, 1, 2],
    ...     "service_id": "s", "action": ["submit", "reject", "submit", "close"],
    ...     "actor_key": ["p1", "q", "p1", "q"], "at": pd.date_range("2024-09-02", periods=4)})
    >>> rejections(log).table.set_index("variant")["estimate"].to_dict()["rework"]
    0.5
    """
    names = columns_of(by)
    log = read_log(events, timezone)
    known = held.marks(steps)
    key = known and ("linked", *known, days)
    linked = log.once(key, lambda: engine.keep(_linked(_facts(log, steps), days)))
    further = [c for c in names if c not in linked.columns]
    if further and services is None:
        raise table_error("missing_columns", missing=further, present=linked.columns)
    if further:
        linked = joined(linked, engine.small(attributes(services, further)), "service_id")
    counts = engine.frame(_counted(linked, names))
    table = _table(counts, names)
    about = {"method": "Wilson", "level": 0.95, "rule": f"same requester and service within {days:g} days",
             "drawn": list(_KINDS) if not names else ["rejected", "rework"], "unit": "share",
             "dropped": log.dropped}  # fmt: skip
    return Result("rejections", table, _findings(table, days), about)


def _facts(log: Log, steps: pd.DataFrame | None) -> Table:
    return case_facts(log, steps).select(
        "case_id", "service_id", "status", "start_us", "end_us", "n_returns", "prev_case_id",
        "requester",
    )  # fmt: skip


def _linked(c: Table, days: float) -> Table:
    """Cases with: rejected, followed by id, followed by rule, and whether they re-submit one."""
    rule = engine.keep(_by_rule(_may_follow(c), days))
    no, yes = ibis.literal(False), ibis.literal(True)
    old = c.filter(c["prev_case_id"].notnull())
    marks = ibis.union(
        old.select(case_id="prev_case_id", by_id=yes, by_rule=no, again=no),
        rule.select("case_id", by_id=no, by_rule=yes, again=no),
        rule.select(case_id="new_case", by_id=no, by_rule=no, again=yes),
    )
    flags = ("by_id", "by_rule", "again")
    marks = marks.group_by("case_id").aggregate(**{k: marks[k].any() for k in flags})
    c = joined(c, marks, "case_id")
    c = c.mutate(**{k: c[k].fill_null(False) for k in flags})
    again = c["again"] | c["prev_case_id"].notnull()
    return c.select("service_id", "status", "n_returns", "by_id", "by_rule", again=again)


def _may_follow(c: Table) -> Table:
    """Cases of services and requesters of which one was ever rejected, under one number per pair.

    All others cannot be linked by rule, and are most of the log.
    """
    known = c.filter(c["requester"].notnull())
    rejected = known.filter(known["status"] == "rejected")
    pairs = rejected.select("requester", "service_id").distinct()
    pairs = engine.keep(pairs.mutate(pair=ibis.row_number()))
    columns = ("case_id", "status", "start_us", "end_us", "pair")
    return engine.keep(known.inner_join(pairs, ["requester", "service_id"]).select(*columns))


def _by_rule(c: Table, days: float) -> Table:
    """Pairs of a rejected case and the case that takes it up; a new case has one predecessor."""
    rejected = c.filter(c["status"] == "rejected").rename(gone_us="end_us", old_case="case_id")
    # A rejection stamped before its own submission must not follow itself: looked at one by one.
    odd = (c["status"] == "rejected") & (c["end_us"] <= c["start_us"])
    odd = odd.fill_null(False)
    nearest = engine.keep(_latest(c.filter(~odd), rejected).union(_each(c.filter(odd), rejected)))
    since = nearest["start_us"] - nearest["gone_us"]
    nearest = nearest.filter(since <= int(days * DAY))
    order = ibis.window(group_by="old_case", order_by=["start_us", "case_id"])
    first = nearest.mutate(place=ibis.row_number().over(order))
    return first.filter(first["place"] == 0).select(case_id="old_case", new_case="case_id")


def _latest(c: Table, rejected: Table) -> Table:
    """Each case with the latest rejection not after its start; of two at once the first by name.

    Twice the time, counted backwards, makes "not after" the next larger number.
    """
    back = rejected.group_by("pair", by=-2 * rejected["gone_us"]).aggregate(
        gone_us=rejected["gone_us"].min(), old_case=rejected["old_case"].min()
    )
    c = c.mutate(by=-2 * c["start_us"] - 1)
    starts = c.select("pair", "by").distinct()
    found = engine.next_row(starts, back, within="pair", by="by")
    found = found.filter(found["old_case"].notnull()).rename(pair_2="pair", by_2="by")
    both = c.inner_join(found, [c["pair"] == found["pair_2"], c["by"] == found["by_2"]])
    return both.select("case_id", "start_us", "gone_us", "old_case")


def _each(c: Table, rejected: Table) -> Table:
    """The same by looking at every pair of cases, and never at one case with itself."""
    old = rejected.select("gone_us", "old_case", pair_2="pair")
    pairs = c.inner_join(old, c["pair"] == old["pair_2"])
    pairs = pairs.filter(
        pairs["start_us"] >= pairs["gone_us"], pairs["case_id"] != pairs["old_case"]
    )
    order = ibis.window(group_by="case_id", order_by=[ibis.desc("gone_us"), "old_case"])
    nearest = pairs.mutate(place=ibis.row_number().over(order))
    nearest = nearest.filter(nearest["place"] == 0)
    return nearest.select("case_id", "start_us", "gone_us", "old_case")


def _counted(c: Table, names: list[str]) -> Table:
    c = c.filter(c["status"].isin(("closed", "rejected")))
    rejected = c["status"] == "rejected"
    back = c["n_returns"] > 0
    groups = c.group_by(names) if names else c
    return groups.aggregate(
        finished=c.count(),
        rejected=rejected.sum(),
        linked_by_id=(rejected & c["by_id"]).sum(),
        linked_by_rule=(rejected & c["by_rule"]).sum(),
        linked=(rejected & (c["by_id"] | c["by_rule"])).sum(),
        rework_within=back.sum(),
        rework=(back | c["again"]).sum(),
    )


def _table(counts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    counts = counts.sort_values(by, kind="stable") if by else counts
    parts = []
    for kind in _KINDS:
        n = (
            counts["rejected" if kind.startswith("linked") else "finished"]
            .fillna(0)
            .to_numpy(dtype=int)
        )
        hits = counts[kind].fillna(0).to_numpy(dtype=int)
        low, high = intervals.wilson(hits, n)
        groups = {c: counts[c].to_numpy() for c in by}
        share = hits / np.where(n > 0, n, np.nan)
        parts.append(
            estimates(
                "rejections",
                groups=groups,
                variant=kind,
                estimate=share,
                low=low,
                high=high,
                n=n,
                count=hits,
            )
        )
    return pd.concat(parts, ignore_index=True)


def _findings(table: pd.DataFrame, days: float) -> list[Finding]:
    count = table.groupby("variant")["count"].sum().to_dict()
    n = int(table.loc[table["variant"] == "rejected", "n"].sum())
    if not n:
        return [Finding("rejections.none", {}, "refused")]
    values = {"count": int(count["rejected"]), "share": count["rejected"] / n, "n": n}
    out = [Finding("rejections.overall", values)]
    if count["rejected"]:
        by_id, either = (count[k] / count["rejected"] for k in ("linked_by_id", "linked"))
        out.append(Finding("rejections.linked", {"by_id": by_id, "linked": either, "days": days}))
        without, with_ = count["rework_within"] / n, count["rework"] / n
        out.append(Finding("rejections.rework", {"without": without, "with_": with_}))
    return out

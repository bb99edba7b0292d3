"""Rejections, and the new cases in which the same request comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine, held
from svcmetrics.measure.cases import joined
from svcmetrics.measure.catalogue import attributes
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.log import read_log
from svcmetrics.measure.resubmitted import resubmitted
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
    linked = log.once(key, lambda: engine.keep(resubmitted(log, steps, days)))
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


def _counted(c: Table, names: list[str]) -> Table:
    c = c.filter(c["status"].isin(("closed", "rejected")))
    rejected, times = c["status"] == "rejected", c["cases"]
    back = c["n_returns"] > 0
    kinds = {
        "rejected": rejected,
        "linked_by_id": rejected & c["by_id"],
        "linked_by_rule": rejected & c["by_rule"],
        "linked": rejected & (c["by_id"] | c["by_rule"]),
        "rework_within": back,
        "rework": back | c["again"],
    }
    groups = c.group_by(names) if names else c
    return groups.aggregate(
        finished=times.sum(), **{k: times.sum(where=kind) for k, kind in kinds.items()}
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

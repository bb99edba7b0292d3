"""Automatic and very fast approvals beside what the approving step sends back."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.actions import DECISIONS
from svcmetrics.measure.cases import joined
from svcmetrics.measure.catalogue import step_table
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.log import FLOW, Log, is_in, read_log
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals, summaries
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates

# So many decisions before a step is named at all.
_ENOUGH = 20
# A step whose share of fast approvals surely exceeds this is looked at.
_OFTEN = 0.1


@metric(
    better="neither",
    low=0,
    source="House fact 5 of the log; Wilson 1927, JASA 22",
    drawing="series",
)
def automatic(
    events: Any,
    *,
    steps: pd.DataFrame | None = None,
    fast: float = 60,
    by: By = ("unit_id", "service_id", "step_no"),
    timezone: str = "Asia/Shanghai",
) -> Result:
    """Are approvals given by a rule, or so fast that nobody can have looked?

    ``fast``: seconds; an approval by hand within them counts as fast. ``by``: columns of the
    approving step (``unit_id, service_id, step_no``); there is no output by person.

    Comes back per group: ``automatic`` (share of approvals given by a rule), ``fast`` (share of
    the others within the limit), ``sent_back`` (share of decisions by hand that return or reject),
    all with Wilson intervals, and ``seconds`` (median time to approve by hand).

    Few returns together with very fast approvals are a sign of rubber-stamping, not of quality.
    It misleads where a decision is prepared outside the system and only recorded in it.

    Source: house fact 5 of the log; Wilson (1927), JASA 22, 209–212.

    >>> log = pd.DataFrame({"case_id": "a", "seq": [1, 2], "service_id": "s", "step_no": [None, 1],
    ...     "action": ["submit", "approve"], "unit_id": ["B", "IT"],
    ...     "at": ["2024-09-02 09:00:00", "2024-09-02 09:00:20"]})
    >>> automatic(log).table[["variant", "estimate"]].dropna().values.tolist()
    [['automatic', 0.0], ['fast', 1.0], ['sent_back', 0.0], ['seconds', 20.0]]
    """
    names = columns_of(by)
    log = read_log(events, timezone)
    rows = _decisions(log, steps)
    missing = [c for c in names if c not in ("unit_id", "service_id", "step_no")]
    if missing:
        raise table_error(
            "missing_columns", missing=missing, present=["unit_id", "service_id", "step_no"]
        )
    frame = _counted(rows, names)
    table, stamps = _table(frame, names, fast)
    about = {
        "method": "Wilson; median with order statistics",
        "fast_seconds": fast,
        "drawn": ["fast", "sent_back", "automatic"],
        "unit": "share",
        "dropped": log.dropped,
    }
    return Result("automatic", table, _findings(frame, stamps, fast), about)


def _decisions(log: Log, steps: pd.DataFrame | None) -> Table:
    rows = log.once("decisions", lambda: engine.keep(_decided(log)))
    rows = joined(rows, step_table(steps), "service_id", "step_no")
    return rows.mutate(
        unit_id=ibis.coalesce(rows["step_unit"], rows["unit_id"]),
        is_auto=rows["is_auto"].fill_null(False),
    )


def _decided(log: Log) -> Table:
    """Every decision of a step with the time since the event that moved the case before."""
    window = ibis.window(group_by="case_id", order_by="seq")
    flow = log.events.filter(is_in(log.events["action"], FLOW))
    flow = flow.mutate(waited_us=flow["at_us"] - flow["at_us"].lag().over(window))
    rows = flow.filter(is_in(flow["action"], DECISIONS) & flow["step_no"].notnull())
    return rows.select("service_id", "step_no", "unit_id", "action", "is_auto", "waited_us")


def _counted(rows: Table, by: list[str]) -> pd.DataFrame:
    """Decisions per step, and the list of how long those approved by hand had waited."""
    approved, by_rule = rows["action"] == "approve", rows["is_auto"]
    groups = rows.group_by(by) if by else rows
    counts = engine.frame(
        groups.aggregate(
            approved=approved.sum(),
            by_rule=(approved & by_rule).sum(),
            hand=(~by_rule).sum(),
            waited=rows["waited_us"].collect(where=approved & ~by_rule),
        )
    )
    values = [np.empty(0) if v is None else np.asarray(v, dtype=float) for v in counts["waited"]]
    whole = counts[["approved", "by_rule", "hand"]].fillna(0).astype(int)
    return counts.assign(**whole, waited=pd.Series(values, counts.index, dtype=object))


def _table(
    frame: pd.DataFrame, by: list[str], fast: float
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Steps that approve; those that only deliver and send back are no approvers."""
    approvers = frame[frame["approved"] > 0]
    approvers = approvers.sort_values(by, kind="stable") if by else approvers
    hand = int(approvers["hand"].sum())
    kept = int((approvers["approved"] - approvers["by_rule"]).sum())
    usual = (hand - kept) / hand if hand else float("nan")
    parts, stamps = [], []
    for part in approvers.to_dict("records"):
        named = {c: part[c] for c in by}
        rows = _rows(part, fast)
        estimate, low, high, n = zip(*rows.values(), strict=True)
        parts.append(
            estimates("automatic", groups=named, variant=list(rows), estimate=estimate, low=low,
                      high=high, n=n)
        )  # fmt: skip
        quick, back = rows["fast"], rows["sent_back"]
        # Surely often fast, and surely less often sent back than elsewhere.
        if quick[3] >= _ENOUGH and quick[1] > _OFTEN and back[2] < usual:
            place = " · ".join(str(v) for v in named.values())
            stamps.append({"place": place, "fast": quick[0], "back": back[0]})
    return (pd.concat(parts, ignore_index=True) if parts else estimates("automatic", n=0)), stamps


def _rows(part: dict[Any, Any], fast: float) -> dict[str, tuple[float, float, float, int]]:
    """The four numbers of one step: automatic, fast, sent back, and seconds to approve."""
    waited = np.sort(part["waited"]) / 1e6
    back = part["hand"] - (part["approved"] - part["by_rule"])
    middle, low, high = summaries.quantile(waited, 0.5)
    return {
        "automatic": _interval(part["by_rule"], part["approved"]),
        "fast": _interval(int((waited <= fast).sum()), len(waited)),
        "sent_back": _interval(back, part["hand"]),
        "seconds": (middle, low, high, len(waited)),
    }


def _interval(hits: int, n: int) -> tuple[float, float, float, int]:
    low, high = intervals.wilson(hits, n)
    return hits / n if n else float("nan"), float(low), float(high), n


def _findings(frame: pd.DataFrame, stamps: list[dict[str, Any]], fast: float) -> list[Finding]:
    n = int(frame["approved"].sum())
    if not n:
        return [Finding("automatic.none", {}, "refused")]
    out = [Finding("automatic.overall", {"share": int(frame["by_rule"].sum()) / n, "n": n})]
    for stamp in sorted(stamps, key=lambda s: -s["fast"])[:5]:
        out.append(Finding("automatic.stamp", {**stamp, "seconds": fast}, "warning"))
    return out

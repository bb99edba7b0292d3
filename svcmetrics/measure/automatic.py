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
from svcmetrics.measure.group_names import group_names
from svcmetrics.measure.inputs import By, columns_of, together
from svcmetrics.measure.log import FLOW, Log, is_in, read_log
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals, summaries
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates

# So many decisions before a step is named at all.
_ENOUGH = 20
# A step whose share of fast approvals surely exceeds this is looked at.
_OFTEN = 0.1
_COUNTS = ["approved", "by_rule", "hand"]


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
    missing = [c for c in names if c not in ("unit_id", "service_id", "step_no")]
    if missing:
        raise table_error(
            "missing_columns", missing=missing, present=["unit_id", "service_id", "step_no"]
        )
    frame = _counted(log, steps, names)
    table, stamps = _table(frame, names, fast)
    about = {
        "method": "Wilson; median with order statistics",
        "fast_seconds": fast,
        "drawn": ["fast", "sent_back", "automatic"],
        "unit": "share",
        "dropped": log.dropped,
    }
    return Result("automatic", table, _findings(frame, stamps, fast), about)


def _decided(log: Log) -> Table:
    """Every decision of a step with the time since the event that moved the case before."""
    window = ibis.window(group_by="case_id", order_by="seq")
    flow = log.events.filter(is_in(log.events["action"], FLOW))
    flow = flow.mutate(waited_us=flow["at_us"] - flow["at_us"].lag().over(window))
    rows = flow.filter(is_in(flow["action"], DECISIONS) & flow["step_no"].notnull())
    return rows.select(
        "service_id", "step_no", "unit_id", "is_auto", "waited_us",
        approved=rows["action"] == "approve",
    )  # fmt: skip


def _counted(log: Log, steps: pd.DataFrame | None, by: list[str]) -> pd.DataFrame:
    """Decisions per group, and the list of how long those approved by hand had waited.

    Counted as they were recorded, and named by the catalogue afterwards: places are few.
    """
    rows = log.once("decisions", lambda: engine.keep(_decided(log)))
    approved, by_rule = rows["approved"], rows["is_auto"].fill_null(False)
    places = rows.group_by(["service_id", "step_no", "unit_id"]).aggregate(
        approved=approved.sum(),
        by_rule=(approved & by_rule).sum(),
        hand=(~by_rule).sum(),
        waited=rows["waited_us"].collect(where=approved & ~by_rule),
    )
    places = joined(places, step_table(steps), "service_id", "step_no")
    unit = ibis.coalesce(places["step_unit"], places["unit_id"])
    found = engine.frame(places.select("service_id", "step_no", *_COUNTS, "waited", unit_id=unit))
    counts = found[_COUNTS].fillna(0).astype(int)
    groups = found.assign(**counts).groupby(by or (lambda _: 0), dropna=False)
    lists = [[np.empty(0) if v is None else v for v in part] for _, part in groups["waited"]]
    summed = groups[_COUNTS].sum().reset_index(drop=not by)
    values = [together(np.asarray(v, dtype=float) for v in part) for part in lists]
    return summed.assign(waited=pd.Series(values, summed.index, dtype=object))


def _table(
    frame: pd.DataFrame, by: list[str], fast: float
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Steps that approve; those that only deliver and send back are no approvers."""
    frame = frame[frame["approved"] > 0]
    if not len(frame):
        return estimates("automatic", n=0), []
    rows = _rows(frame, fast)
    estimate, low, high, n = (np.column_stack(c) for c in zip(*rows.values()))
    table = estimates(
        "automatic",
        groups={c: frame[c].repeat(len(rows)).tolist() for c in by},
        variant=list(rows) * len(frame),
        estimate=estimate.ravel(),
        low=low.ravel(),
        high=high.ravel(),
        n=n.ravel(),
    )
    hand = int(frame["hand"].sum())
    kept = int((frame["approved"] - frame["by_rule"]).sum())
    usual = (hand - kept) / hand if hand else float("nan")
    quick, back = rows["fast"], rows["sent_back"]
    # Surely often fast, and surely less often sent back than elsewhere.
    stamps = (quick[3] >= _ENOUGH) & (quick[1] > _OFTEN) & (back[2] < usual)
    places = group_names(frame, by)
    return table, [
        {
            "place": places[i],
            "fast": float(quick[0][i]),
            "back": float(back[0][i]),
        }
        for i in np.flatnonzero(stamps)
    ]


def _rows(frame: pd.DataFrame, fast: float) -> dict[str, tuple[np.ndarray, ...]]:
    """The four numbers of each step: automatic, fast, sent back, and seconds to approve."""
    waited = [np.sort(w) / 1e6 for w in frame["waited"]]
    timed = np.array([len(w) for w in waited])
    quick = np.array([np.searchsorted(w, fast, side="right") for w in waited])
    approved, by_rule, hand = (frame[c].to_numpy() for c in _COUNTS)
    middle = np.array([summaries.quantile(w, 0.5) for w in waited])
    return {
        "automatic": _interval(by_rule, approved),
        "fast": _interval(quick, timed),
        "sent_back": _interval(hand - (approved - by_rule), hand),
        "seconds": (*middle.T, timed),
    }


def _interval(hits: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, ...]:
    return hits / np.where(n > 0, n, np.nan), *intervals.wilson(hits, n), n


def _findings(frame: pd.DataFrame, stamps: list[dict[str, Any]], fast: float) -> list[Finding]:
    n = int(frame["approved"].sum())
    if not n:
        return [Finding("automatic.none", {}, "refused")]
    out = [Finding("automatic.overall", {"share": int(frame["by_rule"].sum()) / n, "n": n})]
    for stamp in sorted(stamps, key=lambda s: -s["fast"])[:5]:
        out.append(Finding("automatic.stamp", {**stamp, "seconds": fast}, "warning"))
    return out

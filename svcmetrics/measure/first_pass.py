"""First-pass yield: cases that went through without anything coming back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io import engine
from svcmetrics.measure.inputs import By, Cases, read_cases
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.result import Finding, Result, estimates


@metric(
    better="higher",
    low=0,
    high=1,
    source="Wilson 1927, JASA 22; house fact 1 of the log",
    drawing="series",
)
def first_pass(
    events: Any,
    *,
    services: pd.DataFrame | None = None,
    steps: pd.DataFrame | None = None,
    by: By = "service_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How many cases go through at the first attempt?

    Arguments as in ``on_time``. A case passes at the first attempt when it is closed and nothing
    was returned or rejected on its way.

    Comes back per group with Wilson intervals: ``case`` counts every finished case as an attempt
    of its own; ``request`` leaves out cases that re-submit an earlier one (``prev_case_id``), so
    that a rejected request counts once. Emergencies stand apart.

    It misleads when the steps look at nothing: see ``automatic``.

    Source: Wilson (1927), JASA 22, 209–212.

    >>> log = pd.DataFrame({"case_id": ["a", "a", "b", "b"], "seq": [1, 2, 1, 2],
    ...     "service_id": "s", "action": ["submit", "close", "submit", "reject"],
    ...     "at": pd.date_range("2024-09-02", periods=4)})
    >>> first_pass(log).table[["variant", "estimate", "n"]].values.tolist()
    [['case', 0.5, 2], ['request', 0.5, 2]]
    """
    cases = read_cases(
        events, services=services, steps=steps, calendar=None, timezone=timezone, by=by
    )
    t = cases.table
    ended = t["status"].isin(("closed", "rejected"))
    clean = (t["status"] == "closed") & (t["n_returns"] + t["n_rejects"] == 0)
    fresh = t["fresh"] if "fresh" in t.columns else t["prev_case_id"].isnull()
    counts = engine.frame(
        t.group_by([*cases.by, "is_emergency"]).aggregate(
            case_n=ended.sum(),
            case_clean=clean.sum(),
            request_n=(ended & fresh).sum(),
            request_clean=(clean & fresh).sum(),
            other=t["status"].isin(("open", "withdrawn")).sum(),
        )
    )
    other = int(counts["other"].sum())
    left = {"open_or_withdrawn": other} if other else {}
    about = {
        "method": "Wilson",
        "level": 0.95,
        "drawn": ["request", "case"],
        "unit": "share",
        "dropped": cases.dropped | left,
    }
    table = _table(counts[counts["case_n"] > 0], cases.by)
    return Result("first_pass", table, _findings(table, cases), about)


def _table(counts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    counts = counts.sort_values(["is_emergency", *by], kind="stable")
    parts = []
    for kind in ("case", "request"):
        n = counts[f"{kind}_n"].fillna(0).to_numpy(dtype=int)
        hits = counts[f"{kind}_clean"].fillna(0).to_numpy(dtype=int)
        low, high = intervals.wilson(hits, n)
        name = np.where(counts["is_emergency"].astype(bool), f"emergency_{kind}", kind)
        parts.append(
            estimates(
                "first_pass",
                groups={c: counts[c].to_numpy() for c in by},
                variant=name,
                estimate=hits / np.where(n > 0, n, np.nan),
                low=low,
                high=high,
                n=n,
                count=hits,
            )
        )
    return pd.concat(parts)


def _findings(table: pd.DataFrame, cases: Cases) -> list[Finding]:
    main = table[table["variant"] == "request"]
    n = int(main["n"].sum())
    if not n:
        return [Finding("first_pass.none", {}, "refused"), *cases.findings()]
    hits = round(float((main["estimate"] * main["n"]).sum()))
    low, high = intervals.wilson(hits, n)
    values = {"share": hits / n, "low": float(low), "high": float(high), "n": n}
    return [Finding("first_pass.overall", values), *cases.findings()]

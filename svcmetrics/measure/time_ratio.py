"""How long cases take relative to what was promised: the one way to compare unlike services."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.measure.group_names import group_names
from svcmetrics.measure.inputs import By, Cases, ratios, read_cases, together
from svcmetrics.metric import metric
from svcmetrics.numeric import summaries
from svcmetrics.result import Finding, Result, estimates

# A case that took no time at all has no logarithm; it counts as one hundredth of its promise.
FLOOR = 0.01


@metric(
    better="lower",
    low=0,
    source="House fact 3 of the log; Conover 1999, section 3.2",
    drawing="series",
)
def time_ratio(
    events: Any,
    *,
    services: pd.DataFrame,
    steps: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    by: By = "provider_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How long do cases take compared with their own promise?

    Arguments as in ``on_time``. A ratio of 1 is exactly the promise, 0.5 half of it. Time is
    counted on the clock of the promise, without what waited for the requester. Raw hours are never
    averaged over services: a pay slip and a tender have no common hour.

    Comes back per group: ``median`` (limits from order statistics) and ``geometric_mean``
    (Student's limits of the logarithms), of closed cases; ``open_cases`` and ``no_promise`` are
    counted beside them, emergencies in variants of their own.

    It misleads when many cases are still open, because slow cases close last: see ``survival``.

    Source: house fact 3 of the log; Conover (1999), Practical Nonparametric Statistics, 3.2.

    >>> log = pd.DataFrame({"case_id": ["a", "a"], "seq": [1, 2], "service_id": "s",
    ...     "action": ["submit", "close"], "at": ["2024-09-02 09:00", "2024-09-02 21:00"]})
    >>> book = pd.DataFrame({"service_id": ["s"], "provider_id": ["HR"], "promise_h": [24],
    ...     "clock": ["calendar"]})
    >>> float(time_ratio(log, services=book).table.loc[0, "estimate"])
    0.5
    """
    cases = read_cases(
        events, services=services, steps=steps, calendar=calendar, timezone=timezone, by=by
    )
    rows = ratios(cases.table, [*cases.by, "is_emergency", "status"])
    rows = rows.assign(unknown=rows["cases"] - rows["ratio"].map(len))
    table, floored = _table(rows, cases.by)
    about = {
        "method": "median with order statistics; geometric mean with Student's t",
        "level": 0.95,
        "drawn": ["median"],
        "unit": "ratio_promise",
        "line": 1,
        "dropped": cases.dropped | _counts(rows) | ({"floored": floored} if floored else {}),
    }
    return Result("time_ratio", table, _findings(table, rows, cases), about)


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    by_status = rows.groupby("status")["cases"].sum()
    counts = {k: by_status.get(k, 0) for k in ("open", "withdrawn", "rejected")}
    counts["not_assessable"] = rows["unknown"].sum()
    return {k: int(v) for k, v in counts.items() if v}


def _table(rows: pd.DataFrame, by: list[str]) -> tuple[pd.DataFrame, int]:
    parts, floored = [], 0
    for key, part in rows.groupby(["is_emergency", *by], dropna=False):
        ratio = _closed(part)
        safe = np.maximum(ratio, FLOOR)
        floored += int((ratio < FLOOR).sum())
        prefix = "emergency_" if key[0] else ""
        found = (summaries.quantile(ratio, 0.5), summaries.geometric_mean(safe))
        estimate, low, high = zip(*found)
        parts.append(
            estimates(
                "time_ratio",
                groups=dict(zip(by, key[1:])),
                variant=[f"{prefix}median", f"{prefix}geometric_mean"],
                estimate=estimate,
                low=low,
                high=high,
                n=len(ratio),
                open_cases=int(part.loc[part["status"] == "open", "cases"].sum()),
                no_promise=int(part["unknown"].sum()),
            )
        )
    return pd.concat(parts) if parts else estimates("time_ratio", n=0), floored


def _closed(rows: pd.DataFrame) -> np.ndarray:
    return np.sort(together(rows.loc[rows["status"] == "closed", "ratio"]))


def _findings(table: pd.DataFrame, rows: pd.DataFrame, cases: Cases) -> list[Finding]:
    main = rows[~rows["is_emergency"].astype(bool)]
    ratio = _closed(main)
    if not len(ratio):
        return [Finding("time_ratio.none", {}, "refused"), *cases.findings()]
    middle, low, high = summaries.quantile(ratio, 0.5)
    out = [
        Finding("time_ratio.overall", {"ratio": middle, "low": low, "high": high, "n": len(ratio)})
    ]
    judged = main["ratio"].map(len)
    still, whole = int(judged[main["status"] == "open"].sum()), int(judged.sum())
    if still > 0.1 * whole:
        out.append(Finding("time_ratio.many_open", {"share": still / whole}, "warning"))
    medians = table[table["variant"] == "median"]
    slow = medians[medians["low"] > 1]
    if len(slow) and cases.by:
        out.append(Finding("time_ratio.slower", {"groups": group_names(slow, cases.by)}))
    return out + cases.findings()

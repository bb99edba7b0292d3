"""Weights from how unevenly each indicator is spread over departments (Shannon entropy)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import entr

from svcmetrics.metric import metric
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.weigh._grid import Grid, leave_one_out, read_grid


@metric(
    better="neither",
    low=0,
    high=1,
    source="Hwang & Yoon (1981), Multiple Attribute Decision Making, p. 52-54",
)
def entropy(
    indicators: pd.DataFrame,
    *,
    target: str = "target_id",
    indicator: str = "metric",
    value: str = "estimate",
) -> Result:
    """Which indicators tell departments apart, judging from their spread alone?

    ``indicators``: one row per department and indicator. ``target``, ``indicator``, ``value``:
    its columns; values are 0 or more and have a true zero (counts, times, shares). A 0 counts as
    it should (0 ln 0 = 0): a department without returns is the normal case.

    Returns one row per indicator: its weight (they sum to 1); ``low`` and ``high`` are the
    smallest and largest weight when any one department is left out; ``n`` departments.

    It misleads as a statement of what matters: spread is not value, and one odd department can
    draw all the weight to itself. Show it beside the weights of judges, do not replace them. Each
    new department changes the weights of all: freeze them before scoring.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"target_id": list("abcd") * 2, "metric": ["returns"] * 4 + ["hours"] * 4,
    ...                       "estimate": [0, 5, 4, 6, 10, 12, 11, 13]})
    >>> entropy(table).table["estimate"].round(4).tolist()
    [0.0155, 0.9845]
    """
    data = read_grid(indicators, target=target, indicator=indicator, value=value)
    if (data.x < 0).any():
        raise table_error("negative_values", column=value, count=int((data.x < 0).sum()))
    w = _weights(data.x)
    low, high = leave_one_out(data.x, _weights)
    name = "indicator" if indicator == "metric" else indicator
    table = estimates(
        "entropy", groups={name: data.names}, estimate=w, low=low, high=high, n=len(data.targets)
    )
    about = {"dropped": data.dropped, "interval": "range when one department is left out"}
    return Result("entropy", table, _findings(data, table, name), about)


def _weights(x: np.ndarray) -> np.ndarray:
    """1 - entropy of each column's shares, scaled to sum 1; NaN when nothing differs."""
    m = len(x)
    total = x.sum(axis=0)
    share = np.divide(x, total, out=np.full(x.shape, 1 / max(m, 1)), where=total > 0)
    spread = (
        np.maximum(1 - entr(share).sum(axis=0) / np.log(m), 0.0) if m > 1 else np.zeros(x.shape[1])
    )
    spread[spread < 1e-13] = 0.0  # rounding
    return spread / spread.sum() if spread.sum() > 0 else np.full(x.shape[1], np.nan)


def _findings(data: Grid, table: pd.DataFrame, name: str) -> list[Finding]:
    if table["estimate"].isna().all():
        return [Finding("entropy.no_spread", {"targets": len(data.targets)}, "refused")]
    first = table.nlargest(1, "estimate").to_dict("records")[0]
    values = {"name": first[name], "share": 100 * first["estimate"], "targets": len(data.targets)}
    return [Finding("entropy.first", values), Finding("entropy.spread_is_not_value", {}, "warning")]

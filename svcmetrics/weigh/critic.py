"""Weights from spread and disagreement of indicators, with their direction (CRITIC)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.weigh._grid import Grid, leave_one_out, read_grid, signs


@metric(
    better="neither",
    low=0,
    high=1,
    source="Diakoulaki, Mavrotas & Papayannakis (1995), Computers & OR 22(7), 763-770",
)
def critic(
    indicators: pd.DataFrame,
    *,
    better: Mapping[str, str],
    target: str = "target_id",
    indicator: str = "metric",
    value: str = "estimate",
) -> Result:
    """Which indicators differ between departments and say something that others do not?

    ``indicators``: one row per department and indicator. ``better``: {indicator: "higher" or
    "lower"}; without the direction, two indicators that agree would seem to conflict. ``target``,
    ``indicator``, ``value``: its columns.

    Returns one row per indicator: its weight (they sum to 1); ``low`` and ``high`` are the
    smallest and largest weight when any one department is left out; ``n`` departments.

    It misleads as a statement of what matters: pure noise agrees with nothing and gets much
    weight. Each new department changes the weights of all: freeze them before scoring.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"target_id": list("abc") * 3, "metric": ["p"] * 3 + ["q"] * 3 + ["r"] * 3,
    ...                       "estimate": [1, 2, 3, 1, 2, 3, 3, 1, 2]})
    >>> rules = dict.fromkeys("pqr", "higher")
    >>> critic(table, better=rules).table["estimate"].round(3).tolist()
    [0.25, 0.25, 0.5]
    """
    data = read_grid(indicators, target=target, indicator=indicator, value=value)
    x = data.x * signs(better, data.names)
    w = _weights(x)
    low, high = leave_one_out(x, _weights)
    name = "indicator" if indicator == "metric" else indicator
    table = estimates(
        "critic", groups={name: data.names}, estimate=w, low=low, high=high, n=len(data.targets)
    )
    about = {"dropped": data.dropped, "interval": "range when one department is left out"}
    return Result("critic", table, _findings(data, table, name, x), about)


def _weights(x: np.ndarray) -> np.ndarray:
    """Spread after min-max scaling times the sum of (1 - correlation), scaled to sum 1."""
    width = np.ptp(x, axis=0) if len(x) else np.zeros(x.shape[1])
    varies = width > 0
    w = np.zeros(x.shape[1])
    if len(x) < 3 or varies.sum() < 2:
        return np.full(x.shape[1], np.nan)
    scaled = (x[:, varies] - x[:, varies].min(axis=0)) / width[varies]
    r = np.corrcoef(scaled, rowvar=False)
    w[varies] = scaled.std(axis=0, ddof=1) * np.maximum(1 - r, 0).sum(axis=0)
    return w / w.sum() if w.sum() > 1e-12 else np.full(len(w), np.nan)


def _findings(data: Grid, table: pd.DataFrame, name: str, x: np.ndarray) -> list[Finding]:
    if table["estimate"].isna().all():
        return [Finding("entropy.no_spread", {"targets": len(data.targets)}, "refused")]
    first = table.nlargest(1, "estimate").to_dict("records")[0]
    values = {"name": first[name], "share": 100 * first["estimate"], "targets": len(data.targets)}
    found = [Finding("entropy.first", values)]
    flat = [n for n, w in zip(data.names, np.ptp(x, axis=0)) if w == 0]
    if flat:
        found.append(Finding("critic.constant", {"names": flat}, "warning"))
    return [*found, Finding("entropy.spread_is_not_value", {}, "warning")]

"""What a composite score is made of: points per indicator, and where a department gains or loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.score._weighted import VALUE, Weighted, read_weighted


@metric(
    better="higher",
    source="OECD/JRC (2008), Handbook on Constructing Composite Indicators, step 8: back to the data",
    drawing="contributions",
)
def contributions(
    indicators: pd.DataFrame,
    *,
    weights: pd.DataFrame | Mapping[str, float],
    target: str = "target_id",
    indicator: str = "metric",
    value: str | Sequence[str] = VALUE,
) -> Result:
    """Which indicators lift a department's composite, and which pull it down?

    ``indicators``, ``weights``, ``target``, ``indicator``, ``value``: as in ``score.composite``.

    Returns one row per department and indicator: ``estimate`` is the points it brings to the
    arithmetic composite (weight x value; a department's rows add up to its composite when no
    indicator is missing), with the limits of its value; ``weight`` the weight used (scaled up
    where others are missing), ``value`` the indicator, and ``gap`` the points above or below what
    the mean of all departments would bring. ``n``: as behind the indicator.

    It misleads when read as blame: a gap within the limits of the value is noise.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"unit": ["A", "A", "B", "B"], "metric": ["time", "returns"] * 2,
    ...                       "estimate": [80.0, 60.0, 50.0, 90.0]})
    >>> parts = contributions(table, weights={"time": 0.6, "returns": 0.4}, target="unit").table
    >>> parts["gap"].round(6).tolist()
    [-6.0, 9.0, 6.0, -9.0]
    """
    data = read_weighted(indicators, weights, target=target, indicator=indicator, value=value)
    known = ~np.isnan(data.x) & (data.w > 0)
    total = (data.w * known).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        w = np.where(known, data.w / total, np.nan)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, data.x, 0.0).sum(axis=0) / count
    i, j = np.nonzero(known)
    # A caller's column may be called "metric"; the indicator then has a column of its own.
    name = "indicator" if indicator == "metric" else indicator
    table = estimates(
        "contributions",
        groups={target: [data.targets[k] for k in i], name: [data.names[k] for k in j]},
        estimate=(w * data.x)[i, j],
        low=(w * data.low)[i, j],
        high=(w * data.high)[i, j],
        n=data.n[i, j],
        weight=w[i, j],
        value=data.x[i, j],
        gap=(w * (data.x - mean))[i, j],
    )
    return Result("contributions", table, _findings(data, table), {"dropped": data.dropped})


def _findings(data: Weighted, table: pd.DataFrame) -> list[Finding]:
    found = list(data.findings)
    if table.empty:
        return [Finding("contributions.none", {}, "refused"), *found]
    name = table.columns[1]
    spread = table.groupby(name)["gap"].agg(lambda g: float(g.max() - g.min()))
    values = {"name": str(spread.idxmax()), "points": float(spread.max())}
    return [Finding("contributions.spread", values), *found]

"""How much the order of departments owes to the choice of weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import simplex
from svcmetrics.numeric.bootstrap import generator
from svcmetrics.numeric.intervals import wilson
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.weigh._grid import Grid, read_grid

_SURE = 0.9


@metric(
    better="neither",
    low=0,
    high=1,
    source="Lahdelma & Salminen (2001), SMAA-2, Operations Research 49(3), 444-454",
    drawing="places",
)
def robustness(
    indicators: pd.DataFrame,
    *,
    target: str = "target_id",
    indicator: str = "metric",
    value: str = "estimate",
    limits: Mapping[str, tuple[float, float]] | None = None,
    draws: int = 20_000,
    rng: int | np.random.Generator = 0,
) -> Result:
    """With other weights, would another department lead?

    ``indicators``: one row per department and indicator on one scale where more is better, as
    from ``score.normalise``. ``target``, ``indicator``, ``value``: its columns. ``limits``:
    {indicator: (lowest, highest weight)} that are still reasonable, such as the intervals of
    ``weigh.ahp`` (None: any weights that sum to 1, all equally likely). ``draws``: weights tried.
    ``rng``: seed or generator.

    Returns rows ``robustness``, per department and place (column ``place``) the share of weights
    that give it this place, with the 95% interval of the simulation; and rows ``central_weight``
    (column ``indicator``): the mean weights that would put the department first, missing where
    none do. ``n``: weights tried.

    It misleads when read as the probability of being good: it only moves the weights, not the
    data. A department that is never first is not thereby bad.

    Source: rank acceptability and central weights of SMAA-2; ties share their places.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"target_id": ["A", "A", "B", "B"], "metric": ["t", "r"] * 2,
    ...                       "estimate": [0.9, 0.2, 0.3, 0.6]})
    >>> first = robustness(table).table.query("place == 1")["estimate"]
    >>> first.round(1).tolist()
    [0.6, 0.4]
    """
    data = read_grid(indicators, target=target, indicator=indicator, value=value)
    t, k = data.x.shape
    about = {"dropped": data.dropped, "draws": draws, "weights": "limits" if limits else "any"}
    name = "indicator" if indicator == "metric" else indicator
    blocks = (
        simplex.uniform(draws, k, generator(rng))
        if limits is None
        else simplex.bounded(draws, *_limits(limits, data.names), generator(rng))
    )
    shares, central, done = simplex.acceptability(blocks, data.x) if t else (data.x, data.x, 0)
    if not done:
        table = estimates("robustness", groups={target: data.targets, "place": 1}, n=0)
        return Result("robustness", table, [Finding("robustness.no_weights", {}, "refused")], about)
    table = _table((target, name), data, (shares, central), done)
    return Result("robustness", table, _findings(data, shares), about)


def _table(
    names: tuple[str, str], data: Grid, found: tuple[np.ndarray, np.ndarray], done: int
) -> pd.DataFrame:
    """Places of every department, then the weights that would put it first."""
    (target, name), (shares, central) = names, found
    t, k = central.shape
    low, high = wilson(shares * done, done)
    who = np.array(data.targets, dtype=object)
    ranks = estimates(
        "robustness",
        groups={target: np.repeat(who, t), "place": list(range(1, t + 1)) * t},
        estimate=shares.ravel(),
        low=np.fmin(low, shares).ravel(),
        high=np.fmax(high, shares).ravel(),
        n=done,
    )
    middles = estimates(
        "central_weight",
        groups={target: np.repeat(who, k), name: data.names * t},
        estimate=central.ravel(),
        n=done,
    )
    table = pd.concat([ranks, middles], ignore_index=True)
    rest = [c for c in ranks.columns if c not in (target, "place")]
    return table[[target, "place", name, *rest]]


def _limits(
    limits: Mapping[str, tuple[float, float]], names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    missing = [n for n in names if n not in limits]
    if missing:
        raise table_error("weights_unmatched", absent=missing, present=list(limits))
    low, high = np.array([limits[n] for n in names], dtype=float).T
    if (low < 0).any() or (high > 1).any() or (low > high).any():
        raise table_error("weight_limits", example=[list(limits[n]) for n in names][:5])
    return low, high


def _findings(data: Grid, shares: np.ndarray) -> list[Finding]:
    best = int(shares[:, 0].argmax())
    values = {"name": str(data.targets[best]), "share": 100 * float(shares[best, 0])}
    key = "robustness.firm" if shares[best, 0] >= _SURE else "robustness.depends"
    never = [str(n) for n, s in zip(data.targets, shares[:, 0]) if s == 0]
    return [Finding(key, {**values, "can": len(data.targets) - len(never)})]

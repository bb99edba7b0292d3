"""One score per department from several indicators, with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric.composite import METHODS, Mean
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.score._weighted import VALUE, Weighted, read_weighted

MISSING = ("cautious", "renormalise", "zero")
# A department that measures less than this share of the weight gets no composite.
_MEASURED = 0.75
_NAMES = 8


@metric(
    better="higher",
    source="OECD/JRC (2008), Handbook on Constructing Composite Indicators, steps 3, 6, 7",
)
def composite(
    indicators: pd.DataFrame,
    *,
    weights: pd.DataFrame | Mapping[str, float],
    target: str = "target_id",
    indicator: str = "metric",
    value: str | Sequence[str] = VALUE,
    method: str = "arithmetic",
    missing: str = "cautious",
) -> Result:
    """How good is each department over all indicators, and how sure are we?

    ``indicators``: one row per department and indicator on one scale, as ``score.normalise``
    returns it. ``target``, ``indicator``: its columns. ``value``: the column of the value, or three
    columns: value, lower and upper 95% limit, which carry the uncertainty of the data; a column
    ``n`` is carried along. ``weights``: {indicator: weight}, a weight table (``node``, ``weight``)
    or the table of ``weigh.ahp``; its ``low`` and ``high``, when there, carry the uncertainty of
    the weights. ``method``: "arithmetic" (weak points can be made up for), "geometric" (hardly; a
    0 in one indicator makes the whole 0) or "minimum" (not at all; weights of 0 are left out).
    ``missing``: what a missing indicator does. "cautious": the other weights are scaled up, but
    nobody gets more than if the indicator had the lowest value that any department reached;
    "renormalise": the other weights are scaled up (this can reward not measuring); "zero": it
    counts 0. Below 75% of the weight there is no composite.

    Returns one row per department: score, 95% interval, ``n`` (the smallest n behind its
    indicators; missing when one of them comes without: nothing else stands for persons),
    ``coverage`` (share of weight measured) and ``from_weights`` (share of the variance that comes
    from the weights).

    It misleads when read alone: show ``score.contributions`` beside it, and use ``score.groups``
    instead of an order. Errors of indicators and of weights are taken as independent; one joint
    weight error moves all departments together.

    Source: OECD/JRC (2008); intervals by square-and-add (Zou & Donner 2008), without simulation.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"unit": ["A", "A", "B", "B"], "metric": ["time", "returns"] * 2,
    ...                       "estimate": [80.0, 60.0, 50.0, 90.0]})
    >>> composite(table, weights={"time": 0.6, "returns": 0.4}, target="unit").table["estimate"].tolist()
    [72.0, 66.0]
    """
    _word("method", method, METHODS)
    _word("missing", missing, MISSING)
    data = read_weighted(indicators, weights, target=target, indicator=indicator, value=value)
    table = _table(data, target, method, missing)
    exact = not _has_spread(data)
    about = {
        "dropped": data.dropped,
        "method": method,
        "missing": missing,
        "interval": "none" if exact else "95%, square-and-add over indicators and weights",
        "weights": dict(zip(data.names, map(float, data.w))),
    }
    return Result("composite", table, _findings(data, table, target, missing, exact), about)


def _table(data: Weighted, target: str, method: str, missing: str) -> pd.DataFrame:
    measured = ~np.isnan(data.x).all(axis=0)  # an indicator that nobody has cannot count
    w = np.where(measured, data.w, 0.0)
    coverage = (w * ~np.isnan(data.x)).sum(axis=1) / w.sum() if w.sum() else np.zeros(len(data.x))
    mean = _mean(data, w, method, missing)
    scored = coverage >= _MEASURED - 1e-9
    spread = scored & _has_spread(data)
    return estimates(
        "composite",
        groups={target: data.targets},
        variant=method,
        estimate=np.where(scored, mean.estimate, np.nan),
        low=np.where(spread, mean.low, np.nan),
        high=np.where(spread, mean.high, np.nan),
        n=_smallest_n(data),
        coverage=coverage,
        from_weights=np.where(spread & (method != "minimum"), mean.from_weights, np.nan),
    )


def _mean(data: Weighted, w: np.ndarray, method: str, missing: str) -> Mean:
    """The composite with missing indicators treated as asked."""
    gone = np.isnan(data.x) & (w > 0)
    scaled = _aggregate(data, w * ~gone, np.nan, method)
    if missing == "renormalise" or not gone.any():
        return scaled
    if missing == "zero":
        return _aggregate(data, np.broadcast_to(w, gone.shape), 0.0, method)
    floor = np.where(w > 0, np.fmin.reduce(data.x, axis=0), np.nan)
    lowest = _aggregate(data, np.broadcast_to(w, gone.shape), floor, method)
    lower = lowest.estimate < scaled.estimate
    return Mean(*(np.where(lower, a, b) for a, b in zip(_parts(lowest), _parts(scaled))))


def _aggregate(data: Weighted, w: np.ndarray, fill: float | np.ndarray, method: str) -> Mean:
    gone = np.isnan(data.x)
    x = np.where(gone, fill, data.x)
    # A value without an interval counts as exact; a finding says how many there are.
    low = np.where(np.isnan(data.low) | gone, x, data.low)
    high = np.where(np.isnan(data.high) | gone, x, data.high)
    total = w.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        less, more = (data.w - data.w_low) / total, (data.w_high - data.w) / total
        share = w / total  # where nothing is known, nothing is scored
    slack = np.where(share > 0, less, 0.0), np.where(share > 0, more, 0.0)
    return METHODS[method](x, (low, high), share, slack)


def _parts(mean: Mean) -> tuple[np.ndarray, ...]:
    return mean.estimate, mean.low, mean.high, mean.from_weights


def _has_spread(data: Weighted) -> bool:
    known = ~np.isnan(data.x)
    limits = np.isfinite(data.low) & np.isfinite(data.high) & known
    return bool(limits.any()) or bool((data.w_high > data.w_low).any())


def _smallest_n(data: Weighted) -> np.ndarray:
    known = ~np.isnan(data.x) & (data.w > 0)
    smallest = np.where(known, data.n, np.inf).min(axis=1)  # NaN where one of them is not known
    return np.where(np.isfinite(smallest), smallest, np.nan)


def _findings(
    data: Weighted, table: pd.DataFrame, target: str, missing: str, exact: bool
) -> list[Finding]:
    scored = table["estimate"].notna()
    found = list(data.findings)
    values: dict[str, object]
    if scored.any():
        low, high = float(table["estimate"].min()), float(table["estimate"].max())
        half = float(((table["high"] - table["low"]) / 2).median())
        values = {"targets": int(scored.sum()), "low": low, "high": high, "half": half}
        found.insert(0, Finding("composite.exact" if exact else "composite.range", values))
    refused = table.loc[~scored, target]
    if len(refused):
        values = {"names": _some(refused), "count": len(refused), "share": 100 * _MEASURED}
        found.append(Finding("composite.refused", values, "refused"))
    part = table.loc[scored & (table["coverage"] < 1 - 1e-9), target]
    if len(part):
        found.append(
            Finding(f"composite.{missing}", {"names": _some(part), "count": len(part)}, "warning")
        )
    zero = table.loc[table["estimate"].eq(0) & table["variant"].eq("geometric"), target]
    if len(zero):
        found.append(Finding("composite.zero_product", {"names": _some(zero)}, "warning"))
    bare = int(
        (~np.isnan(data.x) & (np.isnan(data.low) | np.isnan(data.high)) & (data.w > 0)).sum()
    )
    if bare and not exact:
        found.append(Finding("composite.bare", {"count": bare}, "warning"))
    uncounted = int((scored & table["n"].isna()).sum())
    if uncounted:
        found.append(Finding("composite.uncounted", {"count": uncounted}))
    return found


def _some(names: pd.Series) -> list[str]:
    kept = [str(v) for v in names[:_NAMES]]
    return kept if len(names) <= _NAMES else [*kept, "…"]


def _word(option: str, found: str, known: object) -> None:
    words = list(known)  # type: ignore[call-overload]
    if found not in words:
        raise table_error("unknown_word", unknown=[f"{option}={found!r}"], known=words)

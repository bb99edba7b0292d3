"""The rows of a generalizability study: components, coefficients, their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.numeric.gtheory import Shares, error_interval, ratio, ratio_interval
from svcmetrics.numeric.mixed_intervals import intervals as mixed_intervals
from svcmetrics.result import estimates
from svcmetrics.verify._components import Components, Study

_COEFFICIENTS = {
    "phi": "absolute",
    "erho2": "relative",
    "sem_absolute": "absolute",
    "sem_relative": "relative",
}


def component_rows(
    study: Study, parts: Components, draws: np.ndarray | None, level: float
) -> pd.DataFrame:
    low, high = _component_limits(parts, draws, level)
    total = parts.truncated.sum()
    k = len(study.terms)
    df = parts.balanced.df if parts.balanced else np.full(k, np.nan)
    squares = parts.balanced.mean_squares if parts.balanced else np.full(k, np.nan)
    shared = {"n": [*study.sizes, len(study.y)], "df": df, "mean_square": squares}
    raw = estimates(
        "component", groups={"term": study.terms}, variant="raw", estimate=parts.raw,
        low=np.minimum(low, parts.raw), high=np.maximum(high, parts.raw),
        share=np.full(k, np.nan), **shared,
    )  # fmt: skip
    cut = estimates(
        "component", groups={"term": study.terms}, variant="truncated", estimate=parts.truncated,
        low=np.clip(low, 0, parts.truncated), high=np.maximum(high, parts.truncated),
        share=parts.truncated / total if total > 0 else np.full(k, np.nan), **shared,
    )  # fmt: skip
    both = pd.concat([raw, cut])
    order = np.argsort(np.tile(np.arange(k), 2), kind="stable")
    return both.iloc[order]


def _component_limits(
    parts: Components, draws: np.ndarray | None, level: float
) -> tuple[np.ndarray, np.ndarray]:
    if draws is not None:
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high
    if parts.model is None:
        raise ValueError("neither draws nor a model")
    low, high, _ = mixed_intervals(parts.model, level)
    return low, high


def coefficient_rows(
    study: Study, parts: Components, shares: Shares, draws: np.ndarray | None, level: float
) -> pd.DataFrame:
    rows = [_coefficient(name, parts, shares, draws, level) for name in _COEFFICIENTS]
    value, low, high = np.array(rows).T
    own = estimates(
        "", groups={"term": study.terms[study.object]}, variant="as observed",
        estimate=value, low=low, high=high, n=study.sizes[study.object],
    )  # fmt: skip
    return own.assign(metric=list(_COEFFICIENTS))


def _coefficient(
    name: str, parts: Components, shares: Shares, draws: np.ndarray | None, level: float
) -> tuple[float, float, float]:
    """One coefficient with its interval, from draws or by the delta method."""
    error = _COEFFICIENTS[name]
    noise = getattr(shares, error)
    is_ratio = name in ("phi", "erho2")
    whole = parts.truncated
    value = float(ratio(shares, whole, error) if is_ratio else np.sqrt(whole @ noise))
    if not np.isfinite(value):
        return value, value, value
    if draws is None:
        if is_ratio:
            low, high = ratio_interval(shares, parts.truncated, parts.covariance, error, level)
        else:
            low, high = error_interval(noise, parts.truncated, parts.covariance, level)
        return value, low, high
    drawn = np.maximum(draws, 0)
    many = ratio(shares, drawn, error) if is_ratio else np.sqrt(drawn @ noise)
    low, high = np.nanquantile(many, [(1 - level) / 2, (1 + level) / 2])
    return value, min(float(low), value), max(float(high), value)

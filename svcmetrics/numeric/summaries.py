"""Location and quantiles of one sample with limits that assume little; arrays only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from svcmetrics.numeric.intervals import quantile_ranks

Floats = NDArray[np.float64]
Triple = tuple[float, float, float]
_NOTHING: Triple = (float("nan"), float("nan"), float("nan"))


def quantile(values: Floats, share: float, level: float = 0.95) -> Triple:
    """A quantile of sorted values with its limits from order statistics (NaN where none exist)."""
    n = len(values)
    if not n:
        return _NOTHING
    low, high = (int(r) for r in quantile_ranks(n, share, level))
    return (
        float(np.quantile(values, share)),
        float(values[low]) if low >= 0 else float("nan"),
        float(values[high]) if high < n else float("nan"),
    )


def mean(values: Floats, level: float = 0.95) -> Triple:
    """The mean with Student's limits."""
    n = len(values)
    if not n:
        return _NOTHING
    middle = float(np.mean(values))
    if n < 2:
        return middle, float("nan"), float("nan")
    half = special.stdtrit(n - 1, 0.5 + level / 2) * float(np.std(values, ddof=1)) / np.sqrt(n)
    return middle, middle - float(half), middle + float(half)


def geometric_mean(values: Floats, level: float = 0.95) -> Triple:
    """The geometric mean with Student's limits of the logarithms; values above zero only."""
    middle, low, high = mean(np.log(values), level)
    return float(np.exp(middle)), float(np.exp(low)), float(np.exp(high))

"""Confidence limits of shares, counts and quantiles, on arrays; ``scipy.special`` only.

Every function broadcasts, returns (low, high), and gives NaN where there is nothing to estimate
from: zero trials, or no exposure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]


def normal_quantile(level: float = 0.95) -> float:
    """The z of a two-sided interval: 1.959964 for 95%."""
    return float(special.ndtri(0.5 + level / 2))


def wilson(hits: ArrayLike, trials: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Score interval of a share (Wilson 1927); sensible also for 0 of n and n of n."""
    x, n = _pair(hits, trials)
    z2 = normal_quantile(level) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        p = x / n
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2) / (1 + z2 / n) * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    # Rounding must not push a limit beyond the estimate or the unit interval.
    low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
    return _known(np.where(x == 0, 0.0, low), n), _known(np.where(x == n, 1.0, high), n)


def clopper_pearson(
    hits: ArrayLike, trials: ArrayLike, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Exact interval of a share (Clopper and Pearson 1934): never covers less than it says."""
    x, n = _pair(hits, trials)
    tail = (1 - level) / 2
    low = np.where(x > 0, special.betaincinv(np.maximum(x, 1e-300), n - x + 1, tail), 0.0)
    high = np.where(x < n, special.betaincinv(x + 1, np.maximum(n - x, 1e-300), 1 - tail), 1.0)
    return _known(low, n), _known(high, n)


def garwood(
    count: ArrayLike, exposure: ArrayLike = 1.0, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Exact interval of a Poisson rate (Garwood 1936); a count of 0 has an upper limit too."""
    x, e = _pair(count, exposure)
    tail = (1 - level) / 2
    low = np.where(x > 0, special.gammaincinv(np.maximum(x, 1e-300), tail), 0.0)
    high = special.gammaincinv(x + 1, 1 - tail)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _known(low / e, e), _known(high / e, e)


def byar(count: ArrayLike, exposure: ArrayLike = 1.0, level: float = 0.95) -> tuple[Floats, Floats]:
    """Byar's approximation to Garwood's limits (Breslow and Day 1987, p. 69)."""
    x, e = _pair(count, exposure)
    z = normal_quantile(level)
    safe = np.where(x > 0, x, 1)
    low = np.where(x > 0, x * (1 - 1 / (9 * safe) - z / (3 * np.sqrt(safe))) ** 3, 0.0)
    high = (x + 1) * (1 - 1 / (9 * (x + 1)) + z / (3 * np.sqrt(x + 1))) ** 3
    with np.errstate(divide="ignore", invalid="ignore"):
        return _known(low / e, e), _known(high / e, e)


def quantile_ranks(
    n: ArrayLike, share: float, level: float = 0.95
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks (from 0) of the sorted values that bracket a quantile, free of any distribution.

    The narrowest pair of order statistics with at most (1 - level)/2 in each tail of
    Binomial(n, share); -1 and n mean that the sample is too small for that limit.
    """
    size = np.asarray(n, dtype=np.int64)
    tail = (1 - level) / 2
    low = np.asarray(_binomial_quantile(tail, size, share), dtype=np.int64)
    high = np.asarray(_binomial_quantile(1 - tail, size, share), dtype=np.int64)
    # Sorted from 0, value[k - 1] lies below the quantile unless fewer than k draws do.
    return low - 1, high


def _binomial_quantile(q: float, n: NDArray[np.int64], p: float) -> NDArray[np.int64]:
    """The smallest k with P(X <= k) >= q, by a normal start and exact steps."""
    guess = n * p + special.ndtri(q) * np.sqrt(np.maximum(n * p * (1 - p), 0))
    k = np.clip(np.floor(guess), 0, n).astype(np.int64)
    for _ in range(200):
        up = special.bdtr(k.astype(float), n, p) < q
        down = (k > 0) & (special.bdtr(np.maximum(k - 1, 0).astype(float), n, p) >= q)
        if not (up.any() or down.any()):
            break
        k = k + up - down
    return np.asarray(k, dtype=np.int64)


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    x, n = np.broadcast_arrays(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))
    return x, n


def _known(limit: ArrayLike, n: Floats) -> Floats:
    return np.where(n > 0, np.asarray(limit, dtype=np.float64), np.nan)

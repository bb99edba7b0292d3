"""Differences from the mean and between pairs, with errors that hold for all of them at once."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# With more targets than this the exact marginal quantile gives way to Šidák's, slightly wider.
_INTEGRATED = 60


def quantile(p: float, df: Array | None = None) -> Array:
    """Quantile of the normal (``df`` None) or of Student's t, one per entry of ``df``."""
    return np.asarray(ndtri(p)) if df is None else np.where(np.isinf(df), ndtri(p), stdtrit(df, p))


def standard_errors(low: Array, high: Array, level: float, df: Array | None = None) -> Array:
    """The standard error behind an interval: half its width over the quantile it was built with."""
    return np.asarray((high - low) / (2 * quantile((1 + level) / 2, df)))


def sidak(level: float, k: int) -> float:
    """The two-sided level of one statement out of k so that all k hold together with ``level``.

    Šidák's inequality: exact for independent normal estimates, and safe under any correlation.
    """
    return float(level ** (1 / k))


def from_mean(
    estimate: Array, se: Array, df: Array | None = None, level: float = 0.95
) -> tuple[Array, Array]:
    """Each estimate minus the mean of all, and the half width that holds for all k together.

    The mean contains the estimate itself, so the error of the difference is smaller than that of
    the estimate: var = se_i² (1 − 2/k) + Σ se² / k². Degrees of freedom by Welch–Satterthwaite, but
    never more than the estimate's own: of many departments with few raters the one whose spread
    came out small by chance would stand out too often (7% instead of 5% with 8 raters each).
    """
    k = len(estimate)
    parts = se**2
    variance = parts * (1 - 2 / k) + parts.sum() / k**2
    freedom = None
    if df is not None:
        squares = parts**2 / df
        total = squares * ((1 - 1 / k) ** 4 - 1 / k**4) + squares.sum() / k**4
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = np.minimum(np.where(total > 0, variance**2 / total, np.inf), df)
    critical = quantile((1 + sidak(level, k)) / 2, freedom)
    return estimate - estimate.mean(), critical * np.sqrt(variance)


def probability(z: Array, df: Array | None = None) -> Array:
    """Normal or Student's t distribution function."""
    return np.asarray(ndtr(z)) if df is None else np.where(np.isinf(df), ndtr(z), stdtr(df, z))


def quasi_errors(covariance: Array) -> Array:
    """One error per target such that that of a difference is √(q_i² + q_j²) as nearly as can be.

    Targets that share raters have correlated errors; these make them comparable nonetheless
    (Firth & de Menezes 2004, Biometrika 91, 65-80; here by least squares).
    """
    k = len(covariance)
    own = np.diagonal(covariance)
    if k < 2:
        return np.sqrt(own)
    gaps = own[:, None] + own - 2 * covariance
    sums = gaps.sum(axis=1)
    total = sums.sum() / (2 * (k - 1))
    squares = (sums - total) / (k - 2) if k > 2 else np.full(2, gaps[0, 1] / 2)
    least = 1e-3 * float(own.min())  # the nearest fit may fall below zero for one of very many
    return np.asarray(np.sqrt(np.maximum(squares, least)))


def separated(estimate: Array, se: Array, critical: Array | float) -> tuple[Flags, Flags]:
    """above[j, k]: k lies clearly above j; below[j, k]: k lies clearly below j."""
    error = np.sqrt(se[:, None] ** 2 + se**2)
    gap = estimate - estimate[:, None]
    limit = np.broadcast_to(np.reshape(critical, (-1, 1)), gap.shape) * error
    return gap > limit, gap < -limit


def marginal_critical(se: Array, level: float, rivals: Flags | None = None) -> Array:
    """For each j the quantile of max over k of |difference j − k| / its error.

    Given the error z of j the differences are independent, so one integral over z is exact.
    ``rivals[j, k]``: the k that still count (default: all others).
    """
    k = len(se)
    rivals = ~np.eye(k, dtype=bool) if rivals is None else rivals
    if k > _INTEGRATED:
        return np.full(k, float(quantile((1 + sidak(level, k - 1)) / 2)))
    se = np.maximum(se, 1e-9 * max(float(se.max(initial=0.0)), 1e-300))
    z = np.linspace(-6, 6, 201)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    low = np.zeros(k)
    high = np.full(k, float(quantile((1 + sidak(level, max(k - 1, 1))) / 2)) + 1e-6)
    for _ in range(26):
        middle = (low + high) / 2
        inside = _all_within(middle, se, z, rivals) @ weight >= level
        low, high = np.where(inside, low, middle), np.where(inside, middle, high)
    return high


def _all_within(critical: Array, se: Array, z: Array, rivals: Flags) -> Array:
    """P(all |differences of j| below ``critical[j]`` errors | error z of j), j × z."""
    out = np.ones((len(se), len(z)))
    for j in range(len(se)):
        others = se[rivals[j]]
        half = critical[j] * np.sqrt(se[j] ** 2 + others**2)[:, None]
        shift = z * se[j]
        within = ndtr((shift + half) / others[:, None]) - ndtr((shift - half) / others[:, None])
        out[j] = np.exp(np.log(np.maximum(within, 1e-300)).sum(axis=0))
    return out


@cache
def simultaneous_critical(k: int, level: float) -> float:
    """Quantile of the studentised range of k normals over √2 (Tukey; Kramer with unequal errors).

    With unequal errors it errs on the safe side (Hayter 1984, Annals of Statistics 12, 61-75).
    """
    x = np.linspace(-9, 9, 2001)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * (x[1] - x[0])
    # Where all lie within c of their mean, their range is 2 c at most.
    low, high = 0.0, 2 * float(quantile((1 + sidak(level, k)) / 2))
    for _ in range(40):
        q = (low + high) / 2
        inside = k * float(density @ (ndtr(x) - ndtr(x - q)) ** (k - 1)) >= level
        low, high = (low, q) if inside else (q, high)
    return high / float(np.sqrt(2))


def rank_sets(estimate: Array, se: Array, level: float, *, joint: bool) -> tuple[Array, Array]:
    """Lowest and highest rank that the data allow each target; rank 1 is the highest estimate.

    Mogstad, Romano, Shaikh & Wilhelm (2024): one plus those clearly above, k less those clearly
    below. The marginal sets step down: rivals already told apart no longer raise the bar.
    """
    k = len(estimate)
    if joint:
        above, below = separated(estimate, se, simultaneous_critical(k, level))
        return 1.0 + above.sum(axis=1), k - below.sum(axis=1).astype("float64")
    rivals = ~np.eye(k, dtype=bool)
    above, below = separated(estimate, se, marginal_critical(se, level))
    for _ in range(k if k <= _INTEGRATED else 0):
        left = rivals & ~above & ~below
        new = separated(estimate, se, marginal_critical(se, level, left))
        if np.array_equal(new[0] | above, above) and np.array_equal(new[1] | below, below):
            break
        above, below = above | new[0], below | new[1]
    return 1.0 + above.sum(axis=1), k - below.sum(axis=1).astype("float64")

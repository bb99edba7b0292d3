"""Differences from the mean and between pairs, with errors that hold for all of them at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

Array = NDArray[np.float64]


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

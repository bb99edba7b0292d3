"""Intraclass correlations of a complete table (targets × raters), on arrays.

All functions take mean squares of any shape, so that the resamples of a bootstrap go through
the same code as the estimate. The six forms stand in the order of ``FORMS``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

# Shrout and Fleiss 1979, and the same six in the notation of McGraw and Wong 1996.
FORMS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
NOTATIONS = ("ICC(1)", "ICC(A,1)", "ICC(C,1)", "ICC(k)", "ICC(A,k)", "ICC(C,k)")


class MeanSquares(NamedTuple):
    """Mean squares between targets, between raters, of the residual and within targets."""

    targets: Floats
    raters: Floats
    residual: Floats
    within: Floats
    n: float
    k: float


def mean_squares(table: Floats) -> MeanSquares:
    """Mean squares of a complete table; stable at any offset because it is centred first."""
    n, k = table.shape
    centred = table - table[0, 0]  # exact for an offset that all scores share
    centred = centred - centred.mean()
    of_target = centred.mean(axis=1, keepdims=True)
    of_rater = centred.mean(axis=0, keepdims=True)
    residual = centred - of_target - of_rater
    # What is left of exact agreement by rounding is no residual.
    noise = np.abs(centred).max() * 1e-12
    residual = np.where(np.abs(residual) < noise, 0.0, residual)
    ss_residual = (residual**2).sum()
    of_target = np.where(np.abs(of_target) < noise, 0.0, of_target)
    ss_raters = n * (np.where(np.abs(of_rater) < noise, 0.0, of_rater) ** 2).sum()
    return MeanSquares(
        targets=np.asarray(k * (of_target**2).sum() / (n - 1)),
        raters=np.asarray(ss_raters / (k - 1)),
        residual=np.asarray(ss_residual / ((n - 1) * (k - 1))),
        within=np.asarray((ss_raters + ss_residual) / (n * (k - 1))),
        n=n,
        k=k,
    )


def unit_sums(table: Floats) -> Floats:
    """Per target what every resample needs: its scores, their squares, its squared total."""
    centred = table - table.mean()
    squares = (centred**2).sum(axis=1)
    return np.column_stack([centred, squares, centred.sum(axis=1) ** 2])


def mean_squares_of_sums(sums: Floats, n: int) -> MeanSquares:
    """Mean squares of every resample from the sums of ``unit_sums``."""
    by_rater, squares, totals = sums[..., :-2], sums[..., -2], sums[..., -1]
    k = by_rater.shape[-1]
    correction = by_rater.sum(axis=-1) ** 2 / (n * k)
    ss_targets = np.maximum(totals / k - correction, 0)
    ss_raters = np.maximum((by_rater**2).sum(axis=-1) / n - correction, 0)
    ss_within = np.maximum(squares - totals / k, 0)
    ss_residual = np.maximum(ss_within - ss_raters, 0)
    # What rounding leaves of equal scores is no variance: such a resample has no coefficient.
    noise = 1e-12 * squares
    ss_targets = np.where(ss_targets < noise, 0.0, ss_targets)
    ss_residual = np.where(ss_residual < noise, 0.0, ss_residual)
    return MeanSquares(
        ss_targets / (n - 1),
        ss_raters / (k - 1),
        ss_residual / ((n - 1) * (k - 1)),
        ss_within / (n * (k - 1)),
        n,
        k,
    )


def six_forms(ms: MeanSquares) -> Floats:
    """The six coefficients along the last axis; NaN where nothing varies."""
    b, j, e, w, n, k = ms
    with np.errstate(divide="ignore", invalid="ignore"):
        agreement = k / n * (j - e)
        return np.stack(
            [
                (b - w) / (b + (k - 1) * w),
                (b - e) / (b + (k - 1) * e + agreement),
                (b - e) / (b + (k - 1) * e),
                (b - w) / b,
                (b - e) / (b + agreement / k),
                (b - e) / b,
            ],
            axis=-1,
        )


def f_tests(ms: MeanSquares) -> tuple[Floats, Floats, Floats, Floats]:
    """F, its two degrees of freedom and p of each form (the hypothesis: the coefficient is 0)."""
    n, k = ms.n, ms.k
    with np.errstate(divide="ignore", invalid="ignore"):
        one, two = ms.targets / ms.within, ms.targets / ms.residual
    f = np.array([one, two, two, one, two, two], dtype=np.float64)
    below, beside = n * (k - 1), (n - 1) * (k - 1)
    df2 = np.array([below, beside, beside, below, beside, beside], dtype=np.float64)
    df1 = np.full(6, n - 1.0)
    p = np.where(np.isinf(f), 0.0, special.fdtrc(df1, df2, np.where(np.isinf(f), 1.0, f)))
    return f, df1, df2, p


def six_limits(ms: MeanSquares, level: float = 0.95) -> tuple[Floats, Floats]:
    """Limits of the six forms: exact F limits, and McGraw and Wong's for absolute agreement.

    The limits of ICC(A,k) are the Spearman-Brown transform of those of ICC(A,1).
    """
    tail = 1 - (1 - level) / 2
    n, k = ms.n, ms.k
    one = _f_limits(ms.targets, ms.within, n - 1, n * (k - 1), tail)
    three = _f_limits(ms.targets, ms.residual, n - 1, (n - 1) * (k - 1), tail)
    two = agreement_limits(ms, level)
    low, high = (
        np.array([_single(one[i], k), two[i], _single(three[i], k)], dtype=np.float64)
        for i in (0, 1)
    )
    return np.concatenate([low, stepped_up(low, k)]), np.concatenate([high, stepped_up(high, k)])


def stepped_up(single: ArrayLike, k: ArrayLike) -> Floats:
    """Reliability of the mean of k raters from that of one (Spearman 1910, Brown 1910)."""
    r = np.asarray(single, dtype=np.float64)
    below = 1 + (np.asarray(k) - 1) * r
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(
            below > 1e-9, np.asarray(k) * r / below, np.where(np.isnan(r), np.nan, -np.inf)
        )


def raters_needed(single: ArrayLike, wanted: float = 0.8) -> Floats:
    """How many raters the mean needs to reach a reliability: Spearman-Brown turned round."""
    r = np.asarray(single, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        number = wanted / (1 - wanted) * (1 - r) / r
        # The tiny step keeps 8.000000001, a matter of rounding, from becoming 9.
        return np.where(r > 0, np.maximum(np.ceil(number - 1e-9), 1), np.nan)


def _f_limits(
    top: Floats, bottom: Floats, df1: float, df2: float, tail: float
) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        f = top / bottom
    return f / special.fdtri(df1, df2, tail), f * special.fdtri(df2, df1, tail)


def _single(f: Floats, k: float) -> Floats:
    return np.where(np.isinf(f), 1.0, (np.where(np.isinf(f), 1.0, f) - 1) / (f + k - 1))


def agreement_limits(ms: MeanSquares, level: float = 0.95) -> tuple[Floats, Floats]:
    """McGraw and Wong 1996, Table 7: Satterthwaite's degrees of freedom."""
    b, j, e, _, n, k = ms
    tail = 1 - (1 - level) / 2
    rho = six_forms(ms)[..., 1]
    if not np.isfinite(rho) or rho >= 1:
        return rho, rho
    a, c = k * rho / (n * (1 - rho)), 1 + k * rho * (n - 1) / (n * (1 - rho))
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (a * j) ** 2 / (k - 1) + (c * e) ** 2 / ((n - 1) * (k - 1))
        df = (a * j + c * e) ** 2 / parts
        up, down = special.fdtri(n - 1, df, tail), special.fdtri(df, n - 1, tail)
        rest = k * j + (k * n - k - n) * e
        return n * (b - up * e) / (up * rest + n * b), n * (down * b - e) / (rest + n * down * b)

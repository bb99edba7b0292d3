"""Internal consistency of items from their covariances, on arrays of any leading shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


def covariances(table: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Covariances of the items (columns), each from the persons who answered both; and how many."""
    known = np.isfinite(table)
    if not known.any():
        size = table.shape[1]
        return np.full((size, size), np.nan), np.zeros((size, size), dtype=np.int64)
    first = np.array([c[k][0] if k.any() else 0.0 for c, k in zip(table.T, known.T, strict=True)])
    moved = table - first  # exact for an offset that all scores share
    filled = np.where(known, moved - np.nanmean(np.where(known, moved, np.nan), axis=0), 0.0)
    seen = known.astype(np.float64)
    n = seen.T @ seen
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = filled.T @ seen
        out = (filled.T @ filled - sums * sums.T / n) / (n - 1)
    # What rounding leaves of a constant item is no variance.
    out[np.abs(out) < 1e-24 * max(float(np.abs(filled).max(initial=0)), 1) ** 2] = 0.0
    return np.where(n > 1, out, np.nan), n.astype(np.int64)


def correlations(covariance: Floats) -> Floats:
    """Correlations from covariances; NaN for an item without variance."""
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(np.where(variance > 0, variance, np.nan))
        return np.asarray(covariance / (sd[..., :, None] * sd[..., None, :]))


def alpha(covariance: Floats) -> Floats:
    """Cronbach 1951, from covariances (or, standardised, from correlations)."""
    k = covariance.shape[-1]
    total = covariance.sum(axis=(-2, -1))
    own = np.trace(covariance, axis1=-2, axis2=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, k / np.float64(k - 1) * (1 - own / total), np.nan)


def alpha_error(covariance: Floats, persons: int) -> float:
    """Standard error of alpha for normal answers (Duhachek and Iacobucci 2004)."""
    k, total, own = len(covariance), covariance.sum(), np.trace(covariance)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = (covariance**2).sum()
        bend = total * (squares + own**2) - 2 * own * (covariance @ covariance).sum()
        return float(np.sqrt(2 * k**2 / np.float64(k - 1) ** 2 / total**3 * bend / persons))


def alpha_without(covariance: Floats) -> Floats:
    """Alpha of the other items, for each item left out."""
    k = covariance.shape[-1]
    own = np.diagonal(covariance)
    total = covariance.sum() - 2 * covariance.sum(axis=0) + own
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = (k - 1) / np.float64(k - 2) * (1 - (own.sum() - own) / total)
    return np.where((total > 0) & (k > 2), rest, np.nan)


def item_rest(covariance: Floats) -> Floats:
    """Correlation of each item with the sum of the others (corrected item-total)."""
    own = np.diagonal(covariance)
    with_rest = covariance.sum(axis=0) - own
    rest = covariance.sum() - 2 * covariance.sum(axis=0) + own
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.sqrt(np.where((own > 0) & (rest > 0), own * rest, np.nan))
        return np.asarray(with_rest / scale)


def lambda6(correlation: Floats) -> float:
    """Guttman's lambda 6: each item's error is what the other items cannot predict."""
    with np.errstate(divide="ignore", invalid="ignore"):
        try:
            inverse = np.linalg.inv(correlation)
        except np.linalg.LinAlgError:
            return float("nan")
        error = 1 / np.diagonal(inverse)
    sound = len(error) > 0 and np.isfinite(error).all() and (error > 1e-9).all()
    return float(1 - error.sum() / correlation.sum()) if sound else float("nan")


def feldt(
    alpha_value: Floats, persons: int, items: int, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Limits of alpha from the F distribution (Feldt 1965; Feldt, Woodruff and Salih 1987)."""
    df1, df2 = persons - 1.0, (persons - 1.0) * (items - 1.0)
    tail = (1 - level) / 2
    rest = 1 - np.asarray(alpha_value, dtype=np.float64)
    # 1 − alpha is the estimate times F(df1, df2): its quantiles give the limits.
    return 1 - rest * special.fdtri(df1, df2, 1 - tail), 1 - rest * special.fdtri(df1, df2, tail)


def alpha_sums(table: Floats) -> Floats:
    """Per person what alpha of any resample needs: answers, their squares, total, squared total."""
    centred = table - table.mean(axis=0)
    total = centred.sum(axis=1)
    return np.column_stack([(centred**2).sum(axis=1), total**2, total, centred])


def alpha_of_sums(sums: Floats, persons: int) -> Floats:
    """Alpha of every resample from the sums of ``alpha_sums``."""
    squares, totals, total, by_item = sums[..., 0], sums[..., 1], sums[..., 2], sums[..., 3:]
    k = by_item.shape[-1]
    own = squares - (by_item**2).sum(axis=-1) / persons
    whole = totals - total**2 / persons
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 1e-12, k / (k - 1) * (1 - own / whole), np.nan)


def pairwise_sums(table: Floats) -> Floats:
    """Per person what pairwise alpha needs of each pair of items: who answered both, both sums,
    the product; the pairs of an item with itself are among them."""
    known = np.isfinite(table)
    filled = np.where(known, table - np.nanmean(table, axis=0), 0.0)
    one, two = np.triu_indices(table.shape[1])
    both = known[:, one] & known[:, two]
    parts = [both, filled[:, one] * both, filled[:, two] * both, filled[:, one] * filled[:, two]]
    return np.concatenate(parts, axis=1, dtype=np.float64)


def covariances_of_pairwise(sums: Floats, items: int) -> Floats:
    """Covariances of every resample from ``pairwise_sums``; missing where a pair was never answered."""
    n, first, second, product = np.split(sums, 4, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = np.where(n > 1, (product - first * second / n) / (n - 1), np.nan)
    one, two = np.triu_indices(items)
    out = np.empty((*sums.shape[:-1], items, items))
    out[..., one, two] = out[..., two, one] = pairs
    return out


def alpha_of_pairwise(sums: Floats, items: int) -> Floats:
    """Alpha of every resample from ``pairwise_sums``; missing where a pair was never answered."""
    covariance = covariances_of_pairwise(sums, items)
    return np.where(covariance.sum(axis=(-2, -1)) > 1e-12, alpha(covariance), np.nan)

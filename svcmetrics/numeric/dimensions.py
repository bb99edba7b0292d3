"""How many dimensions do items have? Eigenvalues against chance, partial correlations. Arrays only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import consistency, minres

Floats = NDArray[np.float64]


def pairwise(table: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Correlation of each pair of items over those who answered both, and how many they are."""
    known = np.isfinite(table)
    seen = known.astype(np.float64)
    centre = np.array(
        [c[k].mean() if k.any() else 0.0 for c, k in zip(table.T, known.T, strict=True)]
    )
    filled = np.where(known, table - centre, 0.0)
    n, sums, squares = seen.T @ seen, filled.T @ seen, (filled**2).T @ seen
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = squares - sums**2 / n
        inside[inside <= 1e-12 * squares.max(initial=0)] = np.nan
        r = (filled.T @ filled - sums * sums.T / n) / np.sqrt(inside * inside.T)
    np.fill_diagonal(r, np.where(np.isfinite(np.diagonal(r)), 1.0, np.nan))
    return r, n.astype(np.int64)


def kmo(r: Floats) -> tuple[float, Floats]:
    """Kaiser, Meyer and Olkin's measure of all items and of each (Kaiser and Rice 1974).

    How much of the squared correlations is left when all other items are held; NaN where the
    correlations have no inverse.
    """
    missing = float("nan"), np.full(len(r), np.nan)
    if not np.isfinite(r).all() or np.linalg.eigvalsh(r)[0] < 1e-10:
        return missing
    partial = consistency.correlations(np.asarray(np.linalg.inv(r), dtype=np.float64))
    apart = 1 - np.eye(len(r))
    plain, held = (r**2 * apart).sum(axis=0), (partial**2 * apart).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(plain.sum() / (plain.sum() + held.sum())), plain / (plain + held)


def eigenvalues(r: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues of components and of factors, the largest first (matrices × items).

    Factors: the communalities of one common factor in the diagonal, as R psych has it.
    """
    loading = np.clip(minres.one_factors(r), -1, 1)
    reduced = r - (1 - loading**2)[..., None] * np.eye(r.shape[-1])
    whole, common = (np.asarray(np.linalg.eigvalsh(m), dtype=np.float64) for m in (r, reduced))
    return whole[..., ::-1], common[..., ::-1]


def by_chance(items: int, persons: int, draws: int, rng: np.random.Generator) -> Floats:
    """Eigenvalues of items that have nothing in common: draws × (components, factors) × items.

    Horn 1965. The cross-products of independent normal answers have Wishart's law, drawn by
    Bartlett's decomposition: no answers need be made.
    """
    root = np.tril(rng.normal(size=(draws, items, items)), -1)
    at = np.arange(items)
    root[:, at, at] = np.sqrt(rng.chisquare(np.maximum(persons - 1 - at, 1), (draws, items)))
    r = consistency.correlations(root @ np.swapaxes(root, 1, 2))
    return np.stack(eigenvalues(r), axis=1)


def beyond(seen: Floats, limit: Floats) -> int:
    """How many eigenvalues, from the largest on, lie above what chance gives."""
    under = np.flatnonzero(~(seen > limit))
    return int(under[0]) if len(under) else len(seen)


def least_partial(r: Floats) -> int:
    """Velicer 1976: after how many components the other correlations are smallest on average."""
    value, vector = np.linalg.eigh(r)
    loading = (vector * np.sqrt(np.maximum(value, 0)))[:, ::-1]
    p = len(r)
    rest = r - np.cumsum(loading.T[:, :, None] * loading.T[:, None, :], axis=0)[: max(p - 2, 0)]
    rest = np.concatenate([r[None], rest])
    own = np.diagonal(rest, axis1=1, axis2=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = rest**2 / (own[:, :, None] * own[:, None, :])
        mean = (squares.sum(axis=(1, 2)) - p) / (p * (p - 1))
    sound = np.isfinite(mean) & (own > 1e-9).all(axis=1)
    return int(np.argmin(np.where(sound, mean, np.inf)))

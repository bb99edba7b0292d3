"""Pairwise comparisons as stacks of matrices (judges, n, n); a missing comparison is NaN.

``a[k, i, j]`` is how many times node i counts more than node j for judge k; ``a[k, j, i]`` is its
reciprocal and the diagonal is 1. Every function works on all judges at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _from_three(*values: float) -> dict[int, float]:
    return dict(enumerate(values, start=3))


# Random indices: the mean consistency index of random matrices of order 3, 4, 5 …
RANDOM_INDEX: dict[str, dict[int, float]] = {
    # Saaty (1980), The Analytic Hierarchy Process, p. 21.
    "saaty1980": _from_three(
        *(0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
    ),
    # Saaty (2005), Theory and Applications of the Analytic Network Process, p. 31.
    "saaty2005": _from_three(
        *(0.52, 0.89, 1.11, 1.25, 1.35, 1.40, 1.45, 1.49, 1.52, 1.54, 1.56, 1.58, 1.59)
    ),
    # Donegan and Dodd (1991), Mathl. Comput. Modelling 15(10), 135-137; straight lines between.
    "donegan_dodd1991": _from_three(
        *(0.4914, 0.8286, 1.0591, 1.1797, 1.2519, 1.3171, 1.3733, 1.4055, 1.4213),
        *(1.4497, 1.4643, 1.4822, 1.4969, 1.5078, 1.5153, 1.5262, 1.5313, 1.5371),
    )
    | {25: 1.5619, 30: 1.5772, 40: 1.5976, 50: 1.6102, 60: 1.6178, 70: 1.6237}
    | {80: 1.6277, 90: 1.6213, 100: 1.6339},
    # Alonso and Lamata (2006), IJUFKS 14(4), 445-459: a line through 500,000 random matrices.
    "alonso_lamata2006": {},
}


def connected(a: Array) -> NDArray[np.bool_]:
    """Per judge: do the comparisons hang together, so that every node can be weighed?"""
    n = a.shape[-1]
    reach = (~np.isnan(a)).astype(np.float64)
    for _ in range(max(1, int(np.ceil(np.log2(max(n, 2)))))):
        reach = (reach @ reach > 0).astype(np.float64)
    return np.asarray((reach > 0).all(axis=(1, 2)))


def geometric(a: Array) -> Array:
    """Row geometric means; with missing comparisons the logarithmic least squares weights.

    For a complete matrix the two are the same (Crawford & Williams 1985; Bozoki et al. 2010).
    """
    known = ~np.isnan(a)
    logs = np.where(known, np.log(np.where(known, a, 1.0)), 0.0)
    rows = logs.sum(axis=2)
    v = np.linalg.solve(_laplacian(known) + 1.0, rows[..., None])[..., 0]
    return _share(np.exp(v - v.max(axis=1, keepdims=True)))


def principal(a: Array, tolerance: float = 1e-14, steps: int = 5000) -> tuple[Array, Array]:
    """Principal eigenvector (summing to 1) and eigenvalue of positive matrices, by power iteration."""
    x = np.full(a.shape[:2], 1.0 / a.shape[1])
    for _ in range(steps):
        y = _share((a @ x[..., None])[..., 0])
        done = np.abs(y - x).max(initial=0.0) < tolerance
        x = y
        if done:
            break
    grown = (a @ x[..., None])[..., 0]
    return x, np.asarray(grown.sum(axis=1))


def filled(a: Array, tolerance: float = 1e-12, steps: int = 500) -> Array:
    """Missing comparisons replaced by those that make the largest eigenvalue smallest.

    At the optimum a_ij² = x_i y_j / (x_j y_i) with the right and left eigenvectors x and y
    (the derivative of the eigenvalue is zero); Bozoki, Fulop & Ronyai (2010) show that the
    optimum is unique when the comparisons are connected.
    """
    holes = np.isnan(a)
    w = geometric(a)
    full = np.where(holes, w[:, :, None] / w[:, None, :], a)
    if not holes.any():
        return full
    for _ in range(steps):
        right, _root = principal(full)
        left, _root = principal(np.swapaxes(full, 1, 2))
        q = np.sqrt(right / left)
        step = np.where(holes, q[:, :, None] / q[:, None, :], full)
        change = np.abs(np.log(step / full)).max()
        full = step
        if change < tolerance:
            break
    return full


def harker(a: Array) -> tuple[Array, Array]:
    """Harker's (1987) weights: a missing comparison adds 1 to the diagonal and counts as 0."""
    n = a.shape[1]
    gaps = np.isnan(a).sum(axis=2)
    return principal(np.where(np.isnan(a), 0.0, a) + np.eye(n) * gaps[:, :, None])


def random_index(n: int, table: str) -> tuple[float, str]:
    """The random index of order n and the table that it comes from (below 3 there is none)."""
    rows = RANDOM_INDEX[table]
    if n < 3:
        return float("nan"), table
    if rows and n <= max(rows):
        return float(np.interp(n, list(rows), list(rows.values()))), table
    return (1.7699 * n - 4.3513) / (n - 1), "alonso_lamata2006"


def thinned_index(index: float, n: int, missing: NDArray[np.int64]) -> Array:
    """The random index when comparisons are missing (Agoston & Csato 2022, Omega 108, eq. 7).

    Fewer comparisons leave less room for contradiction: RI (1 - 2m / ((n - 1)(n - 2))).
    """
    return np.asarray(index * (1 - 2 * missing / ((n - 1) * (n - 2))))


def geometric_index(a: Array, w: Array) -> Array:
    """Geometric consistency index: the squared log errors per spare comparison."""
    errors = log_errors(a, w)
    spare = np.isfinite(errors).sum(axis=(1, 2)) / 2 - a.shape[1] / 2 - (a.shape[1] - 1)
    total = np.nansum(errors**2, axis=(1, 2)) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(spare > 0, total / spare, np.nan))


def log_errors(a: Array, w: Array) -> Array:
    """log(a_ij w_j / w_i): how far each judgement lies from the weights."""
    return np.asarray(np.log(a * w[:, None, :] / w[:, :, None]))


def agreeing_values(a: Array) -> Array:
    """For each judgement the value on which all others of the judge agree best.

    Leave-one-out logarithmic least squares: the residual over (1 - leverage). NaN where the
    others say nothing about the pair.
    """
    known = ~np.isnan(a)
    errors = log_errors(a, geometric(a))
    g = np.linalg.inv(_laplacian(known) + 1.0)
    d = np.diagonal(g, axis1=1, axis2=2)
    spare = 1 - (d[:, :, None] + d[:, None, :] - 2 * g)
    usable = known & (spare > 1e-9) & ~np.eye(a.shape[1], dtype=bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(usable, a * np.exp(-errors / spare), np.nan))


def _laplacian(known: NDArray[np.bool_]) -> Array:
    links = known & ~np.eye(known.shape[1], dtype=bool)
    return np.asarray(np.eye(known.shape[1]) * links.sum(axis=2)[:, :, None] - links)


def _share(x: Array) -> Array:
    return np.asarray(x / x.sum(axis=1, keepdims=True))

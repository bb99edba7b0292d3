"""Common factors of a correlation matrix by minimum residuals or maximum likelihood, on arrays.

Minimum residuals (Harman and Jones 1966) and unweighted least squares have the same solution.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def one_factor(correlation: Floats) -> Floats:
    """Loadings of one factor: off-diagonal residuals as small as possible. Unbounded: a loading
    above 1 is an improper solution, for the caller to refuse."""
    r = correlation
    value, vector = np.linalg.eigh(r - np.diag(1 - smc(r)))
    start = vector[:, -1] * np.sqrt(max(float(value[-1]), 1e-4))
    start = start if start.sum() >= 0 else -start
    # A few steps of coordinate descent bring Newton into its basin.
    loading = start.copy()
    off = r - np.diag(np.diag(r))
    for _ in range(20):
        squares = loading @ loading
        for i, row in enumerate(off):
            old = loading[i]
            loading[i] = row @ loading / max(squares - old * old, 1e-12)
            squares += loading[i] ** 2 - old * old
    found = newton(r[None], loading[None], steps=8)[0]
    if not np.isfinite(found).all():
        return np.asarray(loading)
    return np.asarray(found if _misfit(r, found) <= _misfit(r, loading) + 1e-12 else loading)


def newton(correlations: Floats, start: Floats, steps: int) -> Floats:
    """Newton steps for many matrices at once (… × p × p) from loadings (… × p)."""
    loading = np.array(np.broadcast_to(start, correlations.shape[:-1]))
    p = correlations.shape[-1]
    eye = np.eye(p)
    off = correlations * (1 - eye)
    for _ in range(steps):
        squares = (loading**2).sum(axis=-1, keepdims=True) - loading**2
        slope = loading * squares - (off @ loading[..., None])[..., 0]
        curve = 2 * loading[..., :, None] * loading[..., None, :] - off
        curve = curve * (1 - eye) + squares[..., None] * eye
        try:
            step = np.linalg.solve(curve, slope[..., None])[..., 0]
        except np.linalg.LinAlgError:
            break
        loading = loading - np.clip(step, -0.5, 0.5)
    return np.asarray(loading)


def one_factor_ml(correlation: Floats) -> Floats:
    """Maximum likelihood loadings of one factor (Jöreskog 1967): search on the uniquenesses."""
    return several(correlation, 1, likelihood=True)[:, 0]


def several(correlation: Floats, factors: int, *, likelihood: bool = False) -> Floats:
    """Unrotated loadings (items × factors) by a search on the uniquenesses."""
    from scipy.optimize import minimize

    r = correlation

    def target(unique: Floats) -> tuple[float, Floats]:
        if likelihood:
            scale = 1 / np.sqrt(unique)
            value, vector = np.linalg.eigh(scale[:, None] * r * scale)
            rest = np.maximum(value[:-factors], 1e-12)
            loading = vector[:, -factors:] * np.sqrt(np.maximum(value[-factors:] - 1, 0))
            loading = loading / scale[:, None]
            slope = np.diag(loading @ loading.T + np.diag(unique) - r) / unique**2
            return float((rest - np.log(rest) - 1).sum()), slope
        value, vector = np.linalg.eigh(r - np.diag(unique))
        rest = value[:-factors]
        return float((rest**2).sum() / 2), -(vector[:, :-factors] ** 2 @ rest)

    start = np.clip(1 - smc(r), 0.05, 0.95)
    bounds = [(0.001, 1.0)] * len(r)
    fit = minimize(target, start, jac=True, bounds=bounds, method="L-BFGS-B",
                   options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9})  # fmt: skip
    unique = fit.x
    if likelihood:
        scale = 1 / np.sqrt(unique)
        value, vector = np.linalg.eigh(scale[:, None] * r * scale)
        loading = (
            vector[:, -factors:] * np.sqrt(np.maximum(value[-factors:] - 1, 0)) / scale[:, None]
        )
    else:
        value, vector = np.linalg.eigh(r - np.diag(unique))
        loading = vector[:, -factors:] * np.sqrt(np.maximum(value[-factors:], 0))
    loading = loading[:, ::-1]
    return np.asarray(loading * np.where(loading.sum(axis=0) < 0, -1, 1))


def oblimin(loading: Floats, steps: int = 500) -> tuple[Floats, Floats]:
    """Oblique rotation (quartimin) by gradient projection; pattern and factor correlations.

    Jennrich 2002; the form of Bernaards and Jennrich 2005, without row normalisation.
    """
    k = loading.shape[1]
    turn, size = np.eye(k), 1.0
    value, slope, pattern = _quartimin(loading, turn)
    for _ in range(steps):
        free = slope - turn * (turn * slope).sum(axis=0)
        length = np.sqrt((free**2).sum())
        if length < 1e-6:
            break
        size *= 2
        for _ in range(20):
            tried = turn - size * free
            tried = tried / np.sqrt((tried**2).sum(axis=0))
            new, new_slope, new_pattern = _quartimin(loading, tried)
            if value - new > 0.5 * length**2 * size:
                break
            size /= 2
        turn, value, slope, pattern = tried, new, new_slope, new_pattern
    return pattern, turn.T @ turn


def schmid_leiman(pattern: Floats, phi: Floats) -> Floats:
    """Loadings on the general factor above correlated factors (Schmid and Leiman 1957).

    Three factors or more: one factor of their correlations. Two: equal weights, the only choice.
    """
    sign = np.where(pattern.sum(axis=0) < 0, -1.0, 1.0)
    phi = phi * sign[:, None] * sign
    equal = np.full(2, np.sqrt(max(float(phi[0, 1]), 0.0)))
    second = equal if len(phi) == 2 else one_factor(phi)
    return np.asarray((pattern * sign) @ np.clip(second, -1, 1))


def smc(correlation: Floats) -> Floats:
    """Squared multiple correlation of each variable with the others."""
    inverse = np.diag(np.linalg.pinv(correlation, hermitian=True))
    return np.clip(1 - 1 / np.maximum(inverse, 1), 0.0, 1.0)


def _quartimin(loading: Floats, turn: Floats) -> tuple[float, Floats, Floats]:
    inverse = np.linalg.inv(turn)
    pattern = loading @ inverse.T
    squares = pattern**2
    others = squares.sum(axis=1, keepdims=True) - squares
    slope = pattern * others
    return float((squares * others).sum() / 4), -(pattern.T @ slope @ inverse).T, pattern


def _misfit(r: Floats, loading: Floats) -> float:
    rest = r - np.outer(loading, loading)
    return float((rest**2).sum() - (np.diag(rest) ** 2).sum())

"""One common factor of correlation matrices by minimum residuals, on arrays.

Minimum residuals (Harman and Jones 1966) and unweighted least squares have the same solution.
Several factors, and maximum likelihood: ``numeric.factors``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def one_factor(correlation: Floats) -> Floats:
    """Loadings of one factor: off-diagonal residuals as small as possible. Unbounded: a loading
    above 1 is an improper solution, for the caller to refuse."""
    return np.asarray(one_factors(correlation[None])[0])


def one_factors(correlations: Floats) -> Floats:
    """The same for many matrices at once (matrices × p × p)."""
    r = correlations
    eye = np.eye(r.shape[-1])
    value, vector = np.linalg.eigh(r - eye * (1 - smc(r))[:, :, None])
    start = vector[:, :, -1] * np.sqrt(np.maximum(value[:, -1:], 1e-4))
    start = np.where(start.sum(axis=1, keepdims=True) >= 0, start, -start)
    # A few steps of coordinate descent bring Newton into its basin.
    loading = start.copy()
    off = r * (1 - eye)
    for _ in range(20):
        squares = (loading**2).sum(axis=1)
        for i in range(r.shape[-1]):
            old = loading[:, i].copy()
            rest = np.maximum(squares - old * old, 1e-12)
            loading[:, i] = (off[:, i] * loading).sum(axis=1) / rest
            squares += loading[:, i] ** 2 - old * old
    found = newton(r, loading, steps=8)
    with np.errstate(invalid="ignore", over="ignore"):
        better = _misfit(r, found) <= _misfit(r, loading) + 1e-12
    return np.asarray(np.where(better[:, None], found, loading))


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
        except np.linalg.LinAlgError:  # one singular matrix must not stop the others
            step = (np.linalg.pinv(curve, hermitian=True) @ slope[..., None])[..., 0]
        loading = loading - np.clip(step, -0.5, 0.5)
    return np.asarray(loading)


def settled(correlations: Floats, loading: Floats) -> NDArray[np.bool_]:
    """Where the loadings are proper (all below 1) and leave no slope."""
    off = correlations * (1 - np.eye(correlations.shape[-1]))
    with np.errstate(invalid="ignore", over="ignore"):
        squares = (loading**2).sum(axis=-1, keepdims=True) - loading**2
        slope = loading * squares - (off @ loading[..., None])[..., 0]
        still = (np.abs(slope) < 1e-6) & (loading**2 < 1)
    return np.asarray(still.all(axis=-1))


def smc(correlation: Floats) -> Floats:
    """Squared multiple correlation of each variable with the others (… × p × p)."""
    inverse = np.linalg.pinv(correlation, hermitian=True)
    own = np.diagonal(inverse, axis1=-2, axis2=-1)
    return np.asarray(np.clip(1 - 1 / np.maximum(own, 1), 0.0, 1.0))


def _misfit(r: Floats, loading: Floats) -> Floats:
    rest = r - loading[..., :, None] * loading[..., None, :]
    own = np.diagonal(rest, axis1=-2, axis2=-1)
    return np.asarray((rest**2).sum(axis=(-2, -1)) - (own**2).sum(axis=-1))

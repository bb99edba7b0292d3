"""Common factors of many correlation matrices at once: extraction, rotation, a general factor.

Every function takes a stack of matrices (first axis) and works on all that are not done yet, so
the resamples of a bootstrap need no loop. One matrix is a stack of one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric.minres import one_factors, smc

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# A uniqueness stays between these: below, the communality would pass 1 (Heywood case).
_LEAST, _MOST = 0.001, 1.0
_STEPS, _ROTATIONS = 200, 1000
_CLOSE = 1e-9
# No step moves a uniqueness (or its logarithm) farther than this.
_FAR = 0.3


def extract(r: Floats, factors: int, *, likelihood: bool = False) -> tuple[Floats, Bools]:
    """Unrotated loadings (matrices × items × factors), and which searches came to an end.

    Minimum residuals (Harman and Jones 1966; the same as unweighted least squares), or maximum
    likelihood (Jöreskog 1967), as functions of the uniquenesses: Newton with exact second
    derivatives, damped as by Levenberg and Marquardt, within bounds.
    """
    bounds = np.array([_LEAST, _MOST])
    low, high = np.log(bounds) if likelihood else bounds
    start = np.clip(1 - smc(r), 0.05, 0.95)
    x = np.log(start) if likelihood else start
    value, slope, curve, loading = _target(r, x, factors, likelihood)
    damping = np.full(len(r), 1e-3)
    if likelihood:  # a singular matrix has no highest likelihood: not searched for
        damping[np.linalg.eigvalsh(r)[:, 0] < 1e-9] = np.inf
    done = np.zeros(len(r), dtype=bool)
    for _ in range(_STEPS):
        free = ~(((x <= low) & (slope > 0)) | ((x >= high) & (slope < 0)))
        done |= np.abs(np.where(free, slope, 0)).max(axis=1) < _CLOSE
        at = np.flatnonzero(~done & (damping < 1e8))
        if not len(at):
            break
        tried = np.clip(x[at] - _step(slope[at], curve[at], free[at], damping[at]), low, high)
        new = _target(r[at], tried, factors, likelihood)
        # Rounding decides between values this close: the step counts as one that leads down.
        better = new[0] <= value[at] + 1e-15 * (1 + np.abs(value[at]))
        damping[at] = np.where(better, damping[at] * 0.1, np.maximum(damping[at], 1e-6) * 10)
        went = at[better]
        x[went] = tried[better]
        for old, fresh in zip((value, slope, curve, loading), new, strict=True):
            old[went] = fresh[better]
    sign = np.where(loading.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    # Steps that no longer help although the slope is small: as near as rounding allows.
    near = done | (np.abs(np.where(free, slope, 0)).max(axis=1) < 1e-6)
    return loading * sign, near & np.isfinite(damping)


def _step(slope: Floats, curve: Floats, free: Bools, damping: Floats) -> Floats:
    """The damped Newton step among the uniquenesses that are not held by a bound."""
    both = free[:, :, None] & free[:, None, :]
    value, vector = np.linalg.eigh(np.where(both, curve, np.eye(slope.shape[1])))
    # Where the surface bends the wrong way, all bends are raised until none does.
    bend = value - 1.5 * np.minimum(value[:, :1], 0.0) + np.maximum(damping, 1e-12)[:, None]
    turned = (np.where(free, slope, 0.0)[:, None, :] @ vector)[:, 0] / bend
    step = (vector @ turned[:, :, None])[:, :, 0]
    return np.asarray(
        step * np.minimum(1, _FAR / np.maximum(np.abs(step).max(axis=1), _FAR))[:, None]
    )


def _target(
    r: Floats, x: Floats, factors: int, likelihood: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """Misfit, its first and second derivatives, and the loadings at these uniquenesses.

    The misfit is a function of the eigenvalues that the factors leave; its derivatives follow
    from those of eigenvalues and eigenvectors. ``x`` is the uniqueness, or its logarithm.
    """
    if likelihood:
        scale = np.exp(-x / 2)
        value, vector = np.linalg.eigh(r * scale[:, :, None] * scale[:, None, :])
        loading = vector[:, :, -factors:] * np.sqrt(np.maximum(value[:, None, -factors:] - 1, 0))
        loading = loading / scale[:, :, None]
    else:
        value, vector = np.linalg.eigh(r - x[:, :, None] * np.eye(x.shape[1]))
        loading = vector[:, :, -factors:] * np.sqrt(np.maximum(value[:, None, -factors:], 0))
    rest, left = value[:, :-factors], vector[:, :, :-factors]
    turned = np.swapaxes(left, 1, 2)
    if likelihood:
        rest = np.maximum(rest, 1e-12)
        misfit = (rest - np.log(rest) - 1).sum(axis=1)
        slope = (left**2 @ (1 - rest)[:, :, None])[:, :, 0]
        curve = (left @ turned) * ((left * rest[:, None, :]) @ turned)
    else:
        misfit = (rest**2).sum(axis=1) / 2
        slope = -(left**2 @ rest[:, :, None])[:, :, 0]
        curve = (left @ turned) ** 2
    for k in range(-factors, 0):
        top, one = value[:, k, None], vector[:, :, k]
        gap = np.maximum(top - rest, 1e-12)
        mixed = (rest - 1) * (rest + top) / -gap if likelihood else -2 * rest / gap
        with_rest = (left * mixed[:, None, :]) @ turned
        curve = curve + one[:, :, None] * one[:, None, :] * with_rest
    return misfit, slope, curve, loading[:, :, ::-1]


def oblimin(loading: Floats) -> tuple[Floats, Floats, Bools]:
    """Oblique rotation (quartimin) by gradient projection: pattern, factor correlations, the end.

    Jennrich 2002; the form of Bernaards and Jennrich 2005, without row normalisation.
    """
    count, _, m = loading.shape
    turn = np.repeat(np.eye(m)[None], count, axis=0)
    size = np.ones(count)
    value, slope, pattern = _quartimin(loading, turn)
    length = np.full(count, np.inf)
    for _ in range(_ROTATIONS):
        free = slope - turn * (turn * slope).sum(axis=1, keepdims=True)
        length = np.linalg.norm(free, axis=(1, 2))
        at = np.flatnonzero((length >= 1e-8) & (size > 1e-12))
        if not len(at):
            break
        tried = turn[at] - size[at, None, None] * free[at]
        tried = tried / np.linalg.norm(tried, axis=1, keepdims=True)
        new = _quartimin(loading[at], tried)
        better = value[at] - new[0] > 0.5 * length[at] ** 2 * size[at]
        size[at] *= np.where(better, 2.0, 0.5)
        went = at[better]
        turn[went] = tried[better]
        for old, fresh in zip((value, slope, pattern), new, strict=True):
            old[went] = fresh[better]
    return pattern, np.swapaxes(turn, 1, 2) @ turn, length < 1e-5


def _quartimin(loading: Floats, turn: Floats) -> tuple[Floats, Floats, Floats]:
    inverse = np.linalg.inv(turn)
    pattern = loading @ np.swapaxes(inverse, 1, 2)
    squares = pattern**2
    others = squares.sum(axis=2, keepdims=True) - squares
    inner = np.swapaxes(pattern, 1, 2) @ (pattern * others) @ inverse
    return (squares * others).sum(axis=(1, 2)) / 4, -np.swapaxes(inner, 1, 2), pattern


def schmid_leiman(pattern: Floats, phi: Floats) -> Floats:
    """Loadings on the general factor above correlated factors (Schmid and Leiman 1957).

    Three factors or more: one factor of their correlations. Two: equal weights, the only choice.
    """
    sign = np.where(pattern.sum(axis=1) < 0, -1.0, 1.0)
    phi = phi * sign[:, :, None] * sign[:, None, :]
    if phi.shape[1] == 2:
        second = np.repeat(np.sqrt(np.maximum(phi[:, 0, 1], 0.0))[:, None], 2, axis=1)
    else:
        second = one_factors(phi)
    return np.asarray(((pattern * sign[:, None, :]) @ np.clip(second, -1, 1)[:, :, None])[:, :, 0])

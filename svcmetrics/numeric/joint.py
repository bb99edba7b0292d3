"""Joint draws of errors: what estimates have in common stays common in every draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]

_CELLS = 4_000_000  # numbers held at a time
_LEAST_WEIGHT = 1e-9


def multivariate(covariance: Array, df: float, count: int, rng: np.random.Generator) -> Array:
    """``count`` draws of multivariate t errors (``df`` infinite: normal) with this scale matrix.

    The variance is estimated once for all, so one chi-square stretches all errors of a draw.
    """
    size, axes = np.linalg.eigh(covariance)
    root = axes * np.sqrt(np.maximum(size, 0.0))
    out = rng.standard_normal((count, len(covariance))) @ root.T
    stretch = 1.0 if np.isinf(df) else np.sqrt(df / rng.chisquare(df, (count, 1)))
    return np.asarray(out * stretch)


def two_pieces(down: Array, up: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Independent errors whose lower and upper 95% limits lie ``down`` and ``up`` from zero."""
    z = rng.standard_normal(shape) / float(ndtri(0.975))
    return np.asarray(z * np.where(z < 0, down, up))


def composites(x: Array, errors: list[Array], used: Array, w: Array, method: str) -> Array:
    """Weighted means in every draw (draws × targets).

    ``x``: targets × indicators; ``errors``: per indicator draws × targets; ``used``: which
    indicators a target counts; ``w``: draws × indicators, weights that need not sum to 1.
    """
    count, k = len(w), len(x)
    out = np.empty((count, k))
    step = max(1, _CELLS // max(k, 1))
    for rows in (slice(i, i + step) for i in range(0, count, step)):
        values = [x[:, j] + e[rows] for j, e in enumerate(errors)]
        out[rows] = _of_block(values, used, w[rows], method)
    return out


def _of_block(values: list[Array], used: Array, w: Array, method: str) -> Array:
    if method == "minimum":
        whole = [np.where(used[:, j], v, np.inf) for j, v in enumerate(values)]
        return np.asarray(np.minimum.reduce(whole))
    total, out = np.zeros(values[0].shape), np.zeros(values[0].shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        for j, v in enumerate(values):
            share = np.where(used[:, j], np.maximum(w[:, [j]], _LEAST_WEIGHT), 0.0)
            part = np.log(np.maximum(v, 0.0)) if method == "geometric" else v
            out += np.where(share > 0, share * part, 0.0)
            total += share
        mean = out / total
        return np.asarray(np.exp(mean) if method == "geometric" else mean)

"""How much each predictor adds to R², from covariance matrices (resamples, p + 1, p + 1).

The outcome is the last variable. Every function works on all resamples at once.
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def correlations(c: Array) -> Array:
    """Correlations from covariances; NaN where a variable is constant."""
    d = np.sqrt(np.diagonal(c, axis1=1, axis2=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(c / (d[:, :, None] * d[:, None, :]))


def explained(r: Array) -> Array:
    """R² of every subset of predictors (2^p, resamples); bit j of the row says whether j is in.

    A walk over subsets: each step takes one more predictor out of what is left of the matrix.
    """
    p = r.shape[1] - 1
    out = np.zeros((1 << p, r.shape[0]))

    def walk(rest: Array, subset: int, first: int) -> None:
        for k in range(rest.shape[1] - 1):
            below = rest[:, k + 1 :, k]
            pivot = rest[:, k, k][:, None, None]
            left = rest[:, k + 1 :, k + 1 :] - below[:, :, None] * below[:, None, :] / pivot
            inside = subset | 1 << (first + k)
            out[inside] = 1 - left[:, -1, -1]
            walk(left, inside, first + k + 1)

    walk(r, 0, 0)
    return out


def lmg(r: Array) -> Array:
    """Mean increase of R² over all orders of entry (Lindeman, Merenda & Gold 1980): (resamples, p)."""
    p = r.shape[1] - 1
    fit = explained(r)
    subsets = np.arange(1 << p)
    size = np.bitwise_count(subsets)
    share = np.array([1 / (p * comb(p - 1, k)) if k < p else 0.0 for k in range(p + 1)])
    parts = []
    for j in range(p):
        without = subsets[(subsets >> j) & 1 == 0]
        parts.append(share[size[without]] @ (fit[without | 1 << j] - fit[without]))
    return np.stack(parts, axis=1)


def johnson(r: Array) -> Array:
    """Relative weights through the nearest orthogonal variables (Johnson 2000): (resamples, p)."""
    values, vectors = np.linalg.eigh(r[:, :-1, :-1])
    root = np.sqrt(np.maximum(values, 0.0))
    link = (vectors * root[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    beta = np.linalg.solve(link, r[:, :-1, -1:])[..., 0]
    return np.asarray((link**2 @ (beta**2)[..., None])[..., 0])

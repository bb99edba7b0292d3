"""Many tests at once, on arrays: the false discovery rate, or the chance of any false alarm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values (Benjamini and Hochberg 1995); missing ones stay missing, uncounted."""
    raw = np.asarray(p, dtype=np.float64)
    out = np.full(raw.shape, np.nan)
    known = np.flatnonzero(np.isfinite(raw))
    if len(known):
        order = known[np.argsort(-raw[known], kind="stable")]
        m = len(known)
        steps = raw[order] * m / np.arange(m, 0, -1)
        out[order] = np.minimum(np.minimum.accumulate(steps), 1.0)
    return out


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values (Holm 1979): the chance of any false alarm, however the tests depend.

    Missing ones stay missing, uncounted.
    """
    raw = np.asarray(p, dtype=np.float64)
    out = np.full(raw.shape, np.nan)
    known = np.flatnonzero(np.isfinite(raw))
    order = known[np.argsort(raw[known], kind="stable")]
    steps = raw[order] * np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return out

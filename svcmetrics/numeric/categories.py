"""Answers as small whole numbers: a rating scale has few values, on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Whole numbers in a wider range than this are looked up one by one.
_RANGE = 1000


def coded(answers: Floats) -> tuple[NDArray[np.integer], Floats]:
    """(position of each answer among the values, −1 where there is none; the values in order).

    Columns lie together in memory: whatever goes over the items of a form is fast.
    """
    known = np.isfinite(answers)
    if not known.any():
        return np.full(answers.shape, -1, np.int8, order="F"), np.empty(0)
    low, high = float(np.nanmin(answers)), float(np.nanmax(answers))
    steps = np.where(known, answers - low, 0.0)
    if high - low > _RANGE or not np.array_equal(whole := steps.astype(np.int16), steps):
        values = np.unique(answers[known]).astype(np.float64)
        place = np.searchsorted(values, np.where(known, answers, low))
    else:
        times = np.bincount(whole[known], minlength=int(high - low) + 1)
        values = (np.flatnonzero(times) + low).astype(np.float64)
        place = (np.cumsum(times > 0) - 1)[whole]
    small = np.int8 if len(values) <= 127 else np.int32
    return np.asfortranarray(np.where(known, place, -1).astype(small)), values

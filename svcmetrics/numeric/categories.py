"""Answers as small whole numbers: a rating scale has few values, on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Whole numbers in a wider range than this are looked up one by one.
_RANGE = 1000
# So many forms at a time stay in the cache of a processor.
_AT_ONCE = 8192


def coded(answers: Floats) -> tuple[NDArray[np.integer], Floats]:
    """(position of each answer among the values, −1 where there is none; the values in order).

    Columns lie together in memory: whatever goes over the items of a form is fast.
    """
    low = float(np.fmin.reduce(answers, axis=None, initial=np.inf))
    high = float(np.fmax.reduce(answers, axis=None, initial=-np.inf))
    if not np.isfinite([low, high]).all():
        return _searched(answers)
    steps = _steps(answers, low) if high - low <= _RANGE else None
    if steps is None:
        return _searched(answers)
    kinds = int(high - low) + 2
    times = np.sum([np.bincount(c + 1, minlength=kinds) for c in steps.T], axis=0)[1:]
    values = (np.flatnonzero(times) + low).astype(np.float64)
    small = np.int8 if len(values) <= 127 else np.int16
    if len(values) == len(times):
        return steps.astype(small, copy=False), values
    # Values that nobody gave leave gaps; the last place stands for no answer.
    place = np.append(np.cumsum(times > 0) - 1, -1).astype(small)
    return np.asfortranarray(place[steps]), values


def _steps(answers: Floats, low: float) -> NDArray[np.int16] | None:
    """Answers counted from the lowest, −1 where there is none; None if they are not whole."""
    out = np.empty(answers.shape, np.int16, order="F")
    for start in range(0, len(answers), _AT_ONCE):
        here = slice(start, start + _AT_ONCE)
        steps = answers[here] - low
        np.copyto(steps, -1.0, where=np.isnan(steps))
        whole = steps.astype(np.int16)
        if not np.array_equal(whole, steps):
            return None
        out[here] = whole
    return out


def _searched(answers: Floats) -> tuple[NDArray[np.integer], Floats]:
    """The same for any numbers."""
    known = np.isfinite(answers)
    values = np.unique(answers[known]).astype(np.float64)
    small = np.int8 if len(values) <= 127 else np.int32
    if not len(values):
        return np.full(answers.shape, -1, np.int8, order="F"), values
    place = np.searchsorted(values, np.where(known, answers, values[0]))
    return np.asfortranarray(np.where(known, place, -1).astype(small)), values

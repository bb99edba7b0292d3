"""Codes 0, 1, … of labels: which occur, and the same without gaps. Counted, where sorting is slower."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]

# A table of all codes is filled as long as it is not much longer than the codes themselves.
_MARKS, _PLACES, _SMALL = 64, 8, 1000


def distinct(code: NDArray[np.integer], size: int) -> Whole:
    """The codes below ``size`` that occur, in order."""
    if size > _MARKS * len(code) + _SMALL:
        return np.unique(code).astype(np.int64)
    there = np.zeros(size, bool)
    there[code] = True
    return np.flatnonzero(there)


def numbered(code: NDArray[np.integer], size: int) -> tuple[Whole, NDArray[np.integer]]:
    """The codes that occur, in order, and the place of each row among them."""
    if size > _PLACES * len(code) + _SMALL:
        return np.unique(code, return_inverse=True)
    there = np.zeros(size, bool)
    there[code] = True
    place = np.cumsum(there, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(there), place[code]


def met(one: Whole, two: Whole, size: int) -> Whole:
    """How many different codes of ``two`` each of the ``size`` codes of ``one`` goes with."""
    wide = int(two.max(initial=-1)) + 1
    return np.bincount(distinct(one * wide + two, size * wide) // max(wide, 1), minlength=size)

"""Rows that are the same in everything, once."""

from __future__ import annotations

from math import prod

import numpy as np

from svcmetrics.numeric.runs import Ints

# Keys below are counted in a table of their own, which is faster than a sort.
_TABLE = 1 << 20


def distinct(columns: dict[str, Ints], times: Ints | None = None) -> tuple[dict[str, Ints], Ints]:
    """Each combination of whole numbers (zero or more) once, and how often it is there.

    ``times``: how often each row counts; without them once.
    """
    arrays = [np.asarray(values) for values in columns.values()]
    sizes = [int(values.max(initial=0)) + 1 for values in arrays]
    if prod(sizes) >= 1 << 62:  # no single number tells them apart
        rows = np.column_stack(arrays)
        found, place = np.unique(rows, axis=0, return_inverse=True)
        parts = list(found.T)
        counts = np.bincount(place.ravel(), times, len(found))
    else:
        key = np.zeros(len(arrays[0]), np.int64)
        for values, size in zip(arrays, sizes, strict=True):
            key *= size
            key += values
        key, counts = _counted(key, times, prod(sizes))
        parts = list(np.unravel_index(key, sizes))
    kinds = {
        name: part.astype(values.dtype)
        for name, part, values in zip(columns, parts, arrays, strict=True)
    }
    return kinds, counts.astype(np.int64)


def _counted(key: Ints, times: Ints | None, size: int) -> tuple[Ints, Ints]:
    if size > _TABLE:
        key, place = np.unique(key, return_inverse=True)
        return key, np.bincount(place, times, len(key))
    there = np.flatnonzero(np.bincount(key))
    return there, np.bincount(key, times, size)[there]

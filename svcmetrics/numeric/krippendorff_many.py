"""Krippendorff's alpha for scores with many distinct values, in closed form, on arrays.

Squared differences need only sums of values and of squares, so no table of values × values is
made. The ordinal metric is the same on mid-ranks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def unit_sums(unit: NDArray[np.int64], score: Floats, kind: str) -> Floats:
    """Per unit with two scores or more: how many, their sum, their squares, their disagreement.

    ``unit``: the position of each score's unit. ``kind``: "ordinal" (mid-ranks of all paired
    scores; resamples keep these ranks) or "quadratic".
    """
    twice = np.bincount(unit) >= 2
    unit, values = unit[twice[unit]], score[twice[unit]]
    if kind == "ordinal":
        values = mid_ranks(values)
    values = values - values.mean()
    m = np.bincount(unit)[twice[: unit.max() + 1]].astype(np.float64)
    total, squares = (np.bincount(unit, v)[twice[: unit.max() + 1]] for v in (values, values**2))
    return np.column_stack([m, total, squares, 2 * (m * squares - total**2) / (m - 1)])


def alpha(sums: Floats) -> Floats:
    """Alpha from sums over units of any leading shape."""
    n, total, squares, observed = (sums[..., i] for i in range(4))
    expected = 2 * (n * squares - total**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - observed * (n - 1) / expected, np.nan)


def mid_ranks(values: Floats) -> Floats:
    """Ranks with ties sharing their mean."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(count)
    return np.asarray((upper - (count - 1) / 2)[np.ravel(place)])

"""One column against another within raters and within targets, with errors clustered by rater.

What a rater gives everybody and what everybody gives a target are taken out of both columns
(two-way fixed effects by alternating projections); what is left is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_STEPS, _CLOSE = 2000, 1e-10


@dataclass(frozen=True)
class Slope:
    """The difference that x makes to y, with Student limits; NaN where x does not vary."""

    estimate: float
    low: float
    high: float
    p: float
    clusters: int  # raters in whom x varies
    y: Floats
    x: Floats


def centred(column: Floats, groups: list[Whole]) -> Floats:
    """A column without the means of every grouping (least squares on all of them at once)."""
    if not len(column):
        return column
    out = column - column.mean()
    sizes = [np.bincount(g).astype(float) for g in groups]
    limit = _CLOSE * max(float(np.abs(out).max(initial=0.0)), 1e-300)
    for _ in range(_STEPS):
        largest = 0.0
        for group, n in zip(groups, sizes, strict=True):
            mean = np.bincount(group, out) / np.maximum(n, 1)
            out = np.asarray(out - mean[group])
            largest = max(largest, float(np.abs(mean).max(initial=0.0)))
        if largest < limit:
            break
    return np.asarray(out)


def slope(y: Floats, x: Floats, groups: list[Whole], cluster: Whole, level: float = 0.95) -> Slope:
    """Regression of y on x within the groups; ``cluster``: the rater, whose errors go together."""
    return slope_of_centred(centred(y, groups), centred(x, groups), cluster, level)


def slope_of_centred(a: Floats, b: Floats, cluster: Whole, level: float = 0.95) -> Slope:
    """The same for columns that are centred already."""
    b = np.where(np.abs(b) < 1e-8, 0.0, b)
    square = float(b @ b)
    moved = np.bincount(cluster, b * b) > 1e-12
    count = int(moved.sum())
    if square <= 1e-9 or count < 3:
        nan = float("nan")
        return Slope(nan, nan, nan, nan, count, a, b)
    estimate = float(b @ a) / square
    # Each cluster's residual is widened by its own share of the slope (CR3, as a jackknife).
    score = np.bincount(cluster, b * (a - estimate * b))
    own = np.bincount(cluster, b * b) / square
    parts = score / np.maximum(1 - own, 1e-9)
    error = float(np.sqrt((parts**2).sum() * (count - 1) / count)) / square
    half = float(special.stdtrit(count - 1, 0.5 + level / 2)) * error
    t = abs(estimate) / error if error > 0 else float("inf")
    p = 2 * float(special.stdtr(count - 1, -t))
    return Slope(estimate, estimate - half, estimate + half, p, count, a, b)

"""Weighted means of indicators with their limits, on arrays (targets, indicators).

``x``, ``low``, ``high``: values and limits, NaN where missing; ``w``: weights per target and
indicator, 0 where missing, summing to 1; ``slack``: how far each weight may be below and above.
Limits are combined by the square-and-add method (MOVER; Zou & Donner 2008, Statist. Med. 27,
1693-1702), which keeps skewed intervals skewed and needs no simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Mean:
    """A composite per target with its limits, and the part of its variance due to the weights."""

    estimate: Array
    low: Array
    high: Array
    from_weights: Array


def arithmetic(x: Array, limits: tuple[Array, Array], w: Array, slack: tuple[Array, Array]) -> Mean:
    """Weighted sum: a weak indicator can be made up for by a strong one."""
    x, low, high = (np.where(w > 0, v, 0.0) for v in (x, *limits))
    middle = (w * x).sum(axis=1)
    gap = np.where(w > 0, x - middle[:, None], 0.0)
    # A heavier weight on an indicator above the mean lifts it, on one below the mean lowers it.
    less, more = slack
    down = (np.maximum(gap, 0) * less) ** 2 + (np.minimum(gap, 0) * more) ** 2
    up = (np.maximum(gap, 0) * more) ** 2 + (np.minimum(gap, 0) * less) ** 2
    data = ((w * (x - low)) ** 2).sum(axis=1), ((w * (high - x)) ** 2).sum(axis=1)
    weights = down.sum(axis=1), up.sum(axis=1)
    total = sum(data) + sum(weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = sum(weights) / total  # no number where nothing is uncertain
    return Mean(
        middle,
        middle - np.sqrt(data[0] + weights[0]),
        middle + np.sqrt(data[1] + weights[1]),
        share,
    )


def geometric(x: Array, limits: tuple[Array, Array], w: Array, slack: tuple[Array, Array]) -> Mean:
    """Weighted product: a weak indicator can hardly be made up for; a single 0 makes it 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs, low, high = (np.log(np.where(w > 0, v, 1.0)) for v in (x, *limits))
        zero = np.asarray((logs == -np.inf).any(axis=1), dtype=bool)
        safe = np.where(zero[:, None], 0.0, logs)
        part = arithmetic(safe, (np.fmin(low, safe), np.fmax(high, safe)), w, slack)
        top = np.exp((w * high).sum(axis=1))
    return Mean(
        np.where(zero, 0.0, np.exp(part.estimate)),
        np.where(zero, 0.0, np.exp(part.low)),
        np.where(zero, top, np.exp(part.high)),
        np.where(zero, np.nan, part.from_weights),
    )


def minimum(x: Array, limits: tuple[Array, Array], w: Array, slack: tuple[Array, Array]) -> Mean:
    """The weakest indicator alone; the smallest of the limits bounds it, weights play no part."""
    del slack
    worst, low, high = (np.where(w > 0, v, np.inf).min(axis=1) for v in (x, *limits))
    return Mean(worst, low, high, np.zeros(len(worst)))


METHODS = {"arithmetic": arithmetic, "geometric": geometric, "minimum": minimum}

"""Funnel limits on arrays: exact ones, and two ways to widen them when all groups vary more than chance.

Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202, appendices A.1 to A.3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

# The most extreme tenth at either end is drawn in before the spread of all is judged.
WINSOR = 0.1


def exact_share(size: Floats, target: float, probability: float) -> Floats:
    """The share whose binomial probability is this, interpolated between counts (A.1.1)."""
    count = special.bdtrik(probability, size, target)  # a start; the steps below are exact
    r = _first(lambda k: special.bdtr(k, size.astype(np.int64), target), count, size, probability)
    below = np.where(r > 0, special.bdtr(np.maximum(r - 1, 0), size.astype(np.int64), target), 0.0)
    at = special.bdtr(r, size.astype(np.int64), target)
    limit = np.clip((r - _part(at, below, probability)) / size, 0.0, 1.0)
    return np.asarray(limit if 0 < target < 1 else np.full_like(limit, target))


def exact_rate(size: Floats, target: float, probability: float) -> Floats:
    """The rate whose Poisson probability is this, interpolated between counts."""
    mean = size * target
    r = _first(
        lambda k: special.pdtr(k, mean), special.pdtrik(probability, mean), None, probability
    )
    below = np.where(r > 0, special.pdtr(np.maximum(r - 1, 0), mean), 0.0)
    return np.asarray(np.maximum(r - _part(special.pdtr(r, mean), below, probability), 0.0) / size)


def p_share(hits: Floats, size: Floats, target: float) -> Floats:
    """Two-sided exact probability of a count as extreme."""
    n = size.astype(np.int64)
    above = np.where(hits > 0, special.bdtrc(np.maximum(hits - 1, 0), n, target), 1.0)
    return _two_sided(special.bdtr(hits, n, target), above)


def p_rate(count: Floats, size: Floats, target: float) -> Floats:
    """Two-sided exact Poisson probability of a count as extreme."""
    mean = size * target
    above = np.where(count > 0, special.pdtrc(np.maximum(count - 1, 0), mean), 1.0)
    return _two_sided(special.pdtr(count, mean), above)


def factor(z: Floats) -> float:
    """Mean square of the winsorised z-scores: 1 when chance alone is at work (A.3)."""
    if len(z) < 3:
        return 1.0
    low, high = np.quantile(z, [WINSOR, 1 - WINSOR])
    return float(np.mean(np.clip(z, low, high) ** 2))


def between(phi: float, se: Floats) -> float:
    """The variance between groups that this factor implies (method of moments; A.3.2)."""
    groups, weight = len(se), 1 / se**2
    excess = groups * phi - (groups - 1)
    spare = weight.sum() - (weight**2).sum() / weight.sum()
    # Of one group alone nothing is to spare but rounding.
    return float(excess / spare) if excess > 0 and groups > 1 else 0.0


def _first(
    chance: Callable[[Floats], Floats], start: Floats, top: Floats | None, probability: float
) -> Floats:
    """The smallest count whose probability reaches this, from a start near it."""
    most = np.inf if top is None else top
    k = np.clip(np.floor(np.nan_to_num(np.asarray(start, dtype=np.float64))), 0, most)
    for _ in range(50):
        up = (chance(k) < probability) & (k < most)
        down = (k > 0) & (chance(np.maximum(k - 1, 0)) >= probability)
        if not (up.any() or down.any()):
            break
        k = k + up - down
    return k


def _part(at: Floats, below: Floats, probability: float) -> Floats:
    """How far between the two counts the probability lies."""
    gap = at - below
    return np.asarray(np.where(gap > 0, (at - probability) / np.where(gap > 0, gap, 1.0), 0.0))


def _two_sided(below: Floats, above: Floats) -> Floats:
    return np.asarray(np.minimum(2 * np.minimum(below, above), 1.0))

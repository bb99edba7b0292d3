"""How many bits the answers carry that could not be foretold, on arrays.

An answer is foretold from the answer before it on the same form and from what the rater gave on
the same item last time. A straight line and a copy carry nothing new; a considered form does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# More different values than this is no rating scale: contexts would be too rare to count.
VALUES = 12


def contexts(now: Floats, last: Floats, group: Whole, groups: int) -> Floats:
    """Groups × contexts × values: how often each answer followed each context.

    ``now`` and ``last``: forms × items in display order; NaN where there is no answer.
    """
    values = np.unique(now[np.isfinite(now)])
    v = len(values)

    def coded(x: Floats) -> Whole:
        place = np.clip(np.searchsorted(values, x), 0, v - 1)
        return np.where(np.isfinite(x) & (values[place] == x), place, v)

    answer, memory = coded(now), coded(last)
    before = np.concatenate([np.full((len(now), 1), v), answer[:, :-1]], axis=1)
    given = answer < v
    cell = ((group[:, None] * (v + 1) + before) * (v + 1) + memory) * v + answer
    size = groups * (v + 1) * (v + 1) * v
    counts = np.bincount(cell[given], minlength=size).astype(np.float64)
    return counts.reshape(groups, (v + 1) * (v + 1), v)


def bits_per_answer(counts: Floats) -> Floats:
    """Conditional entropy in bits with Miller and Madow's correction; samples first."""
    total = counts.sum(axis=(1, 2))
    context = counts.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        plug_in = (_xlog2(context).sum(axis=1) - _xlog2(counts).sum(axis=(1, 2))) / total
        seen = (counts > 0).sum(axis=(1, 2)) - (context > 0).sum(axis=1)
        return np.asarray(plug_in + seen / (2 * total * np.log(2)))


def _xlog2(x: Floats) -> Floats:
    return np.asarray(x * np.log2(np.where(x > 0, x, 1.0)))

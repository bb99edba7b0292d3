"""How many bits the answers carry that could not be foretold, on arrays.

An answer is foretold from the answer before it on the same form and from what the rater gave on
the same item last time. A straight line and a copy carry nothing new; a considered form does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Codes = NDArray[np.integer]

# More different values than this is no rating scale: contexts would be too rare to count.
VALUES = 12


def contexts(now: Codes, last: Codes, group: Whole, groups: int) -> Floats:
    """Groups × contexts × values: how often each answer followed each context.

    ``now`` and ``last``: forms × items in display order, as positions among the values; −1 where
    there is no answer.
    """
    v = int(now.max()) + 2  # no answer is one more value, the first
    counts = np.zeros(groups * v**3)
    before: Whole = np.zeros(len(now), np.int64)
    for answer, memory in zip(now.T, np.minimum(last, v - 2).T, strict=True):
        here = answer.astype(np.int64) + 1
        cell = ((group * v + before) * v + memory + 1) * v + here
        counts += np.bincount(cell, minlength=len(counts))
        before = here
    return counts.reshape(groups, v * v, v)[:, :, 1:]


def bits_per_answer(counts: Floats) -> Floats:
    """Conditional entropy in bits with Miller and Madow's correction; samples first."""
    total = counts.sum(axis=(1, 2))
    context = counts.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        plug_in = (_xlog2(context).sum(axis=1) - _xlog2(counts).sum(axis=(1, 2))) / total
        seen = (counts > 0).sum(axis=(1, 2)) - (context > 0).sum(axis=1)
        return np.asarray(plug_in + seen / (2 * total * np.log(2)))


def _xlog2(x: Floats) -> Floats:
    return np.asarray(x * np.log2(np.maximum(x, 1.0)))

"""Blocks of a rating plan: raters and targets that are linked, directly or through others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import codes

Whole = NDArray[np.int64]


def count(rater: Whole, target: Whole) -> int:
    """Into how many unlinked blocks the ratings fall; 0 without ratings."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(rater):
        return 0
    r, t = (np.unique(x, return_inverse=True)[1] for x in (rater, target))
    rows = int(r.max()) + 1
    size = rows + int(t.max()) + 1
    links = coo_array((np.ones(len(r)), (r, rows + t)), shape=(size, size))
    return int(connected_components(links, directed=False)[0])


def members(one: Whole, two: Whole) -> tuple[Whole, Whole]:
    """The block (0, 1, …) of each code of ``one`` and of ``two``; codes run without gaps."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = int(one.max()) + 1
    size = rows + int(two.max()) + 1
    pairs = codes.distinct(one * (size - rows) + two, rows * (size - rows))
    first, second = np.divmod(pairs, size - rows)
    links = coo_array((np.ones(len(pairs), np.int8), (first, rows + second)), shape=(size, size))
    block = connected_components(links, directed=False)[1].astype(np.int64)
    return block[:rows], block[rows:]

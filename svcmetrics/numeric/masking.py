"""Several groups that stand out together: each makes the spread that hides the others.

Rosner (1983, Technometrics 25, 165-172) takes the farthest away one after the other, and asks each
time whether the last one still stands out from those that are left. His critical values are
approximate, and good from 25 values on. Here the chance is exact for as few groups as there are
departments: of all sets of that many groups, that one in which all lie so far above the rest.
"""

from __future__ import annotations

from math import comb
from typing import Protocol

import numpy as np

from svcmetrics.numeric.outliers import LEAST_OTHERS, Against, Bools

# This part of the chance of a false alarm stays with groups that stand out alone; the rest is
# shared out evenly over two, three, … at once.
ALONE = 0.9
# So many at once are looked for at most.
MOST = 10


class Judge(Protocol):
    """Each group against its others, without those set apart."""

    def __call__(self, apart: Bools | None = None) -> Against: ...


def several(judge: Judge, groups: int) -> Against:
    """Each group against its others, alone or as one of several that are set apart together.

    Several at once are fewer than half of the groups, and leave ``LEAST_OTHERS`` of them. ``p`` holds
    for each group by itself: it is that of the clearer way, and counts all sets that it could be in
    and the ways that were tried. So whatever holds ``p`` over all groups (Bonferroni, Holm, Benjamini
    and Hochberg) takes sets as well: groups / many sets of as many fit beside one another.
    ``expected`` and ``t`` belong to the same way.
    """
    found = now = judge()
    most = min(groups - LEAST_OTHERS, (groups - 1) // 2, MOST)
    if most < 2:
        return found
    found = found._replace(p=np.minimum(found.p / ALONE, 1.0))
    apart = np.zeros(groups, bool)
    for many in range(1, most + 1):
        apart[np.argmin(np.where(apart, np.inf, now.p))] = True
        now = judge(apart)
        if many > 1:
            found = _clearer(found, now, apart, (1 - ALONE) / (most - 1))
    return found


def _clearer(found: Against, now: Against, apart: Bools, part: float) -> Against:
    """What those set apart are as a set, where that is clearer: the least clear of them decides."""
    groups, many = len(apart), int(apart.sum())
    least = np.argmax(np.where(apart, now.p, -np.inf))
    sets = comb(groups - 1, many - 1) * now.together[least] / part
    # The others of the set may be clear enough for it: by Rosner's value, so must the least one be
    # among those that are left (Bonferroni, groups - many + 1 of them).
    last = now.p[least] * (groups - many + 1) * many / groups
    p = max(sets, last)
    better = apart & (p < found.p)
    chosen = [np.where(better, new, old) for new, old in zip(now, found, strict=True)]
    return Against(*chosen)._replace(p=np.where(better, p, found.p))

"""Who takes up what was rejected: the latest one before, within its own group, for all at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from svcmetrics.numeric.runs import NONE, Flags, Ints

Names = Callable[[Ints], np.ndarray]


def followers(
    group: Ints, start: Ints, end: Ints, gone: Flags, names: Names, *, within: int
) -> tuple[Ints, Ints]:
    """Rows that are gone and the row that takes up each: the first to start of those it is nearest to.

    ``group``: below zero: none. Each row looks at the latest row of its group that was gone by its
    start, but for itself; of two at once at the first by name. It takes it up when no more
    than ``within`` has passed; of several that would, the first to start does, then by name.
    ``names``: gives the names of rows.
    """
    old, first = _ordered(group, end, gone, names)
    sizes = np.append(np.diff(first), 0)  # the last one stands for no group
    rows = np.flatnonzero(sizes[group])
    low = first[group[rows]]
    place = _not_after(end[old], start[rows], low, first[group[rows] + 1]) - 1
    own = np.full(len(group), NONE, np.int32)
    own[old] = np.arange(len(old))
    place -= place == own[rows]
    near = place >= low
    near[near] = start[rows[near]] - end[old[place[near]]] <= within
    rows, place = rows[near], place[near]
    earliest = np.full(len(old), np.iinfo(np.int64).max)
    np.minimum.at(earliest, place, start[rows])
    soonest = start[rows] == earliest[place]
    rows, place = rows[soonest], place[soonest]
    order = _order(rows, start[rows], place, names)
    rows, place = rows[order], place[order]
    own_first = np.diff(place, prepend=NONE) != 0
    return old[place[own_first]], rows[own_first]


def _ordered(group: Ints, end: Ints, gone: Flags, names: Names) -> tuple[Ints, Ints]:
    """Rows that are gone by group and end, of equal ends the first by name last; where groups begin."""
    rows = np.flatnonzero(gone & (group >= 0))
    rows = rows[_order(rows, -end[rows], -group[rows], names)[::-1]]
    sizes = np.bincount(group[rows], minlength=int(group.max(initial=-1)) + 1)
    return rows, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def _not_after(times: Ints, at: Ints, low: Ints, high: Ints) -> Ints:
    """Per row the place after the last of ``times[low:high]`` (in order) that is not after ``at``."""
    low, high = low.copy(), high.copy()
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        middle = (low + high) // 2
        still = low < high
        later = times[np.minimum(middle, len(times) - 1)] > at
        np.copyto(high, middle, where=still & later)
        np.copyto(low, middle + 1, where=still & ~later)
    return low


def _order(rows: Ints, time: Ints, group: Ints, names: Names) -> Ints:
    """By group, time and name; names are looked at where nothing else tells rows apart."""
    order = np.lexsort((time, group))
    same = (np.diff(time[order]) == 0) & (np.diff(group[order]) == 0)
    if not same.any():
        return order
    tied = order[np.append(same, False) | np.append(False, same)]
    rank = np.zeros(len(rows), np.int64)
    rank[tied] = np.unique(names(rows[tied]), return_inverse=True)[1]
    return np.lexsort((rank, time, group))

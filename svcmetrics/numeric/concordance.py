"""Kendall's W with ties, for any number of weightings of the targets at once, on arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

# Cells of a table in one pass; targets of which a set is one whole number; points of a scale.
_CELLS, _BITS, _POINTS = 1_000_000, 62, 12


def kendall_w(table: Floats, times: Floats | None = None) -> Floats:
    """W of a complete table (targets × raters), corrected for ties (Kendall 1970, ch. 6).

    ``times``: how often each target counts (resamples × targets); ranks are taken anew. Rater by
    rater: for many targets; ``orders`` is for many raters.
    """
    n, m = table.shape
    w = np.ones((1, n)) if times is None else times
    size = w.sum(axis=1)
    total = np.zeros_like(w)
    ties = np.zeros(len(w))
    for rater in table.T:
        _, place = np.unique(rater, return_inverse=True)
        order = np.argsort(place, kind="stable")
        edges = np.r_[np.flatnonzero(np.diff(place[order], prepend=-1)), n]
        upto = np.concatenate([np.zeros((len(w), 1)), np.cumsum(w[:, order], axis=1)], axis=1)[
            :, edges
        ]
        alike = np.diff(upto, axis=1)
        total += (upto[:, :-1] + (alike + 1) / 2)[:, np.ravel(place)]
        ties += (alike**3 - alike).sum(axis=1)
    return _of(total, w, size, ties, m)


class Orders(NamedTuple):
    """What any weighting of the targets needs of all raters: no rater is looked at again.

    ``before``: of targets × targets, how many raters put the second before the first, ties half.
    ``tied``: groups × targets, sets of targets that raters gave one score; ``often``: how many.
    """

    before: Floats
    tied: Any
    often: Floats
    raters: int


def orders(table: Floats) -> Orders:
    """Pairs and ties of a complete table (targets × raters), a block of raters at a time."""
    n, m = table.shape
    before = np.zeros((n, n))
    groups, often = [], []
    for start in range(0, m, max(1, _CELLS // n)):
        part = np.ascontiguousarray(table[:, start : start + max(1, _CELLS // n)])
        for i, own in enumerate(part):
            before[i] += (part < own).sum(axis=1) + 0.5 * (part == own).sum(axis=1)
        one, times = _groups(part)
        groups.append(one)
        often.append(times)
    return Orders(before, _stacked(groups), np.concatenate(often), m)


def _groups(table: Floats) -> tuple[Any, Floats]:
    """Sets of targets with one score, each set once, and of how many raters."""
    from scipy.sparse import csr_array

    n, m = table.shape
    order = np.argsort(table, axis=0, kind="stable").T
    ranked = np.take_along_axis(table.T, order, axis=1)
    first = np.ones((m, n), dtype=bool)
    first[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    start = np.flatnonzero(first.ravel())
    # Sets are told apart by a sum of powers of two, or of random numbers where there are too many.
    if n <= _BITS:
        name: Any = np.uint64(1) << np.arange(n, dtype=np.uint64)
    else:
        name = np.random.default_rng(0).integers(0, 2**64, n, dtype=np.uint64)
    which = np.add.reduceat(name[order.ravel()], start)
    _, kept, times = np.unique(which, return_index=True, return_counts=True)
    size = np.diff(np.append(start, n * m))[kept]
    ends = np.cumsum(size)
    inside = np.arange(ends[-1]) - np.repeat(ends - size, size) + np.repeat(start[kept], size)
    shape = (len(kept), n)
    tied = csr_array((np.ones(len(inside)), order.ravel()[inside], np.append(0, ends)), shape=shape)
    return tied, times.astype(np.float64)


def _stacked(groups: list[Any]) -> Any:
    from scipy.sparse import vstack

    return groups[0] if len(groups) == 1 else vstack(groups, format="csr")


def of_orders(o: Orders, times: Floats) -> Floats:
    """The same W as ``kendall_w`` of every weighting (resamples × targets)."""
    size = times.sum(axis=1)
    total = times @ o.before.T + o.raters / 2
    ties = np.empty(len(times))
    step = max(1, _CELLS // max(o.tied.shape[0], 1))
    for start in range(0, len(times), step):
        alike = o.tied @ times[start : start + step].T
        ties[start : start + step] = o.often @ (alike**3 - alike)
    return _of(total, times, size, ties, o.raters)


class Points(NamedTuple):
    """Raters' scores as points: targets × (raters × points), one where that rater gave that point."""

    given: Floats
    raters: int


def points(table: Floats) -> Points | None:
    """For many targets and a scale of few points; None where the points are many."""
    known, place = np.unique(table, return_inverse=True)
    n, m = table.shape
    if len(known) > _POINTS:
        return None
    given = np.zeros((n, m, len(known)))
    np.put_along_axis(given, place.reshape(n, m, 1), 1.0, axis=2)
    return Points(given.reshape(n, -1), m)


def of_points(p: Points, times: Floats) -> Floats:
    """The same W: ranks of points from their numbers, and two products."""
    size = times.sum(axis=1)
    alike = (times @ p.given).reshape(len(times), p.raters, -1)
    rank = np.cumsum(alike, axis=2) - alike + (alike + 1) / 2
    total = rank.reshape(len(times), -1) @ p.given.T
    return _of(total, times, size, (alike**3 - alike).sum(axis=(1, 2)), p.raters)


def _of(total: Floats, times: Floats, size: Floats, ties: Floats, raters: int) -> Floats:
    middle = raters * (size + 1) / 2
    spread = (times * (total - middle[:, None]) ** 2).sum(axis=1)
    largest = raters**2 * (size**3 - size) - raters * ties
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(largest > 1e-9, 12 * spread / largest, np.nan)


def chi_square(w: float, targets: int, raters: int) -> tuple[float, int, float]:
    """Friedman's chi-square, its degrees of freedom and p."""
    value, df = raters * (targets - 1) * w, targets - 1
    return value, df, float(special.chdtrc(df, value))

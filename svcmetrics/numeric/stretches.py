"""Stretches of time that belong to something, for all at once: apart, in common, added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svcmetrics.numeric.runs import Flags, Ints


@dataclass(frozen=True)
class Stretches:
    """From ``start`` to ``end``; ``of``: the number of what each belongs to."""

    of: Ints
    start: Ints
    end: Ints

    def __getitem__(self, rows: Flags | Ints) -> Stretches:
        return Stretches(self.of[rows], self.start[rows], self.end[rows])


def apart(s: Stretches) -> Stretches:
    """In order, each moment left in the first of them; what is left empty is gone."""
    s = s[np.lexsort((s.end, s.start, s.of))]
    # The latest end so far: places instead of ends, so that what belongs elsewhere comes after.
    ends, place = np.unique(s.end, return_inverse=True)
    first = np.diff(s.of, prepend=-1) != 0
    own = np.cumsum(first)
    latest = np.maximum.accumulate(own * len(ends) + place)
    before = np.append(0, latest[:-1]) % max(len(ends), 1)
    start = np.where(first, s.start, np.maximum(s.start, ends[before])) if len(ends) else s.start
    return Stretches(s.of, start, s.end)[s.end > start]


def in_common(one: Stretches, two: Stretches) -> Stretches:
    """Where both run; those of one side do not overlap among themselves.

    The edges in order tell at every moment what runs, however many stretches there are.
    """
    of = np.concatenate([one.of, one.of, two.of, two.of])
    at = np.concatenate([one.start, one.end, two.start, two.end])
    sizes = np.repeat([len(one.of), len(two.of)], 2)
    order = np.lexsort((at, of))
    of, at = of[order], at[order]
    steps = (np.repeat(step, sizes)[order] for step in ([1, -1, 0, 0], [0, 0, 1, -1]))
    running = np.logical_and(*(np.cumsum(step) > 0 for step in steps))
    # Of several edges at one moment the last one tells; after the last of all nothing runs.
    running[:-1] &= (np.diff(of) != 0) | (np.diff(at) != 0)
    rows = np.flatnonzero(running)
    return Stretches(of[rows], at[rows], at[np.minimum(rows + 1, len(at) - 1)])


def total(of: Ints, amounts: Ints, number: int) -> Ints:
    """The sum of what belongs to each of so many."""
    out = np.zeros(number, np.int64)
    np.add.at(out, of, amounts)
    return out

"""Rows in order that belong together: the first, the last and the next of them, for all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NONE = -1  # stands for "no such row"


@dataclass(frozen=True)
class Runs:
    """``starts``: the first row of each run; ``of``: the run of each row."""

    starts: Ints
    of: Ints

    @property
    def sizes(self) -> Ints:
        """How many rows each run has."""
        return np.diff(self.starts, append=self.of.size)

    def last(self, rows: Ints) -> Ints:
        """Per run the last of these rows (given in order), or ``NONE``."""
        out = np.full(self.starts.size, NONE, np.int64)
        out[self.of[rows]] = rows  # of equal places the last one stays
        return out

    def first(self, rows: Ints) -> Ints:
        """Per run the first of these rows (given in order), or ``NONE``."""
        return self.last(rows[::-1])

    def count(self, rows: Ints) -> Ints:
        """Per run how many of these rows it has."""
        return np.bincount(self.of[rows], minlength=self.starts.size)

    def neighbours(self, rows: Ints) -> tuple[Ints, Ints]:
        """For each of these rows the one before and the one after it, of the same run, or ``NONE``."""
        same = self.of[rows[1:]] == self.of[rows[:-1]]
        before, after = (np.full(rows.size, NONE, np.int64) for _ in range(2))
        before[1:] = np.where(same, rows[:-1], NONE)
        after[:-1] = np.where(same, rows[1:], NONE)
        return before, after


def runs(first: Flags) -> Runs:
    """Runs from a flag per row: whether a new one starts here. The first row always does."""
    first = first.copy()
    first[:1] = True
    return Runs(np.flatnonzero(first), np.cumsum(first) - 1)

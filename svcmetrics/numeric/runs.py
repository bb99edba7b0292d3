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

    def beside(self, rows: Ints, places: Ints, step: int) -> Ints:
        """What lies so many steps further than these places of the rows, in the same run, or ``NONE``."""
        own = rows[places]
        found = rows[np.clip(places + step, 0, rows.size - 1)]
        return np.where((self.of[found] == self.of[own]) & (found != own), found, NONE)


def runs(first: Flags) -> Runs:
    """Runs from a flag per row: whether a new one starts here. The first row always does."""
    first = first.copy()
    first[:1] = True
    return Runs(np.flatnonzero(first), np.cumsum(first) - 1)

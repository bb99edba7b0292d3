"""What published sums give away together: exact linear algebra over atoms, modulo a prime.

An atom is a set of ratings that occur in exactly the same published cells with the same weights:
nobody outside can tell them apart, so one column stands for all of them. A sum over few persons
can be computed from the cells if and only if their rows combine to a row that is zero elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from svcmetrics.numeric.disclosure_thin import PRIME, checks, inverse, rests_on_few

# Products that one sum may hold and still be exact in a double.
_EXACT = 8_000


def atoms(
    cell: np.ndarray, rating: np.ndarray, weight: np.ndarray, ratings: int
) -> tuple[np.ndarray, int]:
    """The atom of each rating from flat lists of memberships; and how many atoms there are.

    Two ratings share an atom when their lists of (cell, weight) are the same; the lists are
    compared by two random sums of 64 bits each.
    """
    keys = np.random.default_rng(20_260_101).integers(
        1, 2**63, size=(len(np.bincount(cell)), 2), dtype=np.uint64
    )
    marks = np.zeros((ratings, 2), dtype=np.uint64)
    for side in (0, 1):
        np.add.at(marks[:, side], rating, keys[cell, side] * weight.astype(np.uint64))
    found, code = np.unique(marks, axis=0, return_inverse=True)
    return code.reshape(-1), len(found)


class Echelon:
    """Published cells in reduced echelon form; the columns of few persons stand last.

    ``persons``: for each of the last columns (from ``first`` on) the set of persons behind it.
    """

    def __init__(self, columns: int, first: int, persons: Sequence[frozenset[int]]):
        self._rows = np.zeros((16, columns))
        self._pivots = np.zeros(16, dtype=np.intp)
        self.rank = 0
        self._first, self._persons = first, persons

    @property
    def rows(self) -> np.ndarray:
        return self._rows[: self.rank]

    @property
    def pivots(self) -> np.ndarray:
        return self._pivots[: self.rank]

    def reduced(self, row: np.ndarray) -> np.ndarray:
        """What is new in a row; zero when it follows from what is there."""
        lead = row[self.pivots]
        used = np.flatnonzero(lead)
        for start in range(0, len(used), _EXACT):
            part = used[start : start + _EXACT]
            row = (row - (lead[part] @ self._rows[part]) % PRIME) % PRIME
        return row

    def add(self, row: np.ndarray) -> None:
        """Take a reduced row in; a row of zeros adds nothing."""
        places = np.flatnonzero(row)
        if not len(places):
            return
        pivot = places[0]
        row = (row * inverse(row[pivot])) % PRIME
        if self.rank == len(self._rows):
            self._rows = np.vstack([self._rows, np.zeros_like(self._rows)])
            self._pivots = np.concatenate([self._pivots, np.zeros_like(self._pivots)])
        self._clear(self.rows, row, places, pivot)
        self._rows[self.rank], self._pivots[self.rank] = row, pivot
        self.rank += 1

    @staticmethod
    def _clear(rows: np.ndarray, row: np.ndarray, places: np.ndarray, pivot: np.intp) -> None:
        hit = np.flatnonzero(rows[:, pivot])
        if len(hit):
            at = np.ix_(hit, places)
            rows[at] = (rows[at] - np.outer(rows[hit, pivot], row[places])) % PRIME

    def reveals(self, row: np.ndarray, least: int) -> bool:
        """Whether a further (reduced) row lets anybody compute a sum over fewer than ``least`` persons."""
        places = np.flatnonzero(row)
        # Rows that lead with a column of many persons add no sum over columns of few alone.
        if not len(places) or places[0] < self._first:
            return False
        pivot = places[0]
        row = (row * inverse(row[pivot])) % PRIME
        own = self.pivots >= self._first
        rest = self.rows[own].copy()
        changed = np.append(rest[:, pivot] != 0, True)
        self._clear(rest, row, places, pivot)
        whole = np.vstack([rest, row])
        used = np.flatnonzero(whole.any(axis=0))
        at = np.searchsorted(used, np.append(self.pivots[own], pivot))
        persons = [self._persons[int(p) - self._first] for p in used]
        check = checks(whole[:, used], at)
        # What is new combines changed rows, so it holds the pivot of one of them.
        return any(rests_on_few(check, int(a), persons, least) for a in at[changed])


def kernel(echelon: Echelon, column: int, most: int = 24) -> list[np.ndarray]:
    """Whole-number changes of the atoms' sums that leave every published cell as it is.

    Each of them changes the given column; at most ``most`` of them, those that change few columns.
    """
    rows, pivots = echelon.rows, echelon.pivots
    at = np.flatnonzero(pivots == column)
    if not len(at):
        free = np.array([column])
    else:
        free = np.flatnonzero(rows[at[0]])
        free = free[free != column]
    free = free[np.argsort((rows[:, free] != 0).sum(axis=0), kind="stable")][:most]
    moves = []
    for j in free:
        change = np.zeros(rows.shape[1])
        change[pivots], change[j] = (-rows[:, j]) % PRIME, 1
        whole = _whole(change)
        if whole is not None:
            moves.append(whole)
    return moves


def _whole(change: np.ndarray, largest: int = 64) -> np.ndarray | None:
    """The smallest whole multiple of a row modulo the prime; None when there is no small one."""
    for factor in range(1, 61):
        multiple = (change * factor) % PRIME
        centred = np.where(multiple > largest, multiple - PRIME, multiple)
        if np.abs(centred).max() <= largest:
            whole = centred.astype(np.int64)
            return whole // max(int(np.gcd.reduce(whole)), 1)
    return None

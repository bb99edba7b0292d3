"""Which new cells may be shown beside everything that was published before?

Cells that share no rating, even through others, are judged apart. In each part cells are taken in
one after another as long as nothing can be computed; a few orders are tried and the one that shows
most is kept. What is left out in it cannot be added: the set is maximal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from svcmetrics.numeric.disclosure import Echelon, atoms
from svcmetrics.numeric.disclosure_bounds import Sums, fixed
from svcmetrics.numeric.disclosure_thin import PRIME

# Random tries for a larger set, where the three orders may have left one too many out.
_TRIES = 16


@dataclass(frozen=True)
class Cells:
    """Cells old and new over ratings.

    ``cell``, ``rating``, ``weight``: one entry per rating in a cell, weights whole. ``low``, ``high``:
    what the published value leaves open for the weighted sum. ``new``: not published yet.
    ``person``, ``score``: of each rating, the score NaN where it is not known any more.
    ``least``: fewest persons behind a cell; ``computed``: behind a sum that may be computed from
    several. ``scale``: lowest and highest rating; None decides from counts alone. ``unit``: a rating
    known to less than this is known; ``whole``: ratings are whole numbers.
    """

    cell: np.ndarray
    rating: np.ndarray
    weight: np.ndarray
    low: np.ndarray
    high: np.ndarray
    new: np.ndarray
    person: np.ndarray
    score: np.ndarray
    least: int
    computed: int
    scale: tuple[float, float] | None = None
    unit: float = 1.0
    whole: bool = True


def admitted(cells: Cells) -> np.ndarray:
    """For each cell whether it may be shown; old ones are."""
    shown = ~cells.new
    for part in _parts(cells):
        if cells.new[part].any():
            shown[part] = _Part(_restricted(cells, part)).best()
    return shown


def _parts(cells: Cells) -> list[np.ndarray]:
    """Cells that hang together through shared ratings."""
    k, n = len(cells.low), len(cells.person)
    graph = csr_array(
        (np.ones(len(cells.cell)), (cells.cell, cells.rating + k)), shape=(k + n, k + n)
    )
    _, label = connected_components(graph, directed=False)
    label = label[:k]
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if k else []


def _restricted(cells: Cells, part: np.ndarray) -> Cells:
    place = np.full(len(cells.low), -1)
    place[part] = np.arange(len(part))
    mine = place[cells.cell] >= 0
    used, rating = np.unique(cells.rating[mine], return_inverse=True)
    _, person = np.unique(cells.person[used], return_inverse=True)
    return replace(
        cells, cell=place[cells.cell[mine]], rating=rating.reshape(-1), weight=cells.weight[mine],
        low=cells.low[part], high=cells.high[part], new=cells.new[part],
        person=person.reshape(-1), score=cells.score[used],
    )  # fmt: skip


class _Part:
    """Cells that hang together, over their atoms: those of many persons first."""

    def __init__(self, cells: Cells):
        self._cells = cells
        code, count = atoms(cells.cell, cells.rating, cells.weight, len(cells.person))
        pairs, inverse = np.unique(np.stack([code, cells.person]), axis=1, return_inverse=True)
        persons = np.bincount(pairs[0], minlength=count)
        order = np.argsort(-persons, kind="stable")
        place = np.empty(count, dtype=np.intp)
        place[order] = np.arange(count)
        code = place[code]
        self._first = int((persons >= cells.computed).sum())
        self._atoms = count
        once = np.unique(np.stack([cells.cell, code[cells.rating]]), axis=1, return_index=True)[1]
        self._matrix = csr_array(
            (cells.weight[once].astype(float), (cells.cell[once], code[cells.rating[once]])),
            shape=(len(cells.low), count),
        )
        self._behind = self._people(place[pairs[0]], pairs[1], inverse.reshape(-1))
        self._size = np.bincount(code, minlength=count)
        self._truth = np.bincount(code, weights=cells.score, minlength=count)
        self._few = [frozenset[int]() for _ in range(count - self._first)]
        for atom, person in zip(*self._behind[:2]):
            if atom >= self._first:
                self._few[atom - self._first] |= {int(person)}

    def _people(
        self, atom: np.ndarray, person: np.ndarray, inverse: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Persons of each atom, how many ratings they have in it, and the sum of these."""
        count = np.bincount(inverse, minlength=len(atom))
        return atom, person, count, np.bincount(inverse, self._cells.score, minlength=len(atom))

    def best(self) -> np.ndarray:
        """The cells shown in the order that shows most."""
        cells = self._cells
        shown = ~cells.new
        mine = np.stack([cells.cell, cells.person[cells.rating]])
        persons = np.bincount(np.unique(mine, axis=1)[0], minlength=len(shown))
        asked = np.flatnonzero(cells.new & (persons >= cells.least))
        most = self._most(asked.tolist(), persons)
        shown[most] = True
        return shown

    def _most(self, asked: list[int], persons: np.ndarray) -> list[int]:
        """The largest set found: three orders, then random tries."""
        size = persons[asked]
        largest, smallest = np.argsort(-size, kind="stable"), np.argsort(size, kind="stable")
        most: list[int] = []
        for order in (range(len(asked)), largest, smallest):
            if len(most) < len(asked):
                most = max(most, self._taken([asked[i] for i in order]), key=len)
        if len(most) + 1 >= len(asked):
            return most
        possible = [i for i in asked if i in most or self._taken([i])]
        # Not all of these together, or the first order had found them: one less is the most there is.
        return self._swapped(most, possible) if len(most) + 1 < len(possible) else most

    def _swapped(self, most: list[int], possible: list[int]) -> list[int]:
        """A larger set, if random tries find one: a cell left out, then the others in any order."""
        random, now = np.random.default_rng(_TRIES), most
        for _ in range(_TRIES):
            out = random.permutation(sorted(set(possible) - set(now))).tolist()
            found = self._taken([out[0], *random.permutation(now).tolist(), *out[1:]])
            now = found if len(found) >= len(now) else now
            most = now if len(now) > len(most) else most
            if len(most) + 1 >= len(possible):
                break
        return most

    def _taken(self, order: list[int]) -> list[int]:
        """Cells in this order, each taken when nothing can be computed with those before it."""
        taken: list[int] = []
        while True:
            tried = self._by_algebra(taken, order)
            if self._cells.scale is None or not self._fixed(tried):
                return tried
            if len(tried) == len(taken) or (not taken and self._fixed([])):
                return taken
            good, bad = len(taken), len(tried)  # the first `good` are safe, the first `bad` are not
            while bad - good > 1:
                middle = (good + bad) // 2
                good, bad = (good, middle) if self._fixed(tried[:middle]) else (middle, bad)
            taken = tried[:good]
            order = order[order.index(tried[bad - 1]) + 1 :]

    def _by_algebra(self, taken: list[int], order: list[int]) -> list[int]:
        if self._first == self._atoms:  # no atom is small
            return [*taken, *order]
        echelon, found = self._echelon(taken), list(taken)
        for cell in order:
            row = echelon.reduced(self._row(cell))
            if not echelon.reveals(row, self._cells.computed):
                echelon.add(row)
                found.append(cell)
        return found

    def _row(self, cell: int) -> np.ndarray:
        matrix, row = self._matrix, np.zeros(self._atoms)
        at = slice(matrix.indptr[cell], matrix.indptr[cell + 1])
        row[matrix.indices[at]] = matrix.data[at] % PRIME
        return row

    def _echelon(self, taken: list[int]) -> Echelon:
        echelon = Echelon(self._atoms, self._first, self._few)
        for cell in [*np.flatnonzero(~self._cells.new).tolist(), *taken]:
            echelon.add(echelon.reduced(self._row(cell)))
        return echelon

    def _fixed(self, taken: list[int]) -> bool:
        rows = np.r_[np.flatnonzero(~self._cells.new), np.array(taken, dtype=int)].astype(int)
        atom, person, count, own = self._behind
        sums = Sums(
            self._matrix[rows], self._cells.low[rows], self._cells.high[rows],
            self._size.astype(float), self._truth.copy(), self._cells.scale or (0.0, 0.0),
            atom, person, count.astype(float), own, self._cells.unit, self._cells.whole,
        )  # fmt: skip
        return fixed(sums, _once(lambda: self._echelon(taken)))


def _once(make: Callable[[], Echelon]) -> Callable[[], Echelon]:
    made: list[Echelon] = []

    def get() -> Echelon:
        if not made:
            made.append(make())
        return made[0]

    return get

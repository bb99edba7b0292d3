"""An attacker who has every table that was published and knows who is in which cell.

Shares no code with what is attacked. Two weapons: integer programming (which values can a rating
still have, for an outsider and for every single insider who knows their own), and row spaces (which
sums over few persons follow from the others).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

# Solutions found at random before the attacker asks for one rating at a time.
DRAWS = 6


@dataclass
class Known:
    """What the attacker knows: sums of ratings between bounds, and (for scoring only) the truth."""

    rows: list[np.ndarray]
    low: list[float]
    high: list[float]
    ratings: list[tuple]
    raters: list[str]
    truth: np.ndarray
    scale: tuple[int, int]


def collect(releases: list[tuple[pd.DataFrame, pd.DataFrame]], scale: tuple[int, int]) -> Known:
    """Everything published: pairs of the ratings of a release and its published table."""
    whole = pd.concat([r for r, _ in releases])
    whole = whole.drop_duplicates(["rater", "rating", "version"])
    ratings = list(zip(whole["rater"], whole["rating"], whole["version"]))
    place = {r: i for i, r in enumerate(ratings)}
    known = Known([], [], [], ratings, whole["rater"].tolist(),
                  whole["score"].to_numpy(float), scale)  # fmt: skip
    for behind, table in releases:
        for cell in table[table["shown"]].itertuples():
            mine = behind[behind["cell"] == cell.cell]
            row = np.zeros(len(ratings))
            for r in mine.itertuples():
                row[place[(r.rater, r.rating, r.version)]] = r.weight
            known.rows.append(row)
            half = 0 if cell.bound else 0.005
            low = scale[0] if cell.bound == "at_most" else cell.estimate - half
            high = scale[1] if cell.bound == "at_least" else cell.estimate + half
            known.low.append(low * row.sum() - 1e-6)
            known.high.append(high * row.sum() + 1e-6)
    return known


def computed_ratings(known: Known, *, insiders: bool = True) -> list[tuple]:
    """Ratings that have one possible value left: (rating, insider or None)."""
    if not known.rows:
        return []
    attack = _Attack(known)
    found = [(known.ratings[i], None) for i in attack.fixed(None)]
    if insiders:
        for person in sorted(set(known.raters)):
            found += [(known.ratings[i], person) for i in attack.fixed(person)]
    return found


class _Attack:
    def __init__(self, known: Known):
        self.known = known
        self.n = len(known.truth)
        self.rows = LinearConstraint(csr_array(np.array(known.rows)), known.low, known.high)
        self.used = np.array(known.rows).any(axis=0)
        self.raters = np.array(known.raters)
        self.pool = [known.truth]
        rng = np.random.default_rng(5)
        for _ in range(DRAWS):
            self.solve(None, rng.normal(size=self.n))

    def solve(self, person: str | None, wish: np.ndarray, box: tuple | None = None):
        low, high = (np.full(self.n, float(v)) for v in self.known.scale)
        mine = self.raters == person
        low[mine] = high[mine] = self.known.truth[mine]
        if box is not None:
            at, side, value = box
            (low if side == "low" else high)[at] = value
            if low[at] > high[at]:
                return None
        found = milp(wish, constraints=self.rows, bounds=Bounds(low, high),
                     integrality=np.ones(self.n))  # fmt: skip
        if found.x is None:
            return None
        point = np.round(found.x)
        self.pool.append(point)
        return point

    def fixed(self, person: str | None) -> list[int]:
        mine = self.raters == person
        pool = np.array(self.pool)
        fits = pool[(pool[:, mine] == self.known.truth[mine]).all(axis=1)]
        open_ = (fits != self.known.truth).any(axis=0)
        found = []
        for i in np.flatnonzero(~open_ & ~mine & self.used):
            other = None
            for side, step in (("high", -1), ("low", 1)):
                if other is None and not open_[i]:
                    box = (i, side, self.known.truth[i] + step)
                    other = self.solve(person, np.zeros(self.n), box)
                    if other is not None:
                        open_ |= other != self.known.truth
            if not open_[i]:
                found.append(int(i))
        return found


def computed_groups(known: Known, least: int) -> list[tuple[str, ...]]:
    """Groups of fewer than ``least`` persons whose weighted sum follows from the published sums."""
    if not known.rows:
        return []
    matrix = np.array(known.rows)
    columns, code = np.unique(matrix, axis=1, return_inverse=True)
    code = code.reshape(-1)
    persons = [
        frozenset(known.raters[i] for i in np.flatnonzero(code == a))
        for a in range(columns.shape[1])
    ]
    used = [a for a in range(columns.shape[1]) if columns[:, a].any() and len(persons[a]) < least]
    rank = np.linalg.matrix_rank(columns)
    found = []
    for count in (1, 2, 3):
        for chosen in combinations(used, count):
            group = frozenset().union(*(persons[a] for a in chosen))
            if len(group) < least:
                rest = np.delete(columns, chosen, axis=1)
                if np.linalg.matrix_rank(rest) < rank:
                    found.append(tuple(sorted(group)))
    return found

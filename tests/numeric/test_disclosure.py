"""What published sums give away, against enumeration and exact fractions on small cases."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from svcmetrics.numeric.disclosure import Echelon, atoms, kernel
from svcmetrics.numeric.disclosure_audit import Cells, admitted
from svcmetrics.numeric.disclosure_bounds import Sums, fixed

seeds = pytest.mark.parametrize("seed", range(25))


# Atoms


@seeds
def test_ratings_with_the_same_cells_and_weights_are_one_atom(seed):
    rng = np.random.default_rng(seed)
    ratings, cells = 12, 3
    weight = rng.integers(0, 3, (cells, ratings))  # 0: not in the cell
    cell, rating = np.nonzero(weight)
    order = rng.permutation(len(cell))
    code, count = atoms(cell[order], rating[order], weight[cell, rating][order], ratings)
    lists = [tuple(column) for column in weight.T]
    assert count == len(set(lists))
    for a, b in combinations(range(ratings), 2):
        assert (code[a] == code[b]) == (lists[a] == lists[b])


# Rows that rest on few persons


def rank(rows: list[list[int]]) -> int:
    """Over the fractions."""
    left, found = [[Fraction(v) for v in row] for row in rows], 0
    for column in range(len(rows[0]) if rows else 0):
        at = next((r for r in range(found, len(left)) if left[r][column]), None)
        if at is None:
            continue
        left[found], left[at] = left[at], left[found]
        for r in range(len(left)):
            if r != found and left[r][column]:
                factor = left[r][column] / left[found][column]
                left[r] = [x - factor * y for x, y in zip(left[r], left[found])]
        found += 1
    return found


def sums_over(rows: list[list[int]], columns: tuple[int, ...]) -> int:
    """How many independent sums over these columns alone follow from the rows."""
    rest = [[v for k, v in enumerate(row) if k not in columns] for row in rows]
    return rank(rows) - (rank(rest) if rest and rest[0] else 0)


def tells_more(rows: list[list[int]], new: list[int], persons: list[frozenset], least: int) -> bool:
    """Whether a further row gives a sum over fewer than ``least`` persons that was not known."""
    for count in range(1, len(persons) + 1):
        for chosen in combinations(range(len(persons)), count):
            few = len(frozenset().union(*(persons[c] for c in chosen))) < least
            if few and sums_over([*rows, new], chosen) > sums_over(rows, chosen):
                return True
    return False


def few_last(rng: np.random.Generator, columns: int, least: int) -> tuple[list[frozenset], int]:
    """Persons behind each column, those of many first, and where those of few begin."""
    persons = [
        frozenset(rng.choice(7, size=rng.integers(1, least + 2), replace=False).tolist())
        for _ in range(columns)
    ]
    persons.sort(key=len, reverse=True)
    return persons, sum(len(p) >= least for p in persons)


@pytest.mark.parametrize("least", [2, 3, 5])
@seeds
def test_a_row_is_refused_exactly_if_it_tells_of_few(seed, least):
    rng = np.random.default_rng([seed, least])
    columns = 6
    persons, first = few_last(rng, columns, least)
    echelon = Echelon(columns, first, persons[first:])
    rows: list[list[int]] = []
    for _ in range(7):
        new = rng.choice([0, 0, 1, 1, 2], columns).tolist()
        row = echelon.reduced(np.array(new, dtype=float))
        tells = tells_more(rows, new, persons, least)
        assert echelon.reveals(row, least) == tells
        if not tells:
            echelon.add(row)
            rows.append(new)
            assert echelon.rank == rank(rows)


def test_many_cells_need_no_more_room_than_there_is():
    # More rows than are laid out at first; each still follows from itself.
    echelon = Echelon(40, 40, [])
    rows = np.tril(np.ones((40, 40)))
    for row in rows:
        assert echelon.reduced(row).any()
        echelon.add(echelon.reduced(row))
    assert echelon.rank == 40
    assert not any(echelon.reduced(row).any() for row in rows)


@seeds
def test_a_move_changes_its_atom_and_no_cell(seed):
    rng = np.random.default_rng(seed)
    rows = rng.choice([0, 1, 1, 2], (3, 7))
    echelon = Echelon(7, 7, [])
    for row in rows:
        echelon.add(echelon.reduced(row.astype(float)))
    for column in range(7):
        moves = kernel(echelon, column)
        known = sums_over(rows.tolist(), (column,)) > 0
        assert bool(moves) != known
        for move in moves:
            assert move[column] != 0
            assert not (rows @ move).any()
            assert np.gcd.reduce(move) == 1
        assert len(kernel(echelon, column, most=2)) <= 2


# Ratings that have one value left

SCALE = (1, 3)


def small_case(rng: np.random.Generator) -> tuple[Sums, np.ndarray, np.ndarray]:
    """A few atoms of one to three ratings in overlapping cells, and who gave which rating."""
    size = rng.integers(1, 4, int(rng.integers(2, 5)))
    of = np.repeat(np.arange(len(size)), size)
    person = rng.integers(0, len(of) + 2, len(of))
    p = [[0.2, 0.6, 0.2], [0.05, 0.15, 0.8]][int(rng.integers(2))]
    score = rng.choice([1, 2, 3], len(of), p=p)
    cells = rng.integers(0, 3, (int(rng.integers(1, 4)), len(size)))
    truth = np.bincount(of, score, len(size)).astype(float)
    slack = rng.choice([0.0, 0.4, 1.2], len(cells))
    pairs, which = np.unique(np.stack([of, person]), axis=1, return_inverse=True)
    which = which.reshape(-1)
    sums = Sums(
        csr_array(cells.astype(float)), cells @ truth - slack, cells @ truth + slack,
        size.astype(float), truth.copy(), SCALE, pairs[0], pairs[1],
        np.bincount(which).astype(float), np.bincount(which, score).astype(float),
    )  # fmt: skip
    return sums, cells, np.stack([of, person, score])


def enumerated(sums: Sums, cells: np.ndarray, ratings: np.ndarray) -> bool:
    """Whether an outsider or a person who knows their own ratings knows one more, by trying all."""
    of, person, score = ratings
    every = np.array(list(product(range(SCALE[0], SCALE[1] + 1), repeat=len(of))))
    totals = np.stack([every[:, of == a].sum(axis=1) for a in range(len(sums.size))], axis=1)
    seen = totals @ cells.T
    fits = every[((seen >= sums.low - 1e-9) & (seen <= sums.high + 1e-9)).all(axis=1)]
    for who in (-1, *set(person.tolist())):
        own = person == who
        left = fits[(fits[:, own] == score[own]).all(axis=1)]
        if any(len(set(left[:, k].tolist())) == 1 for k in np.flatnonzero(~own)):
            return True
    return False


def echelon_of(cells: np.ndarray) -> Echelon:
    echelon = Echelon(cells.shape[1], cells.shape[1], [])
    for row in cells:
        echelon.add(echelon.reduced(row.astype(float)))
    return echelon


@pytest.mark.parametrize("seed", range(80))
def test_a_rating_is_fixed_exactly_if_enumeration_says_so(seed):
    sums, cells, ratings = small_case(np.random.default_rng(seed))
    assert fixed(sums, lambda: echelon_of(cells)) == enumerated(sums, cells, ratings)


def test_the_small_cases_are_of_both_kinds():
    found = [enumerated(*small_case(np.random.default_rng(seed))) for seed in range(60)]
    assert 10 < sum(found) < 50


@pytest.mark.parametrize("seed", range(10))
def test_where_ratings_are_no_whole_numbers_none_is_known_to_half_a_point(seed):
    sums, cells, (of, person, _) = small_case(np.random.default_rng([seed, 1]))
    sums.whole, sums.unit = False, 0.5
    if fixed(sums, lambda: echelon_of(cells)):
        return
    matrix = np.vstack([cells[:, of], -cells[:, of]]).astype(float)
    limit = np.concatenate([sums.high, -sums.low])
    truth = small_case(np.random.default_rng([seed, 1]))[2][2]
    for who in (-1, *set(person.tolist())):
        box = [(t, t) if p == who else SCALE for t, p in zip(truth, person)]
        for k in np.flatnonzero(person != who):
            wish = np.eye(len(of))[k]
            ends = [linprog(sign * wish, matrix, limit + 1e-9, bounds=box).fun for sign in (1, -1)]
            assert -ends[1] - ends[0] >= 0.5 - 1e-6


@pytest.mark.parametrize("seed", range(30))
def test_what_the_ratings_were_is_not_needed_to_protect_them(seed):
    """Of cells published long ago only the values are known: an outsider is kept from all of them."""
    sums, cells, ratings = small_case(np.random.default_rng([seed, 2]))
    of, _, score = ratings
    outsider = enumerated(sums, cells, np.stack([of, np.full(len(of), 99), score]))
    sums.truth[:], sums.own[:] = np.nan, np.nan
    assert fixed(sums, lambda: echelon_of(cells)) or not outsider


def test_cells_that_contradict_one_another_are_not_added_to():
    sums, cells, _ = small_case(np.random.default_rng(0))
    sums.truth[:], sums.own[:] = np.nan, np.nan
    sums.low[:], sums.high[:] = 1e3, 1e3
    assert fixed(sums, lambda: echelon_of(cells))


# Which cells may be shown


def release(rng: np.random.Generator, people: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Who is in which cell, and what they answered: one rating each on a scale of three."""
    members = rng.random((cells, people)) < 0.75
    return members, rng.choice([1, 2, 3], people, p=[0.3, 0.4, 0.3])


def as_cells(members: np.ndarray, score: np.ndarray, old: int, least: int = 2) -> Cells:
    cell, rating = np.nonzero(members)
    total = members @ score
    return Cells(
        cell, rating, np.ones(len(cell), dtype=np.int64), total - 0.0, total + 0.0,
        np.arange(len(members)) >= old, np.arange(len(score)), score.astype(float), least, least, SCALE,
    )  # fmt: skip


def gives_away(members: np.ndarray, score: np.ndarray) -> bool:
    """Whether the totals of these cells tell anybody, or one insider, a rating."""
    every = np.array(list(product(range(1, 4), repeat=len(score))))
    fits = every[(every @ members.T == members @ score).all(axis=1)]
    seen = members.any(axis=0)
    for who in (None, *range(len(score))):
        left = fits if who is None else fits[fits[:, who] == score[who]]
        if any(len(set(left[:, k].tolist())) == 1 for k in np.flatnonzero(seen) if k != who):
            return True
    return False


def few_known(members: np.ndarray, least: int) -> bool:
    persons = [frozenset({k}) for k in range(members.shape[1])]
    return tells_more([], [0] * len(persons), persons, least) or any(
        tells_more(
            members[:k].astype(int).tolist(), members[k].astype(int).tolist(), persons, least
        )
        for k in range(len(members))
    )


@seeds
def test_what_is_shown_is_safe_and_nothing_more_could_be_shown(seed):
    rng = np.random.default_rng([seed, 5])
    members, score = release(rng, 6, 5)
    shown = admitted(as_cells(members, score, 0))
    assert not shown.any() or not gives_away(members[shown], score)
    assert not few_known(members[shown], 2)
    for k in np.flatnonzero(~shown & (members.sum(axis=1) >= 2)):
        more = shown.copy()
        more[k] = True
        assert gives_away(members[more], score) or few_known(members[more], 2)


@seeds
def test_what_hangs_together_through_nobody_is_judged_apart(seed):
    rng = np.random.default_rng([seed, 6])
    firms = [release(rng, 5, 3) for _ in range(3)]
    alone = [admitted(as_cells(*firm, 0)) for firm in firms]
    members = np.zeros((9, 15), dtype=bool)
    for k, (mine, _) in enumerate(firms):
        members[3 * k : 3 * k + 3, 5 * k : 5 * k + 5] = mine
    order = rng.permutation(9)
    together = admitted(as_cells(members[order], np.concatenate([s for _, s in firms]), 0))
    # The order of cells may decide which of two is shown, never how many of a firm.
    count = [int(together[np.isin(order, range(3 * k, 3 * k + 3))].sum()) for k in range(3)]
    assert count == [int(a.sum()) for a in alone]


def test_cells_that_were_published_stay_and_new_ones_are_judged_beside_them():
    members = np.ones((3, 8), dtype=bool)
    members[1, 0], members[2, :4] = False, False
    score = np.array([1, 2, 3, 2, 1, 2, 3, 2])
    assert admitted(as_cells(members, score, 1)).tolist() == [True, False, True]
    # What gives a rating away already is not added to.
    assert admitted(as_cells(members, score, 2)).tolist() == [True, True, False]
    assert admitted(as_cells(members[:0], score, 0)).tolist() == []

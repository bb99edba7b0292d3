"""Is there a combination of published rows that rests on few persons alone?

A vector lies in the row space exactly if the checks of that space (one column per atom) cancel with
its entries. So a combination over two, three or four atoms shows as two, three or four columns of
checks that depend on one another; one of the atoms is known, the others are found by taking its
column out (a quotient) and looking for columns that have become zero or parallel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Below 2**20: a sum of 8,000 products of two such numbers is exact in a double.
PRIME = 1_048_573


def checks(rows: np.ndarray, pivots: np.ndarray) -> np.ndarray:
    """The checks of a reduced row space, one row per column of it.

    Each up to a factor (those of free columns are minus what is given): which of them depend on one
    another is all that is asked.
    """
    free = np.setdiff1d(np.arange(rows.shape[1]), pivots)
    found = np.zeros((rows.shape[1], len(free)))
    found[pivots], found[free] = rows[:, free], np.eye(len(free))
    return found


def rests_on_few(
    check: np.ndarray, atom: int, persons: Sequence[frozenset[int]], least: int
) -> bool:
    """Whether some combination with this atom in it rests on fewer than ``least`` persons.

    Found are all of up to four atoms, and those over any number of atoms of one further person.
    """
    near = np.array([len(persons[atom] | p) < least for p in persons])
    if not near[atom]:
        return False
    if not check[atom].any():
        return True
    own = int(near[:atom].sum())
    people = [p for p, n in zip(persons, near) if n]
    one = _without(check[near], own)
    zero = np.asarray(~one.any(axis=1))
    zero[own] = False
    if zero.any() or _blocks(check[near], own, people, least):
        return True
    if _parallel(one, people, people[own], least):
        return True
    if least - len(people[own]) < 4:
        return False
    return any(
        _parallel(_without(one, int(other)), people, people[own] | people[other], least)
        for other in np.flatnonzero(one.any(axis=1))
        if len(people[own] | people[other]) <= least - 3
    )


def _blocks(check: np.ndarray, own: int, people: list[frozenset[int]], least: int) -> bool:
    """The atom together with all atoms of its own persons, and of one person more."""
    often: dict[int, int] = {}
    for persons in people:
        for person in persons:
            often[person] = often.get(person, 0) + 1
    others = sorted(p for p, times in often.items() if times > 1 and p not in people[own])
    for more in [frozenset[int](), *(frozenset({p}) for p in others)]:
        group = people[own] | more
        if len(group) < least:
            members = [i for i, p in enumerate(people) if p <= group and i != own]
            left = check[[own, *members]]
            for place in range(1, len(left)):
                if left[place].any():
                    left = _without(left, place)
            if not left[0].any():
                return True
    return False


def _without(check: np.ndarray, place: int) -> np.ndarray:
    """All columns of checks modulo one of them, which becomes zero."""
    row = check[place]
    at = int(np.argmax(row != 0))
    factor = (check[:, at] * inverse(row[at])) % PRIME
    left: np.ndarray = (check - (factor[:, None] * row) % PRIME) % PRIME
    return left


def _parallel(
    check: np.ndarray, people: list[frozenset[int]], known: frozenset[int], least: int
) -> bool:
    """Whether two columns are parallel whose persons, with the known ones, are few."""
    places = np.flatnonzero(check.any(axis=1))
    if len(places) < 2:
        return False
    rows = check[places]
    first = rows[np.arange(len(rows)), np.argmax(rows != 0, axis=1)]
    rows = (rows * _inverses(first)[:, None]) % PRIME
    random = np.random.default_rng(7).integers(1, PRIME, (rows.shape[1], 2)).astype(float)
    marks = ((rows[:, :, None] * random) % PRIME).sum(axis=1) % PRIME
    _, code, count = np.unique(marks, axis=0, return_inverse=True, return_counts=True)
    code = code.reshape(-1)
    for kind in np.flatnonzero(count > 1):
        same = sorted((people[i] for i in places[code == kind]), key=lambda p: len(p | known))
        if any(
            len(a | b | known) < least for i, a in enumerate(same[:40]) for b in same[i + 1 : 40]
        ):
            return True
    return False


def inverse(value: float) -> float:
    """The inverse of a number modulo the prime."""
    return float(pow(int(value), PRIME - 2, PRIME))


def _inverses(values: np.ndarray) -> np.ndarray:
    result, power, left = np.ones_like(values), values.copy(), PRIME - 2
    while left:
        if left & 1:
            result = (result * power) % PRIME
        power, left = (power * power) % PRIME, left >> 1
    return result

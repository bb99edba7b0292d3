"""How well do published sums with any weights let somebody know what a few persons answered?

The rows span a space; of a direction within the answers of a few persons, the share that lies in it
is known, and the rest is not. For the mean of n persons, k of them are known to k / n. One means
that a sum over these persons alone can be computed.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

# Rows that differ by less (squared, of their length) tell nothing: numbers are shown to three digits.
_SAME = 1e-10
# Partners of a person that are tried together.
_PARTNERS = 7


def best_known(rows: np.ndarray, person: np.ndarray, least: int, enough: float = 1.0) -> float:
    """The largest share that is known of the answers of fewer than ``least`` persons.

    ``rows``: published sums (cells × ratings); ``person``: code of each rating's person. A bound
    from above is given back when it is at most ``enough``; otherwise the best group that is found,
    from the persons best known and those who hang together with them.
    """
    if not rows.size:
        return 0.0
    basis = _basis(rows)
    weight = np.bincount(person, weights=(basis**2).sum(axis=0))
    few = least - 1
    top = np.sort(weight)[::-1]
    if top[:few].sum() <= enough:
        return float(top[:few].sum())
    # A group holds somebody who is known to its share of the bound at least.
    suspects = np.flatnonzero(weight >= enough / few)
    order = np.argsort(person, kind="stable")
    cuts = np.cumsum(np.bincount(person))[:-1]
    blocks = np.split(basis[:, order], cuts, axis=1)
    own = {int(p): np.linalg.norm(blocks[p], 2) ** 2 for p in suspects}
    known = sorted(own.values(), reverse=True)
    if sum(known[:few]) + (few - min(few, len(known))) * enough / few <= enough:
        return float(sum(known[:few]))
    found = 0.0
    for p in sorted(own, key=lambda q: -own[q]):
        found = max(found, _with_partners(basis, blocks, person, p, few))
        if found > enough:
            break
    return found


def _basis(rows: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the space of the rows."""
    length = np.linalg.norm(rows, axis=1)
    rows = rows[length > 0] / length[length > 0, None]
    values, vectors = np.linalg.eigh(rows @ rows.T)
    kept = values > _SAME * values[-1]
    return np.asarray((vectors[:, kept] / np.sqrt(values[kept])).T @ rows)


def _with_partners(
    basis: np.ndarray, blocks: list[np.ndarray], person: np.ndarray, first: int, few: int
) -> float:
    """The best known group with one person in it: their nearest partners, tried together."""
    shared = blocks[first].T @ basis
    near = np.bincount(person, weights=(shared**2).sum(axis=0))
    near[first] = -1
    partners = np.argsort(-near, kind="stable")[: min(_PARTNERS, len(near) - 1)]
    groups = combinations(partners.tolist(), min(few - 1, len(partners)))
    return max(
        float(np.linalg.norm(np.hstack([blocks[q] for q in (first, *group)]), 2) ** 2)
        for group in groups
    )

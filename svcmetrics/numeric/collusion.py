"""Groups of units that favour each other or whose forms agree, against shuffled units, on arrays.

The null keeps every rater's scores and forms and deals the units out anew among the raters: what
raters give everybody, what everybody gives a target and all the habits of single persons stay as
they are, and only the tie between unit and favour is cut. The largest statistic of each shuffle
counts, so that searching many groups invents none (single-step max-T).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_NONE = -np.inf
# Cells held at a time; and expected pairs are taken to be at least so many.
_CELLS, _LEAST = 4_000_000, 0.25
# A tie is at most so many times its lesser side.
_BEYOND = 1.5


@dataclass(frozen=True)
class Cluster:
    """Units that belong together, the statistic and its p-value over all groups looked at."""

    units: tuple[int, ...]
    statistic: float
    p: float


def shuffles(unit: Whole, draws: int, rng: np.random.Generator) -> Whole:
    """Draws × raters: the units dealt out anew; the first row is as it is."""
    noise = rng.random((draws, len(unit))).argsort(axis=1)
    return np.concatenate([unit[None], unit[noise]])


def mutual(away: Floats, rater: Whole, target: Whole, units: Whole, size: int) -> Floats:
    """Samples × size × size: geometric mean of the two standardised sums between two units.

    ``away``: what each rater gives each target beyond both; ``units``: samples × raters; a target is
    the unit of the same number. Never far beyond the lesser one: favour has to be returned.
    """
    spread = max(float(np.sqrt((away**2).mean())), 1e-12)
    step = max(1, _CELLS // max(len(away), size**2))
    out = []
    for start in range(0, len(units), step):
        some = units[start : start + step]
        cell = (np.arange(len(some))[:, None] * size + some[:, rater]) * size + target
        shape = (len(some), size, size)
        total = np.bincount(cell.ravel(), np.tile(away, len(some)), np.prod(shape)).reshape(shape)
        n = np.bincount(cell.ravel(), minlength=np.prod(shape)).reshape(shape)
        z = np.where(n > 0, total / np.sqrt(np.maximum(n, 1)) / spread, _NONE)
        back = z.transpose(0, 2, 1)
        with np.errstate(invalid="ignore"):
            returned = np.sqrt(np.maximum(z, 0) * np.maximum(back, 0))
        least = np.minimum(z, back)
        out.append(np.sqrt(2) * np.where(least > 0, np.minimum(returned, _BEYOND * least), least))
    both = np.concatenate(out)
    both[:, np.arange(size), np.arange(size)] = _NONE
    return np.asarray(both)


def agreeing(
    same: tuple[Whole, Whole], met: tuple[Whole, Whole], units: Whole, size: int
) -> tuple[Floats, Floats, Floats]:
    """(standardised excess, equal pairs of forms, pairs that could be), samples × size × size.

    ``same`` and ``met``: group and rater of forms; forms of one group of ``same`` are equal, forms of
    one group of ``met`` are on the same target in the same wave.
    """
    seen, could = (np.stack([_pairs(*g, u, size) for u in units]) for g in (same, met))
    upper = np.triu(np.ones((size, size), bool))
    rate = seen[:, upper].sum(axis=1) / np.maximum(could[:, upper].sum(axis=1), 1)
    expected = could * rate[:, None, None]
    z = (seen - expected) / np.sqrt(np.maximum(expected, _LEAST))
    return np.where(could > 0, z, _NONE), seen, could


def _pairs(group: Whole, rater: Whole, unit: Whole, size: int) -> Floats:
    """How many pairs of forms of the same group two units have; within a unit each pair once."""
    from scipy import sparse

    groups = int(group.max(initial=-1)) + 1
    ones = np.ones(len(group))
    times = sparse.csr_array((ones, (group, unit[rater])), shape=(groups, size))
    table = (times.T @ times).toarray()
    own = np.bincount(unit[rater], minlength=size)
    table[np.arange(size), np.arange(size)] = (np.diagonal(table) - own) / 2
    return np.asarray(table)


def clusters(ties: Floats, most: int = 5) -> list[Cluster]:
    """Groups of units from a table of ties per sample; the first sample is what was seen.

    From the strongest tie on, the unit that adds most is taken in as long as the mean tie times the
    root of the number of ties grows. A group found is set apart and the rest searched again, against
    the same null (never too bold).
    """
    left = ties[:1].copy()
    null = _grown(ties[1:])[0]
    out = []
    for _ in range(most):
        top, members = _grown(left)
        if not np.isfinite(top[0]):
            break
        p = float((1 + (null >= top[0] - 1e-12).sum()) / (1 + len(null)))
        found = np.flatnonzero(members[0])
        out.append(Cluster(tuple(int(k) for k in found), float(top[0]), p))
        left[:, found, :] = left[:, :, found] = _NONE
    return out


def _grown(ties: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The best group of each sample: its statistic and who belongs to it."""
    samples, size, _ = ties.shape
    flat = ties.reshape(samples, -1)
    best = flat.argmax(axis=1)
    rows = np.arange(samples)
    members = np.zeros((samples, size), dtype=bool)
    members[rows, best // size] = members[rows, best % size] = True
    total, count = flat[rows, best], np.ones(samples)
    statistic = total.copy()
    while True:
        # −∞ ties (never met) keep a unit out.
        gain = np.where(members[:, :, None], ties, 0.0).sum(axis=1)
        gain[members] = _NONE
        place = gain.argmax(axis=1)
        new_total = total + gain[rows, place]
        new_count = count + members.sum(axis=1)
        grown = new_total / np.sqrt(new_count)
        better = grown > statistic + 1e-12
        if not better.any():
            return statistic, members
        members[rows[better], place[better]] = True
        total, count = np.where(better, new_total, total), np.where(better, new_count, count)
        statistic = np.where(better, grown, statistic)

"""Expectations of ratings given the total of their target: its measure drops out exactly.

Forward and backward sums over the ratings of a target (as elementary symmetric functions are summed
for the conditional likelihood of Rasch and partial credit models: Andersen 1972, J. R. Stat. Soc. B
34, 42-54; Verhelst, Glas and van der Sluis 1984, Computational Statistics Quarterly 1, 245-262).
Only for targets with few ratings, each of which counts once; the others have the saddlepoint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import rasch_terms
from svcmetrics.numeric.rasch import Data

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Up to so many ratings of a target; beyond, the saddlepoint is wrong by less than 1/24².
MOST = 24
# Numbers held at a time.
_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Few:
    """Places of the ratings of targets with few of them: one array, targets × ratings, per number."""

    places: tuple[Whole, ...]
    which: NDArray[np.bool_]  # ratings that are in one of them


def few(data: Data, held: NDArray[np.bool_]) -> Few:
    """Targets that are free and have 2 to ``MOST`` ratings of weight one."""
    n = np.bincount(data.target, minlength=data.sizes[0])
    plain = np.bincount(data.target, data.times == 1.0, data.sizes[0]) == n
    # One rating of a target says nothing once its total is known: the sums below give that too.
    fit = plain & ~held & (n <= MOST)
    order = np.argsort(data.target, kind="stable")
    start = np.cumsum(n) - n
    places = []
    for size in np.unique(n[fit]):
        first = start[fit & (n == size)]
        places.append(np.asarray(order[first[:, None] + np.arange(size)], dtype=np.int64))
    return Few(tuple(places), np.asarray(fit[data.target]))


def differences(data: Data, those: Few, location: Floats, thresholds: Floats) -> Floats:
    """Steps × ratings: P(x ≥ k) given the total of the target, minus P(x ≥ k); zero elsewhere."""
    out = np.zeros((data.top, len(location)))
    for places in those.places:
        size = places.shape[1]
        rows = max(1, _AT_ONCE // ((size + 1) * (size * data.top + 1)))
        for start in range(0, len(places), rows):
            here = places[start : start + rows]
            at = here.ravel()
            p = rasch_terms.chances(location[at], thresholds, data.group[at])
            # Categories × ratings of a target × targets: sums run over the last, which is long.
            free = p.reshape(len(p), *here.shape).transpose(0, 2, 1)
            given = _given(free, data.x[here].sum(axis=1))
            above = (given - free)[::-1].cumsum(axis=0)[::-1][1:]
            out[:, at] = above.transpose(0, 2, 1).reshape(data.top, -1)
    return out


def _given(p: Floats, total: Whole) -> Floats:
    """Chances of the categories given the total, from those without it."""
    kinds, size, targets = p.shape
    most = size * (kinds - 1)
    so_far = np.zeros((size + 1, most + 1, targets))
    so_far[0, 0] = 1.0
    for j in range(size):
        for k in range(kinds):
            so_far[j + 1, k:] += p[k, j] * so_far[j, : most + 1 - k]
    # What is still to come, up to the total that was seen.
    rest = np.zeros((most + 1, targets))
    rest[total, np.arange(targets)] = 1.0
    out = np.empty_like(p)
    for j in range(size - 1, -1, -1):
        before = np.zeros_like(rest)
        for k in range(kinds):
            reach = rest[k:]
            out[k, j] = p[k, j] * np.einsum("ut,ut->t", so_far[j, : most + 1 - k], reach)
            before[: most + 1 - k] += p[k, j] * reach
        rest = before
    return np.asarray(out / out.sum(axis=0))

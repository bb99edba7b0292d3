"""Joint maximum likelihood draws measures too far apart; the published correction shrinks them.

With L ratings per target, joint estimates of the other facets tend to L/(L−1) times the truth
(Wright and Douglas 1977, Applied Psychological Measurement 1, 281-295; Jansen, van den Wollenberg
and Wierda 1988, ibid. 12, 297-306), and are multiplied by (L−1)/L. L is counted where it matters:
over the targets that met at least two elements of the facet; the others say nothing about it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import rasch_newton, rasch_terms
from svcmetrics.numeric.rasch import Data, Fitted

Floats = NDArray[np.float64]

_STEPS, _LONGEST = 60, 1.0


def factors(data: Data) -> tuple[Floats, float]:
    """(L−1)/L for each other facet, and for the thresholds (targets with two ratings or more)."""
    n = np.bincount(data.target, minlength=data.sizes[0])
    out = []
    for codes, size in zip(data.others, data.sizes[1:], strict=True):
        met = np.unique(data.target * size + codes) // size
        out.append(_factor(n, np.bincount(met, minlength=len(n)) > 1))
    return np.array(out), _factor(n, n > 1)


def _factor(n: NDArray[np.int64], counted: NDArray[np.bool_]) -> float:
    ratings, targets = int(n[counted].sum()), int(counted.sum())
    return (ratings - targets) / ratings if ratings else 1.0


def corrected(data: Data, found: Fitted, anchors: tuple[Floats, ...]) -> Fitted:
    """Other facets and thresholds shrunk, targets estimated again; anchored facets stay."""
    others, steps = factors(data)
    measures, errors = list(found.measures), list(found.errors)
    for k, factor in enumerate(others, start=1):
        if not np.isfinite(anchors[k]).any():
            mean = measures[k].mean()
            measures[k] = mean + factor * (measures[k] - mean)
            errors[k] = factor * errors[k]
    thresholds = steps * found.thresholds
    base = -sum(m[c] for m, c in zip(measures[1:], data.others, strict=True))
    free = ~np.isfinite(anchors[0])
    again = offsets(
        data, data.target, data.sizes[0], np.asarray(base), thresholds, found.measures[0]
    )
    measures[0] = np.where(free, again[0], measures[0])
    sure = None if found.threshold_errors is None else steps * found.threshold_errors
    return replace(found, measures=tuple(measures), thresholds=thresholds, errors=tuple(errors),
                   threshold_errors=sure)  # fmt: skip


def offsets(
    data: Data, codes: NDArray[np.int64], size: int, base: Floats, thresholds: Floats,
    start: Floats, room: float = 0.0,
) -> tuple[Floats, Floats]:  # fmt: skip
    """What to add to ``base`` for each code so that its expected total is the observed one.

    Returns it with the information there. ``room``: totals this close to the lowest or highest one,
    in points, are moved to that distance: an extreme total has no finite solution.
    """
    weight = data.times
    total = np.bincount(codes, weight * data.x, size)
    most = np.bincount(codes, weight, size) * data.top
    total = np.clip(total, np.minimum(room, most / 2), np.maximum(most - room, most / 2))
    now = start.copy()
    information = np.ones(size)
    for _ in range(_STEPS):
        t = rasch_terms.terms(rasch_terms.chances(base + now[codes], thresholds, data.group))
        information = rasch_newton.sums(codes, weight * t.variance, size)
        move = (total - np.bincount(codes, weight * t.expected, size)) / np.maximum(
            information, 1e-12
        )
        now = now + np.clip(move, -_LONGEST, _LONGEST)
        if np.abs(move).max(initial=0.0) < 1e-10:
            break
    return now, information


def within_blocks(
    found: Fitted, of_targets: NDArray[np.int64], of_raters: NDArray[np.int64]
) -> Fitted:
    """Raters have mean zero within each unlinked block: no block says anything of another."""
    if not found.loose or of_raters.max() == 0:
        return found
    targets, raters, *others = found.measures
    mean = np.bincount(of_raters, raters) / np.bincount(of_raters)
    return replace(found, measures=(targets - mean[of_targets], raters - mean[of_raters], *others))

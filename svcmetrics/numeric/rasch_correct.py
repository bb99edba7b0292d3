"""Joint maximum likelihood draws measures too far apart; the modified likelihood takes that back.

With L ratings per target, joint estimates of the other facets tend to L/(L−1) times the truth
(Wright and Douglas 1977, Applied Psychological Measurement 1, 281-295; Jansen, van den Wollenberg
and Wierda 1988, ibid. 12, 297-306). That product is only a first order, and errors beside it come
out too small. Here half the log information on each target is added to the likelihood: the
conditional likelihood, given the totals of the targets, by its saddlepoint approximation
(Barndorff-Nielsen and Cox 1979, J. R. Stat. Soc. B 41, 279-312; Bellio and Sartori 2006, Biometrical
Journal 48, 876-886). What is left of the bias is of order 1/L², and no law of the targets is
supposed. L is counted where it matters: over the targets that met at least two elements of the
facet; the others say nothing about it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import rasch, rasch_newton, rasch_terms
from svcmetrics.numeric.codes import met
from svcmetrics.numeric.rasch import Data, Fitted

Floats = NDArray[np.float64]

_STEPS, _LONGEST = 60, 1.0


def factors(data: Data) -> tuple[Floats, float]:
    """(L−1)/L for each other facet, and for the thresholds (targets with two ratings or more)."""
    n = np.bincount(data.target, minlength=data.sizes[0])
    out = []
    for codes in data.others:
        out.append(_factor(n, met(data.target, codes, len(n)) > 1))
    return np.array(out), _factor(n, n > 1)


def _factor(n: NDArray[np.int64], counted: NDArray[np.bool_]) -> float:
    ratings, targets = int(n[counted].sum()), int(counted.sum())
    return (ratings - targets) / ratings if ratings else 1.0


def corrected(
    data: Data, found: Fitted, anchors: tuple[Floats, ...], floats: int = 0, *,
    close: float = 1e-3, plan: rasch_newton.Plan | None = None,
) -> Fitted:  # fmt: skip
    """The maximum of the modified profile likelihood; anchored elements stay.

    ``close``: steps end when the next one is so small a part of every standard error.
    """
    plan, weight = plan or rasch_newton.plan(data, anchors), data.times
    place, thresholds = _shrunk(data, found, anchors)
    sizes = [*found.errors, found.threshold_errors.ravel()]
    least = min(float(e[e > 0].min(initial=1.0)) for e in sizes)
    change, step = np.inf, 0
    while step < _STEPS:
        step += 1
        location = np.asarray(sum(m[c] for m, c in zip(place, data.facets, strict=True)))
        terms = rasch_terms.swept(location, thresholds, data.group, data.x, weight, third=True)
        system = rasch_newton.assembled(plan, terms)
        pull = _pulls(plan, terms)
        gradient = [a + b for a, b in zip(system.gradient, pull, strict=True)]
        moves = rasch_newton.solved(plan, replace(system, gradient=gradient))
        change = max(float(np.abs(m).max(initial=0.0)) for m in moves)
        if change < close * least or not np.isfinite(change):
            break
        # Newton's equations are those of the joint likelihood, near enough.
        scale = min(1.0, _LONGEST / change)
        place = [m + scale * d for m, d in zip(place, moves[:-1], strict=True)]
        thresholds = thresholds + scale * moves[-1].reshape(thresholds.shape)
    done = rasch.Progress(found.steps + step, change, found.converged and change < close * least)
    return rasch.finished(plan, system, place, thresholds, floats, done)


def _shrunk(data: Data, found: Fitted, anchors: tuple[Floats, ...]) -> tuple[list[Floats], Floats]:
    """Where to begin: everything times (L-1)/L, signs turned."""
    others, steps = factors(data)
    place = []
    for factor, m, held, sign in zip(
        (steps, *others), found.measures, anchors, rasch.signs(data), strict=True
    ):
        mean = m.mean() if not np.isfinite(held).any() else 0.0
        place.append(sign * np.where(np.isfinite(held), m, mean + factor * (m - mean)))
    return place, steps * found.thresholds


def _pulls(p: rasch_newton.Plan, s: rasch_terms.Swept) -> list[Floats]:
    """Slopes of half the log information on each target, its measure following along."""
    d = p.data
    information = rasch_newton.sums(d.target, s.columns[:, 1], d.sizes[0])
    free = ~p.held[0] & (information > 1e-9)
    inverse = np.where(free, 1 / np.where(free, information, 1.0), 0.0)
    skew = (rasch_newton.sums(d.target, s.third[:, 0], d.sizes[0]) * inverse)[d.target]
    half = 0.5 * inverse[d.target]
    own = half * (s.third[:, 0] - s.columns[:, 1] * skew)
    out = [np.zeros(d.sizes[0])]
    for codes, size, held in zip(d.others, d.sizes[1:], p.held[1:], strict=True):
        out.append(np.where(held, 0.0, rasch_newton.sums(codes, own, size)))
    steps = (s.third[:, 1:] - s.columns[:, 2:] * skew[:, None]).T
    return [*out, rasch_terms.by_set(d.group, d.groups, steps, half).ravel()]


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

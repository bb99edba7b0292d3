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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import rasch, rasch_conditional, rasch_leverage, rasch_newton, rasch_terms
from svcmetrics.numeric.codes import met
from svcmetrics.numeric.rasch import Data, Fitted

Floats = NDArray[np.float64]

_STEPS, _LONGEST = 60, 1.0
# Slopes of the log information change little: after a step this many times the last one, they stay.
_AGAIN = 20.0


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
    those = rasch_conditional.few(data, plan.held[0])
    change, step = np.inf, 0
    while step < _STEPS:
        step += 1
        now = _pulled(plan, those, place, thresholds, weight)
        if change > _AGAIN * close * least:
            slopes = rasch_leverage.slopes(plan, now.system, now.terms)
        gradient = [*now.gradient[:-1], now.gradient[-1] + slopes]
        moves = rasch_newton.solved(plan, replace(now.system, gradient=gradient))
        change = max(float(np.abs(m).max(initial=0.0)) for m in moves)
        if change < close * least or not np.isfinite(change):
            break
        # Newton's equations are those of the joint likelihood, near enough.
        scale = min(1.0, _LONGEST / change)
        place = [m + scale * d for m, d in zip(place, moves[:-1], strict=True)]
        thresholds = thresholds + scale * moves[-1].reshape(thresholds.shape)
    done = rasch.Progress(found.steps + step, change, found.converged and change < close * least)
    out = rasch.finished(plan, now.system, place, thresholds, floats, done)
    if not those.places:
        return out
    wider = _wider(plan, now.system, those, place, thresholds, weight)
    return replace(out, threshold_errors=out.threshold_errors * wider)


class _Pulled(NamedTuple):
    """Newton's equations, what they are summed from, and the slopes of the modified likelihood."""

    system: rasch_newton.System
    terms: rasch_terms.Swept
    gradient: list[Floats]


def _pulled(
    p: rasch_newton.Plan, those: rasch_conditional.Few, place: list[Floats], thresholds: Floats,
    weight: Floats,
) -> _Pulled:  # fmt: skip
    d = p.data
    location = np.asarray(sum(m[c] for m, c in zip(place, d.facets, strict=True)))
    terms = rasch_terms.swept(location, thresholds, d.group, d.x, weight, third=True)
    system = rasch_newton.assembled(p, terms)
    pull = _pulls(p, terms, those, location, thresholds)
    return _Pulled(system, terms, [a + b for a, b in zip(system.gradient, pull, strict=True)])


def _wider(
    p: rasch_newton.Plan, s: rasch_newton.System, those: rasch_conditional.Few,
    place: list[Floats], thresholds: Floats, weight: Floats,
) -> Floats:  # fmt: skip
    """How much less sure thresholds are than the joint information says, step by step.

    Each step of the scale is moved a little, in all sets at once, all measures following: how fast
    the slopes change is the information of the modified likelihood.
    """
    top, step = p.data.top, 0.05
    follow = [f.reshape(len(f), -1, top).sum(axis=1) for f in rasch_leverage.following(p, s)]

    def slope(move: Floats) -> Floats:
        here = [m - f @ move for m, f in zip(place, follow, strict=True)]
        now = _pulled(p, those, here, thresholds + move, weight)
        parts = [own.reshape(-1, top).sum(axis=0) for own in now.gradient[-1:]]
        parts += [-g @ f for g, f in zip(now.gradient, follow, strict=False)]
        return np.asarray(sum(parts))

    moved = [slope(step * e) - slope(-step * e) for e in np.eye(top)]
    modified = -np.stack(moved) / (2 * step)
    joint = s.rest[p.ends[-2] :, p.ends[-2] :].reshape(-1, top, p.data.groups, top).sum(axis=(0, 2))
    crossed = [*(s.rest[p.part(j), p.ends[-2] :] for j in range(len(p.rest)))]
    crossed.insert(p.first, s.cross[:, p.ends[-2] :])
    for own, f in zip(crossed, follow, strict=True):
        joint = joint - own.reshape(len(f), -1, top).sum(axis=1).T @ f
    return wider(modified, joint)


def wider(seen: Floats, taken: Floats) -> Floats:
    """Standard errors of thresholds by the information ``seen`` over those by ``taken``.

    Never below 1: the second is the larger information.
    """
    ratio = _variances(seen) / _variances(taken)
    return np.asarray(np.sqrt(np.where(np.isfinite(ratio), np.maximum(ratio, 1.0), 1.0)))


def _variances(information: Floats) -> Floats:
    """Of thresholds with mean zero."""
    off = information - information.mean(axis=0)
    off = off - off.mean(axis=1, keepdims=True)
    inverse = np.linalg.pinv((off + off.T) / 2, rcond=1e-9, hermitian=True)
    return np.asarray(np.diagonal(inverse))


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


def _pulls(
    p: rasch_newton.Plan, s: rasch_terms.Swept, those: rasch_conditional.Few, location: Floats,
    thresholds: Floats,
) -> list[Floats]:  # fmt: skip
    """Slopes of half the log information on each target, its measure following along.

    Targets with few ratings have what the condition on their total does instead.
    """
    d = p.data
    totals = d.of_targets(np.stack([s.columns[:, 0], s.columns[:, 1], s.third[:, 0]], axis=1))
    information = totals[:, 1]
    free = ~p.held[0] & (information > 1e-9)
    inverse = np.where(free, 1 / np.where(free, information, 1.0), 0.0)
    half, skew = (0.5 * inverse)[d.target], (0.5 * inverse**2 * totals[:, 2])[d.target]
    if those.places:
        half[those.which], skew[those.which] = 0.0, 0.0
    own = half * s.third[:, 0] - skew * s.columns[:, 1]
    steps = rasch_terms.by_set(d.group, d.groups, s.third[:, 1:].T, half)
    steps = steps - rasch_terms.by_set(d.group, d.groups, s.columns[:, 2:].T, skew)
    if those.places:
        exact = rasch_conditional.differences(d, those, location, thresholds)
        # The target moves to where its total is expected; the total given, nothing depends on it.
        away = np.where(those.which, (totals[:, 0] * inverse)[d.target], 0.0)
        exact += away * s.columns[:, 2:].T
        own -= exact.sum(axis=0)
        steps = steps + rasch_terms.by_set(d.group, d.groups, exact, np.ones(len(own)))
    out = [np.zeros(d.sizes[0])]
    for codes, size, held in zip(d.others, d.sizes[1:], p.held[1:], strict=True):
        out.append(np.where(held, 0.0, rasch_newton.sums(codes, own, size)))
    return [*out, steps.ravel()]


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

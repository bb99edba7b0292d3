"""Many-facet Rasch by marginal maximum likelihood: the targets are a sample from a normal law.

Integrals by ``rasch_quadrature``. Newton steps with Louis's (1982) information, in which the score
of a target is taken as linear in its measure; at the solution the gradient is exact, and the limits
of thresholds use the exact information where targets have few ratings.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from svcmetrics.numeric import rasch, rasch_correct, rasch_leverage, rasch_newton, rasch_terms
from svcmetrics.numeric.rasch import Data, Fitted
from svcmetrics.numeric.rasch_quadrature import Posterior, State, averaged, quadrature

Floats = NDArray[np.float64]

_STEPS, _CLOSE, _LONGEST = 100, 5e-6, 1.0
# With more ratings of each target the linear approximation is good.
_FEW = 24
# A step is halved so often at most; the deviance may rise by this much, which is rounding.
_HALVINGS, _ROOM = 8, 1e-6


def fit(
    data: Data, fixed: tuple[Floats, ...] | None = None, floats: int = 0
) -> tuple[Fitted, Posterior]:
    """``floats``: 0 leaves the mean of the targets free; another facet floats and that mean is 0.

    ``fixed`` as in ``rasch.fit``; targets cannot be anchored.
    """
    anchors = fixed or tuple(np.full(n, np.nan) for n in data.sizes)
    plan = rasch_newton.plan(data, anchors, first=0)
    now, step, change = _start(data, anchors), 0, np.inf
    posterior = quadrature(data, now)
    while change >= _CLOSE and step < _STEPS:
        step += 1
        now = State(now.place, now.thresholds, now.mean, now.sd, posterior.spread)
        system, extra = averaged(plan, now, posterior)
        moves, _ = _step(plan, system, extra, now, posterior)
        now, posterior, change = _better(plan, now, moves, posterior)
    now.place[0] = posterior.mean
    system, extra = averaged(plan, now, posterior)
    _, whole = _step(plan, system, extra, now, posterior)
    found = _finished(plan, now, posterior, whole, floats)
    found = replace(found, steps=step, residual=change, converged=change < _CLOSE)
    steps = whole[plan.ends[-2] : plan.ends[-1], plan.ends[-2] : plan.ends[-1]]
    moved = found.thresholds + (steps @ _drawn(plan, now)).reshape(found.thresholds.shape)
    if len(data.x) <= _FEW * data.sizes[0] and np.isfinite(whole).all():
        wider = _wider(plan, now, posterior, whole)
        found = replace(found, threshold_errors=found.threshold_errors * wider)
    return replace(found, limits=replace(found, thresholds=moved)), posterior


def _wider(p: rasch_newton.Plan, s: State, post: Posterior, whole: Floats) -> Floats:
    """How much less sure thresholds are than the linear approximation says, step by step.

    Each step of the scale is moved a little, in all sets at once, all else following: how fast the
    slopes change is the information.
    """
    steps, top, move = slice(int(p.ends[-2]), int(p.ends[-1])), p.data.top, 0.05
    information = np.linalg.pinv(whole[steps, steps], rcond=1e-9, hermitian=True)
    tied = np.tile(np.eye(top), (p.data.groups, 1))
    follow = whole[:, steps] @ information @ tied

    def slope(away: Floats) -> Floats:
        now, _ = _taken(p, s, follow @ away)
        now.place[0] = post.mean
        found = quadrature(p.data, now)
        now = replace(now, spread=found.spread)
        system, variance = averaged(p, now, found)
        return np.asarray(follow.T @ _slopes(p, system, variance, now, found))

    seen = -np.stack([slope(move * e) - slope(-move * e) for e in np.eye(top)]) / (2 * move)
    return rasch_correct.wider(seen, tied.T @ information @ tied)


def _drawn(p: rasch_newton.Plan, s: State) -> Floats:
    """Slopes of thresholds that take back what the raters and items beside them draw them apart."""
    d, prior = p.data, 1 / s.sd**2
    location = np.asarray(sum(m[c] for m, c in zip(s.place, d.facets, strict=True)))
    terms = rasch_terms.swept(location, s.thresholds, d.group, d.x, d.times, third=True)
    system = rasch_newton.assembled(p, terms)
    system = replace(system, diagonal=system.diagonal + prior)
    return rasch_leverage.slopes(p, system, terms, prior)


def _start(data: Data, anchors: tuple[Floats, ...]) -> State:
    place = [np.where(np.isfinite(a), -a, 0.0) for a in anchors]
    place[0] = np.zeros(data.sizes[0])
    return State(place, rasch.first_thresholds(data), 0.0, 1.0, np.ones(data.sizes[0]))


def _step(
    p: rasch_newton.Plan, s: rasch_newton.System, variance: Floats, now: State, post: Posterior
) -> tuple[Floats, Floats]:
    """Newton step of the rest, the mean and log sd; and the inverse information (penalties out)."""
    size, away = p.ends[-1], post.mean - now.mean
    tight = 1 / now.sd**2
    slope = np.concatenate([-s.cross, np.full((len(away), 1), tight), 2 * tight * away[:, None]], 1)
    whole = np.zeros((size + 2, size + 2))
    whole[:size, :size] = s.rest
    square = away**2 + variance
    whole[size, size] = tight * len(away)
    whole[size, size + 1] = whole[size + 1, size] = 2 * tight * away.sum()
    whole[size + 1, size + 1] = 2 * tight * square.sum()
    # Where the observed information has no inverse: that of complete data, as expected.
    complete = whole.copy()
    complete[size, size + 1] = complete[size + 1, size] = 0.0
    whole -= slope.T @ (variance[:, None] * slope)
    whole[size + 1, size + 1] -= 2 * tight**2 * (variance**2).sum()
    gradient = _slopes(p, s, variance, now, post)
    means = np.concatenate([p.means, np.zeros((2, p.means.shape[1]))])
    stay = np.concatenate([rasch_newton.stays(p), [False, False]])
    inverse = _inverse(whole, means, stay)
    if inverse is None:
        inverse = _inverse(complete, means, stay)
    if inverse is None:
        return np.full(size + 2, np.nan), np.full_like(whole, np.nan)
    return inverse @ gradient, inverse


def _slopes(
    p: rasch_newton.Plan, s: rasch_newton.System, variance: Floats, now: State, post: Posterior
) -> Floats:
    """Of the rest, the mean and log sd."""
    away, tight = post.mean - now.mean, 1 / now.sd**2
    square = away**2 + variance
    return np.concatenate([
        *(s.gradient[k] for k in p.rest), s.gradient[-1], [tight * away.sum()], [tight * square.sum() - len(away)],
    ])  # fmt: skip


def _inverse(whole: Floats, means: Floats, stay: NDArray[np.bool_]) -> Floats | None:
    # Directions that the conditions on means forbid are taken out: along them the averaged
    # information is zero up to the linear approximation, and may come out below zero.
    out = means / np.linalg.norm(means, axis=0)
    added = float(np.abs(np.diagonal(whole)).mean())
    kept = whole - out @ (out.T @ whole)
    sum_ = kept - (kept @ out) @ out.T + added * out @ out.T
    sum_[stay], sum_[:, stay] = 0.0, 0.0
    sum_[stay, stay] = 1.0
    root, fault = linalg.lapack.dpotrf(sum_, lower=1)
    if fault:
        return None
    inverse, _ = linalg.lapack.dpotri(root, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    inverse -= out @ out.T / added
    inverse[stay], inverse[:, stay] = 0.0, 0.0
    return np.asarray(inverse)


def _better(
    p: rasch_newton.Plan, s: State, moves: Floats, before: Posterior
) -> tuple[State, Posterior, float]:
    """The step, halved as long as it makes the fit worse; the size of the whole step."""
    for share in 0.5 ** np.arange(_HALVINGS):
        now, largest = _taken(p, s, share * moves)
        now.place[0] = before.mean
        found = quadrature(p.data, now)
        if found.deviance <= before.deviance + _ROOM:
            break
    return now, found, largest / float(share)


def _taken(p: rasch_newton.Plan, s: State, moves: Floats) -> tuple[State, float]:
    largest = float(np.abs(moves).max(initial=0.0))
    scaled = moves * min(1.0, _LONGEST / largest) if largest > 0 else moves
    place = list(s.place)
    for j, k in enumerate(p.rest):
        place[k] = place[k] + scaled[p.part(j)]
    thresholds = s.thresholds + scaled[p.ends[-2] : p.ends[-1]].reshape(s.thresholds.shape)
    sd = max(s.sd * float(np.exp(scaled[-1])), 1e-4)
    return State(place, thresholds, s.mean + float(scaled[-2]), sd, s.spread), largest


def _finished(
    p: rasch_newton.Plan, s: State, post: Posterior, whole: Floats, floats: int
) -> Fitted:
    """Signs turned, origin moved to where it is wanted, standard errors."""
    variance = np.diagonal(whole)
    errors, size = [post.spread, *(np.zeros(n) for n in p.data.sizes[1:])], p.ends[-1]
    measures, mean = [post.mean, *(-m for m in s.place[1:])], s.mean
    for j, k in enumerate(p.rest):
        errors[k] = np.sqrt(np.maximum(variance[p.part(j)], 0.0))
    if floats and not p.held[floats].any() and not any(h.any() for h in p.held):
        measures[0], measures[floats] = measures[0] - mean, measures[floats] - mean
        cross = whole[p.part(p.rest.index(floats)), size]
        # Inside, the facet enters with the opposite sign of its measure.
        errors[floats] = np.sqrt(np.maximum(errors[floats] ** 2 + 2 * cross + whole[size, size], 0))
        mean = 0.0
    steps = np.sqrt(np.maximum(variance[p.ends[-2] : size], 0.0)).reshape(s.thresholds.shape)
    return Fitted(tuple(measures), s.thresholds, 0, np.inf, False, tuple(errors), steps,
                  population=(mean, s.sd), deviance=post.deviance)  # fmt: skip

"""Many-facet Rasch by marginal maximum likelihood: the targets are a sample from a normal law.

Adaptive quadrature: the nodes of each target lie around its own posterior mean (Naylor and Smith
1982; Pinheiro and Bates 1995), so that many ratings per target need no finer grid. A fixed grid
serves to compare with programs that use one. Newton steps with Louis's (1982) information, in
which the score of a target is taken as linear in its measure; at the solution the gradient is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from svcmetrics.numeric import rasch, rasch_newton, rasch_terms
from svcmetrics.numeric.rasch import Data, Fitted

Floats = NDArray[np.float64]

NODES = 15
_STEPS, _CLOSE, _LONGEST = 100, 5e-6, 1.0
# A step is halved so often at most; the deviance may rise by this much, which is rounding.
_HALVINGS, _ROOM = 8, 1e-6


@dataclass(frozen=True)
class State:
    """Signed places of the other facets (targets hold the posterior mean), thresholds, law."""

    place: list[Floats]
    thresholds: Floats
    mean: float
    sd: float
    spread: Floats  # posterior standard deviation of each target


@dataclass(frozen=True)
class Posterior:
    """Of targets × nodes: measures and chances; of each target its moments; −2 log likelihood."""

    nodes: Floats
    chance: Floats
    mean: Floats
    spread: Floats
    deviance: float


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
        system, extra = _averaged(plan, now, posterior)
        moves, _ = _step(plan, system, extra, now, posterior)
        now, posterior, change = _better(plan, now, moves, posterior)
    now.place[0] = posterior.mean
    system, extra = _averaged(plan, now, posterior)
    _, whole = _step(plan, system, extra, now, posterior)
    found = _finished(plan, now, posterior, whole, floats)
    found = replace(found, steps=step, residual=change, converged=change < _CLOSE)
    return found, posterior


def _start(data: Data, anchors: tuple[Floats, ...]) -> State:
    place = [np.where(np.isfinite(a), -a, 0.0) for a in anchors]
    place[0] = np.zeros(data.sizes[0])
    return State(place, rasch.first_thresholds(data), 0.0, 1.0, np.ones(data.sizes[0]))


def quadrature(data: Data, s: State, grid: Floats | None = None) -> Posterior:
    """Nodes and their posterior chances for each target, all other parameters given.

    ``grid``: the same nodes for all targets, weighted by the density times their distance.
    """
    if grid is None:
        for _ in range(2 if s.spread.min() < 1.0 else 6):
            found = _around(data, s)
            s = State([found.mean, *s.place[1:]], s.thresholds, s.mean, s.sd, found.spread)
        return found
    nodes = np.tile(grid, (data.sizes[0], 1))
    scale = np.log(np.gradient(grid) / s.sd / np.sqrt(2 * np.pi))
    return _posterior(data, s, nodes, scale - 0.5 * ((nodes - s.mean) / s.sd) ** 2)


def _around(data: Data, s: State) -> Posterior:
    point, weight = np.polynomial.hermite_e.hermegauss(NODES)
    nodes = s.place[0][:, None] + s.spread[:, None] * point
    log = np.log(weight) + point**2 / 2 + np.log(s.spread / s.sd)[:, None] - np.log(2 * np.pi) / 2
    return _posterior(data, s, nodes, log - 0.5 * ((nodes - s.mean) / s.sd) ** 2)


def _posterior(data: Data, s: State, nodes: Floats, log: Floats) -> Posterior:
    base, weight = _others(data, s), data.times
    log = log.copy()
    rows = np.arange(len(base))
    for q in range(nodes.shape[1]):
        p = rasch_terms.chances(base + nodes[data.target, q], s.thresholds, data.group)
        own = weight * np.log(np.maximum(p[data.x, rows], 1e-300))
        log[:, q] += np.bincount(data.target, own, len(nodes))
    top = log.max(axis=1, keepdims=True)
    chance = np.exp(log - top)
    total = chance.sum(axis=1, keepdims=True)
    chance /= total
    mean = (chance * nodes).sum(axis=1)
    spread = np.sqrt((chance * (nodes - mean[:, None]) ** 2).sum(axis=1))
    return Posterior(nodes, chance, mean, np.maximum(spread, 1e-6),
                     float(-2 * (top + np.log(total)).sum()))  # fmt: skip


def _others(data: Data, s: State) -> Floats:
    parts = [m[c] for m, c in zip(s.place[1:], data.others, strict=True)]
    return np.asarray(sum(parts) if parts else np.zeros(len(data.x)), dtype=np.float64)


def _averaged(
    p: rasch_newton.Plan, s: State, post: Posterior
) -> tuple[rasch_newton.System, Floats]:
    """Derivatives of the complete likelihood, averaged over the posterior."""
    d, base, weight = p.data, _others(p.data, s), p.data.times
    expected, variance = np.zeros(len(base)), np.zeros(len(base))
    with_steps = np.zeros((d.top, len(base)))
    reached, block = np.zeros((d.groups, d.top)), np.zeros((d.groups, d.top, d.top))
    for q in range(post.nodes.shape[1]):
        share = post.chance[d.target, q]
        t = rasch_terms.terms(
            rasch_terms.chances(base + post.nodes[d.target, q], s.thresholds, d.group)
        )
        expected += share * t.expected
        variance += share * t.variance
        with_steps += share * t.with_steps
        total = rasch_terms.by_set(d.group, d.groups, t.above, weight * share)
        reached += total
        block += rasch_terms.step_block(d.group, total, t.above, weight * share)
    columns = np.concatenate([(d.x - expected)[None], variance[None], -with_steps]) * weight
    none = np.empty((0, d.top + 1))
    terms = rasch_terms.Swept(np.ascontiguousarray(columns.T), reached, block, none)
    return rasch_newton.assembled(p, terms), post.spread**2


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
    gradient = np.concatenate([
        *(s.gradient[k] for k in p.rest), s.gradient[-1], [tight * away.sum()], [tight * square.sum() - len(away)],
    ])  # fmt: skip
    means = np.concatenate([p.means, np.zeros((2, p.means.shape[1]))])
    stay = np.concatenate([rasch_newton.stays(p), [False, False]])
    inverse = _inverse(whole, means, stay)
    if inverse is None:
        inverse = _inverse(complete, means, stay)
    if inverse is None:
        return np.full(size + 2, np.nan), np.full_like(whole, np.nan)
    return inverse @ gradient, inverse


def _inverse(whole: Floats, means: Floats, stay: NDArray[np.bool_]) -> Floats | None:
    # Directions that the conditions on means forbid are taken out: along them the averaged
    # information is zero up to the linear approximation, and may come out below zero.
    out = means / np.sqrt((means**2).sum(axis=0))
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

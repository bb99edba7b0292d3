"""Adaptive quadrature over the measures of targets: nodes, posterior, derivatives averaged over it.

The nodes of each target lie around its own posterior mean (Naylor and Smith 1982; Pinheiro and
Bates 1995), so that many ratings per target need no finer grid. A fixed grid serves to compare
with programs that use one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import rasch_newton, rasch_terms
from svcmetrics.numeric.rasch import Data

Floats = NDArray[np.float64]

NODES = 15


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


def averaged(p: rasch_newton.Plan, s: State, post: Posterior) -> tuple[rasch_newton.System, Floats]:
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

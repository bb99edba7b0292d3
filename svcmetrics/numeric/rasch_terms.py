"""Chances of the categories and their moments, rating by rating: what all else is summed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Powers of numbers below e to this are far from overflow.
_SAFE = 300.0
# So many ratings at a time stay in the cache of a processor.
_AT_ONCE = 4096


@dataclass(frozen=True)
class Terms:
    """Of each rating: expectation and variance; steps × ratings: P(x ≥ k), covariance with x."""

    expected: Floats
    variance: Floats
    above: Floats
    with_steps: Floats


@dataclass(frozen=True)
class Swept:
    """What the derivatives are summed from, weights included.

    ``columns``: ratings × (score minus expectation, variance, minus the covariances of the score
    with x ≥ k). ``reached``: sets of thresholds × steps, sums of P(x ≥ k); ``block``: minus the
    second derivatives of each set. ``third``: ratings × (third central moment, minus the
    covariances of the squared deviation with x ≥ k), where asked for.
    """

    columns: Floats
    reached: Floats
    block: Floats
    third: Floats


def swept(
    location: Floats, thresholds: Floats, group: Whole, x: Whole, weight: Floats,
    *, third: bool = False,
) -> Swept:  # fmt: skip
    """Over all ratings, as many at a time as fit the cache."""
    n, (groups, top) = len(location), thresholds.shape
    columns, reached = np.empty((n, top + 2)), np.zeros((groups, top))
    block, more = np.zeros((groups, top, top)), np.empty((n if third else 0, top + 1))
    for start in range(0, n, _AT_ONCE):
        here = slice(start, start + _AT_ONCE)
        p, own, w = chances(location[here], thresholds, group[here]), group[here], weight[here]
        t = terms(p)
        np.multiply(w, x[here] - t.expected, out=columns[here, 0])
        np.multiply(w, t.variance, out=columns[here, 1])
        np.multiply(-w, t.with_steps, out=columns[here, 2:].T)
        total = by_set(own, groups, t.above, w)
        reached += total
        block += step_block(own, total, t.above, w)
        if third:
            np.multiply(w, _third(p, t), out=more[here].T)
    return Swept(columns, reached, block, more)


def by_set(group: Whole, groups: int, values: Floats, weight: Floats) -> Floats:
    """Sets of thresholds × steps: weighted sums over the ratings of each set."""
    if groups == 1:
        return np.asarray((values @ weight)[None])
    return np.stack([np.bincount(group, weight * a, groups) for a in values], axis=1)


def step_block(group: Whole, total: Floats, above: Floats, weight: Floats) -> Floats:
    """Thresholds × thresholds, set by set. ``total``: ``by_set`` of ``above``."""
    groups, top = total.shape
    out = np.zeros((groups, top, top))
    if groups == 1:
        out[0] = -(above * weight) @ above.T
    for k in range(top):
        for m in range(k, top):
            if groups > 1:
                out[:, k, m] = -np.bincount(group, weight * above[k] * above[m], groups)
            out[:, k, m] += total[:, m]
            out[:, m, k] = out[:, k, m]
    return out


def _third(p: Floats, t: Terms) -> Floats:
    """Third central moment, then minus the covariance of the squared deviation with x ≥ k."""
    away = np.arange(len(p))[:, None] - t.expected
    square = away**2 * p
    out = np.empty((len(p), p.shape[1]))
    out[0] = (square * away).sum(axis=0)
    higher: Floats | float = 0.0
    for k in range(len(p) - 1, 0, -1):
        higher = higher + square[k]
        out[k] = t.variance * t.above[k - 1] - higher
    return out


def chances(location: Floats, thresholds: Floats, group: Whole) -> Floats:
    """Categories × ratings."""
    steps = np.concatenate([np.zeros((1, len(thresholds))), np.cumsum(thresholds.T, axis=0)])
    top = len(steps) - 1
    reach = max(float(location.max(initial=0.0)), -float(location.min(initial=0.0)))
    if top * reach + float(np.abs(steps).max()) < _SAFE:
        powers = _powers(np.exp(location), np.exp(-steps), group)
    else:
        shift = steps if len(thresholds) == 1 else steps[:, group]
        powers = np.arange(top + 1)[:, None] * location
        powers -= shift
        powers -= powers.max(axis=0)
        np.exp(powers, out=powers)
    total = powers.sum(axis=0)
    powers *= np.divide(1.0, total, out=total)
    return powers


def _powers(base: Floats, factor: Floats, group: Whole) -> Floats:
    """Powers 0, 1, … of ``base``, each times its factor: one exponential per rating."""
    one = factor.shape[1] == 1
    out = np.empty((len(factor), len(base)))
    power = np.ones(len(base))
    for k, own in enumerate(factor):
        np.multiply(power, own[0] if one else own[group], out=out[k])
        power *= base
    return out


def terms(p: Floats) -> Terms:
    """What the derivatives need, from categories × ratings."""
    above = np.empty((len(p) - 1, p.shape[1]))
    with_steps = np.empty_like(above)
    expected = np.zeros(p.shape[1])
    # Category by category, from the top: NumPy sums whole rows much faster than columns.
    reached: Floats | float = 0.0
    for k in range(len(p) - 1, 0, -1):
        reached = np.add(reached, p[k], out=above[k - 1])
        np.copyto(with_steps[k - 1], expected)  # what lies higher
        expected += reached
    variance = -(expected**2)
    for k, own in enumerate(above, start=1):
        variance += (2 * k - 1) * own
        with_steps[k - 1] += (k - expected) * own
    return Terms(expected, variance, above, with_steps)

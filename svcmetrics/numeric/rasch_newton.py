"""Derivatives of the many-facet Rasch model and Newton's equations.

All facets enter with a plus: location = Σ facets − threshold. Penalties on the means of the free
facets but one, and of each set of thresholds, give the scales an origin without moving the fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

if TYPE_CHECKING:
    from svcmetrics.numeric.rasch import Data

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Smallest pivot of a matrix with ones on its diagonal that counts as information.
_SOUND = 1e-5
# A table of who met whom this large and this empty is handled as sparse.
_LARGE, _SPARSE = 200_000, 0.1


@dataclass(frozen=True)
class Plan:
    """What stays the same over the steps: which facet is eliminated, the order of the rest."""

    data: Data
    first: int
    rest: tuple[int, ...]
    ends: Whole  # where each part of the rest starts: facets, then thresholds
    held: tuple[Flags, ...]
    floating: int  # the facet without a penalty; -1 when all are anchored
    means: Floats  # rest × penalties: whose means are held at zero
    crossed: tuple[Whole, ...]  # codes of first × each facet of the rest
    paired: dict[tuple[int, int], Whole]

    def part(self, k: int) -> slice:
        return slice(self.ends[k], self.ends[k + 1])


@dataclass(frozen=True)
class System:
    """Gradient of each facet and of the thresholds; blocks of minus the second derivatives."""

    gradient: list[Floats]
    diagonal: Floats
    cross: Floats
    rest: Floats
    residual: float


@dataclass(frozen=True)
class Terms:
    """Of each rating: expectation and variance; steps × ratings: P(x ≥ k), covariance with x."""

    expected: Floats
    variance: Floats
    above: Floats
    with_steps: Floats


def chances(location: Floats, thresholds: Floats, group: Whole) -> Floats:
    """Categories × ratings."""
    steps = np.concatenate([np.zeros((1, len(thresholds))), np.cumsum(thresholds.T, axis=0)])
    shift = steps if len(thresholds) == 1 else steps[:, group]
    powers = np.arange(len(steps))[:, None] * location
    powers -= shift
    powers -= powers.max(axis=0)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis=0)
    return powers


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


def plan(data: Data, anchors: tuple[Floats, ...], first: int | None = None) -> Plan:
    """The largest facet is eliminated, so that thousands of raters or targets cost little."""
    first = int(np.argmax(data.sizes)) if first is None else first
    rest = tuple(k for k in range(len(data.sizes)) if k != first)
    held = tuple(np.isfinite(a) for a in anchors)
    free = [k for k in (first, *rest) if not held[k].any()]
    floating = free[0] if free else -1
    steps = data.groups * data.top
    ends = np.cumsum([0, *(data.sizes[k] for k in rest), steps])
    means = []
    for j, k in enumerate(rest):
        if k in free and k != floating:
            means.append(_indicator(ends[-1], ends[j], ends[j + 1]))
    for g in range(data.groups):
        start = ends[-2] + g * data.top
        means.append(_indicator(ends[-1], start, start + data.top))
    codes = data.facets
    crossed = tuple(codes[first] * data.sizes[k] + codes[k] for k in rest)
    paired = {
        (i, j): codes[k] * data.sizes[m] + codes[m]
        for i, k in enumerate(rest) for j, m in enumerate(rest) if i < j
    }  # fmt: skip
    return Plan(data, first, rest, ends, held, floating, np.stack(means, axis=1), crossed, paired)


def _indicator(size: int, start: int, end: int) -> Floats:
    out = np.zeros(size)
    out[start:end] = 1.0
    return out


def system(p: Plan, place: list[Floats], thresholds: Floats, weight: Floats) -> System:
    """Gradient and second derivatives of the joint likelihood."""
    d = p.data
    location = sum(m[c] for m, c in zip(place, d.facets, strict=True))
    t = terms(chances(np.asarray(location), thresholds, d.group))
    gradient = gradients(p, weight * (d.x - t.expected), t.above, weight)
    return assembled(p, gradient, weight * t.variance, weight * t.with_steps,
                     step_block(d, t.above, weight))  # fmt: skip


def gradients(p: Plan, away: Floats, above: Floats, weight: Floats) -> list[Floats]:
    """First derivatives, zero where anchored."""
    d = p.data
    out = [sums(c, away, n) for c, n in zip(d.facets, d.sizes, strict=True)]
    for g, h in zip(out, p.held, strict=True):
        g[h] = 0.0
    reached = np.bincount(d.group * (d.top + 1) + d.x, weight, d.groups * (d.top + 1))
    seen = np.cumsum(reached.reshape(d.groups, -1)[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return [*out, np.asarray(by_group(d, above, weight) - seen, dtype=np.float64).ravel()]


def sums(codes: Whole, values: Floats, size: int) -> Floats:
    """Sum of the values of each code."""
    return np.asarray(np.bincount(codes, values, size), dtype=np.float64)


def by_group(d: Data, above: Floats, weight: Floats) -> Floats:
    """Sets of thresholds × steps: weighted sums over the ratings of each set."""
    if d.groups == 1:
        return np.asarray((above @ weight)[None])
    return np.stack([sums(d.group, weight * a, d.groups) for a in above], axis=1)


def step_block(d: Data, above: Floats, weight: Floats) -> Floats:
    """Thresholds × thresholds, block by block."""
    groups = d.groups
    out = np.zeros((groups, d.top, d.top))
    total = by_group(d, above, weight)
    if groups == 1:
        out[0] = -(above * weight) @ above.T
    for k in range(d.top):
        for m in range(k, d.top):
            if groups > 1:
                out[:, k, m] = -np.bincount(d.group, weight * above[k] * above[m], groups)
            out[:, k, m] += total[:, m]
            out[:, m, k] = out[:, k, m]
    return out


def assembled(
    p: Plan, gradient: list[Floats], variance: Floats, with_steps: Floats, block: Floats
) -> System:
    """Blocks from weighted terms of each rating."""
    d, ends = p.data, p.ends
    codes, sizes = d.facets, d.sizes
    one, rows = codes[p.first], sizes[p.first]
    cross = np.empty((rows, ends[-1]))
    rest = np.zeros((ends[-1], ends[-1]))
    cross[:, ends[-2] :] = _by_steps(d, one, rows, with_steps)
    for j, k in enumerate(p.rest):
        n = sizes[k]
        cross[:, p.part(j)] = np.bincount(p.crossed[j], variance, rows * n).reshape(rows, n)
        np.fill_diagonal(rest[p.part(j), p.part(j)], np.bincount(codes[k], variance, n))
        both = _by_steps(d, codes[k], n, with_steps)
        rest[p.part(j), ends[-2] :], rest[ends[-2] :, p.part(j)] = both, both.T
    for (i, j), pair in p.paired.items():
        n, m = sizes[p.rest[i]], sizes[p.rest[j]]
        met = sums(pair, variance, n * m).reshape(n, m)
        rest[p.part(i), p.part(j)], rest[p.part(j), p.part(i)] = met, met.T
    for g in range(d.groups):
        at = slice(ends[-2] + g * d.top, ends[-2] + (g + 1) * d.top)
        rest[at, at] = block[g]
    last = gradient[-1].reshape(d.groups, d.top)
    moving = [*gradient[:-1], (last - last.mean(axis=1, keepdims=True)).ravel()]
    residual = max(float(np.abs(g).max(initial=0.0)) for g in moving)
    return System(gradient, sums(one, variance, rows), cross, rest, residual)


def _by_steps(d: Data, codes: Whole, size: int, with_steps: Floats) -> Floats:
    """Facet × thresholds (they enter with a minus)."""
    where = codes if d.groups == 1 else codes * d.groups + d.group
    parts = [np.bincount(where, w, size * d.groups) for w in with_steps]
    return np.asarray(-np.stack(parts, axis=1).reshape(size, d.groups * d.top))


def solved(p: Plan, s: System) -> list[Floats]:
    """One Newton step for all facets in their order, then the thresholds."""
    inverse, weighted, schur, right, _ = reduced(p, s)
    scale, lower = root(schur)
    if lower is None:
        found = np.asarray(np.linalg.lstsq(schur, right, rcond=1e-12)[0], dtype=np.float64)
    else:
        solution = linalg.cho_solve((lower, True), right / scale, check_finite=False)
        found = np.asarray(solution / scale, dtype=np.float64)
    out: list[Floats] = [np.zeros(0)] * len(p.data.sizes)
    out[p.first] = inverse * s.gradient[p.first] - weighted @ found
    for j, k in enumerate(p.rest):
        out[k] = found[p.part(j)]
    out.append(found[p.ends[-2] :])
    return out


def reduced(p: Plan, s: System) -> tuple[Floats, Floats, Floats, Floats, float]:
    """Inverse of the first facet, its weights, Schur complement, right side, size of penalties."""
    free = ~p.held[p.first] & (s.diagonal > 1e-12)
    inverse = np.where(free, 1 / np.where(free, s.diagonal, 1.0), 0.0)
    weighted = inverse[:, None] * s.cross
    right = np.concatenate([*(s.gradient[k] for k in p.rest), s.gradient[-1]])
    right = right - weighted.T @ s.gradient[p.first]
    schur = s.rest - _product(s.cross, inverse)
    # Of the size of the information, spread over as many elements.
    added = float(np.abs(np.diagonal(schur)).mean()) / len(schur)
    schur += added * (p.means @ p.means.T)
    stay = stays(p)
    schur[stay], schur[:, stay], right[stay] = 0.0, 0.0, 0.0
    schur[stay, stay] = 1.0
    return inverse, weighted, schur, right, added


def _product(cross: Floats, inverse: Floats) -> Floats:
    """cross' · inverse · cross; where few have met, only over those that have."""
    if cross.size > _LARGE and np.count_nonzero(cross) < _SPARSE * cross.size:
        from scipy.sparse import csr_array, diags_array

        met = csr_array(cross)
        return np.asarray((met.T @ (diags_array(inverse) @ met)).toarray())
    return np.asarray(cross.T @ (inverse[:, None] * cross))


def stays(p: Plan) -> Flags:
    """Of the rest: what is anchored."""
    steps = np.zeros(p.ends[-1] - p.ends[-2], bool)
    return np.concatenate([*(p.held[k] for k in p.rest), steps])


def root(schur: Floats) -> tuple[Floats, Floats | None]:
    """Scale, and Cholesky root of the matrix with ones on its diagonal; None when it has none."""
    scale = np.sqrt(np.diagonal(schur).clip(1e-300))
    root, fault = linalg.lapack.dpotrf(schur / np.outer(scale, scale), lower=1)
    return scale, root if fault == 0 and np.diagonal(root).min() > _SOUND else None

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

from svcmetrics.numeric.rasch_terms import Swept, swept

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
    seen: Floats  # sets of thresholds × steps: how many ratings reached the step

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
    columns = np.stack(means, axis=1)
    return Plan(data, first, rest, ends, held, floating, columns, crossed, paired, _seen(data))


def _seen(d: Data) -> Floats:
    reached = np.bincount(d.group * (d.top + 1) + d.x, d.times, d.groups * (d.top + 1))
    at_least = np.cumsum(reached.reshape(d.groups, -1)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(at_least[:, 1:], dtype=np.float64)


def _indicator(size: int, start: int, end: int) -> Floats:
    out = np.zeros(size)
    out[start:end] = 1.0
    return out


def system(p: Plan, place: list[Floats], thresholds: Floats, weight: Floats) -> System:
    """Gradient and second derivatives of the joint likelihood."""
    d = p.data
    location = np.asarray(sum(m[c] for m, c in zip(place, d.facets, strict=True)))
    return assembled(p, swept(location, thresholds, d.group, d.x, weight))


def sums(codes: Whole, values: Floats, size: int) -> Floats:
    """Sum of the values of each code."""
    return np.asarray(np.bincount(codes, values, size), dtype=np.float64)


def assembled(p: Plan, s: Swept) -> System:
    """Gradient (zero where anchored) and blocks, from weighted terms of each rating."""
    d, ends, sizes = p.data, p.ends, p.data.sizes
    rows, variance = sizes[p.first], np.ascontiguousarray(s.columns[:, 1])
    cross, rest = np.empty((rows, ends[-1])), np.zeros((ends[-1], ends[-1]))
    away, own, by_steps = _by_facet(p, s.columns)
    cross[:, ends[-2] :] = by_steps[p.first]
    for j, k in enumerate(p.rest):
        n = sizes[k]
        cross[:, p.part(j)] = np.bincount(p.crossed[j], variance, rows * n).reshape(rows, n)
        np.fill_diagonal(rest[p.part(j), p.part(j)], own[k])
        rest[p.part(j), ends[-2] :], rest[ends[-2] :, p.part(j)] = by_steps[k], by_steps[k].T
    for (i, j), pair in p.paired.items():
        n, m = sizes[p.rest[i]], sizes[p.rest[j]]
        met = sums(pair, variance, n * m).reshape(n, m)
        rest[p.part(i), p.part(j)], rest[p.part(j), p.part(i)] = met, met.T
    for g in range(d.groups):
        at = slice(ends[-2] + g * d.top, ends[-2] + (g + 1) * d.top)
        rest[at, at] = s.block[g]
    gradient = [np.where(h, 0.0, a) for a, h in zip(away, p.held, strict=True)]
    steps = s.reached - p.seen
    moving = [*gradient, (steps - steps.mean(axis=1, keepdims=True)).ravel()]
    residual = max(float(np.abs(g).max(initial=0.0)) for g in moving)
    return System([*gradient, steps.ravel()], own[p.first], cross, rest, residual)


def _by_facet(p: Plan, columns: Floats) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """Of each facet: the gradient, the diagonal, and the block with the thresholds."""
    d = p.data
    one = d.groups == 1
    parts = d.by_facet(columns if one else np.ascontiguousarray(columns[:, :2]))
    facets = zip(d.facets, d.sizes, strict=True)
    by_steps = (
        [t[:, 2:] for t in parts] if one else [_by_steps(d, c, n, columns) for c, n in facets]
    )
    return [t[:, 0] for t in parts], [t[:, 1] for t in parts], by_steps


def _by_steps(d: Data, codes: Whole, size: int, columns: Floats) -> Floats:
    """Facet × thresholds of all sets."""
    where = codes * d.groups + d.group
    parts = [np.bincount(where, w, size * d.groups) for w in columns[:, 2:].T]
    return np.asarray(np.stack(parts, axis=1).reshape(size, d.groups * d.top))


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

"""Many-facet Rasch: joint maximum likelihood by Newton steps, on arrays.

log(P_k / P_k−1) = target − Σ other facets − threshold_k. The targets' block of the Hessian is
diagonal and is eliminated; the rest is dense. Scales have no origin of their own: the other facets
and the thresholds are centred while the targets float; a caller moves the origin afterwards.

Source: Linacre 1989, Many-Facet Rasch Measurement; Andrich 1978 (rating scale); Masters 1982.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

_STEPS, _CLOSE, _LONGEST = 100, 1e-9, 1.5


@dataclass(frozen=True)
class Data:
    """Ratings as categories 0 … top; codes of the targets and of each other facet; step group."""

    x: Whole
    target: Whole
    others: tuple[Whole, ...]
    sizes: tuple[int, ...]  # levels of the targets and of each other facet
    group: Whole  # which set of thresholds a rating uses
    top: int

    @property
    def groups(self) -> int:
        return int(self.group.max()) + 1

    @property
    def facets(self) -> tuple[Whole, ...]:
        return (self.target, *self.others)


@dataclass(frozen=True)
class Fitted:
    """Measures of every facet (targets first), thresholds (groups × steps), residual score."""

    measures: tuple[Floats, ...]
    thresholds: Floats
    steps: int
    residual: float
    converged: bool

    def location(self, data: Data) -> Floats:
        """Target minus the other facets, of each rating."""
        out = self.measures[0][data.target]
        for measure, codes in zip(self.measures[1:], data.others, strict=True):
            out = out - measure[codes]
        return np.asarray(out)


def chances(location: Floats, thresholds: Floats, group: Whole) -> Floats:
    """Ratings × categories: the chance of each category."""
    steps = np.concatenate([np.zeros((len(thresholds), 1)), np.cumsum(thresholds, axis=1)], axis=1)
    powers = location[:, None] * np.arange(steps.shape[1]) - steps[group]
    powers = np.exp(powers - powers.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit(data: Data, fixed: tuple[Floats, ...] | None = None) -> Fitted:
    """``fixed``: for each facet (targets first) the anchored measures, NaN where free."""
    anchors = fixed or tuple(np.full(n, np.nan) for n in data.sizes)
    start = tuple(np.where(np.isfinite(a), a, 0.0) for a in anchors)
    now = Fitted(start, _first_thresholds(data), 0, np.inf, False)
    centre = [not np.isfinite(a).any() for a in anchors]
    held = [np.isfinite(a) for a in anchors]
    for step in range(1, _STEPS + 1):
        moves, residual = _newton(data, now, centre, held)
        now = replace(now, steps=step, residual=residual)
        if residual < _CLOSE * max(len(data.x), 1) ** 0.5 and step > 1:
            return replace(now, converged=True)
        largest = max(float(np.abs(m).max(initial=0.0)) for m in moves)
        scale = min(1.0, _LONGEST / largest) if largest > 0 else 1.0
        measures = tuple(m + scale * d for m, d in zip(now.measures, moves[:-1], strict=True))
        thresholds = now.thresholds + scale * moves[-1].reshape(now.thresholds.shape)
        now = replace(now, measures=measures, thresholds=thresholds)
    return now


def _first_thresholds(data: Data) -> Floats:
    """Log ratios of neighbouring categories, centred."""
    counts = (
        np.bincount(
            data.group * (data.top + 1) + data.x, minlength=data.groups * (data.top + 1)
        ).reshape(data.groups, -1)
        + 0.5
    )
    first = np.log(counts[:, :-1] / counts[:, 1:])
    return np.asarray(first - first.mean(axis=1, keepdims=True))


def _newton(
    data: Data, now: Fitted, centre: list[bool], held: list[Flags]
) -> tuple[list[Floats], float]:
    """One step for all parameters, and the largest residual score."""
    p = chances(now.location(data), now.thresholds, data.group)
    score = np.arange(data.top + 1.0)
    expected = p @ score
    variance = p @ score**2 - expected**2
    above = np.cumsum(p[:, ::-1], axis=1)[:, ::-1][:, 1:]  # P(x ≥ k)
    # Covariance of x with "x ≥ k".
    with_steps = np.cumsum((p * score)[:, ::-1], axis=1)[:, ::-1][:, 1:] - expected[:, None] * above
    away = np.asarray(data.x - expected, dtype=np.float64)
    steps = data.groups * data.top
    gradient = [_sums(data.target, away, data.sizes[0])]
    gradient += [-_sums(c, away, n) for c, n in zip(data.others, data.sizes[1:], strict=True)]
    reached = data.x[:, None] >= np.arange(1, data.top + 1)
    gradient.append(-_by_group(reached - above, data).ravel())
    rest = _dense(data, variance, with_steps, above)
    cross = _cross(data, variance, with_steps)
    diagonal = _sums(data.target, variance, data.sizes[0])
    for g, h in zip(gradient, held, strict=False):
        g[h] = 0.0
    residual = max(float(np.abs(g).max(initial=0.0)) for g in _centred(gradient, data))
    return _solved(gradient, diagonal, cross, rest, centre, held, data, steps), residual


def _sums(codes: Whole, values: Floats, size: int) -> Floats:
    return np.asarray(np.bincount(codes, values, minlength=size), dtype=np.float64)


def _by_group(values: Floats, data: Data) -> Floats:
    """Sums over the ratings of each set of thresholds."""
    return np.stack([np.bincount(data.group, v, minlength=data.groups) for v in values.T], axis=1)


def _centred(gradient: list[Floats], data: Data) -> list[Floats]:
    """Gradients without the directions in which nothing changes (each set of thresholds' mean)."""
    last = gradient[-1].reshape(data.groups, data.top)
    return [*gradient[:-1], (last - last.mean(axis=1, keepdims=True)).ravel()]


def _cross(data: Data, variance: Floats, with_steps: Floats) -> Floats:
    """Targets × other parameters of the Hessian (sign: minus the second derivative)."""
    size = data.sizes[0]
    parts = [
        -np.bincount(data.target * n + c, variance, minlength=size * n).reshape(size, n)
        for c, n in zip(data.others, data.sizes[1:], strict=True)
    ]
    place = data.target * data.groups + data.group
    parts += [
        -np.stack(
            [np.bincount(place, w, minlength=size * data.groups) for w in with_steps.T], axis=1
        ).reshape(size, data.groups * data.top)
    ]
    return np.concatenate(parts, axis=1)


def _dense(data: Data, variance: Floats, with_steps: Floats, above: Floats) -> Floats:
    """Block of the other facets and the thresholds."""
    sizes = [*data.sizes[1:], data.groups * data.top]
    ends = np.cumsum([0, *sizes])
    out = np.zeros((ends[-1], ends[-1]))
    for i, (a, n) in enumerate(zip(data.others, data.sizes[1:], strict=True)):
        for j, (b, m) in enumerate(zip(data.others, data.sizes[1:], strict=True)):
            block = np.bincount(a * m + b, variance, minlength=n * m).reshape(n, m)
            out[ends[i] : ends[i + 1], ends[j] : ends[j + 1]] = block
        place = a * data.groups + data.group
        columns = [np.bincount(place, w, minlength=n * data.groups) for w in with_steps.T]
        block = np.stack(columns, axis=1).reshape(n, -1)
        out[ends[i] : ends[i + 1], ends[-2] :] = block
        out[ends[-2] :, ends[i] : ends[i + 1]] = block.T
    for k in range(data.top):
        for m in range(k, data.top):
            both = np.bincount(
                data.group, above[:, m] - above[:, k] * above[:, m], minlength=data.groups
            )
            at = ends[-2] + np.arange(data.groups) * data.top
            out[at + k, at + m] = out[at + m, at + k] = both
    return out


def _solved(  # noqa: PLR0913, PLR0917
    gradient: list[Floats], diagonal: Floats, cross: Floats, rest: Floats, centre: list[bool],
    held: list[Flags], data: Data, steps: int,
) -> list[Floats]:  # fmt: skip
    """Newton's equations with the targets eliminated; sums to zero by rank-one terms."""
    free = ~held[0]
    safe = np.where(free & (diagonal > 1e-12), diagonal, 1.0)
    weighted = np.where(free[:, None], cross / safe[:, None], 0.0)
    schur = rest - cross.T @ weighted
    right = np.concatenate(gradient[1:]) - weighted.T @ gradient[0]
    ends = np.cumsum([0, *data.sizes[1:], steps])
    weight = float(np.abs(np.diagonal(schur)).mean()) / len(schur)
    for k, on in enumerate(centre[1:]):
        part = slice(ends[k], ends[k + 1])
        if on:
            schur[part, part] += weight
    for g in range(data.groups):
        part = slice(ends[-2] + g * data.top, ends[-2] + (g + 1) * data.top)
        schur[part, part] += weight
    stay = np.concatenate([*held[1:], np.zeros(steps, bool)])
    schur[stay], schur[:, stay] = 0.0, 0.0
    schur[stay, stay] = 1.0
    right[stay] = 0.0
    try:
        found = np.linalg.solve(schur, right)
    except np.linalg.LinAlgError:
        found = np.linalg.lstsq(schur, right, rcond=1e-12)[0]
    first = np.where(free, (gradient[0] - cross @ found) / safe, 0.0)
    return [first, *np.split(found, ends[1:-1])]

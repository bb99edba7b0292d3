"""Intraclass correlations where not every rater rates every target, on arrays.

The estimate comes from REML components; here are the unbiased closed-form components (Henderson's
third method), which can be negative, and the parametric bootstrap that uses them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import icc_draws
from svcmetrics.numeric.bootstrap import limits as percentiles
from svcmetrics.numeric.icc_draws import Sides

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


class Design(NamedTuple):
    """Who rated whom: positions of targets and raters, and how many ratings each has.

    ``sides``: the larger side, to be swept out, and the smaller; ``between`` solves for the effects
    of the smaller once the larger is out; ``rank`` is that of both together.
    """

    target: Places
    rater: Places
    per_target: Floats
    per_rater: Floats
    between: Floats
    rank: int
    sides: Sides

    @property
    def wide(self) -> bool:
        """Whether the targets are the larger side."""
        return len(self.per_target) >= len(self.per_rater)

    @property
    def raters_per_target(self) -> float:
        """Harmonic mean: the number of raters in the formulas of an average."""
        return len(self.per_target) / float((1 / self.per_target).sum())


class Components(NamedTuple):
    """Variances of targets, raters and residual; and of targets and within, raters ignored."""

    target: Floats
    rater: Floats
    residual: Floats
    target_alone: Floats
    within: Floats


def design(target: Places, rater: Places) -> Design:
    """The design of ratings at these positions."""
    n, m = np.bincount(target).astype(np.float64), np.bincount(rater).astype(np.float64)
    swept, kept = (target, rater) if len(n) >= len(m) else (rater, target)
    large, small = (n, m) if len(n) >= len(m) else (m, n)
    links = _indicator(swept, len(large)) @ _indicator(kept, len(small)).T
    gram = (links.T @ (links * (1 / large)[:, None])).toarray()
    matrix = np.diag(small) - gram
    value, vector = np.linalg.eigh(matrix)
    value = np.where(value > 1e-10 * max(float(value[-1]), 1e-300), value, 0.0)
    inverse = np.divide(1.0, value, out=np.zeros_like(value), where=value > 0)
    between = (vector * inverse) @ vector.T
    rank = len(large) + int((value > 0).sum())
    sides = Sides(links.T.tocsr(), large, small, gram, value, vector, rank)
    return Design(target, rater, n, m, between, rank, sides)


def henderson(plan: Design, scores: Floats) -> Components:
    """Unbiased components of scores (… × ratings); NaN where the design cannot tell them apart.

    Henderson's third method: the residual and each side adjusted for the other, so that neither
    severity nor the plan leaks into the variance between targets.
    """
    y = scores - scores.mean(axis=-1, keepdims=True)
    a, b = len(plan.per_target), len(plan.per_rater)
    by_target, by_rater = _sums(y, plan.target, a), _sums(y, plan.rater, b)
    total = (y**2).sum(axis=-1)
    targets = (by_target**2 / plan.per_target).sum(axis=-1)
    raters = (by_rater**2 / plan.per_rater).sum(axis=-1)
    both = _both(plan, by_target, by_rater, targets, raters)
    return components(plan, total, targets, raters, both)


def components(
    plan: Design, total: Floats, targets: Floats, raters: Floats, both: Floats
) -> Components:
    """The components that make these sums of squares what is expected of them."""
    size, a, b = len(plan.target), len(plan.per_target), len(plan.per_rater)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = np.maximum(total - targets, 0) / np.float64(size - a)
        alone = (targets - (a - 1) * within) / _uneven(plan)
        residual = np.maximum(total - both, 0) / np.float64(size - plan.rank)
        target = (both - raters - (plan.rank - b) * residual) / np.float64(size - b)
        rater = (both - targets - (plan.rank - a) * residual) / np.float64(size - a)
    if size == plan.rank or plan.rank in (a, b):
        nothing = np.full_like(total, np.nan)
        return Components(nothing, nothing, nothing, alone, within)
    return Components(target, rater, residual, alone, within)


def _uneven(plan: Design) -> float:
    """How often the variance of targets stands in their sum of squares."""
    return float(len(plan.target) - (plan.per_target**2).sum() / len(plan.target))


def _both(
    plan: Design, by_target: Floats, by_rater: Floats, targets: Floats, raters: Floats
) -> Floats:
    """The sum of squares that targets and raters explain together."""
    wide = plan.wide
    large, other = (by_target, by_rater) if wide else (by_rater, by_target)
    swept, kept = (plan.target, plan.rater) if wide else (plan.rater, plan.target)
    counts = plan.per_target if wide else plan.per_rater
    links = _indicator(kept, other.shape[-1]) @ _indicator(swept, large.shape[-1]).T
    flat = (large / counts).reshape(-1, large.shape[-1])
    adjusted = other - np.asarray((links @ flat.T).T).reshape(other.shape)
    first = targets if wide else raters
    return np.asarray(first + ((adjusted @ plan.between) * adjusted).sum(axis=-1))


def fitted(plan: Design, scores: Floats, raw: Components) -> tuple[Components, str]:
    """The components to report and the name of the method.

    REML, unless its target variance is zero (a negative estimate cut off) or the design cannot
    tell raters from residual: then the unbiased components, so that the reader sees the sign.
    """
    from svcmetrics.numeric.mixed import NotIdentified, Singular, TooLarge, reml

    if not np.isfinite(raw.target):
        return raw, "Henderson"
    try:
        two = reml(scores, [plan.target, plan.rater])
        one = reml(scores, [plan.target])
    except (NotIdentified, Singular, TooLarge):
        return raw, "Henderson"
    if two.variances[0] <= 0 or one.variances[0] <= 0:
        return raw, "Henderson"
    parts = [*two.variances, *one.variances]
    return Components(*(np.asarray(v, dtype=np.float64) for v in parts)), "REML"


def singles(c: Components) -> Floats:
    """ICC of one rater in the three models (one-way, agreement, consistency), last axis."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack(
            [
                c.target_alone / (c.target_alone + c.within),
                c.target / (c.target + c.rater + c.residual),
                c.target / (c.target + c.residual),
            ],
            axis=-1,
        )


def all_limits(
    plan: Design, fitted: Components, resamples: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Limits of the three single ICCs of these components: generalized confidence intervals.

    Ratings are simulated on the same plan (``icc_draws``: only their sums of squares). Each mean
    square M of the fit is replaced by M · M / M*, with M* that of the simulation, and the ICC
    follows from the replaced ones (Weerahandi 1993). With a complete table this is the exact F
    interval of consistency and of the one-way form.
    """
    if not np.isfinite(fitted.target):
        nothing = np.full(3, np.nan)
        return nothing, nothing
    drawn = np.column_stack(
        [_one_way(plan, fitted, resamples, rng), _two_way(plan, fitted, resamples, rng)]
    )
    low, high = percentiles(drawn)
    estimate = singles(fitted)
    return np.minimum(low, estimate), np.maximum(high, estimate)


def _one_way(plan: Design, c: Components, size: int, rng: np.random.Generator) -> Floats:
    """Draws of the one-way ICC: raters are part of what is within a target."""
    target, within = max(float(c.target_alone), 0.0), max(float(c.within), 0.0)
    between, rest = icc_draws.alone(plan.per_target, target, within, size, rng)
    free = len(plan.target) - len(plan.per_target)
    own = rest / max(free, 1)
    alone = (between - (len(plan.per_target) - 1) * own) / _uneven(plan)
    w = _sizes(plan)[2]
    seen, truth = (own + w * alone, own), (c.within + w * c.target_alone, c.within)
    m = _swapped(seen, truth)
    t = (m[0] - m[1]) / w
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(t / (t + m[1]))


def _two_way(plan: Design, c: Components, size: int, rng: np.random.Generator) -> Floats:
    """Draws of the ICCs of agreement and consistency."""
    target, rater, rest = (max(float(v), 0.0) for v in c[:3])
    sides = (target, rater) if plan.wide else (rater, target)
    parts = []
    for total, swept, kept, both in icc_draws.sums_of_squares(plan.sides, *sides, rest, size, rng):
        targets, raters = (swept, kept) if plan.wide else (kept, swept)
        parts.append(_squares(plan, components(plan, total, targets, raters, both)))
    seen = tuple(np.concatenate(p) for p in zip(*parts, strict=True))
    m = _swapped(seen, _squares(plan, c))
    a, r, _ = _sizes(plan)
    t, s = (m[0] - m[2]) / a, np.maximum(m[1] - m[2], 0) / r
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.column_stack([t / (t + s + m[2]), t / (t + m[2])])


def _swapped(seen: tuple[Floats, ...], truth: tuple[Floats, ...]) -> list[Floats]:
    """Each mean square of the fit times itself over the simulated one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return [t * t / np.maximum(s, 1e-12 * t) for s, t in zip(seen, truth, strict=True)]


def _sizes(plan: Design) -> tuple[float, float, float]:
    """How often a target and a rater variance stand in their mean squares; and one-way."""
    size, a, b = len(plan.target), len(plan.per_target), len(plan.per_rater)
    alone = _uneven(plan) / (a - 1)
    return (size - b) / max(plan.rank - b, 1), (size - a) / max(plan.rank - a, 1), float(alone)


def _squares(plan: Design, c: Components) -> tuple[Floats, ...]:
    """Mean squares of these components: targets, raters, residual."""
    a, r, _ = _sizes(plan)
    rater = c.residual + r * np.maximum(c.rater, 0)
    return c.residual + a * c.target, rater, c.residual


def _sums(y: Floats, place: Places, size: int) -> Floats:
    """Sums over equal positions, along the last axis."""
    flat = y.reshape(-1, len(place))
    return np.asarray((_indicator(place, size) @ flat.T).T).reshape(*y.shape[:-1], size)


def _indicator(place: Places, size: int) -> Any:
    from scipy.sparse import csr_array

    shape = (size, len(place))
    return csr_array((np.ones(len(place)), (place, np.arange(len(place)))), shape=shape)

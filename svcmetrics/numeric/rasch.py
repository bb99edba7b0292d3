"""Many-facet Rasch: joint maximum likelihood by Newton steps, on arrays.

log(P_k / P_k−1) = target − Σ other facets − threshold_k. All facets enter with a plus inside
(``signs`` turn them back). The largest facet's block of the Hessian is diagonal and eliminated;
the rest is dense. Facets have no origin of their own: all free ones but the floating one have mean
zero, thresholds mean zero within each set.

Source: Linacre 1989, Many-Facet Rasch Measurement; Andrich 1978 (rating scale); Masters 1982.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import rasch_errors, rasch_newton, rasch_terms

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Rounds and largest spread of places, in logits, of the first guess.
_ROUNDS, _SPREAD = 2, 3.0
_STEPS, _CLOSE, _LONGEST = 100, 1e-6, 1.5


@dataclass(frozen=True)
class Data:
    """Ratings as categories 0 … top; codes of the targets and of each other facet; step group."""

    x: Whole
    target: Whole
    others: tuple[Whole, ...]
    sizes: tuple[int, ...]  # levels of the targets and of each other facet
    group: Whole  # which set of thresholds a rating uses
    top: int
    weight: Floats | None = None  # how often a rating counts; once when not given

    @cached_property
    def groups(self) -> int:
        return int(self.group.max()) + 1

    @cached_property
    def members(self) -> Any:
        """Elements of all facets × ratings, sparse: which rating is whose.

        One product with it sums many columns over all facets, faster than a count for each.
        """
        from scipy.sparse import csr_array

        n, starts = len(self.x), np.cumsum([0, *self.sizes[:-1]])
        places = [c + s for c, s in zip(self.facets, starts, strict=True)]
        element = np.stack(places, axis=1).ravel().astype(np.int32)
        ends = np.arange(n + 1, dtype=np.int32) * np.int32(len(starts))
        own = csr_array((np.ones(len(element)), element, ends), shape=(n, sum(self.sizes)))
        return own.T.tocsr()

    def by_facet(self, columns: Floats) -> list[Floats]:
        """Sums of the columns over the ratings of each element, facet by facet."""
        return np.split(self.members @ columns, np.cumsum(self.sizes)[:-1])

    def of_targets(self, columns: Floats) -> Floats:
        """Sums of the columns over the ratings of each target."""
        return np.asarray(self.members[: self.sizes[0]] @ columns)

    @property
    def facets(self) -> tuple[Whole, ...]:
        return (self.target, *self.others)

    @property
    def times(self) -> Floats:
        return np.ones(len(self.x)) if self.weight is None else self.weight


@dataclass(frozen=True)
class Fitted:
    """Measures of every facet (targets first), thresholds (groups × steps), and how sure they are.

    ``errors`` and ``threshold_errors`` come from the inverse of the whole information, so they
    know that everything else is estimated too. ``loose``: facets whose place the ratings leave
    open. ``population``: mean and standard deviation of the targets where they are a sample.
    ``limits``: the fit whose intervals hold the truth, where this one is drawn apart.
    """

    measures: tuple[Floats, ...]
    thresholds: Floats
    steps: int
    residual: float
    converged: bool
    errors: tuple[Floats, ...]
    threshold_errors: Floats
    loose: tuple[int, ...] = ()
    population: tuple[float, float] | None = None
    deviance: float = float("nan")
    limits: Fitted | None = None

    def location(self, data: Data) -> Floats:
        """Target minus the other facets, of each rating."""
        return located(self.measures, data)


def located(measures: tuple[Floats, ...], data: Data) -> Floats:
    """Target minus the other facets, of each rating."""
    out = measures[0][data.target]
    for measure, codes in zip(measures[1:], data.others, strict=True):
        out = out - measure[codes]
    return np.asarray(out)


def chances(location: Floats, thresholds: Floats, group: Whole) -> Floats:
    """Ratings × categories: the chance of each category."""
    return rasch_terms.chances(location, thresholds, group).T


def fit(
    data: Data, fixed: tuple[Floats, ...] | None = None, floats: int = 0,
    plan: rasch_newton.Plan | None = None, close: float = _CLOSE,
) -> Fitted:  # fmt: skip
    """``fixed``: for each facet (targets first) the anchored measures, NaN where free.

    ``floats``: the facet that is not centred, as long as it is free. ``plan``: ready-made.
    ``close``: the last step is smaller; measures are as near as its square, errors as itself.
    """
    anchors = fixed or tuple(np.full(n, np.nan) for n in data.sizes)
    plan = plan or rasch_newton.plan(data, anchors)
    place, thresholds = started(data, anchors)
    largest, step = np.inf, 0
    while largest > close and step < _STEPS:
        step += 1
        system = rasch_newton.system(plan, place, thresholds, data.times)
        moves = rasch_newton.solved(plan, system)
        largest = max(float(np.abs(m).max(initial=0.0)) for m in moves)
        scale = min(1.0, _LONGEST / largest) if largest > 0 else 1.0
        place = [m + scale * d for m, d in zip(place, moves[:-1], strict=True)]
        thresholds = thresholds + scale * moves[-1].reshape(thresholds.shape)
    # What is still missing is of the size of the square of the last step.
    done = Progress(step, largest, largest <= close)
    return finished(plan, system, place, thresholds, floats, done)


@dataclass(frozen=True)
class Progress:
    """How far the steps went."""

    steps: int
    residual: float
    converged: bool


def finished(
    plan: rasch_newton.Plan, system: rasch_newton.System, place: list[Floats], thresholds: Floats,
    floats: int, done: Progress,
) -> Fitted:  # fmt: skip
    """Standard errors from ``system``, the origin where it is wanted, signs turned back."""
    sure = rasch_errors.certainty(plan, system)
    place, errors = rasch_errors.moved(plan, place, sure, floats)
    return Fitted(
        tuple(s * m for m, s in zip(place, signs(plan.data), strict=True)), thresholds, done.steps,
        done.residual, done.converged, tuple(errors), sure.thresholds.reshape(thresholds.shape),
        sure.loose,
    )  # fmt: skip


def signs(data: Data) -> list[float]:
    """How measures enter: targets with a plus, all others with a minus."""
    return [1.0] + [-1.0] * len(data.others)


def started(data: Data, anchors: tuple[Floats, ...]) -> tuple[list[Floats], Floats]:
    """Measures and thresholds to begin with.

    Log odds of the average score of each element, and of neighbouring categories, stretched by
    what a normal spread of places hides. The targets keep the level; anchored elements stay.
    """
    seen = first_thresholds(data)
    place: list[Floats] = []
    for codes, size in zip(data.facets, data.sizes, strict=True):
        n = np.bincount(codes, data.times, size) * data.top
        part = np.bincount(codes, data.times * data.x, size)
        own = np.log((part + 0.5) / (n - part + 0.5))
        place.append(own - own.mean() if place else own)
    node, weight = np.polynomial.hermite_e.hermegauss(9)
    score, none = np.arange(data.top + 1.0), np.zeros(9, np.int64)
    steps, odds = seen.mean(axis=0, keepdims=True), float(sum(m.var() for m in place))
    first, spread = steps, 0.0
    for _ in range(_ROUNDS):
        p = weight @ chances(spread * node, steps, none) / weight.sum()
        log = np.log(p[:-1] / p[1:])
        steps = steps + first - (log - log.mean())
        by_node = chances(spread * node, steps, none)
        variance = by_node @ score**2 - (by_node @ score) ** 2
        slope = 4 * float(weight @ variance / weight.sum()) / data.top
        spread = min(np.sqrt(odds) / slope, _SPREAD)
    out = []
    for own, held, sign in zip(place, anchors, signs(data), strict=True):
        out.append(np.where(np.isfinite(held), sign * held, own / slope))
    return out, seen + steps - first


def first_thresholds(data: Data) -> Floats:
    """Log ratios of neighbouring categories, centred."""
    kinds = data.top + 1
    counts = np.bincount(data.group * kinds + data.x, data.times, data.groups * kinds) + 0.5
    counts = counts.reshape(data.groups, kinds)
    first = np.log(counts[:, :-1] / counts[:, 1:])
    return np.asarray(first - first.mean(axis=1, keepdims=True))

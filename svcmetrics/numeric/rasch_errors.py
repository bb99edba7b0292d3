"""How sure many-facet Rasch is: standard errors from the whole information, and the origin.

The inverse covers all facets and thresholds at once, so that the error of one knows that the
others are estimated too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from svcmetrics.numeric.rasch_newton import Plan, System, reduced, root, stays

Floats = NDArray[np.float64]

# Share of a direction without information that makes a facet part of it.
_OPEN = 1e-6


@dataclass(frozen=True)
class Certainty:
    """Standard errors, and the covariances needed to move the origin."""

    errors: list[Floats]
    thresholds: Floats
    loose: tuple[int, ...]
    with_mean: list[Floats]  # covariance of each measure with the mean of the floating facet
    mean: float


def certainty(p: Plan, s: System) -> Certainty:
    """Standard errors from the inverse of the whole information under the conditions on means."""
    inverse, weighted, schur, _, added = reduced(p, s)
    whole, loose = _inverted(p, schur, weighted)
    # The penalties are conditions, not information: what they added is taken out again.
    low = whole @ p.means
    whole -= added * low @ low.T
    stay = stays(p)
    whole[stay], whole[:, stay] = 0.0, 0.0
    spread = weighted @ whole
    variance: list[Floats] = [np.zeros(0)] * len(p.data.sizes)
    variance[p.first] = inverse + (spread * weighted).sum(axis=1)
    for j, k in enumerate(p.rest):
        variance[k] = np.diagonal(whole)[p.part(j)]
    with_mean, mean = _floating(p, inverse, weighted, whole, spread)
    errors = [np.sqrt(np.maximum(v, 0.0)) for v in variance]
    steps = np.sqrt(np.maximum(np.diagonal(whole)[p.ends[-2] :], 0.0))
    return Certainty(errors, steps, loose, with_mean, mean)


def _inverted(p: Plan, schur: Floats, weighted: Floats) -> tuple[Floats, tuple[int, ...]]:
    """Inverse; and the facets whose place the ratings leave open, when there are any."""
    scale, lower = root(schur)
    if lower is not None:
        whole, _ = linalg.lapack.dpotri(lower, lower=1)
        whole = np.tril(whole) + np.tril(whole, -1).T
        return whole / np.outer(scale, scale), ()
    value, vector = np.linalg.eigh(schur / np.outer(scale, scale))
    keep = value > 1e-10
    gone = (vector[:, ~keep] ** 2).sum(axis=1)
    parts = [gone[p.part(j)] for j in range(len(p.rest))]
    first = ((weighted / scale @ vector[:, ~keep]) ** 2).sum(axis=1)
    where = zip((p.first, *p.rest), (first, *parts), strict=True)
    loose = tuple(sorted(k for k, part in where if part.max(initial=0.0) > _OPEN))
    part = vector[:, keep]
    return (part / value[keep]) @ part.T / np.outer(scale, scale), loose


def _floating(
    p: Plan, inverse: Floats, weighted: Floats, whole: Floats, spread: Floats
) -> tuple[list[Floats], float]:
    """Covariance of all facets with the mean of the floating one, and the variance of that mean."""
    out: list[Floats] = [np.zeros(n) for n in p.data.sizes]
    if p.floating == -1:
        return out, 0.0
    if p.floating == p.first:
        average = weighted.mean(axis=0)
        rest = -(average @ whole)
        out[p.first] = inverse / len(inverse) + spread @ average
    else:
        rest = whole[p.part(p.rest.index(p.floating))].mean(axis=0)
        out[p.first] = -(weighted @ rest)
    for j, k in enumerate(p.rest):
        out[k] = rest[p.part(j)]
    return out, float(out[p.floating].mean())


def moved(
    p: Plan, place: list[Floats], sure: Certainty, floats: int
) -> tuple[list[Floats], list[Floats]]:
    """The origin where it is wanted: ``floats`` (or the next free facet) takes the mean."""
    free = [k for k in range(len(place)) if not p.held[k].any()]
    goal = floats if floats in free else (free[0] if free else -1)
    if goal in (p.floating, -1):
        return place, sure.errors
    place, errors, old = list(place), list(sure.errors), p.floating
    mean = place[old].mean()
    place[old], place[goal] = place[old] - mean, place[goal] + mean
    for k, sign in ((old, -2.0), (goal, 2.0)):
        variance = errors[k] ** 2 + sign * sure.with_mean[k] + sure.mean
        errors[k] = np.sqrt(np.maximum(variance, 0.0))
    return place, errors

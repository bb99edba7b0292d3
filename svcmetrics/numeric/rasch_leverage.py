"""Thresholds are drawn apart by every element that is estimated beside them: what takes it back.

Half the log information on raters, items and so on, which follow when a threshold moves, is added
to the likelihood of the thresholds (Barndorff-Nielsen and Cox 1979, J. R. Stat. Soc. B 41,
279-312). Targets are not counted here: their part is taken out before. Measures need no such term:
of each there is one, beside thresholds that all ratings share.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import rasch_terms
from svcmetrics.numeric.rasch_newton import Plan, System, reduced, root, stays, sums

Floats = NDArray[np.float64]


def slopes(p: Plan, s: System, t: rasch_terms.Swept, prior: float = 0.0) -> Floats:
    """Of half the log information on all facets but the targets, by threshold.

    ``prior``: what is known of each target beforehand, as information.
    """
    d, free = p.data, _without_steps(p, s)
    if free is None:
        return np.zeros(d.groups * d.top)
    own = _variance(p, *free) - _of_targets(p, t, prior)
    # How the measures follow a threshold; a rating follows by the sum of its own.
    skew = own * t.third[:, 0]
    out = rasch_terms.by_set(d.group, d.groups, t.third[:, 1:].T, own).ravel()
    for codes, size, part in zip(d.facets, d.sizes, _follow(p, s, *free), strict=True):
        out = out - sums(codes, skew, size) @ part
    return np.asarray(out / 2)


def following(p: Plan, s: System) -> list[Floats]:
    """Elements × thresholds, facet by facet: how far a measure falls when a threshold rises."""
    free = _without_steps(p, s)
    if free is None:
        return [np.zeros((n, p.data.groups * p.data.top)) for n in p.data.sizes]
    return _follow(p, s, *free)


def _without_steps(p: Plan, s: System) -> tuple[Floats, Floats, Floats] | None:
    """Inverse of the first facet, its weights, inverse of the rest; all with thresholds given."""
    facets = slice(0, int(p.ends[-2]))
    inverse, weighted, schur, _, _ = reduced(p, s)
    if root(schur[facets, facets])[1] is None:
        return None
    whole = np.asarray(np.linalg.inv(schur[facets, facets]), dtype=np.float64)
    stay = stays(p)[facets]
    whole[stay], whole[:, stay] = 0.0, 0.0
    return inverse, weighted[:, facets], whole


def _follow(p: Plan, s: System, inverse: Floats, weighted: Floats, whole: Floats) -> list[Floats]:
    facets, steps = slice(0, int(p.ends[-2])), slice(int(p.ends[-2]), None)
    rest = whole @ (s.rest[facets, steps] - weighted.T @ s.cross[:, steps])
    out: list[Floats] = [np.zeros(0)] * len(p.data.sizes)
    out[p.first] = inverse[:, None] * s.cross[:, steps] - weighted @ rest
    for j, k in enumerate(p.rest):
        out[k] = rest[p.part(j)]
    return out


def _variance(p: Plan, inverse: Floats, weighted: Floats, whole: Floats) -> Floats:
    """Of the place of each rating, thresholds given."""
    d = p.data
    spread = weighted @ whole
    at = d.facets[p.first]
    out = (inverse + (spread * weighted).sum(axis=1))[at]
    codes = [d.facets[k] + p.ends[j] for j, k in enumerate(p.rest)]
    for j, one in enumerate(codes):
        out += np.diagonal(whole)[one] - 2 * spread[at, one]
        for other in codes[j + 1 :]:
            out += 2 * whole[one, other]
    return np.asarray(out)


def _of_targets(p: Plan, t: rasch_terms.Swept, prior: float) -> Floats:
    """What of it stems from the target alone."""
    d = p.data
    information = sums(d.target, t.columns[:, 1], d.sizes[0]) + prior
    free = ~p.held[0] & (information > 1e-9)
    return np.asarray(np.where(free, 1 / np.where(free, information, 1.0), 0.0)[d.target])

"""The rows of many-facet Rasch: elements, thresholds, separation, agreement, categories.

Not a statistic of its own; ``facets`` shows them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from svcmetrics.numeric import rasch, rasch_fit
from svcmetrics.numeric.codes import met, numbered
from svcmetrics.numeric.intervals import wilson
from svcmetrics.numeric.rasch_correct import offsets
from svcmetrics.verify.facets_data import Trimmed
from svcmetrics.verify.facets_parts import Part, part

# How far from an extreme total the measure of an extreme element is taken, in points.
EXTREME = 0.3
# Standard errors on each side of 95% limits.
WIDE = 1.959964


def rows(t: Trimmed, found: rasch.Fitted, m: rasch_fit.Moments, names: list[str]) -> list[Part]:
    """All rows but the bias."""
    out, summary = [], []
    apart = bool(found.loose) and t.blocks[0].max() > 0
    fit = rasch_fit.elements(m, t.data, found.location(t.data))
    for k, name in enumerate(names):
        aliased = k in found.loose and not apart
        table, error = _elements(t, found, fit[k], k, name, aliased)
        out.append(table)
        shrunken = found.population is not None and k == 0
        undefined = aliased or (apart and k < 2)
        error = np.full_like(error, np.nan) if undefined else error
        summary.append(rasch_fit.separation(found.measures[k], error, shrunken=shrunken))
    out += [
        *_separation(t, names, summary),
        _thresholds(t, found),
        _categories(t, found, m),
        _agreement(t, m, names),
    ]
    if found.population:
        out.append(part("population_sd", variant="target",
                             estimate=found.population[1], n=t.data.sizes[0]))  # fmt: skip
    return out


def _elements(
    t: Trimmed, found: rasch.Fitted, fit: rasch_fit.Elements, k: int, name: str, aliased: bool
) -> tuple[Part, np.ndarray]:
    size, used, codes = len(t.labels[k]), t.used[k], t.codes[k]
    anchored = np.isfinite(t.anchors[k])
    own = found.errors[0] if found.population and k == 0 else fit.error

    def spread(values: np.ndarray) -> np.ndarray:
        whole = np.full(size, np.nan)
        whole[used] = values
        return whole

    measure = spread(np.where(aliased, np.nan, found.measures[k]))
    error = spread(np.where(anchored, 0.0, own))
    low, high = (spread(v) for v in ends(found, lambda f: f.measures[k], lambda f: f.errors[k]))
    missing = np.setdiff1d(np.arange(size), used)
    measure[missing], error[missing] = _extreme(t, found, k, missing)
    low[missing], high[missing] = (measure[missing] + e * error[missing] for e in (-WIDE, WIDE))
    low, high = (np.where(np.isfinite(measure), v, np.nan) for v in (low, high))
    n, scores = np.bincount(codes, minlength=size), np.array(t.categories)
    fair = spread(np.interp(rasch_fit.fair(found, t.data, k), np.arange(len(scores)), scores))
    behind = t.codes[1]
    raters = np.ones(size, int) if name == "rater" else met(codes, behind, size)
    table = part(
        "facets", [str(v) for v in t.labels[k]], variant=name, estimate=measure,
        low=low, high=high, n=raters, ratings=n, error=error, infit=spread(fit.infit),
        outfit=spread(fit.outfit), infit_z=spread(fit.infit_z), outfit_z=spread(fit.outfit_z),
        fair=np.where(np.isfinite(measure), fair, np.nan), correlation=spread(fit.correlation),
        average=np.bincount(codes, t.weight * scores[t.x], size) / np.bincount(codes, t.weight, size),
        note=np.where(np.isin(np.arange(size), missing), "extreme", ""),
        block=spread(t.blocks[k] + 1.0) if k < 2 else np.nan,
    )  # fmt: skip
    return table, own


def ends(
    found: rasch.Fitted, place: Callable[[rasch.Fitted], Any], error: Callable[[rasch.Fitted], Any]
) -> tuple[Any, Any]:
    """95% limits; around the corrected place, and as wide as to hold the one that is shown."""
    by = found.limits or found
    half, here = WIDE * error(by), place(found)
    return np.minimum(place(by) - half, here), np.maximum(place(by) + half, here)


def _extreme(
    t: Trimmed, found: rasch.Fitted, k: int, missing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Measures and errors of elements of extreme scores, all else held; NaN beside unknown ones."""
    which = np.full(len(t.labels[k]), -1)
    which[missing] = np.arange(len(missing))
    here = np.flatnonzero(which[t.codes[k]] >= 0)
    place = np.zeros(len(here))
    for j, codes in enumerate(t.codes):
        if j != k:
            own = np.full(len(t.labels[j]), np.nan)
            own[t.used[j]] = found.measures[j]
            place += (1.0 if j == 0 else -1.0) * own[codes[here]]
    here, place = here[np.isfinite(place)], place[np.isfinite(place)]
    element = which[t.codes[k][here]]
    at, error = np.full(len(missing), np.nan), np.full(len(missing), np.nan)
    if not len(here):
        return at, error
    known, element = np.unique(element, return_inverse=True)
    data = rasch.Data(
        t.x[here], element, (), (len(known),), t.group[here], t.data.top, t.weight[here]
    )
    start = np.zeros(len(known))
    found_, information = offsets(
        data, element, len(known), place, found.thresholds, start, EXTREME
    )
    at[known], error[known] = (1.0 if k == 0 else -1.0) * found_, 1 / np.sqrt(information)
    return at, error


def _separation(t: Trimmed, names: list[str], found: list[dict[str, float]]) -> list[Part]:
    """One row of each of these for each facet."""
    keys = {"separation": "separation", "strata": "strata", "reliability": "reliability",
            "fixed_chi_square": "chi_square"}  # fmt: skip
    return [
        part(
            own, [""] * len(names), variant=names, estimate=[f[key] for f in found],
            n=list(t.data.sizes),
            p=[f["p"] if key == "chi_square" else np.nan for f in found],
        )
        for own, key in keys.items()
    ]  # fmt: skip


def _thresholds(t: Trimmed, found: rasch.Fitted) -> Part:
    groups, steps = found.thresholds.shape
    counts = np.bincount(t.data.group * (steps + 1) + t.data.x, minlength=groups * (steps + 1))
    place = [f"{t.categories[k + 1]:.15g}" for _ in range(groups) for k in range(steps)]
    which = [str(v) for v in t.step_labels for _ in range(steps)]
    low, high = ends(found, lambda f: f.thresholds.ravel(), lambda f: f.threshold_errors.ravel())
    return part(
        "threshold", place, variant=which, estimate=found.thresholds.ravel(),
        low=low, high=high, error=found.threshold_errors.ravel(), n=counts.reshape(groups, -1)[:, 1:].ravel(),
    )  # fmt: skip


def _categories(t: Trimmed, found: rasch.Fitted, m: rasch_fit.Moments) -> Part:
    """Average measure of the ratings in each category: it should rise."""
    own = rasch_fit.categories(t.data, m, found.location(t.data))
    return part(
        "category", [f"{c:.15g}" for c in t.categories], estimate=own["average"],
        n=np.bincount(t.data.x, minlength=t.data.top + 1), expected=own["expected"],
        outfit=own["outfit"],
    )  # fmt: skip


def _agreement(t: Trimmed, m: rasch_fit.Moments, names: list[str]) -> Part:
    """Share of pairs of raters who gave the same score to the same thing, beside its expectation."""
    k = names.index("rater")
    same = np.zeros(len(t.data.x), dtype=np.int64)
    for j, codes in enumerate(t.data.facets):
        if j != k:
            same = same * t.data.sizes[j] + codes
    every = np.prod([n for j, n in enumerate(t.data.sizes) if j != k], dtype=np.float64)
    same = numbered(same, int(min(every, 2.0**62)))[1].astype(np.int64)
    hits, hoped, pairs = rasch_fit.agreement(t.data, t.data.facets[k], same, m)
    if pairs <= 0:
        return part("exact_agreement", variant="rater", n=0, expected=np.nan)
    low, high = wilson(hits, pairs)
    return part("exact_agreement", variant="rater", estimate=hits / pairs, low=float(low),
                     high=float(high), n=pairs, expected=hoped / pairs)  # fmt: skip

"""The rows of many-facet Rasch: elements, thresholds, separation, agreement, categories, bias.

Not a statistic of its own; ``facets`` shows them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.numeric import rasch, rasch_fit
from svcmetrics.numeric.intervals import wilson
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.result import estimates
from svcmetrics.verify.facets_data import Trimmed

# How far from an extreme total the measure of an extreme element is taken, in points.
EXTREME = 0.3


def rows(
    t: Trimmed, found: rasch.Fitted, m: rasch_fit.Moments, names: list[str]
) -> list[pd.DataFrame]:
    """All rows but the bias."""
    out, summary = [], []
    behind = t.codes[names.index("rater")]
    for k, name in enumerate(names):
        table, error = _elements(t, found, m, k, name, behind, is_rater=name == "rater")
        out.append(table)
        summary.append(_separation(found.measures[k], error, name))
    return [*out, *summary, _thresholds(t, found), _categories(t, found), _agreement(t, m, names)]


def _elements(
    t: Trimmed, found: rasch.Fitted, m: rasch_fit.Moments, k: int, name: str,
    behind: np.ndarray, *, is_rater: bool,
) -> tuple[pd.DataFrame, np.ndarray]:  # fmt: skip
    size, used = len(t.labels[k]), t.used[k]
    fit = rasch_fit.elements(t.data.facets[k], len(used), m)
    anchored = np.isfinite(t.anchors[k])

    def spread(values: np.ndarray) -> np.ndarray:
        whole = np.full(size, np.nan)
        whole[used] = values
        return whole

    measure, error = spread(found.measures[k]), spread(np.where(anchored, 0.0, fit.error))
    missing = np.setdiff1d(np.arange(size), used)
    for element in missing:
        measure[element], error[element] = _extreme(t, found, k, int(element))
    n = np.bincount(t.codes[k], minlength=size)
    scores = np.array(t.categories)
    fair = spread(np.interp(rasch_fit.fair(found, t.data, k), np.arange(len(scores)), scores))
    pairs = np.unique(np.stack([t.codes[k], behind]), axis=1)[0]
    raters = np.ones(size, int) if is_rater else np.bincount(pairs, minlength=size)
    half = 1.959964 * error
    table = estimates(
        "facets", groups={"element": [str(v) for v in t.labels[k]]}, variant=name, estimate=measure,
        low=measure - half, high=measure + half, n=raters, ratings=n, error=error, infit=spread(fit.infit),
        outfit=spread(fit.outfit), infit_z=spread(fit.infit_z), outfit_z=spread(fit.outfit_z),
        fair=fair, average=np.bincount(t.codes[k], scores[t.x], minlength=size) / n,
        note=np.where(np.isin(np.arange(size), missing), "extreme", ""),
    )  # fmt: skip
    return table, fit.error


def _extreme(t: Trimmed, found: rasch.Fitted, k: int, element: int) -> tuple[float, float]:
    """Measure and error of an element of extreme scores, all else held; NaN beside unknown ones."""
    here = t.codes[k] == element
    sign = 1.0 if k == 0 else -1.0
    place = np.zeros(int(here.sum()))
    known = np.ones(len(place), bool)
    for j, codes in enumerate(t.codes):
        if j == k:
            continue
        own = np.full(len(t.labels[j]), np.nan)
        own[t.used[j]] = found.measures[j]
        values = own[codes[here]]
        known &= np.isfinite(values)
        place = place + (1.0 if j == 0 else -1.0) * np.nan_to_num(values)
    if not known.any():
        return float("nan"), float("nan")
    x, group, place = t.x[here][known], t.group[here][known], place[known]
    other = np.full(len(x), t.data.top) if x.sum() == 0 else np.zeros(len(x))
    at = rasch_fit.extreme(
        x.astype(float), other.astype(float), place, found.thresholds, group, EXTREME
    )
    p = rasch.chances(place + at, found.thresholds, group)
    score = np.arange(p.shape[1])
    information = float(((p @ score**2) - (p @ score) ** 2).sum())
    return sign * at, float(1 / np.sqrt(information))


def _separation(measure: np.ndarray, error: np.ndarray, name: str) -> pd.DataFrame:
    found = rasch_fit.separation(measure, error)
    names = {"separation": "separation", "strata": "strata", "reliability": "reliability",
             "fixed_chi_square": "chi_square"}  # fmt: skip
    rows_ = [
        estimates(
            own, groups={"element": ""}, variant=name, estimate=found[key], n=len(measure),
            p=found["p"] if key == "chi_square" else np.nan,
        )
        for own, key in names.items()
    ]  # fmt: skip
    return pd.concat(rows_, ignore_index=True)


def _thresholds(t: Trimmed, found: rasch.Fitted) -> pd.DataFrame:
    groups, steps = found.thresholds.shape
    counts = np.bincount(t.data.group * (steps + 1) + t.data.x, minlength=groups * (steps + 1))
    place = [f"{t.categories[k + 1]:g}" for _ in range(groups) for k in range(steps)]
    which = [str(v) for v in t.step_labels for _ in range(steps)]
    return estimates(
        "threshold", groups={"element": place}, variant=which, estimate=found.thresholds.ravel(),
        n=counts.reshape(groups, -1)[:, 1:].ravel(),
    )  # fmt: skip


def _categories(t: Trimmed, found: rasch.Fitted) -> pd.DataFrame:
    """Average measure of the ratings in each category: it should rise."""
    place = found.location(t.data)
    n = np.bincount(t.data.x, minlength=t.data.top + 1)
    mean = np.bincount(t.data.x, place, minlength=t.data.top + 1) / np.maximum(n, 1)
    return estimates(
        "category", groups={"element": [f"{c:g}" for c in t.categories]}, estimate=mean, n=n
    )  # fmt: skip


def _agreement(t: Trimmed, m: rasch_fit.Moments, names: list[str]) -> pd.DataFrame:
    """Share of pairs of raters who gave the same score to the same thing, beside its expectation."""
    k = names.index("rater")
    same = np.zeros(len(t.data.x), dtype=np.int64)
    for j, codes in enumerate(t.data.facets):
        if j != k:
            same = same * t.data.sizes[j] + codes
    same = np.unique(same, return_inverse=True)[1]
    hits, hoped, pairs = rasch_fit.agreement(t.data, t.data.facets[k], same, m)
    groups = {"element": ""}
    if pairs <= 0:
        return estimates("exact_agreement", groups=groups, variant="rater", n=0, expected=np.nan)
    low, high = wilson(hits, pairs)
    return estimates("exact_agreement", groups=groups, variant="rater", estimate=hits / pairs, low=float(low),
                     high=float(high), n=pairs, expected=hoped / pairs)  # fmt: skip


def bias(t: Trimmed, m: rasch_fit.Moments, names: list[str], pair: tuple[int, int]) -> pd.DataFrame:
    """Combinations of two facets that score higher or lower than their parts say, in logits."""
    one, two = pair
    a, b = t.data.facets[one], t.data.facets[two]
    cells, place = np.unique(a * t.data.sizes[two] + b, return_inverse=True)
    information = np.bincount(place, m.variance)
    size = np.bincount(place, m.away) / information
    error = 1 / np.sqrt(information)
    p = 2 * special.ndtr(-np.abs(size) / error)
    label: list[Any] = [
        f"{t.labels[one][t.used[one][c // t.data.sizes[two]]]} × {t.labels[two][t.used[two][c % t.data.sizes[two]]]}"
        for c in cells
    ]
    return estimates(
        "bias", groups={"element": label}, variant=f"{names[one]} × {names[two]}", estimate=size,
        low=size - 1.959964 * error, high=size + 1.959964 * error, n=np.ones(len(cells), int),
        ratings=np.bincount(place), error=error, p=p, p_adjusted=benjamini_hochberg(p),
    )  # fmt: skip

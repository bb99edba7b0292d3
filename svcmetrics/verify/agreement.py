"""Agreement beyond chance: do raters give a department the same score?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.metric import metric
from svcmetrics.numeric import agreement as numeric
from svcmetrics.numeric import bootstrap, intervals, krippendorff_many
from svcmetrics.numeric.agreement_sums import Ratings, unit_sums
from svcmetrics.problems import table_error
from svcmetrics.result import Result, estimates
from svcmetrics.verify import grid as grids
from svcmetrics.verify.agreement_findings import reading, refusal
from svcmetrics.verify.oddities import odd

RESAMPLES = 2000
WEIGHTS = ("nominal", "ordinal", "linear", "quadratic", "ratio")
# More distinct scores than this are measurements. Cells of resampled sums in one pass.
_CATEGORIES = 30
_BLOCK = 2_000_000


@metric(
    better="higher", high=1, source="Gwet 2014; Krippendorff 2004, ch. 11; Conger 1980; Fleiss 1971"
)
def agreement(
    ratings: pd.DataFrame,
    *,
    target: str,
    rater: str,
    score: str,
    weights: Literal["nominal", "ordinal", "linear", "quadratic", "ratio"] = "ordinal",
    categories: Sequence[float] | None = None,
    rng: int | np.random.Generator = 1,
) -> Result:
    """Do raters give the same department the same score, more often than chance would?

    ratings: one row per rating; a repeated (target, rater) pair is an error. Missing ratings are
        used as they are: no department is dropped for one.
    target, rater, score: the columns with the department, the person and the number given.
    weights: how much credit near agreement earns. "nominal": none; "ordinal", "linear",
        "quadratic" (squared distance, Krippendorff's "interval"), "ratio".
    categories: all points of the scale, also those never used: they matter to Gwet's and
        Brennan and Prediger's coefficients. Without them the scores that occur are taken.
    rng: seed or generator of the 2,000 resamples of the targets. With more than 20 raters, or a
        table of two million cells, Conger's and Cohen's coefficients are linear in the resample
        (each target by its influence); ``about`` then names them under "linearised".

    Returns one row per coefficient: ``raw_agreement``, ``gwet_ac1`` (AC2 with weights), ``krippendorff``,
    ``krippendorff_weighted`` (with Gwet's weights instead of Krippendorff's metric), ``fleiss``,
    ``conger``, ``brennan_prediger``, ``cohen`` (several raters: ``cohen_mean`` of all pairs,
    Light's kappa); percentile limits of the bootstrap, Gwet's standard error ``se`` with its t
    limits, and, for nominal scores, Fleiss's kappa of each category. ``unanimous``: the share of
    departments with two ratings or more that got one score from all.

    Misleads: where nearly all scores are the same, kappa and alpha fall to 0 although raters
    nearly always agree, and Gwet's coefficient stays near 1 (said in the reading); neither shows
    that departments can be told apart: see verify.icc. A wave of nothing but fives has no
    coefficient.

    Where software disagrees: "ordinal" means Krippendorff's rank metric in ``krippendorff`` and
    Gwet's weights elsewhere, two different numbers (0.815 and 0.834 on Gwet's example). With
    missing ratings Conger's chance agreement uses each rater's shares among what that rater rated.
    It therefore depends on who gave the one rating of unit 12 in Gwet's example: 0.76282 where it
    stands under rater 3 (the data of irrCAC for R and for Python), 0.76207 under rater 2 (the table
    of Krippendorff 2011). Python's irrCAC 0.4.4 and this function give both, each from its table; no
    other coefficient here moves. R irr counts pairs
    for values when no rating is missing and then gives too small a correction in alpha (0.4309
    for Fleiss's diagnoses; 0.4334 is right).

    Source: Gwet 2014, Handbook of Inter-Rater Reliability, 4th ed., ch. 3-5; Krippendorff 2004,
    Content Analysis, ch. 11; Conger 1980, Psychol. Bull. 88, 322; Fleiss 1971, ibid. 76, 378.

    >>> r = pd.DataFrame({"d": [*"aabbccdd"], "r": [1, 2] * 4, "s": [1, 1, 2, 2, 1, 2, 2, 2]})
    >>> agreement(r, target="d", rater="r", score="s", weights="nominal").table.round(2)[["variant", "estimate"]][:4]
                     variant  estimate
    0          raw_agreement      0.75
    1               gwet_ac1      0.53
    2           krippendorff      0.53
    3  krippendorff_weighted      0.53
    """
    if weights not in WEIGHTS:
        raise table_error("unknown_word", unknown=[weights], known=list(WEIGHTS))
    grid = grids.read(ratings, row=target, column=rater, score=score)
    values = _categories(grid, categories, score)
    about: dict[str, Any] = {
        "dropped": grid.dropped, "targets": len(grid.rows), "raters": len(grid.columns),
        "weights": weights, "categories": [float(v) for v in values[:_CATEGORIES]],
        "interval": f"bootstrap over targets, {RESAMPLES} resamples, percentile",
    }  # fmt: skip
    refused = refusal(grid)
    if refused:
        return Result("agreement", _refused(grid, weights), [*grid.findings, refused], about)
    if len(values) > _CATEGORIES:
        table = _many(grid, weights, bootstrap.generator(rng))
    else:
        table = _few(grid, values, weights, bootstrap.generator(rng), about)
    table = pd.concat([table, _unanimous(grid, weights)])
    return Result(
        "agreement",
        table,
        [
            *reading(grid, table, len(values)),
            *grid.findings,
            *odd(ratings, grid, target=target, rater=rater),
        ],
        about,
    )


def _few(
    grid: grids.Grid,
    values: np.ndarray,
    weights: str,
    rng: np.random.Generator,
    about: dict[str, Any],
) -> pd.DataFrame:
    """All coefficients for scores on a scale with few points."""
    codes = np.searchsorted(values, grid.score)
    ratings = Ratings(grid.row, grid.column, codes, len(grid.rows), len(grid.columns))
    units = unit_sums(ratings, values, weights)
    estimate = numeric.coefficients(units.stats.sum(axis=0), units)
    low, high = bootstrap.limits(_draws(units, rng))
    se = numeric.standard_errors(units)
    if "chance" in units.blocks:
        about["linearised"] = ["conger", "cohen_mean"]
    paired = int((np.bincount(grid.row) > 1).sum())
    df = [(paired if "kripp" in c else len(grid.rows)) - 1 for c in numeric.COEFFICIENTS]
    half = special.stdtrit(np.maximum(df, 1), 0.975) * se
    kept = np.isfinite(estimate)
    names = np.array([_name(c, weights, len(grid.columns)) for c in numeric.COEFFICIENTS])
    whole = estimates(
        "agreement", variant=names[kept], estimate=estimate[kept], n=len(grid.rows),
        low=np.minimum(low, estimate)[kept], high=np.maximum(high, estimate)[kept], weights=weights,
        raters=len(grid.columns), se=se[kept], low_t=(estimate - half)[kept],
        high_t=np.minimum(estimate + half, 1)[kept],
    )  # fmt: skip
    if weights != "nominal":
        return whole
    about["fleiss_z"] = numeric.fleiss_z(units)
    if len(grid.columns) == 2:
        about["cohen_z"] = _cohen_z(grid, codes)
    each = estimates(
        "category_kappa", variant=[f"{v:g}" for v in values], n=len(grid.rows),
        estimate=numeric.category_kappas(units), weights=weights, raters=len(grid.columns),
    )  # fmt: skip
    return pd.concat([whole, each])


def _cohen_z(grid: grids.Grid, codes: np.ndarray) -> float:
    """Kappa of two raters over its error by chance, from the targets that both rated."""
    both = np.full((len(grid.rows), 2), -1)
    both[grid.row, grid.column] = codes
    kept = both[(both >= 0).all(axis=1)]
    return numeric.cohen_z(kept[:, 0], kept[:, 1])


def _draws(units: numeric.Units, rng: np.random.Generator) -> np.ndarray:
    """The coefficients in every resample; a block of resamples at a time."""
    sums = bootstrap.totals(units.stats, RESAMPLES, rng)
    parts = np.array_split(sums, max(1, sums.size // _BLOCK))
    return np.concatenate([numeric.coefficients(part, units) for part in parts])


def _many(grid: grids.Grid, weights: str, rng: np.random.Generator) -> pd.DataFrame:
    """Measurements: only Krippendorff's alpha, for squared differences or ranks."""
    kind = "quadratic" if weights == "quadratic" else "ordinal"
    sums = krippendorff_many.unit_sums(grid.row, grid.score, kind)
    estimate = float(krippendorff_many.alpha(sums.sum(axis=0)))
    low, high = bootstrap.limits(krippendorff_many.alpha(bootstrap.totals(sums, RESAMPLES, rng)))
    return estimates(
        "agreement", variant="krippendorff", estimate=estimate, low=float(np.minimum(low, estimate)),
        high=float(np.maximum(high, estimate)), n=len(sums), weights=kind, raters=len(grid.columns),
    )  # fmt: skip


def _unanimous(grid: grids.Grid, weights: str) -> pd.DataFrame:
    """The share of targets whose raters, two or more, all gave the same score."""
    size = np.bincount(grid.row)  # rows of the grid stand in the order of targets
    start = np.cumsum(size) - size
    low, high = (f.reduceat(grid.score, start) for f in (np.minimum, np.maximum))
    n, same = int((size > 1).sum()), int(((low == high) & (size > 1)).sum())
    below, above = intervals.wilson(same, n)
    return estimates(
        "unanimous", estimate=same / n if n else np.nan, low=float(below), high=float(above), n=n,
        weights=weights, raters=len(grid.columns),
    )  # fmt: skip


def _refused(grid: grids.Grid, weights: str) -> pd.DataFrame:
    names = [_name(c, weights, len(grid.columns)) for c in numeric.COEFFICIENTS]
    flat = len(grid.score) > 1 and np.ptp(grid.score) == 0 and np.bincount(grid.row).max() > 1
    raw = [1.0 if flat and n == "raw_agreement" else np.nan for n in names]
    size, raters = len(grid.rows), len(grid.columns)
    return estimates(
        "agreement", variant=names, estimate=raw, n=size, weights=weights, raters=raters
    )


def _name(coefficient: str, weights: str, raters: int) -> str:
    """The variant of a coefficient, which depends on the weights and the number of raters."""
    special_names = {
        "gwet": "gwet_ac1" if weights == "nominal" else "gwet_ac2",
        "cohen": "cohen" if raters == 2 else "cohen_mean",
    }
    return special_names.get(coefficient, coefficient)


def _categories(grid: grids.Grid, categories: Sequence[float] | None, column: str) -> np.ndarray:
    seen = np.unique(grid.score)
    if categories is None:
        return seen
    given = np.unique(np.asarray(list(categories), dtype=np.float64))
    strange = [f"{v:g}" for v in seen if v not in given]
    if strange:
        count = int(np.isin(grid.score, given, invert=True).sum())
        raise table_error("off_scale", column=column, values=strange[:5], count=count,
                          scale=[f"{v:g}" for v in given])  # fmt: skip
    return given

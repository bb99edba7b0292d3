"""Intraclass correlations: do different raters tell the same departments apart?"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, icc_incomplete
from svcmetrics.numeric import icc as forms
from svcmetrics.result import Result, estimates
from svcmetrics.tables import require
from svcmetrics.verify import grid as grids
from svcmetrics.verify.icc_findings import reading, refusal, warnings
from svcmetrics.verify.oddities import blocks, odd

RESAMPLES = 2000


@metric(better="higher", high=1, source="Shrout & Fleiss 1979; McGraw & Wong 1996, Tables 4 and 7")
def icc(
    ratings: pd.DataFrame,
    *,
    target: str,
    rater: str,
    score: str,
    rater_unit: str | None = None,
    interval: Literal["exact", "bootstrap"] = "exact",
    rng: int | np.random.Generator = 1,
) -> Result:
    """Do different raters tell the rated departments apart in the same way?

    ratings: one row per rating; a repeated (target, rater) pair is an error, not a mean;
        rows that are the same in every column count once and are named.
    target, rater, score: the columns with the department, the person and the number given.
    rater_unit: the rater's own department; ratings of it are left out and counted.
    interval: "exact" (F limits; McGraw and Wong's for agreement), or "bootstrap": 2,000 resamples
        of the targets. An incomplete table always has a simulated interval, see ``about``.
    rng: seed or generator of the resamples.

    Returns the six forms, one row each, under both names: ``form`` (Shrout and Fleiss) and
    ``notation`` (McGraw and Wong). A (agreement) counts differences in severity as error,
    C (consistency) does not; 1 is one rater, k the mean of the raters. ``raters_for_0.8``: how
    many raters a mean needs for 0.80. The row ``sem`` is the standard error of measurement in
    points of the scale (one rating), ``mdc`` the smallest change that is more than error (95%).

    A table with missing cells is estimated by REML; where the variance between targets comes
    out at zero, the unbiased estimate is shown with its negative sign, and said so.

    Misleads: with few or very similar targets it is low although raters agree; a table of nothing
    but fives has no ICC at all. It says nothing on whether the raters are right.

    The limits of ICC(A,k) are the Spearman-Brown transform of those of ICC(A,1), as in R psych;
    R irr puts ICC(A,k) itself into the degrees of freedom, which belong to the single rating, and
    its two limits then contradict each other (Shrout and Fleiss: 0.039 and 0.929, not 0.071 and
    0.927).

    Source: Shrout & Fleiss 1979, Psychol. Bull. 86, 420-428; McGraw & Wong 1996, Psychol.
    Methods 1, 30-46, Tables 4 and 7.

    >>> r = pd.DataFrame({"d": [*"aaabbbccc"], "r": [1, 2, 3] * 3, "s": [1, 2, 2, 3, 3, 4, 5, 4, 5]})
    >>> icc(r, target="d", rater="r", score="s").table.round(2)[["form", "estimate", "low", "high"]][:3]
           form  estimate   low  high
    0  ICC(1,1)      0.87  0.38   1.0
    1  ICC(2,1)      0.87  0.39   1.0
    2  ICC(3,1)      0.89  0.30   1.0
    """
    ratings, own = _without_own(ratings, target, rater_unit)
    grid = grids.read(ratings, row=target, column=rater, score=score)
    about: dict[str, Any] = {"dropped": {**grid.dropped, **own}, "targets": len(grid.rows)}
    about |= {"raters": len(grid.columns), "ratings": len(grid.score)}
    refused = refusal(grid)
    if refused:
        return Result("icc", _table(grid, None, None), [*grid.findings, refused], about)
    seed = bootstrap.generator(rng)
    found = _complete(grid, interval, seed) if grid.is_complete else _incomplete(grid, seed)
    about |= found.pop("about")
    about["blocks"] = blocks(grid)
    table = _table(grid, found, found["error"])
    notes = [
        *reading(table, about["blocks"]),
        *warnings(grid, table, about),
        *odd(ratings, grid, target=target, rater=rater),
    ]
    return Result("icc", table, notes, about)


def _without_own(
    ratings: pd.DataFrame, target: str, rater_unit: str | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    if rater_unit is None:
        return ratings, {}
    require(ratings, target, rater_unit)
    own = (ratings[target].astype("object") == ratings[rater_unit].astype("object")).to_numpy(bool)
    return ratings[~own], ({"own_unit": int(own.sum())} if own.any() else {})


def _complete(grid: grids.Grid, interval: str, rng: np.random.Generator) -> dict[str, Any]:
    table = grid.table()
    ms = forms.mean_squares(table)
    f, df1, df2, p = forms.f_tests(ms)
    estimate = forms.six_forms(ms)
    low, high = forms.six_limits(ms)
    # A mean of raters that disagree systematically can leave the formula's range.
    beyond = (low > estimate) | (high < estimate)
    low, high = np.where(beyond, np.nan, low), np.where(beyond, np.nan, high)
    about: dict[str, Any] = {"method": "ANOVA", "interval": "exact F; McGraw & Wong (agreement)"}
    if interval == "bootstrap":
        sums = bootstrap.totals(forms.unit_sums(table), RESAMPLES, rng)
        draws = forms.six_forms(forms.mean_squares_of_sums(sums, len(table)))
        low, high = bootstrap.limits(draws)
        low, high = np.minimum(low, estimate), np.maximum(high, estimate)
        about["interval"] = f"bootstrap over targets, {RESAMPLES} resamples, percentile"
    about["mean_squares"] = {
        "targets": float(ms.targets),
        "raters": float(ms.raters),
        "residual": float(ms.residual),
        "within": float(ms.within),
    }
    rater = max(float(ms.raters - ms.residual) / ms.n, 0.0)
    error = {"agreement": float(ms.residual) + rater, "consistency": float(ms.residual)}
    return {"estimate": estimate, "low": low, "high": high, "raw": estimate, "k": float(ms.k),
            "F": f, "df1": df1, "df2": df2, "p": p, "error": error, "about": about}  # fmt: skip


def _incomplete(grid: grids.Grid, rng: np.random.Generator) -> dict[str, Any]:
    plan = icc_incomplete.design(grid.row, grid.column)
    k = plan.raters_per_target
    raw = icc_incomplete.henderson(plan, grid.score)
    fitted, method = icc_incomplete.fitted(plan, grid.score, raw)
    single = icc_incomplete.singles(fitted)
    low, high = icc_incomplete.all_limits(plan, fitted, RESAMPLES, rng)
    about = {
        "method": method,
        "interval": f"generalized interval, {RESAMPLES} simulations on the same plan",
        "components": {n: float(v) for n, v in fitted._asdict().items()},
        "raters_per_target": k,
    }
    error = {
        "agreement": max(float(fitted.rater), 0.0) + float(fitted.residual),
        "consistency": float(fitted.residual),
    }
    nothing = np.full(6, np.nan)
    both = [np.concatenate([v, forms.stepped_up(v, k)]) for v in
            (single, low, high, icc_incomplete.singles(raw))]  # fmt: skip
    return {"estimate": both[0], "low": both[1], "high": both[2], "raw": both[3], "k": k,
            "F": nothing, "df1": nothing, "df2": nothing, "p": nothing, "error": error,
            "about": about}  # fmt: skip


def _table(
    grid: grids.Grid, found: dict[str, Any] | None, error: dict[str, float] | None
) -> pd.DataFrame:
    """The six forms, then the error of measurement; all missing when there is nothing to find."""
    nothing = np.full(6, np.nan)
    got = found or dict.fromkeys(
        ("estimate", "low", "high", "raw", "F", "df1", "df2", "p"), nothing
    )
    single = np.where(np.arange(6) < 3, got["estimate"], np.nan)
    six = estimates(
        "icc",
        variant=[f"{a} = {b}" for a, b in zip(forms.FORMS, forms.NOTATIONS)],
        estimate=got["estimate"], low=got["low"], high=got["high"], n=len(grid.rows),
        form=forms.FORMS, notation=forms.NOTATIONS, raters=got.get("k", len(grid.columns)),
        raw=got["raw"], F=got["F"], df1=got["df1"], df2=got["df2"], p=got["p"],
    )  # fmt: skip
    six["raters_for_0.8"] = forms.raters_needed(single)
    if error is None:
        return six
    sem = np.sqrt(np.maximum([error["agreement"], error["consistency"]], 0))
    rows = [
        estimates(name, variant=["agreement", "consistency"], estimate=value, n=len(grid.rows))
        for name, value in (("sem", sem), ("mdc", 1.959964 * np.sqrt(2) * sem))
    ]
    return pd.concat([six, *rows])

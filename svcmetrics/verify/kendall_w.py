"""Kendall's W: do raters put the departments in the same order?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, concordance
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import grid as grids
from svcmetrics.verify.oddities import odd

RESAMPLES = 2000
_FEW = 7
# Up to so many targets all pairs of them are counted.
_PAIRS = 2000


@metric(
    better="higher", low=0, high=1, source="Kendall & Babington Smith 1939; Kendall 1970, ch. 6"
)
def kendall_w(
    ratings: pd.DataFrame,
    *,
    target: str,
    rater: str,
    score: str,
    rng: int | np.random.Generator = 1,
) -> Result:
    """Do raters put the departments in the same order?

    ratings: one row per rating; a repeated (target, rater) pair is an error. Ranks need complete
        raters: raters who did not rate every department are left out and counted.
    target, rater, score: the columns with the department, the person and the number given.
    rng: seed or generator of the 2,000 resamples of the departments.

    Returns W corrected for ties (0: no common order, 1: the same order), Friedman's chi-square
    with p, the mean rank correlation of two raters (``mean_spearman``), and percentile limits.

    Misleads: W looks at order only; raters of very different severity can have W = 1. With two
    raters who contradict each other it is 0, not negative: see ``mean_spearman``. The chi-square
    is rough below 8 departments. Resampled departments repeat, so the interval leans upwards
    where departments are few.

    Source: Kendall & Babington Smith 1939, Ann. Math. Stat. 10, 275-287; Kendall 1970, Rank
    Correlation Methods, 4th ed., ch. 6.

    >>> r = pd.DataFrame({"d": [*"abcabcabc"], "r": [1, 1, 1, 2, 2, 2, 3, 3, 3], "s": [1, 2, 3, 1, 3, 2, 2, 4, 5]})
    >>> kendall_w(r, target="d", rater="r", score="s").table.round(3)[["metric", "estimate"]]
              metric  estimate
    0      kendall_w     0.778
    1  mean_spearman     0.667
    """
    grid = grids.read(ratings, row=target, column=rater, score=score)
    table = grid.table()
    whole = np.isfinite(table).all(axis=0)
    dropped = {**grid.dropped}
    if not whole.all():
        dropped["incomplete_rater"] = int((~whole).sum())
    about: dict[str, Any] = {"dropped": dropped, "raters": int(whole.sum()), "targets": len(table)}
    refused = _refusal(grid, whole)
    if refused:
        empty = estimates(
            "kendall_w", variant="ties_corrected", n=len(table), raters=int(whole.sum())
        )
        return Result("kendall_w", empty, [*grid.findings, refused], about)
    used = table[:, whole]
    n, m = used.shape
    of_times = _rule(_in_order(used))
    w = float(of_times(np.ones((1, n)))[0])
    if not np.isfinite(w):
        flat = Finding("kendall_w.no_order", {}, "refused")
        return Result(
            "kendall_w", estimates("kendall_w", n=n, raters=m), [*grid.findings, flat], about
        )
    draws = [of_times(times) for times in bootstrap.counts(n, RESAMPLES, bootstrap.generator(rng))]
    result = _table(np.concatenate(draws), w, n, m)
    about["interval"] = f"bootstrap over targets, {RESAMPLES} resamples, percentile"
    strange = odd(ratings, grid, target=target, rater=rater)
    return Result(
        "kendall_w", result, [*_reading(result, dropped), *grid.findings, *strange], about
    )


def _in_order(used: np.ndarray) -> np.ndarray:
    """The targets in an order of their own: neither rows nor names decide on the resamples."""
    # Places of scores, written with the largest part first, sort as the scores do.
    place = np.unique(used, return_inverse=True)[1].reshape(used.shape).astype(">u4")
    rows = [row.tobytes() for row in place[:, ::-1]]
    return used[sorted(range(len(rows)), key=rows.__getitem__)]


def _rule(used: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """W as a function of how often each target counts: by pairs of targets where these are few,
    by points where the scale has few, rater by rater otherwise."""
    if len(used) <= _PAIRS:
        return partial(concordance.of_orders, concordance.orders(used))
    points = concordance.points(used)
    if points is None:
        return partial(concordance.kendall_w, used)
    return partial(concordance.of_points, points)


def _table(draws: np.ndarray, w: float, n: int, m: int) -> pd.DataFrame:
    """W with its test, and the mean rank correlation that goes with it."""
    low, high = bootstrap.limits(draws)
    ends = np.array([np.minimum(low, w), w, np.maximum(high, w)])
    pairs = (m * ends - 1) / (m - 1)
    chi2, df, p = concordance.chi_square(w, n, m)
    result = estimates(
        "kendall_w", variant=["ties_corrected", ""], estimate=[w, pairs[1]], low=[ends[0], pairs[0]],
        high=[ends[2], pairs[2]], n=n, raters=m, chi2=[chi2, np.nan], df=[df, np.nan], p=[p, np.nan],
    )  # fmt: skip
    result["metric"] = ["kendall_w", "mean_spearman"]
    return result


def _refusal(grid: grids.Grid, whole: np.ndarray) -> Finding | None:
    if not len(grid.score):
        return Finding("agreement.no_scores", {}, "refused")
    if len(grid.columns) < 2:
        return Finding("agreement.one_rater", {"rater": grid.columns[0]}, "refused")
    if len(grid.rows) < 2:
        return Finding("agreement.one_target", {"target": grid.rows[0]}, "refused")
    if whole.sum() < 2:
        values = {"complete": int(whole.sum()), "raters": len(grid.columns)}
        return Finding("kendall_w.too_few_complete", values, "refused")
    return None


def _reading(table: pd.DataFrame, dropped: dict[str, int]) -> list[Finding]:
    row = table.iloc[0]
    values = {
        "w": row["estimate"], "low": row["low"], "high": row["high"], "n": int(row["n"]),
        "raters": int(row["raters"]), "rho": table["estimate"].iloc[1],
    }  # fmt: skip
    found = [Finding("kendall_w.reading", values)]
    if row["n"] <= _FEW:
        found.append(Finding("kendall_w.few", values, "warning"))
    if dropped.get("incomplete_rater"):
        left = {"count": dropped["incomplete_rater"]}
        found.append(Finding("kendall_w.left_out", left, "warning"))
    return found

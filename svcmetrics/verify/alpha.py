"""Cronbach's alpha: do the items of one scale move together?"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, consistency
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result
from svcmetrics.verify import alpha_rows, answers

RESAMPLES = 2000
_REDUNDANT = 0.95
_INTERVALS = {
    "feldt": "Feldt, F distribution",
    "bootstrap": f"bootstrap over persons, {RESAMPLES} resamples, percentile",
    "polychoric": "first order, from the influence of each form",
}


@metric(better="higher", high=1, source="Cronbach 1951; Feldt 1965", drawing="item_scale")
def alpha(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    person: str,
    item: str,
    score: str,
    missing: Literal["listwise", "pairwise"] = "listwise",
    correlations: Literal["pearson", "polychoric"] = "pearson",
    interval: Literal["feldt", "bootstrap"] = "feldt",
    rng: int | np.random.Generator = 1,
) -> Result:
    """Do the items of one scale move together?

    ratings: one row per answer; a repeated (person, item) pair is an error.
    person, item, score: the columns with the form (or person), the item and the answer. Reversed
        items must be turned round before; one that was forgotten is named.
    missing: "listwise" uses complete forms only; "pairwise" uses for each pair of items those who
        answered both, and takes the smallest pair for the interval.
    correlations: "pearson" takes answers as numbers; "polychoric" as categories in order, cut from
        normal scales, and gives the alpha of these scales (ordinal alpha), with limits from the
        influence of each form.
    interval: "feldt", or "bootstrap" with 2,000 resamples of the forms; with "pairwise" every
        resample goes through the same rule.
    rng: seed or generator of the resamples.

    Returns alpha (raw and standardised, or polychoric), its standard error (Duhachek and Iacobucci),
    Guttman's lambda 6, mean and median correlation of two items, and per item: alpha without the
    item (``alpha_without``) and its correlation with the sum of the others (``item_rest``). The mean
    answer of a form and its spread are in ``about``.

    Misleads: it is about items, not about departments: a high alpha shows neither one dimension
    nor that raters agree, and straight-lining drives it up. Report verify.icc for departments.
    The polychoric one is about scales that nobody sees, higher than that of the points added up: do
    not report it as the reliability of a sum of points (Chalmers 2018). R psych stops its search for
    a polychoric correlation early: its alpha may differ in the sixth digit.

    Source: Cronbach 1951, Psychometrika 16, 297-334; Feldt 1965, Psychometrika 30, 357-370;
    Duhachek and Iacobucci 2004, Journal of Applied Psychology 89, 792-808; polychoric: Olsson 1979,
    Psychometrika 44, 443-460; Zumbo, Gadermann and Zeisser 2007, Journal of Modern Applied
    Statistical Methods 6, 21-29; Chalmers 2018, Educational and Psychological Measurement 78, 1056.

    >>> answers = [[4, 5, 4], [3, 3, 2], [5, 5, 5], [2, 2, 3], [4, 4, 4], [1, 2, 1]]
    >>> wide = pd.DataFrame(answers).rename_axis("p").reset_index()
    >>> long = wide.melt("p", var_name="i", value_name="s")
    >>> alpha(long, person="p", item="i", score="s").table.round(2)[["variant", "estimate", "low"]][:2]
            variant  estimate   low
    0           raw      0.96  0.84
    1  standardised      0.96   NaN
    """
    form = answers.read(ratings, person=person, item=item, score=score, missing=missing)
    _words(correlations, interval)
    about: dict[str, Any] = {
        "dropped": form.dropped, "missing": missing, "items": len(form.items),
        "persons": form.persons, "correlations": correlations,
    }  # fmt: skip
    covariance, pairs = consistency.covariances(form.table)
    refused = answers.refusal(form, covariance)
    if refused:
        return Result("alpha", alpha_rows.empty(item, form), [*form.findings, refused], about)
    n = form.persons if missing == "listwise" else int(pairs.min())
    about |= _of_forms(form.table)
    about["interval"] = _INTERVALS[interval if correlations == "pearson" else correlations]
    if correlations == "polychoric":
        table, refused = alpha_rows.from_categories(item, form, n)
        if refused:
            return Result("alpha", table, [*form.findings, refused], about)
    else:
        table = alpha_rows.from_numbers(item, form, covariance, n)
        if interval == "bootstrap":
            low, high = bootstrap.limits(_drawn(form.table, missing, bootstrap.generator(rng)))
            estimate = table["estimate"].to_numpy()[0]
            table.loc[0, "low"] = float(np.minimum(low, estimate))
            table.loc[0, "high"] = float(np.maximum(high, estimate))
    return Result(
        "alpha", table, [*_reading(table), *form.findings, *_items(form, table, item)], about
    )


def _words(correlations: str, interval: str) -> None:
    for word, known in (
        (correlations, ["pearson", "polychoric"]),
        (interval, ["feldt", "bootstrap"]),
    ):
        if word not in known:
            raise table_error("unknown_word", unknown=[word], known=known)


def _of_forms(table: np.ndarray) -> dict[str, float]:
    """Mean answer of a form, on average, and its spread over forms."""
    own = np.nanmean(table[np.isfinite(table).any(axis=1)], axis=1)
    return {"mean": float(own.mean()), "sd": float(own.std(ddof=1))}


def _drawn(table: np.ndarray, missing: str, rng: np.random.Generator) -> np.ndarray:
    """Alpha in every resample of the persons."""
    if missing == "listwise" or np.isfinite(table).all():
        sums = bootstrap.totals(consistency.alpha_sums(table), RESAMPLES, rng)
        return consistency.alpha_of_sums(sums, len(table))
    sums = bootstrap.totals(consistency.pairwise_sums(table), RESAMPLES, rng)
    return consistency.alpha_of_pairwise(sums, table.shape[1])


def _reading(table: pd.DataFrame) -> list[Finding]:
    row = table.iloc[0]
    values = {"alpha": row["estimate"], "low": row["low"], "high": row["high"], "n": int(row["n"])}
    ordinal = row["variant"] == "polychoric"
    found = [Finding("alpha.ordinal" if ordinal else "alpha.reading", values)]
    found.append(Finding("alpha.not_departments"))
    if row["estimate"] > _REDUNDANT:
        found.append(Finding("alpha.redundant", values, "warning"))
    if row["estimate"] < 0:
        found.append(Finding("alpha.negative", values, "warning"))
    return found


def _items(form: answers.Answers, table: pd.DataFrame, item: str) -> list[Finding]:
    rest = table[table["metric"] == "item_rest"]
    against = rest.loc[rest["estimate"] < 0, item].tolist()
    found = []
    if against:
        found.append(Finding("alpha.reversed", {"items": against}, "warning"))
    if form.persons < answers.FEW:
        found.append(Finding("alpha.few", {"n": form.persons}, "warning"))
    return found

"""Cronbach's alpha: do the items of one scale move together?"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, consistency
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import answers

RESAMPLES = 2000
_REDUNDANT = 0.95


@metric(better="higher", high=1, source="Cronbach 1951; Feldt 1965", drawing="item_scale")
def alpha(
    ratings: pd.DataFrame,
    *,
    person: str,
    item: str,
    score: str,
    missing: Literal["listwise", "pairwise"] = "listwise",
    interval: Literal["feldt", "bootstrap"] = "feldt",
    rng: int | np.random.Generator = 1,
) -> Result:
    """Do the items of one scale move together?

    ratings: one row per answer; a repeated (person, item) pair is an error.
    person, item, score: the columns with the form (or person), the item and the answer. Reversed
        items must be turned round before; one that was forgotten is named.
    missing: "listwise" uses complete forms only; "pairwise" uses for each pair of items those who
        answered both, and takes the smallest pair for the interval.
    interval: "feldt", or "bootstrap" with 2,000 resamples of the forms; with "pairwise" every
        resample goes through the same rule.
    rng: seed or generator of the resamples.

    Returns alpha (raw and standardised), Guttman's lambda 6, and per item: alpha without the item
    (``alpha_without``) and its correlation with the sum of the others (``item_rest``).

    Misleads: it is about items, not about departments: a high alpha shows neither one dimension
    nor that raters agree, and straight-lining drives it up. Report verify.icc for departments.

    Source: Cronbach 1951, Psychometrika 16, 297-334; Feldt 1965, Psychometrika 30, 357-370.

    >>> answers = [[4, 5, 4], [3, 3, 2], [5, 5, 5], [2, 2, 3], [4, 4, 4], [1, 2, 1]]
    >>> wide = pd.DataFrame(answers).rename_axis("p").reset_index()
    >>> long = wide.melt("p", var_name="i", value_name="s")
    >>> alpha(long, person="p", item="i", score="s").table.round(2)[["variant", "estimate", "low"]][:2]
            variant  estimate   low
    0           raw      0.96  0.84
    1  standardised      0.96   NaN
    """
    form = answers.read(ratings, person=person, item=item, score=score, missing=missing)
    about: dict[str, Any] = {
        "dropped": form.dropped, "missing": missing, "items": len(form.items), "interval": interval,
        "persons": form.persons,
    }  # fmt: skip
    covariance, pairs = consistency.covariances(form.table)
    refused = answers.refusal(form, covariance)
    if refused:
        table = _table(item, form, np.full_like(covariance, np.nan), 0)
        return Result("alpha", table, [*form.findings, refused], about)
    n = form.persons if missing == "listwise" else int(pairs.min())
    table = _table(item, form, covariance, n)
    if interval == "bootstrap":
        low, high = bootstrap.limits(_drawn(form.table, missing, bootstrap.generator(rng)))
        estimate = table["estimate"].to_numpy()[0]
        table.loc[0, "low"] = float(np.minimum(low, estimate))
        table.loc[0, "high"] = float(np.maximum(high, estimate))
        about["interval"] = f"bootstrap over persons, {RESAMPLES} resamples, percentile"
    else:
        about["interval"] = "Feldt, F distribution"
    return Result(
        "alpha", table, [*_reading(table), *form.findings, *_items(form, table, item)], about
    )


def _drawn(table: np.ndarray, missing: str, rng: np.random.Generator) -> np.ndarray:
    """Alpha in every resample of the persons."""
    if missing == "listwise" or np.isfinite(table).all():
        sums = bootstrap.totals(consistency.alpha_sums(table), RESAMPLES, rng)
        return consistency.alpha_of_sums(sums, len(table))
    sums = bootstrap.totals(consistency.pairwise_sums(table), RESAMPLES, rng)
    return consistency.alpha_of_pairwise(sums, table.shape[1])


def _table(item: str, form: answers.Answers, covariance: np.ndarray, n: int) -> pd.DataFrame:
    k = len(form.items)
    correlation = consistency.correlations(covariance)
    raw, std = consistency.alpha(covariance), consistency.alpha(correlation)
    low, high = consistency.feldt(raw, n, k)
    whole = estimates(
        "alpha", groups={item: ""}, variant=["raw", "standardised"],
        estimate=[raw, std], low=[low, np.nan], high=[high, np.nan], n=n,
    )  # fmt: skip
    six = estimates("lambda6", groups={item: ""}, estimate=consistency.lambda6(correlation), n=n)
    if k < 2 or n == 0:
        return pd.concat([whole, six], ignore_index=True)
    without = consistency.alpha_without(covariance)
    low, high = consistency.feldt(without, n, max(k - 1, 2))
    labels = [str(i) for i in form.items]
    fewer = estimates(
        "alpha_without", groups={item: labels}, estimate=without, low=low, high=high, n=n
    )
    rest = consistency.item_rest(covariance)
    low, high = answers.correlation_limits(rest, n)
    corrected = estimates(
        "item_rest", groups={item: labels}, estimate=rest, low=low, high=high, n=n
    )
    return pd.concat([whole, six, fewer, corrected], ignore_index=True)


def _reading(table: pd.DataFrame) -> list[Finding]:
    row = table.iloc[0]
    values = {"alpha": row["estimate"], "low": row["low"], "high": row["high"], "n": int(row["n"])}
    found = [Finding("alpha.reading", values), Finding("alpha.not_departments")]
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

"""Split-half reliability over all splits: how much does it hang on which half is which?"""

from __future__ import annotations

import itertools
import math
from typing import Any, Literal

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, consistency
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import answers

# All splits up to this number; beyond it as many at random.
SPLITS = 10_000


@metric(better="higher", high=1, source="Guttman 1945 (lambda 4); Callender & Osburn 1977")
def split_half(
    ratings: pd.DataFrame,
    *,
    person: str,
    item: str,
    score: str,
    missing: Literal["listwise", "pairwise"] = "listwise",
    rng: int | np.random.Generator = 1,
) -> Result:
    """How reliable is the total when the items are split in halves, over all possible splits?

    ratings: one row per answer; a repeated (person, item) pair is an error.
    person, item, score: the columns with the form (or person), the item and the answer. Reversed
        items must be turned round before.
    missing: "listwise" uses complete forms only; "pairwise" all answers to each pair of items.
    rng: seed or generator, used only when there are more than 10,000 splits (from 17 items on).

    Returns Guttman's split-half coefficient (lambda 4) as mean, lowest and highest over the
    splits, and for odd against even items; ``low`` and ``high`` of the mean hold the middle 95%
    of the splits, which is no confidence interval. ``split_half_standardised`` is the same for
    items of equal spread, as R psych has it. An odd number of items is split unevenly by one.

    Misleads: one split proves little; the highest is a lucky one, the more so in small samples.
    With an odd number of items R psych 2.2 walks through half of the splits only, and its mean
    and highest value may differ from these.

    Source: Guttman 1945, Psychometrika 10, 255-282; Callender & Osburn 1977.

    >>> answers = [[4, 5, 4, 4], [3, 3, 2, 3], [5, 5, 5, 4], [2, 2, 3, 2], [4, 4, 4, 5]]
    >>> wide = pd.DataFrame(answers).rename_axis("p").reset_index()
    >>> long = wide.melt("p", var_name="i", value_name="s")
    >>> split_half(long, person="p", item="i", score="s").table.round(2)[["variant", "estimate"]][:3]
       variant  estimate
    0     mean      0.94
    1   lowest      0.94
    2  highest      0.94
    """
    form = answers.read(ratings, person=person, item=item, score=score, missing=missing)
    about: dict[str, Any] = {"dropped": form.dropped, "missing": missing, "items": len(form.items)}
    covariance, pairs = consistency.covariances(form.table)
    refused = answers.refusal(form, covariance)
    if refused:
        empty = estimates("split_half", variant="mean", n=form.persons, splits=0)
        return Result("split_half", empty, [*form.findings, refused], about)
    k = len(form.items)
    halves = _halves(k, bootstrap.generator(rng))
    about["splits"] = len(halves)
    n = int(pairs.min())
    parts = [_rows("split_half", covariance, halves, n)]
    if (np.diag(covariance) > 0).all():
        parts.append(
            _rows("split_half_standardised", consistency.correlations(covariance), halves, n)
        )
    table = pd.concat(parts, ignore_index=True)
    row = table.set_index("variant").iloc[:4]["estimate"]
    values = {
        "mean": row["mean"],
        "lowest": row["lowest"],
        "highest": row["highest"],
        "splits": len(halves),
        "n": n,
    }
    found = [Finding("split_half.reading", values)]
    if form.persons < answers.FEW:
        found.append(Finding("alpha.few", {"n": form.persons}, "warning"))
    return Result("split_half", table, [*found, *form.findings], about)


def _halves(items: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of ±1, one per split, each split once; the smaller half is +1."""
    half = items // 2
    number = math.comb(items, half)
    if number <= 2 * SPLITS:
        chosen = np.array(list(itertools.combinations(range(items), half)))
        if items % 2 == 0:  # a split and its mirror are one: keep those with the first item
            chosen = chosen[: number // 2]
    else:
        chosen = np.argsort(rng.random((SPLITS, items)), axis=1)[:, :half]
    signs = np.full((len(chosen), items), -1.0)
    np.put_along_axis(signs, chosen, 1.0, axis=1)
    return signs


def _rows(name: str, covariance: np.ndarray, halves: np.ndarray, n: int) -> pd.DataFrame:
    """Guttman's lambda 4 is one minus the variance of the difference over that of the sum."""
    total = covariance.sum()
    odd = np.where(np.arange(len(covariance)) % 2 == 0, 1.0, -1.0)
    lambda4 = 1 - ((halves @ covariance) * halves).sum(axis=1) / total
    low, high = np.quantile(lambda4, [0.025, 0.975])
    mean = lambda4.mean()
    return estimates(
        name, variant=["mean", "lowest", "highest", "odd_even"], n=n, splits=len(halves),
        estimate=[mean, lambda4.min(), lambda4.max(), 1 - odd @ covariance @ odd / total],
        low=[min(low, mean), np.nan, np.nan, np.nan], high=[max(high, mean), np.nan, np.nan, np.nan],
    )  # fmt: skip

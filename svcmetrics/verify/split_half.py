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
RESAMPLES = 2000
# Numbers of resampled sums in one pass.
_BLOCK = 4_000_000


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
    rng: seed or generator of the 2,000 resamples of the forms and, when there are more than 10,000
        splits (from 17 items on), of the splits.

    Returns Guttman's split-half coefficient (lambda 4) as mean, lowest and highest over the
    splits, and for odd against even items. The mean and odd against even have percentile limits
    over resampled forms; the lowest and the highest have none, for in a resample the extremes lie
    further out. ``split_half_standardised`` is the same for
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
    draws = bootstrap.generator(rng)
    halves = _halves(k, draws)
    about["splits"] = len(halves)
    n = int(pairs.min())
    about["interval"] = f"bootstrap over persons, {RESAMPLES} resamples, percentile"
    kinds = {"split_half": covariance}
    if (np.diag(covariance) > 0).all():
        kinds["split_half_standardised"] = consistency.correlations(covariance)
    limits = _limits(form.table, halves, draws)
    parts = [_rows(name, kinds[name], halves, n, limits[name]) for name in kinds]
    table = pd.concat(parts)
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


def _rows(
    name: str,
    covariance: np.ndarray,
    halves: np.ndarray,
    n: int,
    limits: tuple[np.ndarray, np.ndarray],
) -> pd.DataFrame:
    """The splits of one covariance matrix; ``limits`` of their mean and of odd against even."""
    every, odd = _lambda4(covariance, halves), _lambda4(covariance, _odd(len(covariance)))
    low, high = limits
    return estimates(
        name, variant=["mean", "lowest", "highest", "odd_even"], n=n, splits=len(halves),
        estimate=[every.mean(), every.min(), every.max(), odd[0]],
        low=[low[0], np.nan, np.nan, low[1]], high=[high[0], np.nan, np.nan, high[1]],
    )  # fmt: skip


def _odd(items: int) -> np.ndarray:
    return np.where(np.arange(items) % 2 == 0, 1.0, -1.0)[None, :]


def _lambda4(covariance: np.ndarray, halves: np.ndarray) -> np.ndarray:
    """Guttman's lambda 4 is one minus the variance of the difference over that of the sum."""
    return 1 - ((halves @ covariance) * halves).sum(axis=1) / covariance.sum()


def _limits(
    table: np.ndarray, halves: np.ndarray, rng: np.random.Generator
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Limits of the mean over splits and of odd against even, of both kinds.

    Lambda 4 is linear in the covariances but for the variance of the sum, which is the same for
    every split: its mean over splits needs only how often two items meet in one half.
    """
    k = table.shape[1]
    meet = np.stack([halves.T @ halves / len(halves), _odd(k).T @ _odd(k)])
    sums = bootstrap.totals(consistency.pairwise_sums(table), RESAMPLES, rng)
    draws: dict[str, list[np.ndarray]] = {"split_half": [], "split_half_standardised": []}
    for part in np.array_split(sums, max(1, sums.size // _BLOCK)):
        covariance = consistency.covariances_of_pairwise(part, k)
        for name, drawn in draws.items():
            own = covariance if name == "split_half" else consistency.correlations(covariance)
            with np.errstate(divide="ignore", invalid="ignore"):
                between = np.einsum("bij,mij->bm", own, meet) / own.sum(axis=(1, 2))[:, None]
            drawn.append(np.where(np.isfinite(between), 1 - between, np.nan))
    return {name: bootstrap.limits(np.concatenate(drawn)) for name, drawn in draws.items()}

"""Answers repeated from last time: how many, and how many honest people would repeat, on arrays.

Two forms are compared item by item; k items were answered both times and m of them are equal.
An exact copy has m = k. Two expectations:

- by chance: the rater draws each answer anew from the own habits, so that items agree with
  chance Σp²;
- among honest raters with lasting opinions: items agree more often than that, and together. The
  number of equal items is then beta-binomial; it is fitted to the forms that are *no* copies, and
  carried on to m = k. What lies above is copying.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from svcmetrics.numeric import bootstrap

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Codes = NDArray[np.integer]

# Fewer answers in common than this: no copy can be told.
COMMON = 3
# The fit looks at these mean rates of agreement and these intra-form correlations.
_MEANS = np.linspace(0.02, 0.98, 49)
_TIES = np.concatenate([np.linspace(0.002, 0.2, 15), np.linspace(0.24, 0.8, 15)])
# Numbers of common items that are looked at, the most frequent ones.
_SIZES = 8


def equal_answers(answers: Codes, now: Whole, before: Whole) -> tuple[Whole, Whole]:
    """How many answers are equal, and how many were given both times, pair of forms by pair.

    Answers are positions among the values, −1 where there is none (``categories.coded``).
    """
    equal, common = np.zeros((2, len(now)), np.int64)
    for answer in answers.T:
        one, two = answer[now], answer[before]
        both = (one >= 0) & (two >= 0)
        common += both
        equal += both & (one == two)
    return equal, common


def chance_equal(answers: Codes, rater: Whole, now: Whole, before: Whole) -> Floats:
    """Chance that all answers given both times agree: the product over these items of Σp².

    p: how often the rater gave each value to this item, over all forms.
    """
    raters = int(rater.max()) + 1
    size = int(answers.max()) + 2  # no answer is counted first, then left out
    chance, pairs = np.ones(len(now)), rater[now]
    for answer in answers.T:
        times = np.bincount(rater * size + answer + 1, minlength=raters * size)
        times = times.reshape(raters, size)[:, 1:]
        share = (times**2).sum(axis=1) / np.maximum(times.sum(axis=1), 1) ** 2
        both = (answer[now] >= 0) & (answer[before] >= 0)
        chance *= np.where(both, share[pairs], 1.0)
    return chance


def histograms(equal: Whole, common: Whole, unit: Whole, units: int) -> dict[int, Floats]:
    """For each k: units × (k + 1), how many forms of the unit have m equal answers of k."""
    out = {}
    sizes, times = np.unique(common[common >= COMMON], return_counts=True)
    for k in np.sort(sizes[np.argsort(-times, kind="stable")[:_SIZES]]):
        here = common == k
        place = unit[here] * (k + 1) + equal[here]
        counts = np.bincount(place, minlength=units * (k + 1)).reshape(units, k + 1)
        out[int(k)] = counts.astype(np.float64)
    return out


def copying(counts: dict[int, Floats]) -> tuple[Floats, Floats, Floats]:
    """(copies, honest copies to expect, forms) of each row of histograms, e.g. of each resample."""
    rows = len(next(iter(counts.values())))
    fit = np.zeros((rows, _grid()[0].size))
    for k, table in counts.items():
        logs = _log_shares(k)
        fit += table[:, :k] @ (logs[:, :k] - np.log1p(-np.exp(logs[:, k]))[:, None]).T
    best = fit.argmax(axis=1)
    copies, honest, forms = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    for k, table in counts.items():
        last = np.exp(_log_shares(k)[best, k])
        others = table[:, :k].sum(axis=1)
        copies += table[:, k]
        honest += others * last / (1 - last)
        forms += table.sum(axis=1)
    return copies, np.minimum(honest, forms), forms


def excess(copies: Floats, honest: Floats, forms: Floats) -> Floats:
    """Share of forms that were copied, over and above what honest raters repeat."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((copies - honest) / (forms - honest))


def resampled(
    counts: list[dict[int, Floats]], resamples: int, rng: np.random.Generator
) -> list[tuple[Floats, Floats, Floats]]:
    """``copying`` of several waves in the same resamples of the units (rows of each histogram)."""
    tables = [t for wave in counts for t in wave.values()]
    if not tables:
        return []
    sums = bootstrap.totals(np.concatenate(tables, axis=1), resamples, rng)
    parts = iter(np.split(sums, np.cumsum([t.shape[1] for t in tables])[:-1], axis=1))
    return [copying({k: next(parts) for k in wave}) for wave in counts if wave]


@cache
def _grid() -> tuple[Floats, Floats]:
    mean, tie = (v.ravel() for v in np.meshgrid(_MEANS, _TIES, indexing="ij"))
    size = (1 - tie) / tie
    return mean * size, (1 - mean) * size


@cache
def _log_shares(k: int) -> Floats:
    """Log chance of m = 0 … k equal answers at every point of the grid."""
    a, b = (v[:, None] for v in _grid())
    m = np.arange(k + 1)
    ways = special.gammaln(k + 1) - special.gammaln(m + 1) - special.gammaln(k - m + 1)
    return np.asarray(ways + special.betaln(a + m, k - m + b) - special.betaln(a, b))

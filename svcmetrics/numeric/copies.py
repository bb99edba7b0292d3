"""Answers repeated from last time: how many, and how many honest people would repeat, on arrays.

Two forms are compared item by item; k items were answered both times and m of them are equal.
An exact copy has m = k. Two expectations:

- by chance: the rater draws each answer anew from the own habits, so that items agree with
  chance Σp²;
- among honest raters with lasting opinions: items agree more often than that, and together. The
  number of equal items is then beta-binomial; it is fitted to the forms that are *no* copies, and
  carried on to m = k (or m = k − 1, for copies with an answer given anew). What lies above is
  copying.
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
# Fewer raters than this are not compared with themselves.
_RATERS = 5
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


def copying(waves: list[dict[int, Floats]], near: int = 0) -> list[tuple[Floats, Floats, Floats]]:
    """(copies, honest copies to expect, forms) of each wave; rows of the histograms, e.g. resamples.

    ``near``: so many new answers still make a copy. Each wave has a rate of agreement of its own;
    how much the answers of a form agree together is the raters' habit and the same in all waves,
    which forms of three or four items could not tell wave by wave.
    """
    fits = [_fit(counts, near) for counts in waves]
    if not fits:
        return []
    tie = np.sum([best for best, _ in fits], axis=0).argmax(axis=1)
    rows = np.arange(len(tie))
    places = [mean[rows, tie].astype(np.int64) * len(_TIES) + tie for _, mean in fits]
    return [_honest(c, place, near) for c, place in zip(waves, places, strict=True)]


def _fit(counts: dict[int, Floats], near: int) -> tuple[Floats, Codes]:
    """Rows × ties: the largest log likelihood of the forms that are no copies, and its mean rate."""
    fit: Floats | float = 0.0
    for k, table in counts.items():
        logs, most = _log_shares(k), k - near
        others = np.log1p(-np.exp(special.logsumexp(logs[:, most:], axis=1)))
        fit = fit + table[:, :most] @ (logs[:, :most] - others[:, None]).T
    cube = np.asarray(fit).reshape(-1, len(_MEANS), len(_TIES))
    best = cube.argmax(axis=1)
    return np.take_along_axis(cube, best[:, None], axis=1)[:, 0], best.astype(np.int16)


def _honest(counts: dict[int, Floats], best: Whole, near: int) -> tuple[Floats, Floats, Floats]:
    copies, honest, forms = np.zeros((3, len(best)))
    for k, table in counts.items():
        most = k - near
        last = np.exp(_log_shares(k)[best, most:]).sum(axis=1)
        copies += table[:, most:].sum(axis=1)
        honest += table[:, :most].sum(axis=1) * last / (1 - last)
        forms += table.sum(axis=1)
    return copies, np.minimum(honest, forms), forms


def rise(waves: list[dict[int, Floats]], near: int) -> tuple[float, float]:
    """(z, share at first): do the same raters repeat more in the last wave than they did at first?

    Rows are raters. Each is compared with the own share of copies (up to ``near`` new answers) in
    the first wave that has any of the own; raters are independent, so that their differences tell
    how far chance goes.
    """
    hits, forms = _totals(waves[-1], near)
    old, before = np.zeros_like(hits), np.zeros_like(forms)
    for wave in waves[:-1]:
        own = _totals(wave, near)
        first = before == 0
        old, before = np.where(first, own[0], old), np.where(first, own[1], before)
    both = (forms > 0) & (before > 0)
    if both.sum() < _RATERS:
        return float("nan"), float("nan")
    hits, forms, old, before = hits[both], forms[both], old[both], before[both]
    away = hits - forms * old / before
    share = (hits.sum() + old.sum() + 0.5) / (forms.sum() + before.sum() + 1)
    least = share * (1 - share) * float((forms + forms**2 / before).sum())
    spread = np.sqrt(max(float(((away - away.mean()) ** 2).sum()), least))
    return float(away.sum() / spread), float(old.sum() / before.sum())


def _totals(counts: dict[int, Floats], near: int) -> tuple[Floats, Floats]:
    """Copies and forms of each unit."""
    hits = sum((t[:, k - near :].sum(axis=1) for k, t in counts.items()), np.zeros(1))
    return np.asarray(hits), np.asarray(sum((t.sum(axis=1) for t in counts.values()), np.zeros(1)))


def excess(copies: Floats, honest: Floats, forms: Floats) -> Floats:
    """Share of forms that were copied, over and above what honest raters repeat."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((copies - honest) / (forms - honest))


def resampled(
    counts: list[dict[int, Floats]], resamples: int, rng: np.random.Generator
) -> list[dict[int, Floats]]:
    """The histograms of several waves in the same resamples of the units (their rows)."""
    tables = [t for wave in counts for t in wave.values()]
    if not tables:
        return []
    sums = bootstrap.totals(np.concatenate(tables, axis=1), resamples, rng)
    parts = iter(np.split(sums, np.cumsum([t.shape[1] for t in tables])[:-1], axis=1))
    return [{k: next(parts) for k in wave} for wave in counts]


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

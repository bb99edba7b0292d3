"""Do forms follow the last ones more closely, or did raters only become steadier? On arrays.

Within a form, answers lie apart: by lasting opinions on the single items, and by the chance of the
day. The chance of one day has no part in the covariance of these deviations between two waves, so
that raters who become steadier do not raise it, while a form that is copied, or copied but for one
answer, carries the chance of the last day along. How far answers lie apart within a form tells the
other story: it falls where raters become steadier, and stays where they copy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Fewer raters than this are not compared with themselves.
RATERS = 5


def apart(answers: Floats, wave: Whole, now: Whole, before: Whole) -> tuple[Floats, Floats]:
    """Of each pair of forms: the covariance within them, and the variance within the later one.

    Items are taken relative to their mean in the wave, answers to the mean of their form, over the
    items that were answered both times.
    """
    size = int(wave.max()) + 1
    first, second, cross, square, common = np.zeros((5, len(now)))
    for answer in answers.T:
        known = np.isfinite(answer)
        away = np.where(known, answer, 0.0)
        n = np.bincount(wave, known, minlength=size)
        away -= (np.bincount(wave, away, minlength=size) / np.maximum(n, 1))[wave]
        away[~known] = 0.0
        # Sums are added one by one: of a million forms each takes memory.
        one, two = away[now], away[before]
        both = known[now]
        both &= known[before]
        if not both.all():
            one[~both], two[~both] = 0.0, 0.0
        common += both
        first += one
        second += two
        two *= one
        cross += two
        one *= one
        square += one
    with np.errstate(invalid="ignore", divide="ignore"):
        second *= first
        cross -= second / common
        first *= first
        square -= first / common
        common -= 1
        return cross / common, square / common


def risen(values: Floats, wave: Whole, rater: Whole, waves: int) -> Floats:
    """One-sided p of each wave: the same raters have higher values than in their own first wave.

    Raters are independent of each other, so that their differences tell how far chance goes.
    Missing where too few raters have an earlier wave.
    """
    place = np.unique(rater, return_inverse=True)[1]
    size = int(place.max(initial=-1)) + 1
    old: Floats = np.zeros(size)
    before: Floats = np.zeros(size)
    out = np.full(waves, np.nan)
    for w in range(waves):
        here = (wave == w) & np.isfinite(values)
        total = np.bincount(place[here], values[here], minlength=size).astype(np.float64)
        forms = np.bincount(place[here], minlength=size).astype(np.float64)
        out[w] = _rise(total, forms, old, before)
        first = before == 0
        old, before = np.where(first, total, old), np.where(first, forms, before)
    return out


def _rise(total: Floats, forms: Floats, old: Floats, before: Floats) -> float:
    both = (forms > 0) & (before > 0)
    if both.sum() < RATERS:
        return float("nan")
    away = total[both] - forms[both] * old[both] / before[both]
    spread = float(np.sqrt(((away - away.mean()) ** 2).sum()))
    return float(special.ndtr(-away.sum() / spread)) if spread > 0 else 1.0

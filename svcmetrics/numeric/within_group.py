"""Agreement inside a group of raters, and how much groups differ, on arrays.

``scores`` is raters × items of one group without missing values; ``times`` (resamples × raters)
counts how often each rater is taken, so that one call serves the estimate and its resamples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

# Variance of a slightly skewed null distribution by number of scale points: LeBreton and Senter
# (2008, Table 2), after James, Demaree and Wolf (1984). None is published below 5 or above 11, and
# the printed ones follow no formula (63% of the uniform variance at 6 points, 85% at 9), so that
# nothing is put between or beyond them.
SLIGHT_SKEW = {5: 1.34, 6: 1.85, 7: 2.90, 8: 3.47, 9: 5.66, 10: 6.30, 11: 7.31}


class Spread(NamedTuple):
    """Mean and variance (n − 1) of each item, and mean absolute deviation from the mean."""

    mean: Floats
    variance: Floats
    deviation: Floats
    raters: int


def nulls(low: float, high: float) -> dict[str, float]:
    """Variance that no agreement would give: any answer, slightly high answers, two camps."""
    points = high - low + 1
    return {
        "uniform": ((high - low + 1) ** 2 - 1) / 12,
        "slight_skew": SLIGHT_SKEW.get(int(points), float("nan"))
        if points == int(points)
        else float("nan"),
        "maximum_dissensus": (high - low) ** 2 / 4,
    }


def spread(scores: Floats, times: Floats | None = None) -> Spread:
    """Spread of every item, in the group or in each of its resamples."""
    k = len(scores)
    w = np.ones((1, k)) if times is None else times
    centre = scores.mean(axis=0)
    moved = scores - centre
    mean = w @ moved / k
    variance = np.maximum(w @ moved**2 / k - mean**2, 0) * k / max(k - 1, 1)
    if times is not None:  # resampling shrinks a variance by (k − 1)/k
        variance = variance * k / max(k - 1, 1)
    away = np.abs(moved[None] - mean[:, None, :])
    deviation = np.einsum("bk,bkj->bj", w, away) / k
    return Spread(mean + centre, variance, deviation, k)


def rwg_star(s: Spread, null: float) -> Floats:
    """One minus mean item variance over the null variance: rwg, or r*wg(j) for several items."""
    return np.asarray(1 - s.variance.mean(axis=1) / null)


def rwg_j(s: Spread, null: float) -> Floats:
    """rwg(j) of James, Demaree and Wolf 1984, before it is cut at 0; one item: rwg."""
    star, items = rwg_star(s, null), s.variance.shape[1]
    if items == 1:
        return star
    with np.errstate(divide="ignore", invalid="ignore"):
        # Below 0 the formula turns over (a large disagreement looks like agreement).
        return np.where(star >= 0, items * star / (items * star + (1 - star)), star)


def a_wg(s: Spread, low: float, high: float) -> Floats:
    """Brown and Hauenstein 2005: against the largest variance that the group's mean allows."""
    k, m = s.raters, s.mean
    # Their (H + L) m − m² − H L as a product: its terms cancel, and with them the digits.
    largest = (high - m) * (m - low) * k / max(k - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(s.variance <= 1e-12, 1.0, 1 - 2 * s.variance / largest)
    return np.asarray(np.where(np.isfinite(each), each, np.nan).mean(axis=1))


def interpretable(s: Spread, low: float, high: float) -> bool:
    """Whether no item mean is so extreme that a_wg loses its meaning (their Formula 5)."""
    k = s.raters
    least, most = (low * (k - 1) + high) / k, (high * (k - 1) + low) / k
    return bool(((s.mean >= least) & (s.mean <= most)).all())


def average_deviation(s: Spread) -> Floats:
    """AD(M) of Burke, Finkelstein and Dusig 1999, mean over items."""
    return np.asarray(s.deviation.mean(axis=1))


class Between(NamedTuple):
    """One-way analysis of variance of raters in groups of unequal size."""

    between: float
    within: float
    df1: int
    df2: int
    size: float  # the size that makes the estimate unbiased
    mean_size: float


def one_way(group: NDArray[np.int64], score: Floats) -> Between:
    """Mean squares between and within groups."""
    y = score - score.mean()
    n = np.bincount(group).astype(np.float64)
    means = np.bincount(group, weights=y) / n
    groups, total = len(n), len(y)
    between = float((n * means**2).sum())
    within = float(((y - means[group]) ** 2).sum())
    size = (total - (n**2).sum() / total) / (groups - 1)
    df2 = total - groups
    ms_within = within / df2 if df2 > 0 else float("nan")
    return Between(between / (groups - 1), ms_within, groups - 1, df2, float(size), total / groups)


def icc1_icc2(b: Between, size: float) -> dict[str, tuple[float, float, float]]:
    """ICC(1) of one rater and ICC(2) of a group mean of this size, each with F limits."""
    if not b.within > 0:
        value = 1.0 if b.within == 0 and b.between > 0 else float("nan")
        return {"icc1": (value,) * 3, "icc2": (value,) * 3}
    f = b.between / b.within
    ends = (f, f / special.fdtri(b.df1, b.df2, 0.975), f * special.fdtri(b.df2, b.df1, 0.975))
    one = [float((v - 1) / (v + size - 1)) for v in ends]
    two = [float(1 - 1 / v) if v > 0 else float("-inf") for v in ends]
    return {"icc1": (one[0], one[1], one[2]), "icc2": (two[0], two[1], two[2])}

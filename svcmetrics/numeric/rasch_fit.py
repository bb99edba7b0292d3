"""How well ratings fit the many-facet Rasch model: errors, mean squares, separation, agreement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from svcmetrics.numeric.rasch import Data, Fitted, chances

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Moments:
    """Of each rating: expected category, variance, fourth moment, residual, chances."""

    expected: Floats
    variance: Floats
    fourth: Floats
    away: Floats
    chances: Floats


@dataclass(frozen=True)
class Elements:
    """Of each element of one facet."""

    error: Floats
    infit: Floats
    outfit: Floats
    infit_z: Floats
    outfit_z: Floats
    ratings: Whole


def moments(data: Data, found: Fitted) -> Moments:
    p = chances(found.location(data), found.thresholds, data.group)
    score = np.arange(data.top + 1.0)
    expected = p @ score
    away = score[None, :] - expected[:, None]
    variance, fourth = (p * away**2).sum(axis=1), (p * away**4).sum(axis=1)
    return Moments(expected, variance, fourth, np.asarray(data.x - expected, dtype=np.float64), p)


def elements(codes: Whole, size: int, m: Moments) -> Elements:
    """Infit, outfit and their standardised forms (Wilson and Hilferty; Wright and Masters 1982)."""

    def total(v: Floats) -> Floats:
        return np.asarray(np.bincount(codes, v, minlength=size), dtype=np.float64)

    n, information = np.bincount(codes, minlength=size), total(m.variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        infit, outfit = total(m.away**2) / information, total(m.away**2 / m.variance) / n
        q_in = np.sqrt(total(m.fourth - m.variance**2)) / information
        q_out = np.sqrt(np.maximum(total(m.fourth / m.variance**2) / n**2 - 1 / n, 0))
        z = [(np.cbrt(v) - 1) * (3 / q) + q / 3 for v, q in ((infit, q_in), (outfit, q_out))]
        return Elements(1 / np.sqrt(information), infit, outfit, z[0], z[1], n)


def separation(measure: Floats, error: Floats) -> dict[str, float]:
    """Separation, strata, reliability, and the test that all elements are equal."""
    keep = np.isfinite(measure) & np.isfinite(error)
    b, se = measure[keep], error[keep]
    if len(b) < 2:
        return dict.fromkeys(
            ("separation", "strata", "reliability", "chi_square", "df", "p"), float("nan")
        )
    noise = float((se**2).mean())
    true = max(float(b.var(ddof=1)) - noise, 0.0)
    ratio = float(np.sqrt(true / noise))
    weight = 1 / se**2
    chi = float((weight * b**2).sum() - (weight * b).sum() ** 2 / weight.sum())
    df = len(b) - 1
    return {
        "separation": ratio, "strata": (4 * ratio + 1) / 3, "reliability": true / (true + noise),
        "chi_square": chi, "df": float(df), "p": float(special.chdtrc(df, max(chi, 0.0))),
    }  # fmt: skip


def agreement(data: Data, rater: Whole, same: Whole, m: Moments) -> tuple[int, float, int]:
    """(exact agreements, expected ones, pairs of ratings) of different raters on the same thing.

    ``same``: a code that is equal for ratings of the same target, item and so on. From counts per
    thing: no loop over pairs.
    """
    kinds = data.top + 1
    things = int(same.max()) + 1
    hit = np.bincount(same * kinds + data.x, minlength=things * kinds).reshape(things, kinds)
    p = np.stack([np.bincount(same, c, minlength=things) for c in m.chances.T], axis=1)
    square = np.bincount(same, (m.chances**2).sum(axis=1), minlength=things)
    n = hit.sum(axis=1)
    seen, hoped = (hit * (hit - 1)).sum() / 2, float(((p**2).sum(axis=1) - square).sum() / 2)
    pairs = (n * (n - 1)).sum() / 2
    # Two ratings by the same rater of the same thing are no agreement between raters.
    twice = np.unique(np.stack([same, rater]), axis=1).shape[1] < len(same)
    return (-1, float("nan"), -1) if twice else (int(seen), hoped, int(pairs))


def fair(found: Fitted, data: Data, facet: int) -> Floats:
    """Expected category of each element when everything else is average; thresholds of group 0."""
    average = [float(np.nanmean(m)) for m in found.measures]
    sign = 1.0 if facet == 0 else -1.0
    rest = average[0] - sum(average[1:]) - sign * average[facet]
    place = rest + sign * found.measures[facet]
    steps = found.thresholds.mean(axis=0, keepdims=True)
    p = chances(place, steps, np.zeros(len(place), dtype=np.int64))
    return np.asarray(p @ np.arange(data.top + 1.0))


def extreme(
    total: Floats, least: Floats, location: Floats, thresholds: Floats, group: Whole, part: float
) -> float:
    """The measure at which the expected total is ``part`` of a point away from the extreme.

    ``total`` and ``least``: the top of every rating and 0, or the reverse, of one element;
    ``location``: everything but the element itself.
    """
    wanted = float(total.sum())
    wanted += part if wanted < float(least.sum()) else -part
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        p = chances(location + middle, thresholds, group)
        if float((p @ np.arange(p.shape[1])).sum()) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2

"""How well ratings fit the many-facet Rasch model: errors, mean squares, separation, agreement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from svcmetrics.numeric import codes, rasch_terms
from svcmetrics.numeric.rasch import Data, Fitted, chances
from svcmetrics.numeric.rasch_quadrature import Posterior

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Moments:
    """Of each rating: expected category, variance, residual and its square, chances.

    ``fourth`` is the fourth moment; ``standard`` the squared residual over the variance and
    ``steep`` its second moment. Averages over the posterior where targets are a sample.
    """

    expected: Floats
    variance: Floats
    fourth: Floats
    away: Floats
    square: Floats
    standard: Floats
    steep: Floats
    chances: Floats  # ratings × categories


@dataclass(frozen=True)
class Elements:
    """Of each element of one facet."""

    error: Floats
    infit: Floats
    outfit: Floats
    infit_z: Floats
    outfit_z: Floats
    ratings: Whole
    correlation: Floats


def moments(data: Data, found: Fitted, posterior: Posterior | None = None) -> Moments:
    """At the measures; or averaged over the posterior of the targets."""
    place = found.location(data)
    if posterior is None:
        return _moments(data, place, found.thresholds)
    base = place - found.measures[0][data.target]
    # The posterior's nodes stand where the targets stood before the origin moved.
    nodes = posterior.nodes + (found.measures[0] - posterior.mean)[:, None]
    total: list[Floats] = []
    for q in range(nodes.shape[1]):
        share = posterior.chance[data.target, q]
        m = _moments(data, base + nodes[data.target, q], found.thresholds)
        parts = [m.expected, m.variance, m.fourth, m.away, m.square, m.standard, m.steep]
        parts = [*(share * v for v in parts), share[:, None] * m.chances]
        total = [a + b for a, b in zip(total, parts, strict=True)] if total else parts
    return Moments(*total)


def _moments(data: Data, place: Floats, thresholds: Floats) -> Moments:
    p = rasch_terms.chances(place, thresholds, data.group)
    score = np.arange(data.top + 1.0)
    expected = score @ p
    away = (score[:, None] - expected) ** 2
    variance = np.maximum((p * away).sum(axis=0), 1e-12)
    fourth = (p * away**2).sum(axis=0)
    own = np.asarray(data.x - expected, dtype=np.float64)
    square = own**2
    return Moments(
        expected, variance, fourth, own, square, square / variance, fourth / variance**2, p.T
    )


def elements(m: Moments, data: Data, place: Floats) -> list[Elements]:
    """Of each facet: infit, outfit and their standardised forms (Wilson and Hilferty; Wright and
    Masters 1982).

    ``correlation``: of an element's scores with where the model puts them.
    """
    score, where = data.x - data.x.mean(), place - place.mean()
    parts = (m.variance, m.square, m.standard, m.fourth - m.variance**2, m.steep,
             score, where, score**2, where**2, score * where)  # fmt: skip
    columns = np.stack([np.ones(len(place)), *parts], axis=1)
    if data.weight is not None:
        columns *= data.weight[:, None]
    facets = zip(data.facets, data.sizes, data.by_facet(columns), strict=True)
    return [_of_facet(s.T, np.bincount(c, minlength=size)) for c, size, s in facets]


def _of_facet(sums: Floats, count: Whole) -> Elements:
    """From weighted sums: elements in columns."""
    n, information, square, standard, spread, steep, *pair = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        infit, outfit = square / information, standard / n
        q_in = np.sqrt(spread) / information
        q_out = np.sqrt(np.maximum(steep / n**2 - 1 / n, 0))
        z = [(np.cbrt(v) - 1) * (3 / q) + q / 3 for v, q in ((infit, q_in), (outfit, q_out))]
        x, y, xx, yy, xy = pair
        # What is left of a constant is rounding.
        own = [np.where(v - u**2 / n > 1e-9 * v, v - u**2 / n, 0.0) for u, v in ((x, xx), (y, yy))]
        scale = np.sqrt(own[0] * own[1])
        correlation = np.where(scale > 1e-9, (xy - x * y / n) / np.maximum(scale, 1e-9), np.nan)
    return Elements(1 / np.sqrt(information), infit, outfit, z[0], z[1], count, correlation)


def separation(measure: Floats, error: Floats, *, shrunken: bool = False) -> dict[str, float]:
    """Separation, strata, reliability, and the test that all elements are equal.

    ``shrunken``: measures are posterior means, whose spread has lost the noise already.
    """
    names = ("separation", "strata", "reliability", "chi_square", "df", "p")
    keep = np.isfinite(measure) & np.isfinite(error) & (error > 0)
    b, se = measure[keep], error[keep]
    if len(b) < 2:
        return dict.fromkeys(names, float("nan"))
    noise, seen = float((se**2).mean()), float(b.var(ddof=1))
    true = seen if shrunken else max(seen - noise, 0.0)
    ratio = float(np.sqrt(true / noise))
    out = {
        "separation": ratio, "strata": (4 * ratio + 1) / 3, "reliability": true / (true + noise),
    }  # fmt: skip
    if shrunken:
        return out | dict.fromkeys(names[3:], float("nan"))
    weight = 1 / se**2
    chi = float((weight * b**2).sum() - (weight * b).sum() ** 2 / weight.sum())
    df = len(b) - 1
    return out | {"chi_square": chi, "df": float(df), "p": float(special.chdtrc(df, max(chi, 0.0)))}


def agreement(data: Data, rater: Whole, same: Whole, m: Moments) -> tuple[int, float, int]:
    """(exact agreements, expected ones, pairs of ratings) of different raters on the same thing.

    ``same``: a code that is equal for ratings of the same target, item and so on. From counts per
    thing: no loop over pairs.
    """
    kinds = data.top + 1
    things = int(same.max()) + 1
    hit = np.bincount(same * kinds + data.x, minlength=things * kinds).reshape(things, kinds)
    by_category = m.chances.T
    p = np.stack([np.bincount(same, c, minlength=things) for c in by_category], axis=1)
    square = np.bincount(same, (by_category**2).sum(axis=0), minlength=things)
    n = hit.sum(axis=1)
    seen, hoped = (hit * (hit - 1)).sum() / 2, float(((p**2).sum(axis=1) - square).sum() / 2)
    pairs = (n * (n - 1)).sum() / 2
    # Two ratings by the same rater of the same thing are no agreement between raters.
    raters = int(rater.max()) + 1
    own = codes.distinct(same * raters + rater, things * raters)
    return (-1, float("nan"), -1) if len(own) < len(same) else (int(seen), hoped, int(pairs))


def fair(found: Fitted, data: Data, facet: int) -> Floats:
    """Expected category of each element when all else is average; thresholds averaged."""
    average = [float(np.nanmean(m)) for m in found.measures]
    sign = 1.0 if facet == 0 else -1.0
    rest = average[0] - sum(average[1:]) - sign * average[facet]
    place = rest + sign * found.measures[facet]
    steps = found.thresholds.mean(axis=0, keepdims=True)
    p = chances(place, steps, np.zeros(len(place), dtype=np.int64))
    return np.asarray(p @ np.arange(data.top + 1.0))


def categories(data: Data, m: Moments, place: Floats) -> dict[str, Floats]:
    """Of each category: average measure seen and expected, and outfit (Linacre 2002).

    Outfit: squared standardised residuals of its ratings over those that the model expects in it.
    """
    kinds, weight = data.top + 1, data.times
    n = np.bincount(data.x, weight, kinds)
    # Laid out category by category, as the chances lie in memory.
    own = m.chances.T
    hoped = ((np.arange(kinds)[:, None] - m.expected) ** 2 * own) @ (weight / m.variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "average": np.bincount(data.x, weight * place, kinds) / n,
            "expected": own @ (weight * place) / (own @ weight),
            "outfit": np.bincount(data.x, weight * m.standard, kinds) / hoped,
        }

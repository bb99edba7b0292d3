"""What every coefficient of agreement needs of each unit, from ratings in rows, on arrays.

With few raters all that two raters share is kept per pair, so that any resample is exact. With
many raters, or many units, that table would not fit: the two coefficients that need to know who
rated (Conger's, Cohen's) then enter by one column each, their influence function, which makes
them linear in the resample and costs one pass over the ratings.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric.agreement import Units, distances, weight_matrix

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Tables per pair of raters: up to so many raters, and up to so many cells over all units.
_RATERS_IN_PAIRS, _CELLS = 20, 2_000_000
# Cohen's kappa of all pairs by its influence: most raters × categories, most pairs of ratings.
_GRAM, _PAIRS_OF_RATINGS = 2_000, 1_000_000_000
_ROWS = 20_000


class Ratings(NamedTuple):
    """One entry per rating: unit, rater and category as positions; and how many units and raters."""

    unit: Ints
    rater: Ints
    code: Ints
    units: int
    raters: int


def unit_sums(ratings: Ratings, values: Floats, kind: str, cells: int = _CELLS) -> Units:
    """Per unit (rows) the sums that all coefficients need, in named blocks of columns.

    ``cells``: the largest table, units × columns, before the influence functions take over.
    """
    weights, n, q = weight_matrix(values, kind), ratings.units, len(values)
    at = np.bincount(ratings.unit * q + ratings.code, minlength=n * q)
    counts = at.reshape(n, q).astype(np.float64)
    m = counts.sum(axis=1)
    twice = m >= 2
    pairs = np.where(twice, m * (m - 1), 1.0)
    weighted = (counts * (counts @ weights - 1)).sum(axis=1)
    paired = np.where(twice[:, None], counts, 0.0)
    parts: dict[str, Floats] = {
        "units": np.ones((n, 1)),
        "twice": twice[:, None].astype(np.float64),
        "divisor": twice[:, None].astype(np.float64),
        "agree": np.where(twice, weighted / pairs, 0.0)[:, None],
        "shares": counts / np.maximum(m, 1)[:, None],
        "paired": paired,
        "matched": np.where(twice, weighted / np.maximum(m - 1, 1), 0.0)[:, None],
        "coincidence": _coincidences(paired, np.maximum(m - 1, 1), kind, values),
    }
    parts |= _by_rater(ratings, weights, cells)
    edges = np.cumsum([0, *(p.shape[1] for p in parts.values())])
    blocks = {k: slice(a, b) for k, a, b in zip(parts, edges[:-1], edges[1:], strict=True)}
    stats = np.concatenate(list(parts.values()), axis=1)
    return Units(stats, blocks, weights, kind, values, ratings.raters)


def _by_rater(ratings: Ratings, weights: Floats, cells: int) -> dict[str, Floats]:
    """The columns that tell who rated: in full where they are few, else by influence."""
    n, r, q = ratings.units, ratings.raters, len(weights)
    whole = len(ratings.unit) == n * r
    columns = r * q + r * (r - 1) // 2 * (1 if whole else 2 + 2 * q)
    if r <= _RATERS_IN_PAIRS and n * columns <= cells:
        by_rater = np.zeros((n, r * q))
        by_rater[ratings.unit, ratings.rater * q + ratings.code] = 1.0
        chosen = np.full((n, r), q)
        chosen[ratings.unit, ratings.rater] = ratings.code
        name = "pairs_whole" if whole else "pairs"
        return {"by_rater": by_rater, name: _pairs(chosen, weights, whole)}
    out = {"chance": conger_chance(ratings, weights)[:, None]}
    mates = np.bincount(ratings.unit, minlength=n).astype(np.float64)
    if r * q <= _GRAM and (mates**2).sum() <= _PAIRS_OF_RATINGS:
        out["kappa"] = mean_kappa(ratings, weights)[:, None]
    return out


def conger_chance(ratings: Ratings, w: Floats) -> Floats:
    """Per unit a number whose mean is Conger's chance agreement, and whose deviation from it is
    the unit's influence (times the number of units)."""
    r, q = ratings.raters, len(w)
    cell = ratings.rater * q + ratings.code
    table = np.bincount(cell, minlength=r * q).reshape(r, q).astype(np.float64)
    rated = table.sum(axis=1, keepdims=True)
    share = table / np.maximum(rated, 1)
    used = int((rated > 0).sum())
    total = share.sum(axis=0)
    others = (total - share) @ w
    scale = used * (used - 1)
    chance = (share * others).sum() / scale
    slope = 2 * (others - (share * others).sum(axis=1, keepdims=True)) / scale
    slope = slope / np.maximum(rated, 1)
    own = np.bincount(ratings.unit, slope.ravel()[cell], minlength=ratings.units)
    return np.asarray(chance + ratings.units * own)


def mean_kappa(ratings: Ratings, w: Floats) -> Floats:
    """The same for the mean over all pairs of raters of Cohen's (weighted) kappa.

    With x the indicators of a unit's ratings (rater × category), the tables of all pairs are
    the sum of x x′, and a unit's influence is the quadratic form of x with their derivatives.
    """
    from scipy.sparse import csr_array

    n, r, q = ratings.units, ratings.raters, len(w)
    at = (ratings.unit, ratings.rater * q + ratings.code)
    x = csr_array((np.ones(len(at[0])), at), shape=(n, r * q))
    gram: Any = (x.T @ x).toarray()
    tables = gram.reshape(r, q, r, q).transpose(0, 2, 1, 3)
    kappa, slope = _kappas(tables, w)
    known = np.isfinite(kappa)
    known &= ~np.eye(r, dtype=bool)
    if not known.any():
        return np.full(n, np.nan)
    # Each pair stands twice, as (a, b) and as (b, a).
    pull = np.where(known[:, :, None, None], slope, 0.0) / known.sum()
    pull = pull.transpose(0, 2, 1, 3).reshape(r * q, r * q)
    own = np.empty(n)
    for start in range(0, n, _ROWS):
        part = x[start : start + _ROWS]
        own[start : start + _ROWS] = (part * (part @ pull)).sum(axis=1)
    return np.asarray(kappa[known].mean() + n * own)


def _kappas(tables: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Cohen's kappa of each table (… × q × q), and its derivative in each cell."""
    with np.errstate(divide="ignore", invalid="ignore"):
        n = tables.sum(axis=(-2, -1))
        share = tables / n[..., None, None]
        one, two = share.sum(axis=-1), share.sum(axis=-2)
        agree = (share * w).sum(axis=(-2, -1))
        by_two, by_one = two @ w, one @ w
        chance = (one * by_two).sum(axis=-1)
        rest = np.where(np.abs(1 - chance) < 1e-12, np.nan, 1 - chance)
        lead = (w - agree[..., None, None]) / rest[..., None, None]
        pull = by_two[..., :, None] + by_one[..., None, :] - 2 * chance[..., None, None]
        slope = lead - pull * ((1 - agree) / rest**2)[..., None, None]
        return (agree - chance) / rest, slope / n[..., None, None]


def _coincidences(paired: Floats, others: Floats, kind: str, values: Floats) -> Floats:
    """Ordinal: the unit's coincidences of different values, because the metric changes with the
    marginals; each pair of values once."""
    if kind == "ordinal":
        one, two = np.triu_indices(len(values), 1)
        return np.asarray(paired[:, one] * paired[:, two] / others[:, None])
    apart = distances(values, kind)
    return np.asarray(((paired @ apart) * paired).sum(axis=1) / others)[:, None]


def _pairs(chosen: Ints, w: Floats, whole: bool) -> Floats:
    """For each pair of raters: rated both, weighted agreement, categories of the one and the
    other; where everybody rated everything only the agreement, the rest being known."""
    q = len(w)
    first, second = np.triu_indices(chosen.shape[1], 1)
    a, b = chosen[:, first], chosen[:, second]
    if whole:
        return np.asarray(w[a, b])
    both = (a < q) & (b < q)
    agree = np.where(both, w[np.minimum(a, q - 1), np.minimum(b, q - 1)], 0.0)
    one = np.stack([both & (a == c) for c in range(q)], axis=2)
    two = np.stack([both & (b == c) for c in range(q)], axis=2)
    parts = np.concatenate([both[..., None], agree[..., None], one, two], axis=2)
    return parts.reshape(len(chosen), -1).astype(np.float64)

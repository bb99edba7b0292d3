"""Indices of inattentive answering for a table of forms × items, on arrays; NaN is no answer.

A correlation within one form is undefined, not zero, where the form has no spread: a straight
line has no even-odd consistency and no agreement of synonyms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric.careless import in_blocks

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Some = NDArray[np.bool_] | None

# Level groups for person fit have at least this many forms.
_GROUP = 50
# A row whose squares about its mean are so small a part of its squares has no spread.
_FLAT = 1e-12


def even_odd(forms: Floats, scale: Whole) -> Floats:
    """Correlation over scales of the means of odd and even items, stepped up (high: consistent).

    ``scale``: the scale of each item. Within a scale, the first item is odd, the second even.
    R careless 1.2 prints this with its sign reversed.
    """
    columns = [c for s in np.unique(scale) if len(c := np.flatnonzero(scale == s)) > 1]
    if len(columns) < 2:
        return np.full(len(forms), np.nan)

    def of(block: Floats) -> Floats:
        odd, even = (_half_means(block, [c[first::2] for c in columns]) for first in (0, 1))
        return row_correlation(odd, even)

    r = in_blocks(of, forms)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.maximum(2 * r / (1 + r), -1.0))


def _half_means(forms: Floats, columns: list[NDArray[np.int64]]) -> Floats:
    """The mean of each set of columns, over the answers given."""
    known = np.isfinite(forms)
    pick = np.zeros((forms.shape[1], len(columns)))
    for j, c in enumerate(columns):
        pick[c, j] = 1.0
    if known.all():
        return np.asarray(forms @ pick / pick.sum(axis=0))
    n = known @ pick
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(known, forms, 0.0) @ pick / np.where(n > 0, n, np.nan))


def synonyms(
    forms: Floats, critical: float = 0.6, *, pairs: NDArray[np.int64] | None = None
) -> Floats:
    """Correlation, within a form, of items that go together over all forms (r > critical).

    A negative ``critical`` takes pairs that oppose each other (r < critical): antonyms.
    """
    pairs = similar_pairs(forms, critical) if pairs is None else pairs
    if len(pairs) < 2:
        return np.full(len(forms), np.nan)
    return _pair_correlation(forms, pairs)


def _pair_correlation(forms: Floats, pairs: Whole) -> Floats:
    """Correlation over pairs of columns, row by row, from quadratic forms: no table of all pairs."""
    link = np.zeros((forms.shape[1],) * 2)
    np.add.at(link, (pairs[:, 0], pairs[:, 1]), 1.0)
    total, answers = float(np.nansum(forms)), int(np.isfinite(forms).sum())
    # A whole number taken off keeps sums of whole answers exact, and so a straight line flat.
    middle = np.floor(total / answers) if answers else 0.0
    return in_blocks(lambda block: _linked(block - middle, link), forms)


def _linked(x: Floats, link: Floats) -> Floats:
    """The same from the number of pairs between two columns."""
    known = np.isfinite(x)
    if known.all():
        n = np.full(len(x), float(link.sum()))
        first, second = link.sum(axis=1), link.sum(axis=0)
        a, b, squares = x @ first, x @ second, x**2
        aa, bb = squares @ first, squares @ second
    else:
        x, weight = np.where(known, x, 0.0), known.astype(np.float64)
        there, back = weight @ link.T, weight @ link
        n = np.einsum("ij,ij->i", weight, there)
        a, b, squares = np.einsum("ij,ij->i", x, there), np.einsum("ij,ij->i", x, back), x**2
        aa, bb = np.einsum("ij,ij->i", squares, there), np.einsum("ij,ij->i", squares, back)
    cross = np.einsum("ij,ij->i", x @ link, x)
    some = np.maximum(n, 1)
    va, vb = aa - a**2 / some, bb - b**2 / some
    flat = (va < _FLAT * (1 + aa)) | (vb < _FLAT * (1 + bb)) | (n < 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (cross - a * b / some) / np.sqrt(va * vb)
    return np.asarray(np.where(flat, np.nan, np.clip(r, -1, 1)))


def similar_pairs(forms: Floats, critical: float) -> Whole:
    """Pairs of items whose correlation is beyond ``critical``; the later item first."""
    r = np.tril(correlations(forms), -1)
    column, row = np.nonzero((r > critical if critical > 0 else r < critical).T)
    return np.stack([row, column], axis=1)


def correlations(forms: Floats) -> Floats:
    """Correlations of the items over the forms answered in both (pairwise)."""
    whole = np.isfinite(forms)
    if whole.all() and len(forms) > 1:
        away = forms - forms.mean(axis=0)
        cross = away.T @ away
        spread = np.sqrt(np.diagonal(cross))
        with np.errstate(divide="ignore", invalid="ignore"):
            r = cross / np.outer(spread, spread)
        sound = np.isfinite(r) & np.outer(spread > 1e-12, spread > 1e-12)
        return np.asarray(np.where(sound, np.clip(r, -1, 1), np.nan))
    known = whole.astype(np.float64)
    x = np.where(whole, forms - np.nanmean(forms), 0.0) if whole.any() else known
    n = known.T @ known
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (x.T @ known) / n
        cross = (x.T @ x) / n - mean * mean.T
        square = (x.T**2 @ known) / n - mean**2
        r = cross / np.sqrt(square * square.T)
    return np.asarray(np.where(np.isfinite(r), np.clip(r, -1, 1), np.nan))


def mahalanobis(forms: Floats, *, among: Some = None) -> Floats:
    """Squared distance of each form from the mean form, over the items answered.

    A form with missing answers is measured in the items it has, and scaled to all of them.
    ``among``: the forms that tell what is usual; all of them, if not given.
    """
    known = np.isfinite(forms)
    few = slice(None) if among is None else among
    use = known[few].sum(axis=0) > 1
    if not use.any() or len(forms[few]) < 3:
        return np.full(len(forms), np.nan)
    if known.all():
        away = forms - forms[few].mean(axis=0)
        usual = away[few]
        inverse = np.linalg.pinv(usual.T @ usual / (len(usual) - 1), hermitian=True)
        distance = in_blocks(lambda block: np.einsum("ij,ij->i", block @ inverse, block), away)
        return _as_members(distance, among)
    x, known = forms[:, use], known[:, use]
    away = np.where(known, x - np.nanmean(x[few], axis=0), 0.0)
    weight, usual = known[few].astype(np.float64), away[few]
    pairs = np.maximum(weight.T @ weight - 1, 1)
    inverse = np.linalg.pinv((usual.T @ usual) / pairs, hermitian=True)
    distance = np.einsum("ij,ij->i", away @ inverse, away)
    share = known.mean(axis=1)
    scaled = np.where(share > 0, distance / np.where(share > 0, share, 1), np.nan)
    return _as_members(scaled, among)


def _as_members(distance: Floats, among: Some) -> Floats:
    """Distances of forms that were left out, as if each had been among the others.

    A form pulls mean and spread towards itself; one that did not would look too far away.
    """
    if among is None:
        return distance
    n = int(among.sum())
    ratio = distance / (n - 1)
    inside = n * (n / (n + 1)) ** 2 * ratio / (1 + ratio * n / (n + 1))
    return np.where(among, distance, inside)


def person_fit(forms: Floats, *, among: Some = None) -> Floats:
    """l_z for several categories: how likely the answers are among forms of the same level.

    Standardised log likelihood (Drasgow, Levine and Williams 1985); low is an odd pattern. The
    chances of the categories are the observed ones among forms with a similar mean; ``among``: the
    forms that tell what is usual.
    """
    known = np.isfinite(forms)
    values = np.unique(forms[known])
    level = np.where(known.any(axis=1), _means(forms), -np.inf)
    usual = np.ones(len(forms), bool) if among is None else among
    groups = max(1, min(10, int(usual.sum()) // _GROUP))
    ordered = np.sort(level[usual & np.isfinite(level)])
    cuts = ordered[len(ordered) * np.arange(1, groups) // groups]
    group = np.searchsorted(cuts, level)
    out = np.full(len(forms), np.nan)
    for g in np.unique(group):
        here = group == g
        out[here] = _fit(forms[here], known[here], values, usual[here])
    return out


def _fit(
    forms: Floats, known: NDArray[np.bool_], values: Floats, usual: NDArray[np.bool_]
) -> Floats:
    hit = [(forms == v) for v in values]
    counts = np.stack([h[usual].sum(axis=0) for h in hit], axis=1) + 0.5
    share = counts / counts.sum(axis=1, keepdims=True)
    logs = np.log(share)
    mean = (share * logs).sum(axis=1)
    spread = (share * logs**2).sum(axis=1) - mean**2
    got = sum((h * logs[:, k] for k, h in enumerate(hit)), np.zeros(forms.shape))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = ((got - mean) * known).sum(axis=1) / np.sqrt((known * spread).sum(axis=1))
    return np.asarray(np.where(np.isfinite(z), z, np.nan))


def row_correlation(a: Floats, b: Floats) -> Floats:
    """Correlation of two tables row by row, over the columns known in both."""
    total = a.sum() + b.sum()
    if np.isfinite(total):
        away = [x - x.mean(axis=1, keepdims=True) for x in (a, b)]
        return _ratio(away, np.full(len(a), a.shape[1]))
    both = np.isfinite(a) & np.isfinite(b)
    n = both.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        away = [np.where(both, x, 0.0) for x in (a, b)]
        away = [np.where(both, x - (x.sum(axis=1) / n)[:, None], 0.0) for x in away]
    return _ratio(away, n)


def _ratio(away: list[Floats], n: Whole) -> Floats:
    """Correlations from centred rows; undefined where a row has no spread."""
    cross = np.einsum("ij,ij->i", *away)
    squares = [np.einsum("ij,ij->i", x, x) for x in away]
    flat = (squares[0] < 1e-12) | (squares[1] < 1e-12) | (n < 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = cross / np.sqrt(squares[0] * squares[1])
    return np.asarray(np.where(flat, np.nan, np.clip(r, -1, 1)))


def _means(forms: Floats) -> Floats:
    mean = forms.mean(axis=1)
    if np.isfinite(mean.sum()):
        return np.asarray(mean)
    known = np.isfinite(forms)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, forms, 0.0).sum(axis=1) / known.sum(axis=1))

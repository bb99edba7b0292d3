"""Polychoric correlations of many pairs of items at once, in two steps, with each form's influence.

Olsson 1979, Psychometrika 44, 443-460: thresholds from the margins, then the correlation with the
highest likelihood of the table of both items. Arrays only; no loop over pairs or forms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
# Half of the Gauss-Legendre rule for the chance of a rectangle below a bivariate normal.
_NODE, _WEIGHT = np.polynomial.legendre.leggauss(24)
_STEPS, _CLOSE, _MOST = 60, 1e-10, 0.9999
# Beyond this a standard normal has no chance that counts; it stands for the open ends.
_END = 10.0
_LEAST = 1e-300


def tables(codes: Codes, pairs: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Floats:
    """Counts of each pair of items: pairs × categories × categories; codes below 0 are missing."""
    size = int(codes.max(initial=-1)) + 1
    known = (codes[:, :, None] == np.arange(size)).astype(np.float64)
    whole = np.tensordot(known, known, axes=(0, 0))  # items × categories × items × categories
    return np.asarray(whole[pairs[0], :, pairs[1], :])


def thresholds(shares: Floats) -> Floats:
    """Where the categories end on the standard normal, from their shares (… × categories)."""
    return np.asarray(np.clip(special.ndtri(np.cumsum(shares, axis=-1)[..., :-1]), -_END, _END))


def correlations(counts: Floats, first: Floats, second: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The correlation of each pair (counts: pairs × a × b; thresholds: pairs × a−1 and × b−1).

    Fisher scoring on arctanh of the correlation. Which searches came to an end comes with it.
    """
    z = np.zeros(len(counts))
    n = counts.sum(axis=(1, 2))
    done = n == 0
    # Rows and columns without an answer have equal thresholds: cells of no chance and no count.
    for _ in range(_STEPS):
        at = np.flatnonzero(~done)
        if not len(at):
            break
        rho = np.tanh(z[at])
        chance, slope = _cells(rho, first[at], second[at])
        ratio = slope / np.maximum(chance, 1e-12)
        score = (counts[at] * ratio).sum(axis=(1, 2))
        information = n[at] * (slope * ratio).sum(axis=(1, 2))
        move = score / np.maximum(information * (1 - rho**2), 1e-12 * n[at])
        z[at] = np.clip(z[at] + np.clip(move, -0.5, 0.5), -np.arctanh(_MOST), np.arctanh(_MOST))
        done[at] = np.abs(move) < _CLOSE
    return np.tanh(z), done & (np.abs(z) < np.arctanh(_MOST) - 1e-9) & (n > 0)


def chances(rho: Floats, first: Floats, second: Floats) -> Floats:
    """Chance of each cell of each table (pairs × a × b)."""
    return _cells(rho, first, second)[0]


def _cells(rho: Floats, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Chance of each cell, and its slope in the correlation (pairs × a × b)."""
    x, y = _open(first), _open(second)
    return _differences(_below(rho, x, y)), _differences(_density(rho, x, y))


def _open(cut: Floats) -> Floats:
    """The thresholds between the open ends."""
    edge = np.full((*cut.shape[:-1], 1), _END)
    return np.concatenate([-edge, cut, edge], axis=-1)


def _differences(corner: Floats) -> Floats:
    return np.asarray(np.diff(np.diff(corner, axis=-2), axis=-1))


def _density(rho: Floats, x: Floats, y: Floats) -> Floats:
    """Density of the bivariate normal at all pairs of ends."""
    a, b, r = x[..., :, None], y[..., None, :], rho[..., None, None]
    rest = 1 - r**2
    return np.asarray(
        np.exp(-(a * a - 2 * r * a * b + b * b) / (2 * rest)) / (2 * np.pi * np.sqrt(rest))
    )


def _below(rho: Floats, x: Floats, y: Floats) -> Floats:
    """Chance below both ends: independence plus the density summed over correlations from 0.

    Plackett 1954; over the arcsine of the correlation the sum is smooth (Drezner and Wesolowsky
    1990).
    """
    a, b = x[..., :, None], y[..., None, :]
    top = np.arcsin(rho)[..., None, None]
    half, cross, squares = top / 2, a * b, (a * a + b * b) / 2
    out = special.ndtr(a) * special.ndtr(b)
    for node, weight in zip(_NODE, _WEIGHT, strict=True):
        s = np.sin(half * (1 + node))
        out = out + weight * half / (2 * np.pi) * np.exp((s * cross - squares) / (1 - s * s))
    return np.asarray(out)


def influence(
    counts: Floats, rho: Floats, first: Floats, second: Floats, answered: Floats
) -> Floats:
    """What one form with these two answers adds to each correlation: pairs × (a+1) × (b+1).

    The last place of an axis is a missing answer. To first order the estimate is the truth plus
    the sum of these over all forms, thresholds included. ``answered``: forms with an answer to
    the first and to the second item (pairs × 2).
    """
    chance, slope = _cells(rho, first, second)
    score = np.where(chance > _LEAST, slope / np.maximum(chance, _LEAST), 0.0)
    n = counts.sum(axis=(1, 2))
    information = n * (slope * score).sum(axis=(1, 2))
    _, a, b = score.shape
    out = np.zeros((len(rho), a + 1, b + 1))
    out[:, :a, :b] = score
    for axis, cut, other in ((1, first, second), (2, second, first)):
        by = score if axis == 1 else np.swapaxes(score, 1, 2)
        ends = _open(other)
        root = np.sqrt(1 - rho**2)[:, None, None]
        # Moving a threshold moves the chance of its two cells by the density along it.
        along = special.ndtr((ends[:, None] - rho[:, None, None] * cut[:, :, None]) / root)
        pull = (np.diff(along, axis=2) * (by[:, :-1] - by[:, 1:])).sum(axis=2)
        below = np.arange(by.shape[1])[:, None] <= np.arange(pull.shape[1])
        own = (pull[:, None] * (below - special.ndtr(cut)[:, None])).sum(axis=2)
        own = own * (n / answered[:, axis - 1])[:, None]
        out -= np.concatenate([own, np.zeros((len(rho), 1))], axis=1)[
            (slice(None), slice(None), None) if axis == 1 else (slice(None), None, slice(None))
        ]
    return np.asarray(out / information[:, None, None])


def matrix(table: Floats) -> tuple[Floats, Floats] | None:
    """Polychoric correlations of answers (forms × items, NaN: none), and each form's influence.

    The influence is summed by item (forms × items): what a form adds to the sum of that item's
    correlations. None where an item has one category only or a search does not end.
    """
    known = np.isfinite(table)
    values = np.unique(table[known])
    codes = np.where(known, np.searchsorted(values, np.where(known, table, values[0])), -1)
    one, two = np.triu_indices(table.shape[1], 1)
    each = (codes[:, :, None] == np.arange(len(values))).sum(axis=0)
    answered = each.sum(axis=1).astype(np.float64)
    if (each.max(axis=1) == answered).any():
        return None
    cut = thresholds(each / answered[:, None])
    counts = tables(codes, (one, two))
    rho, ended = correlations(counts, cut[one], cut[two])
    if not ended.all():
        return None
    moved = influence(counts, rho, cut[one], cut[two], answered[np.stack([one, two], axis=1)])
    whole, by_item = np.eye(table.shape[1]), np.zeros(table.shape)
    whole[one, two] = whole[two, one] = rho
    for own, i, j in zip(moved, one, two, strict=True):
        each_form = own[codes[:, i], codes[:, j]]  # a missing answer, -1, is the last place
        by_item[:, i] += each_form
        by_item[:, j] += each_form
    return whole, by_item


def alpha_errors(r: Floats, by_item: Floats) -> tuple[float, Floats, Floats]:
    """Standard errors of alpha, of alpha without each item and of each item-rest correlation."""
    k, total, change = len(r), r.sum(), by_item.sum(axis=1)
    whole = k**2 / (k - 1) / total**2 * np.linalg.norm(change)
    with_rest = r.sum(axis=0) - 1
    rest, rest_change = total - 1 - 2 * with_rest, change[:, None] - 2 * by_item
    with np.errstate(divide="ignore", invalid="ignore"):
        fewer = (k - 1) ** 2 / np.float64(k - 2) / rest**2 * np.linalg.norm(rest_change, axis=0)
        own = by_item / np.sqrt(rest) - with_rest * rest_change / (2 * rest**1.5)
    return float(whole), fewer, np.linalg.norm(own, axis=0)

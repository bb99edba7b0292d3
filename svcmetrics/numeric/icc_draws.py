"""Sums of squares of ratings simulated on a plan, drawn without drawing the ratings.

Normal ratings enter the variance components through three sums of squares only. Once the side with
more levels is swept out, what is left of the smaller side is as wide as that side has levels; of
the larger side, levels with equally many ratings are alike, so that a few normals and one chi-square
stand for all of them. Where there are many kinds of them, each level is drawn. The law is the same
as that of simulated ratings; the cost no longer follows the number of ratings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Draws in one pass hold about this many numbers.
_BLOCK = 4_000_000
# What a level costs beside one rating when levels are drawn one by one.
_LEVEL = 5


class Sides(NamedTuple):
    """The side with more levels (swept) and the other (kept), as the draws need them.

    ``links``: kept × swept levels, how often they met. ``value`` and ``vector``: eigenvalues and
    eigenvectors of the kept side's cross-products once the swept side is out.
    """

    links: Any
    swept: Floats
    kept: Floats
    gram: Floats
    value: Floats
    vector: Floats
    rank: int


def sums_of_squares(
    s: Sides, swept: float, kept: float, residual: float, size: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Floats, Floats, Floats]]:
    """Blocks of draws: total, of the swept side, of the kept side, of both; about the mean.

    ``swept``, ``kept``, ``residual``: the variances.
    """
    ratings, width = float(s.kept.sum()), len(s.kept)
    alike = _alike(s, size)
    step = max(1, _BLOCK // max(width * 4, 1 if alike else len(s.swept)))
    for start in range(0, size, step):
        many = min(step, size - start)
        spread = s.swept * swept + residual
        across, squares = (
            _of_kinds(alike, swept, residual, many, rng) if alike else _each(s, spread, many, rng)
        )
        # In the eigenvectors' axes the effects of the kept side are as independent as in their own.
        turned = np.sqrt(kept) * rng.standard_normal((many, width))
        noise = np.sqrt(residual) * rng.standard_normal((many, width))
        root = np.sqrt(s.value)
        adjusted = (turned * s.value + noise * root) @ s.vector.T
        effect = turned @ s.vector.T
        fixed = effect @ s.gram
        of_swept = squares + 2 * (across * effect).sum(axis=1) + (fixed * effect).sum(axis=1)
        of_kept = ((adjusted + across + fixed) ** 2 / s.kept).sum(axis=1)
        further = (((turned * root + noise) * (root > 0)) ** 2).sum(axis=1)
        middle = (across.sum(axis=1) + effect @ s.kept) ** 2 / ratings
        left = residual * 2 * rng.standard_gamma((ratings - s.rank) / 2, many)
        both = of_swept + further - middle
        yield both + left, of_swept - middle, of_kept - middle, both


def alone(
    ratings: Floats, between: float, within: float, size: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """One side only: sums of squares between its levels and within them."""
    kinds, levels = np.unique(ratings, return_counts=True)
    spread = kinds * between + within
    # Of levels that are alike one direction enters the total; a chi-square stands for the others.
    first = rng.standard_normal((size, len(kinds)))
    rest = 2 * rng.standard_gamma((levels - 1) / 2, (size, len(kinds)))
    total = first @ np.sqrt(spread * kinds * levels)
    squares = (first**2 + rest) @ spread - total**2 / ratings.sum()
    left = within * 2 * rng.standard_gamma((ratings.sum() - len(ratings)) / 2, size)
    return squares, left


class _Kinds(NamedTuple):
    """Levels of the swept side by their number of ratings: number, levels, rank, and roots."""

    ratings: Floats
    levels: Floats
    ranks: NDArray[np.int64]
    roots: Floats  # all kinds' roots of the cross-products below each other


def _alike(s: Sides, size: int) -> _Kinds | None:
    """The kinds of levels, where drawing by kind costs less than drawing each level."""
    ratings, kind, levels = np.unique(s.swept, return_inverse=True, return_counts=True)
    width = len(s.kept)
    by_kind = len(ratings) * width**2 * (size + 20 * width)
    if by_kind > size * (s.links.nnz + _LEVEL * len(s.swept)):
        return None
    roots, ranks = [], []
    for k in range(len(ratings)):
        own = s.links[:, np.flatnonzero(kind == k)]
        value, vector = np.linalg.eigh((own @ own.T).toarray())
        sound = value > 1e-10 * max(float(value[-1]), 1e-300)
        roots.append((vector[:, sound] * np.sqrt(value[sound])).T)
        ranks.append(int(sound.sum()))
    return _Kinds(
        ratings, levels.astype(np.float64), np.array(ranks), np.concatenate(roots, dtype=np.float64)
    )


def _of_kinds(
    kinds: _Kinds, swept: float, residual: float, size: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """What the swept side adds to the kept side's sums, and its own sum of squares."""
    spread = kinds.ratings * swept + residual
    normal = rng.standard_normal((size, len(kinds.roots)))
    of_kind = np.repeat(np.arange(len(spread)), kinds.ranks)
    across = (normal * np.sqrt(spread / kinds.ratings)[of_kind]) @ kinds.roots
    squares = (normal**2) @ spread[of_kind]
    rest = (kinds.levels - kinds.ranks) / 2
    for share, free in zip(spread, rest, strict=True):
        squares += share * 2 * rng.standard_gamma(free, size) if free > 0 else 0.0
    return across, squares


def _each(s: Sides, spread: Floats, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The same from one normal for each level."""
    x = np.sqrt(spread)[:, None] * rng.standard_normal((len(spread), size))
    squares = np.einsum("ld,ld->d", x, x)
    return np.ascontiguousarray((s.links @ (x / np.sqrt(s.swept)[:, None])).T), squares

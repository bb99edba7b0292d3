"""Random weights that sum to 1, and what they do to the order of departments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_BLOCK = 100_000
_ROUNDS = 400


def uniform(draws: int, k: int, rng: np.random.Generator) -> Iterator[Array]:
    """Weights spread evenly over the simplex, in blocks: normalised exponentials."""
    for start in range(0, draws, _BLOCK):
        w = rng.standard_exponential((min(_BLOCK, draws - start), k))
        yield w / w.sum(axis=1, keepdims=True)


def bounded(draws: int, low: Array, high: Array, rng: np.random.Generator) -> Iterator[Array]:
    """Weights spread evenly over the part of the simplex between limits, by rejection.

    All but the weight with the widest limits are drawn evenly between theirs; the last one
    follows, and the draw counts when it lies between its own. Stops short when too few do.
    """
    last = int(np.argmax(high - low))
    rest = np.arange(len(low)) != last
    left = draws
    for _ in range(_ROUNDS):
        w = np.empty((_BLOCK, len(low)))
        w[:, rest] = rng.uniform(low[rest], high[rest], (_BLOCK, int(rest.sum())))
        w[:, last] = 1 - w[:, rest].sum(axis=1)
        kept = w[(w[:, last] >= low[last]) & (w[:, last] <= high[last])][:left]
        left -= len(kept)
        if len(kept):
            yield kept
        if left <= 0:
            return


def acceptability(blocks: Iterator[Array], x: Array) -> tuple[Array, Array, int]:
    """Share of weights that give row i place r, mean weights that put it first, and the draws.

    Rows that tie share their places evenly.
    """
    t, k = x.shape
    distinct, group, size = np.unique(x, axis=0, return_inverse=True, return_counts=True)
    group = group.ravel()
    hits, central, draws = np.zeros((len(distinct), t)), np.zeros((len(distinct), k)), 0
    for w in blocks:
        scores = w @ distinct.T
        place = np.zeros(scores.shape, dtype=np.int64)
        for j in range(len(distinct)):
            place += np.where(scores[:, j : j + 1] > scores, size[j], 0)
        for i in range(len(distinct)):
            hits[i] += np.bincount(place[:, i], minlength=t)[:t]
            central[i] += w[place[:, i] == 0].sum(axis=0)
        draws += len(w)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = central / hits[:, :1]
        shared = np.array([_spread(h, s) for h, s in zip(hits, size)]).reshape(-1, t) / draws
    return shared[group], middle[group], draws


def _spread(hits: Array, size: int) -> Array:
    """Hits of a tied group over the places that it takes up together."""
    return np.asarray(np.convolve(hits, np.ones(size) / size)[: len(hits)])

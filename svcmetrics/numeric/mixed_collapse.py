"""Collapse a crossed or nested random-effects model once: afterwards the number of rows is no cost.

One factor (with all that is nested in it) is *eliminated*: its block of Henderson's equations is
diagonal or falls into small blocks. All other levels, the fixed columns and y stay dense.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from svcmetrics.numeric.mixed_gram import Gram, gram
from svcmetrics.numeric.mixed_products import Array, Codes, Rows

__all__ = [
    "Array",
    "Codes",
    "Collapsed",
    "NoSpread",
    "NotIdentified",
    "TooLarge",
    "collapse",
    "is_nested",
]

# Random columns beyond this stay sparse: conjugate gradients in place of a dense factor.
DENSE_LIMIT = 3_000
_FIXED_LIMIT = 2_000  # fixed columns that go with conjugate gradients
_BLOCK_LIMIT = 40_000_000  # numbers held in the small blocks of one elimination


class TooLarge(ValueError):
    """More fixed columns than can be solved for beside two large crossed factors."""

    def __init__(self, levels: int):
        self.levels = levels
        super().__init__(f"{levels} fixed columns beside large factors; at most {_FIXED_LIMIT} fit")


class NotIdentified(ValueError):
    """A factor cannot be told apart from another one, from the residual or from the mean."""

    def __init__(self, factor: int, other: int | None, why: str):
        self.factor, self.other, self.why = factor, other, why
        super().__init__(f"factor {factor} is not identified: {why}")


class NoSpread(ValueError):
    """All values are equal: there is no variance to divide."""


@dataclass(frozen=True)
class Collapsed:
    """Sufficient statistics of y, X and the factors; columns of T are [dense factors | X | y]."""

    n: int
    sizes: tuple[int, ...]
    eliminated: tuple[int, ...]  # factors in the block that is eliminated, and their rows in E
    rows: tuple[slice, ...]
    dense: tuple[int, ...]  # factors in T, and their columns
    columns: tuple[slice, ...]
    fixed: int
    counts: Any  # E'WE: a vector of counts, or a sparse matrix of small blocks
    cluster: Codes  # the block of each eliminated level
    cross: Any  # E'WT, sparse
    dense_product: Any  # T'WT; sparse when it is large
    log_weights: float
    mean: float  # taken off y before anything is squared

    @cached_property
    def gram(self) -> Gram:
        """Weighted cross-products of ``cross``, for one factor eliminated; kept for every fit."""
        return gram(self.counts, self.cross)

    @property
    def large(self) -> bool:
        """Whether the columns of T are too many for a dense factorisation."""
        return not isinstance(self.dense_product, np.ndarray)

    @property
    def random(self) -> int:
        """Number of dense random columns."""
        return int(self.dense_product.shape[0]) - self.fixed - 1


def collapse(
    y: Array,
    factors: Sequence[Codes],
    sizes: Sequence[int],
    X: Any,
    weights: Array | None,
    keep: int | None = None,
) -> Collapsed:
    """All cross-products that REML needs, in one pass over the rows.

    ``factors``: codes 0 … size − 1 per row. ``X``: n × p fixed columns, dense or sparse.
    """
    _check_levels(factors, sizes, len(y))
    if np.ptp(y) <= 1e-12 * np.abs(y).max(initial=0):
        raise NoSpread
    eliminated = choose(factors, sizes, X.shape[1], keep)
    dense = tuple(k for k in range(len(factors)) if k not in eliminated)
    mean = float(np.average(y, weights=weights)) if _has_intercept(X) else 0.0
    rows = Rows([*factors], [*sizes], X, y - mean, weights)
    product = rows.cross((*dense, None), dense)
    large = sum(sizes[k] for k in dense) + X.shape[1] > DENSE_LIMIT
    return Collapsed(
        n=len(y),
        sizes=tuple(sizes),
        eliminated=eliminated,
        rows=_places([sizes[k] for k in eliminated]),
        dense=dense,
        columns=_places([sizes[k] for k in dense]),
        fixed=X.shape[1],
        counts=rows.counts(eliminated),
        cluster=_cluster(factors, sizes, eliminated),
        cross=rows.cross(eliminated, dense),
        dense_product=product if large else product.toarray(),
        log_weights=0.0 if weights is None else float(np.log(weights).sum()),
        mean=mean,
    )


def choose(
    factors: Sequence[Codes], sizes: Sequence[int], fixed: int, keep: int | None = None
) -> tuple[int, ...]:
    """The factor to eliminate, with those nested in it when that is cheaper; ``keep`` stays.

    Where too many columns would remain, the largest one goes and the rest is left sparse.
    """
    best: tuple[float, tuple[int, ...]] | None = None
    for k in range(len(factors)):
        inner = [j for j in range(len(factors)) if j != k and is_nested(factors, sizes, j, k)]
        for group in {(k,), (k, *inner)}:
            if keep in group:
                continue
            rest = sum(sizes) - sum(sizes[j] for j in group) + fixed
            block = np.ones(sizes[k])
            for j in group[1:]:
                block += np.bincount(_parents(factors, sizes, j, k), minlength=sizes[k])
            cost = rest**3 / 3 + 10 * float((block**3).sum())
            if (
                (block**2).sum() <= _BLOCK_LIMIT
                and rest <= DENSE_LIMIT
                and (best is None or cost < best[0])
            ):
                best = (cost, group)
    if best is None and fixed > _FIXED_LIMIT:
        raise TooLarge(fixed)
    return best[1] if best else (int(np.argmax(sizes)),)


def is_nested(factors: Sequence[Codes], sizes: Sequence[int], inner: int, outer: int) -> bool:
    """Whether every level of ``inner`` occurs with one level of ``outer`` only."""
    if sizes[inner] < sizes[outer]:
        return False
    for rows in (slice(0, 2000), slice(None)):  # most crossings show in a few rows
        a, b = factors[inner][rows], factors[outer][rows]
        first = np.zeros(sizes[inner], dtype=np.intp)
        first[a] = b
        if not np.array_equal(first[a], b):
            return False
    return True


def _parents(factors: Sequence[Codes], sizes: Sequence[int], inner: int, outer: int) -> Codes:
    parent = np.zeros(sizes[inner], dtype=np.intp)
    parent[factors[inner]] = factors[outer]
    return parent


def _check_levels(factors: Sequence[Codes], sizes: Sequence[int], n: int) -> None:
    for k, size in enumerate(sizes):
        if size < 2:
            raise NotIdentified(k, None, "one level")
        if size >= n:
            raise NotIdentified(k, None, "residual")
        for j in range(k):
            if sizes[j] == size and is_nested(factors, sizes, j, k):
                raise NotIdentified(k, j, "same")


def _has_intercept(X: Any) -> bool:
    """Whether the first column is the constant 1: only then may a mean be taken off y."""
    if X.shape[1] == 0:
        return False
    first = X[:, [0]]
    first = first.toarray() if hasattr(first, "toarray") else np.asarray(first)
    return bool((first == 1).all())


def _places(sizes: list[int]) -> tuple[slice, ...]:
    """Where each factor's levels lie when factors stand one after another."""
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(int).tolist()
    return tuple(itertools.starmap(slice, itertools.pairwise(ends)))


def _cluster(factors: Sequence[Codes], sizes: Sequence[int], group: tuple[int, ...]) -> Codes:
    own = np.arange(sizes[group[0]])
    return np.concatenate([own, *(_parents(factors, sizes, j, group[0]) for j in group[1:])])

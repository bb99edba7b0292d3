"""Cross-products of factors, fixed columns and y: counted, never multiplied out row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

_EXACT = np.reciprocal(np.finfo(np.float32).epsneg)  # single precision counts exactly up to here


@dataclass(frozen=True)
class Rows:
    """Ratings: codes and sizes of the factors, fixed columns X (dense or sparse), y, weights."""

    codes: list[Codes]
    sizes: list[int]
    X: Any
    y: Array
    weights: Array | None

    def counts(self, group: tuple[int, ...]) -> Any:
        """E'WE of a group of factors: a vector of counts for one, a sparse matrix for several."""
        if len(group) == 1:
            k = group[0]
            return np.bincount(self.codes[k], self.weights, self.sizes[k]).astype("float64")
        return _joined([[self._table(j, k) for k in group] for j in group])

    def cross(self, left: tuple[int | None, ...], right: tuple[int, ...]) -> Any:
        """[left factors]'W[right factors | X | y], sparse; ``None`` on the left is [X | y]."""
        return _joined([self._line(j, right) for j in left])

    def _line(self, j: int | None, right: tuple[int, ...]) -> list[Any]:
        if j is None:
            own = [self._fixed(k).T for k in right]
            whole = [[self._inner(a, b) for b in (self.X, self._y)] for a in (self.X, self._y)]
            return [_joined([own]) if own else None, _joined(whole)]
        return [*(self._table(j, k) for k in right), self._fixed(j)]

    @property
    def _y(self) -> Array:
        return self.y[:, None]

    @cached_property
    def _weighted_y(self) -> Array:
        return self.y if self.weights is None else self.y * self.weights

    def _table(self, j: int, k: int) -> Any:
        """Sparse table of counts, levels of j by levels of k."""
        from scipy import sparse

        shape = (self.sizes[j], self.sizes[k])
        if j == k:
            return sparse.diags_array(self.counts((j,))).tocsr()
        small = self.weights is None and len(self.y) < _EXACT
        one = np.ones(len(self.y), "float32" if small else "float64")
        one = one if self.weights is None else self.weights
        place = (self.codes[j].astype(np.int32), self.codes[k].astype(np.int32))
        table = sparse.csr_array(sparse.coo_array((one, place), shape=shape))
        table.sort_indices()
        return table.astype("float64")

    def _fixed(self, j: int) -> Any:
        """Sums of [X | y] by level of one factor."""
        from scipy import sparse

        size, codes = self.sizes[j], self.codes[j]
        sums = np.bincount(codes, self._weighted_y, size)[:, None]
        if sparse.issparse(self.X):
            n = len(codes)
            shape = (size, n)
            one = np.ones(n) if self.weights is None else self.weights
            own = sparse.csc_array((one, codes, np.arange(n + 1)), shape=shape)
            return sparse.hstack([own @ self.X, sparse.csr_array(sums)], format="csr")
        columns = [self._sum(codes, x, size) for x in self.X.T]
        return sparse.csr_array(np.column_stack([*columns, sums]))

    def _sum(self, codes: Codes, x: Array, size: int) -> Array:
        if len(x) > 0 and (x == x[0]).all():
            return np.asarray(x[0] * np.bincount(codes, self.weights, size))
        weighted = x if self.weights is None else x * self.weights
        return np.bincount(codes, weighted, size).astype("float64")

    def _inner(self, a: Any, b: Any) -> Any:
        from scipy import sparse

        if self.weights is not None:
            b = sparse.diags_array(self.weights) @ b
        return sparse.csr_array(a.T @ b)


def _joined(blocks: Sequence[Sequence[Any]]) -> Any:
    """Blocks as one sparse matrix."""
    from scipy import sparse

    rows = [sparse.hstack([b for b in line if b is not None], format="csr") for line in blocks]
    return rows[0] if len(rows) == 1 else sparse.vstack(rows, format="csr")

"""Weighted cross-products N'f(D)N of the same N for many weightings f(D), each in one cheap pass."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.linalg import blas

from svcmetrics.numeric.mixed_products import Array

_PAIRS = 8_000_000  # pairs of entries within rows that may be listed (100 MB)
_ROWS = 4_096
_DENSE = 0.03  # fuller than this, BLAS beats sparse products
_EXACT = np.reciprocal(np.finfo(np.float32).epsneg)  # up to here single precision is exact
_FOLDED = 40_000_000  # numbers kept in folded products (320 MB)
_BATCH = 16  # distinct counts folded into the basis at a time


class Gram(Protocol):
    """N'diag(1 / (counts + ridge)ᵖ)N as a dense matrix."""

    def at(self, ridge: float, power: int) -> Array:
        """The product for one ridge."""
        ...


def gram(counts: Array, cross: Any) -> Gram:
    """The cheapest way for these data: list all pairs, fold distinct counts, or multiply anew."""
    pairs = float((np.diff(cross.indptr).astype("float64") ** 2).sum())
    if pairs <= _PAIRS:
        return Pairs(counts, cross)
    values = np.unique(counts)
    if len(values) <= cross.shape[0] // 20:
        basis = _basis(values)
        if len(basis) * cross.shape[1] ** 2 <= _FOLDED:
            return Folded(counts, cross, values, basis)
    return Anew(counts, cross)


class Pairs:
    """Every product of two entries of a row, listed once: a weighting is then one sparse product."""

    def __init__(self, counts: Array, cross: Any):
        from scipy import sparse

        self.counts, self.width = counts, cross.shape[1]
        length = np.diff(cross.indptr)
        order = np.argsort(length, kind="stable")
        place, value = [np.empty(0, np.int32)], [np.empty(0)]
        for size in np.unique(length):
            rows = order[length[order] == size]
            index = cross.indptr[rows][:, None] + np.arange(size)
            column, data = cross.indices[index].astype(np.int32), cross.data[index]
            flat = column[:, :, None] * np.int32(self.width) + column[:, None, :]
            place.append(flat.ravel())
            value.append((data[:, :, None] * data[:, None, :]).ravel())
        starts = np.concatenate([[0], np.cumsum(length[order].astype(np.int64) ** 2)])
        shape = (self.width**2, len(order))
        parts = (np.concatenate(value), np.concatenate(place), starts)
        self.listed, self.order = sparse.csc_array(parts, shape=shape), order

    def at(self, ridge: float, power: int) -> Array:
        """The product for one ridge."""
        weight = (self.counts[self.order] + ridge) ** -float(power)
        return np.asarray((self.listed @ weight).reshape(self.width, self.width))


class Folded:
    """Weights depend on the count only, and as functions of it they need few dimensions.

    1 / (c + ridge)ᵖ over all ridges is spanned to rounding by some twenty functions of c, so that
    products per distinct count are made once and folded into twenty matrices.
    """

    def __init__(self, counts: Array, cross: Any, values: Array, basis: Array):
        self.values, self.basis, self.width = values, basis, cross.shape[1]
        self.products = np.zeros((len(basis), self.width**2))
        order = np.argsort(counts, kind="stable")
        ends = np.searchsorted(counts[order], values, side="right")
        start = 0
        batch = np.zeros((_BATCH, self.width**2))
        for a in range(0, len(values), _BATCH):
            own = basis[:, a : a + _BATCH]
            for i, end in enumerate(ends[a : a + _BATCH]):
                batch[i] = _product(cross[order[start:end]], None).ravel()
                start = end
            some = batch[: own.shape[1]]
            blas.dgemm(1.0, some.T, own.T, 1.0, self.products.T, overwrite_c=1)  # adds in place

    def at(self, ridge: float, power: int) -> Array:
        """The product for one ridge."""
        weight = self.basis @ (self.values + ridge) ** -float(power)
        out = (weight @ self.products).reshape(self.width, self.width)
        return np.asarray((out + out.T) / 2)


class Anew:
    """No counts in common: every product from the rows themselves."""

    def __init__(self, counts: Array, cross: Any):
        self.counts, self.cross = counts, cross

    def at(self, ridge: float, power: int) -> Array:
        """The product for one ridge."""
        return _product(self.cross, (self.counts + ridge) ** -float(power))


def _basis(values: Array) -> Array:
    """Orthonormal functions of the count that span 1 / (c + ridge) and its square, any ridge."""
    ridges = np.geomspace(1e-10 * values[0], 1e10 * values[-1], 240)[:, None]
    once = 1 / (values + ridges)
    both = np.concatenate([once, once**2])
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    _, size, axes = np.linalg.svd(both, full_matrices=False)
    return np.asarray(axes[size > 1e-16 * size[0]])


def _product(rows: Any, weight: Array | None) -> Array:
    """Rows' diag(weight) rows, dense where that is faster."""
    width = rows.shape[1]
    if rows.nnz < _DENSE * rows.shape[0] * width:
        scaled = rows.copy()
        if weight is not None:
            scaled.data = scaled.data * np.repeat(weight, np.diff(rows.indptr))
        return np.asarray((rows.T @ scaled).toarray())
    out = np.zeros((width, width))
    root = None if weight is None else np.sqrt(weight)
    for a in range(0, rows.shape[0], _ROWS):
        part = rows[a : a + _ROWS].toarray()
        if root is None:
            out += _whole(part)
        else:
            part *= root[a : a + _ROWS, None]
            out += part.T @ part
    return out


def _whole(part: Array) -> Array:
    """Part'part, in single precision for the leading columns where that is exact: whole numbers."""
    single = part.astype("float32")
    odd = np.flatnonzero((single[:8] != np.rint(single[:8])).any(axis=0))
    k = int(odd[0]) if len(odd) else part.shape[1]
    own = single[:, :k]
    if float(own.max(initial=0)) ** 2 * len(part) >= _EXACT or (own != np.rint(own)).any():
        return np.asarray(part.T @ part)
    out = np.empty((part.shape[1],) * 2)
    out[:k, :k] = own.T @ own
    out[k:] = part[:, k:].T @ part
    out[:, k:] = out[k:].T
    return out

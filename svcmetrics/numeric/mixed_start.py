"""Variances to begin with: sums of squares set equal to what they are expected to be."""

from __future__ import annotations

from typing import Any

import numpy as np

from svcmetrics.numeric.mixed_collapse import Array, Collapsed


def moments(data: Collapsed) -> Array:
    """Henderson's first method on the collapsed data, kept away from zero; residual last.

    It ignores fixed columns other than the mean: a start need not be right, only near.
    """
    total = max(data.dense_product[-1, -1] / data.n, np.finfo(float).tiny)
    plain = np.append(np.full(len(data.sizes), 0.15 * total), 0.6 * total)
    if len(data.eliminated) > 1 or data.fixed != 1:
        return plain
    squares, expected = _sums(data)
    try:
        found = np.linalg.solve(expected, squares)
    except np.linalg.LinAlgError:
        return plain
    good = np.isfinite(found).all() and found[-1] > 0
    return np.maximum(found, 0.02 * plain) if good else plain


def _sums(data: Collapsed) -> tuple[Array, Array]:
    """Uncorrected sums of squares less that of the mean, and their expectations."""
    k_all, r = len(data.sizes), data.random
    product = data.dense_product
    n = product[r, r]  # the first fixed column is the constant 1
    sum_y = product[r, -1]
    squares, expected = np.empty(k_all + 1), np.empty((k_all + 1, k_all + 1))
    counts = [np.empty(0)] * k_all
    (first,) = data.eliminated
    counts[first] = data.counts
    for k, columns in zip(data.dense, data.columns, strict=True):
        counts[k] = product.diagonal()[columns]
    lost = np.array([c @ c / n for c in counts])
    expected[-1] = np.append(n - lost, data.n - 1)
    squares[-1] = product[-1, -1] - sum_y**2 / n
    expected[first] = np.append(_shared(data, first) - lost, data.sizes[first] - 1)
    y_sums = data.cross[:, [-1]].toarray().ravel()
    squares[first] = (y_sums**2 / counts[first]).sum() - sum_y**2 / n
    for k, columns in zip(data.dense, data.columns, strict=True):
        expected[k] = np.append(_shared(data, k) - lost, data.sizes[k] - 1)
        sums = _dense(product[columns, -1:]).ravel()
        squares[k] = (sums**2 / counts[k]).sum() - sum_y**2 / n
    return squares, expected


def _shared(data: Collapsed, k: int) -> Array:
    """Σ over levels of k and j of n(k, j)² / n(k), for every factor j."""
    out = np.empty(len(data.sizes))
    (first,) = data.eliminated
    squared = data.cross.copy()
    squared.data = squared.data**2
    if k == first:
        by_column = squared.T @ (1 / data.counts)
        out[first] = data.counts.sum()
        for j, columns in zip(data.dense, data.columns, strict=True):
            out[j] = by_column[columns].sum()
        return out
    own = data.columns[data.dense.index(k)]
    count = data.dense_product.diagonal()[own]
    out[first] = np.asarray(squared[:, own].sum(axis=0)).ravel() @ (1 / count)
    for j, columns in zip(data.dense, data.columns, strict=True):
        table = data.dense_product[own, columns]
        out[j] = ((table * table).sum(axis=1) / count).sum()
    return out


def _dense(part: Any) -> Array:
    return np.asarray(part if isinstance(part, np.ndarray) else part.toarray())

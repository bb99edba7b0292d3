"""Who rates whom as a graph and as a design: components, bridges, information. Arrays only.

A plan is a sparse count table ``n`` (raters, targets): how many forms rater k is asked to fill in
about target j. Two targets are compared through the raters whom they share.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]


def count_table(
    rater: NDArray[np.intp], target: NDArray[np.intp], shape: tuple[int, int]
) -> sparse.csr_array:
    """Forms per rater and target."""
    ones = np.ones(len(rater))
    table = sparse.csr_array(sparse.coo_array((ones, (rater, target)), shape=shape))
    table.sort_indices()  # sums over it then do not hang on the order of the forms
    return table


def information(n: sparse.csr_array, response: float = 1.0) -> Array:
    """Expected information on target differences, in units of 1/sigma².

    Additive model: rating = rater + target + error, raters eliminated: C = R - N' K⁻¹ N. When
    each form comes back with probability ``response``, rater k contributes in expectation
    g (K diag(n) - n n') with g = (p - (1 - (1 - p)^K) / K) / (K - 1).
    """
    forms = np.asarray(n.sum(axis=1)).ravel()
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = response - (1 - (1 - response) ** forms) / forms
        g = np.where(forms > 1, kept / (forms - 1), 0.0)
    weighted = sparse.diags_array(g) @ n
    own = np.asarray((sparse.diags_array(forms) @ weighted).sum(axis=0)).ravel()
    return np.asarray(np.diag(own) - (n.T @ weighted).toarray())


def spread(c: Array) -> Array:
    """Pseudo-inverse of an information matrix: variances and covariances of centred targets."""
    values, vectors = np.linalg.eigh((c + c.T) / 2)
    floor = max(values.max(initial=0.0), 0.0) * len(values) * 1e-12
    inverse = np.where(values > floor, 1 / np.where(values > floor, values, 1.0), 0.0)
    return np.asarray((vectors * inverse) @ vectors.T)


def eigenvalues(c: Array) -> Array:
    """Eigenvalues of an information matrix, smallest first; rounding below 0 becomes 0."""
    return np.asarray(np.maximum(np.linalg.eigvalsh((c + c.T) / 2), 0.0))


def components(c: Array) -> NDArray[np.intp]:
    """The subset of each target, numbered from 0: targets in different subsets share no rater."""
    from scipy.sparse.csgraph import connected_components

    return np.asarray(connected_components(sparse.csr_array(np.abs(c) > 1e-12), directed=False)[1])


def bridges(n: sparse.csr_array) -> NDArray[np.intp]:
    """Raters without whom some targets could no longer be compared with the others.

    A rater is dispensable when another one rates the same targets or more; only the rest is
    tried, by taking each away and counting subsets.
    """
    present = sparse.csr_array((n > 0).astype(np.float64))
    full = (present.T @ present).toarray()
    whole = _subsets(full)
    rows = np.split(present.indices, present.indptr[1:-1])
    return np.array([k for k, mine in enumerate(rows) if _breaks(full, mine, whole)], dtype=np.intp)


def _breaks(full: Array, mine: NDArray[np.int32], whole: int) -> bool:
    """Whether the graph falls into more subsets without the links of one rater."""
    if len(mine) < 2:
        return False
    block = full[np.ix_(mine, mine)]
    off = ~np.eye(len(mine), dtype=bool)
    if (block[off] > 1).all():
        return False  # every pair of this rater's targets is linked by someone else too
    # Linked by someone else, or through a target that this rater does not rate: mostly enough.
    elsewhere = (full[mine] > 0).astype(np.float32)
    elsewhere[:, mine] = 0
    if _subsets(((block > 1) & off) | (elsewhere @ elsewhere.T > 0)) == 1:
        return False
    less = full.copy()
    less[np.ix_(mine, mine)] -= off
    return _subsets(less) > whole


def _subsets(full: Array | NDArray[np.bool_]) -> int:
    from scipy.sparse.csgraph import connected_components

    return int(connected_components(sparse.csr_array(full > 0), directed=False)[0])


def quantiles(values: Sequence[float], shares: Sequence[float]) -> Array:
    """Observed quantiles: the smallest value that this share of the values does not exceed."""
    return np.asarray(np.quantile(np.asarray(values, float), shares, method="inverted_cdf"))

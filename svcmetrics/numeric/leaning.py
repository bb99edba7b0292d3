"""Which ratings an adjusted mean is made of: its exact weights, given the variances of the model.

Adjusted and shrunken means are sums of all ratings, those of other targets too. Their weights follow
from who rated whom and from the variances: V = residual·I + pair·PP' + rater·RR', targets fixed for
the adjusted mean, random for the shrunken one (Henderson 1975).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

_TINY = 1e-12


def adjusted_rows(
    target: np.ndarray, rater: np.ndarray, others: Sequence[np.ndarray],
    variances: Mapping[str, float],
) -> np.ndarray:  # fmt: skip
    """Weights (targets × ratings) of the adjusted means.

    ``target``, ``rater``, ``others``: codes 0 … k - 1; ``variances``: rater, pair, residual.
    """
    levels = [np.eye(int(codes.max()) + 1)[codes][:, 1:] for codes in others]
    design = np.hstack([_at(target)[:, 1:], *levels])
    design = np.hstack([np.ones((len(target), 1)), design])
    half = _solved(design, target, rater, variances)
    k = int(target.max()) + 1
    shares = [np.tile(level.mean(axis=0), (k, 1)) for level in levels]
    contrasts = np.hstack([np.ones((k, 1)), np.eye(k)[:, 1:], *shares])
    return np.asarray(contrasts @ np.linalg.pinv(design.T @ half, hermitian=True) @ half.T)


def shrunken_rows(
    target: np.ndarray, rater: np.ndarray, others: Sequence[np.ndarray],
    variances: Mapping[str, float],
) -> np.ndarray:  # fmt: skip
    """Weights of the shrunken means; ``variances``: of the target too."""
    levels = [np.eye(int(codes.max()) + 1)[codes][:, 1:] for codes in others]
    fixed = np.hstack([np.ones((len(target), 1)), *(c - c.mean(axis=0) for c in levels)])
    own = variances["target"]
    at = _at(target)
    inverse = _solved(np.hstack([fixed, at]), target, rater, variances)
    of_fixed, of_targets = inverse[:, : fixed.shape[1]], inverse[:, fixed.shape[1] :]
    if own > _TINY:
        inner = np.eye(at.shape[1]) / own + at.T @ of_targets
        of_fixed = of_fixed - of_targets @ np.linalg.solve(inner, at.T @ of_fixed)
        of_targets = of_targets - of_targets @ np.linalg.solve(inner, at.T @ of_targets)
    known = np.linalg.pinv(fixed.T @ of_fixed, hermitian=True) @ of_fixed.T
    return np.asarray(known[0] + own * (of_targets.T - (of_targets.T @ fixed) @ known))


def _at(codes: np.ndarray) -> np.ndarray:
    return np.asarray(np.eye(int(codes.max()) + 1)[codes])


def _solved(
    columns: np.ndarray, target: np.ndarray, rater: np.ndarray, variances: Mapping[str, float]
) -> np.ndarray:
    """The inverse of V times some columns; V falls into one block per rater."""
    residual = max(variances["residual"], _TINY)
    pair, shared = variances.get("pair", 0.0), variances.get("rater", 0.0)
    _, code, size = np.unique(
        rater * (int(target.max()) + 1) + target, return_inverse=True, return_counts=True
    )
    code = code.reshape(-1)
    own = 1 / (residual + size[code] * pair)
    out = (columns - (pair * own)[:, None] * _sums(columns, code)) / residual
    heard = np.bincount(rater, weights=own)
    factor = shared / (1 + shared * heard)
    return np.asarray(out - (own * factor[rater])[:, None] * _sums(out, rater))


def _sums(columns: np.ndarray, code: np.ndarray) -> np.ndarray:
    """The sum of each rating's group, per column."""
    from scipy import sparse

    n = len(code)
    groups = sparse.csr_array((np.ones(n), (code, np.arange(n))))
    return np.asarray((groups @ columns)[code])

"""Henderson's equations at given variances: criterion, slope, average information, effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.linalg import lapack

from svcmetrics.numeric.mixed_collapse import Array, Collapsed
from svcmetrics.numeric.mixed_eliminate import Blocks, Diagonal


class Singular(ValueError):
    """The fixed columns are not independent of one another."""


@dataclass(frozen=True)
class Point:
    """The model at one set of variances (factors first, residual last)."""

    variances: Array
    criterion: float  # −2 log likelihood, restricted or full
    slope: Array  # derivative of the log likelihood by each variance
    information: Array  # average information
    effects: list[Array]  # predicted effects per factor
    coefficients: Array  # fixed effects
    inverse: Array | None  # of the Schur complement, over [dense factors | X]; None: too large
    border: Array  # its columns of X
    spreads: list[Array] | None = None  # too large: estimated diagonal of the inverse per factor
    noise: Array | None = None  # covariance of the slope by simulation
    spread_error: float = 0.0  # typical relative error of these diagonals by simulation
    criterion_error: float = 0.0  # standard error of the criterion by simulation
    solved: bool = True
    times_inverse: Callable[[Array], Array] = np.zeros_like  # the inverse times a matrix


class Solution(Protocol):
    """What the average information is made of."""

    @property
    def solution(self) -> Array: ...
    @property
    def eliminated(self) -> Array: ...
    @property
    def effects(self) -> list[Array]: ...
    @property
    def errors(self) -> float: ...
    def times_inverse(self, right: Array) -> Array: ...


@dataclass(frozen=True)
class _Solved:
    """The solution of the equations at given ratios of variances."""

    ratio: Array  # residual / factor
    logdet: float
    quad: float  # y'Py times the residual variance
    inverse: Array
    solution: Array  # dense factors, then fixed effects
    eliminated: Array
    effects: list[Array]

    @cached_property
    def errors(self) -> float:
        """Weighted sum of squared residuals."""
        return self.quad - float(self.ratio @ np.array([u @ u for u in self.effects]))

    def times_inverse(self, right: Array) -> Array:
        """Inverse of the Schur complement times a matrix."""
        return np.asarray(self.inverse @ right)


def evaluate(
    data: Collapsed, block: Diagonal | Blocks, variances: Array, restricted: bool
) -> Point:
    """Solve the equations once; everything that a step needs falls out."""
    solved = _solve(data, block, variances[-1] / variances[:-1], restricted)
    sizes, ratio = np.array(data.sizes, dtype="float64"), solved.ratio
    kept = data.n - (data.fixed if restricted else 0)
    criterion = kept * np.log(2 * np.pi * variances[-1]) - float(sizes @ np.log(ratio))
    criterion += solved.logdet - data.log_weights + solved.quad / variances[-1]
    traces = _traces(data, block, solved.inverse, restricted)
    return Point(
        variances,
        float(criterion),
        scaled_slope(data, variances, solved.effects, solved.errors, traces, kept),
        average_information(data, block, variances, solved),
        solved.effects,
        solved.solution[data.random :],
        solved.inverse,
        solved.inverse[:, data.random :],
        times_inverse=solved.times_inverse,
    )


def scaled_slope(
    data: Collapsed,
    variances: Array,
    effects: list[Array],
    errors: float,
    traces: Array,
    kept: int,
) -> Array:
    """Derivative of the log likelihood by each variance; ``kept``: degrees of freedom."""
    squares = np.array([u @ u for u in effects])
    # degrees of freedom that each factor takes: its levels less what shrinkage gives back
    taken = np.array(data.sizes) - variances[-1] / variances[:-1] * traces
    slope = np.empty(len(variances))
    slope[:-1] = taken / variances[:-1] - squares / variances[:-1] ** 2
    slope[-1] = (kept - taken.sum()) / variances[-1] - errors / variances[-1] ** 2
    return -0.5 * slope


def set_ridge(data: Collapsed, block: Diagonal | Blocks, variances: Array) -> None:
    """Leave the eliminated block at these variances."""
    block.ridge(_spread_out(data, variances[-1] / variances[:-1]))


def _spread_out(data: Collapsed, ratio: Array) -> Array:
    return np.concatenate([np.full(data.sizes[k], ratio[k]) for k in data.eliminated])


def _solve(data: Collapsed, block: Diagonal | Blocks, ratio: Array, restricted: bool) -> _Solved:
    """One Cholesky factor of the Schur complement; determinants and the solution fall out."""
    block.ridge(_spread_out(data, ratio))
    schur = data.dense_product - block.gram()
    for k, columns in zip(data.dense, data.columns, strict=True):
        schur[columns, columns] += ratio[k] * np.eye(columns.stop - columns.start)
    # the transpose of this symmetric matrix lies as LAPACK wants it
    factor, failed = lapack.dpotrf(schur.T[:-1, :-1], lower=1, clean=1)
    pivots = np.diagonal(factor).copy()
    size = np.diagonal(data.dense_product)[data.random : -1]
    if failed or (pivots[data.random :] ** 2 <= 1e-11 * size).any():
        raise Singular
    right = schur[:-1, -1]
    solution, _ = lapack.dpotrs(factor, right, lower=1)
    lower, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    inverse = lower + lower.T
    inverse[np.diag_indices(len(inverse))] /= 2
    used = pivots if restricted else pivots[: data.random]
    logdet = block.logdet + 2 * float(np.log(used).sum())
    quad = float(schur[-1, -1] - right @ solution)
    eliminated = block.solve(data.cross @ np.append(-solution, 1.0))
    effects: list[Array] = [np.empty(0)] * len(data.sizes)
    for k, rows in zip(data.eliminated, data.rows, strict=True):
        effects[k] = eliminated[rows]
    for k, columns in zip(data.dense, data.columns, strict=True):
        effects[k] = solution[columns]
    return _Solved(ratio, logdet, quad, inverse, solution, eliminated, effects)


def _traces(data: Collapsed, block: Diagonal | Blocks, inverse: Array, restricted: bool) -> Array:
    """Trace of each factor's block of the inverse (of the random part only for full likelihood)."""
    if not restricted and data.fixed:
        inverse = inverse.copy()
        r = data.random
        inverse[:r, :r] -= inverse[:r, r:] @ np.linalg.solve(inverse[r:, r:], inverse[r:, :r])
        inverse[r:], inverse[:, r:] = 0.0, 0.0
    out = np.empty(len(data.sizes))
    diagonal = np.diagonal(inverse)
    for k, columns in zip(data.dense, data.columns, strict=True):
        out[k] = diagonal[columns].sum()
    for k, value in zip(data.eliminated, block.traces(inverse, data.rows), strict=True):
        out[k] = value
    return out


def average_information(
    data: Collapsed, block: Diagonal | Blocks, variances: Array, solved: Solution
) -> Array:
    """Average information ½ f'Pf with f = V_i P y (Gilmour, Thompson & Cullis 1995)."""
    k_all, m = len(data.sizes), len(solved.solution)
    left_e = np.zeros((len(solved.eliminated), k_all + 1))
    left_t = np.zeros((m, k_all + 1))
    cross = data.cross[:, :m]
    scaled = [u / v for u, v in zip(solved.effects, variances[:-1], strict=True)]
    for k, rows in zip(data.eliminated, data.rows, strict=True):
        v = np.zeros(len(solved.eliminated))
        v[rows] = scaled[k]
        left_e[:, k], left_t[:, k] = block.times_counts(v), cross.T @ v
        left_e[rows, -1] = scaled[k]
    for k, columns in zip(data.dense, data.columns, strict=True):
        v = np.zeros(m)
        v[columns] = scaled[k]
        left_e[:, k], left_t[:, k] = cross @ v, data.dense_product[:m, :m] @ v
        left_t[columns, -1] = scaled[k]
    inner = np.empty((k_all + 1, k_all + 1))
    for k, rows in zip(data.eliminated, data.rows, strict=True):
        inner[k] = inner[:, k] = scaled[k] @ left_e[rows]
    for k, columns in zip(data.dense, data.columns, strict=True):
        inner[k] = inner[:, k] = scaled[k] @ left_t[columns]
    inner[-1, -1] = solved.errors / variances[-1] ** 2
    done = block.solve(left_e)
    rest = left_t - cross.T @ done
    quad = left_e.T @ done + rest.T @ solved.times_inverse(rest)
    return np.asarray((inner - quad) / (2 * variances[-1]))

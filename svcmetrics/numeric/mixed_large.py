"""Henderson's equations when two crossed factors are too large for a dense Schur complement.

Solutions come from conjugate gradients; traces and the log-determinant from random signs (the
same at every step, seeded), so that both carry an error of simulation, which is stated.

Sources: Hutchinson (1990), Commun Stat Simul Comput 19, 433-450 (traces); Ubaru, Chen & Saad
(2017), SIAM J Matrix Anal Appl 38, 1075-1099 (log-determinants); Stranden & Lidauer (1999),
J Dairy Sci 82, 2779-2787 (mixed model equations by conjugate gradients).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from svcmetrics.numeric import conjugate
from svcmetrics.numeric.mixed_collapse import Array, Collapsed
from svcmetrics.numeric.mixed_eliminate import Diagonal
from svcmetrics.numeric.mixed_point import Point, Singular, average_information, scaled_slope

_TOLERANCE = 1e-7
SEED = 20_260


@dataclass(frozen=True)
class Large:
    """The parts of the equations that do not depend on the variances, and the random signs."""

    data: Collapsed
    block: Diagonal
    probes: int

    @cached_property
    def signs(self) -> Array:
        rng = np.random.default_rng(SEED)
        return np.asarray(rng.integers(0, 2, (self.data.random, self.probes)) * 2.0 - 1.0)

    @cached_property
    def cross(self) -> Any:
        """E'W[dense random columns], sparse."""
        return self.data.cross[:, : self.data.random]

    @cached_property
    def squared(self) -> Any:
        out = self.cross.copy()
        out.data = out.data**2
        return out

    @cached_property
    def edge(self) -> Array:
        """E'W[X | y]."""
        return np.asarray(self.data.cross[:, self.data.random :].toarray())

    @cached_property
    def product(self) -> Any:
        return self.data.dense_product[: self.data.random, : self.data.random]

    @cached_property
    def product_edge(self) -> Array:
        """[dense random | X | y]'W[X | y]."""
        return np.asarray(self.data.dense_product[:, self.data.random :].toarray())


@dataclass(frozen=True)
class _System:
    """The equations at one set of variances, the eliminated factor gone."""

    parts: Large
    ridge: Array  # residual / factor, per dense random column

    def times(self, v: Array) -> Array:
        """Schur complement times a matrix."""
        cross, block = self.parts.cross, self.parts.block
        out = self.parts.product @ v + self.ridge[:, None] * v
        return np.asarray(out - cross.T @ block.solve(cross @ v))

    @cached_property
    def diagonal(self) -> Array:
        lost = self.parts.squared.T @ (1 / self.parts.block.d)
        return np.asarray(self.parts.product.diagonal() + self.ridge - lost)

    @property
    def root(self) -> Array:
        return np.sqrt(self.diagonal)[:, None]

    def solve(self, right: Array) -> conjugate.Solutions:
        return conjugate.solve(self.times, self.diagonal, right, _TOLERANCE)


@dataclass(frozen=True)
class _Solved:
    """What ``average_information`` needs of a solution."""

    system: _System
    border: Array  # border border' is what X adds to the inverse
    log_fixed: float  # the log-determinant that X adds
    solution: Array
    eliminated: Array
    effects: list[Array]
    quad: float  # y'Py times the residual variance
    errors: float

    def times_inverse(self, right: Array) -> Array:
        """Inverse of the Schur complement, X included, times a matrix."""
        r = len(self.system.ridge)
        out = np.zeros_like(right)
        out[:r] = self.system.solve(np.ascontiguousarray(right[:r])).x
        return np.asarray(out + self.border @ (self.border.T @ right))


def evaluate(parts: Large, variances: Array, restricted: bool) -> Point:
    """As ``mixed_point.evaluate``, with the errors of simulation."""
    data, ratio = parts.data, variances[-1] / variances[:-1]
    solved, found = _solve(parts, ratio)
    spreads, traces, unsure = _traces(solved, found.x, restricted)
    kept = data.n - (data.fixed if restricted else 0)
    forms = data.random * found.log_forms()
    logdet = parts.block.logdet + float(np.log(solved.system.diagonal).sum() + forms.mean())
    logdet += solved.log_fixed if restricted else 0.0
    criterion = kept * np.log(2 * np.pi * variances[-1]) - float(
        np.array(data.sizes) @ np.log(ratio)
    )
    criterion += logdet - data.log_weights + solved.quad / variances[-1]
    slopes = [
        scaled_slope(data, variances, solved.effects, solved.errors, t, kept) for t in traces.T
    ]
    border = solved.border
    return Point(
        variances,
        float(criterion),
        np.mean(slopes, axis=0),
        average_information(data, parts.block, variances, solved),
        solved.effects,
        solved.solution[data.random :],
        None,
        border @ border[data.random :].T,
        spreads,
        np.cov(np.transpose(slopes)) / parts.probes,
        unsure,
        float(forms.std(ddof=1) / np.sqrt(parts.probes)),
        found.solved,
        solved.times_inverse,
    )


def _solve(parts: Large, ratio: Array) -> tuple[_Solved, conjugate.Solutions]:
    """The solution of the equations, and those that belong to the random signs."""
    data, block, r, p = parts.data, parts.block, parts.data.random, parts.data.fixed
    block.ridge(np.full(data.sizes[data.eliminated[0]], ratio[data.eliminated[0]]))
    system = _System(parts, np.concatenate([np.full(data.sizes[k], ratio[k]) for k in data.dense]))
    gone = block.solve(parts.edge)
    inner = parts.product_edge - np.vstack([parts.cross.T @ gone, parts.edge.T @ gone])
    found = system.solve(np.hstack([inner[:r], system.root * parts.signs]))
    known = found.x[:, : p + 1]
    rest = inner[r:] - inner[:r].T @ known  # [X | y] once everything random is gone
    border, coefficients, log_fixed = _fixed(rest, known, inner[r:], p)
    solution = np.concatenate([known[:, p] - known[:, :p] @ coefficients, coefficients])
    whole = parts.edge[:, p] - parts.edge[:, :p] @ coefficients - parts.cross @ solution[:r]
    eliminated = block.solve(whole)
    effects = _effects(data, solution, eliminated)
    quad = float(rest[p, p] - rest[:p, p] @ coefficients)
    errors = quad - float(ratio @ np.array([u @ u for u in effects]))
    solved = _Solved(system, border, log_fixed, solution, eliminated, effects, quad, errors)
    return solved, found.since(p + 1)


def _fixed(rest: Array, known: Array, whole: Array, p: int) -> tuple[Array, Array, float]:
    """Fixed effects; a root of their share in the inverse; the log-determinant they add."""
    if p == 0:
        return np.zeros((len(known), 0)), np.empty(0), 0.0
    try:
        factor = np.linalg.cholesky(rest[:p, :p])
    except np.linalg.LinAlgError as error:
        raise Singular from error
    if (np.diagonal(factor) ** 2 <= 1e-9 * np.diagonal(whole[:p, :p])).any():
        raise Singular
    back = np.linalg.inv(factor).T
    border = np.vstack([-known[:, :p], np.eye(p)]) @ back
    coefficients = back @ (back.T @ rest[:p, p])
    return border, coefficients, 2 * float(np.log(np.diagonal(factor)).sum())


def _effects(data: Collapsed, solution: Array, eliminated: Array) -> list[Array]:
    out: list[Array] = [np.empty(0)] * len(data.sizes)
    out[data.eliminated[0]] = eliminated
    for k, columns in zip(data.dense, data.columns, strict=True):
        out[k] = solution[columns]
    return out


def _traces(solved: _Solved, drawn: Array, restricted: bool) -> tuple[list[Array], Array, float]:
    """Diagonals of the inverse per factor; per random column the traces; their relative error.

    What the diagonal of the Schur complement alone would give is known exactly; only the
    difference to it is left to the random signs. It bounds the inverse from below, as the
    variance without any rating bounds it from above.
    """
    parts, system = solved.system.parts, solved.system
    data, d, signs = parts.data, parts.block.d, parts.signs / system.root
    spreads: list[Array] = [np.empty(0)] * len(data.sizes)
    traces, unsure = np.empty((len(data.sizes), parts.probes)), 0.0
    left = parts.edge[:, : data.fixed] @ solved.border[data.random :]
    fixed_e = ((parts.cross @ solved.border[: data.random] + left) ** 2).sum(axis=1) / d**2
    fixed_t = (solved.border[: data.random] ** 2).sum(axis=1)
    use = float(restricted)
    for k, columns in zip(data.dense, data.columns, strict=True):
        own, least = drawn[columns] * signs[columns], 1 / system.diagonal[columns]
        value = np.clip(own.mean(axis=1), least, 1 / system.ridge[columns])
        unsure = max(unsure, _relative_error(own, value))
        spreads[k] = value + fixed_t[columns]
        traces[k] = own.sum(axis=0) + use * fixed_t[columns].sum()
    k = data.eliminated[0]
    more = (parts.cross @ (drawn - signs)) * (parts.cross @ signs) / d[:, None] ** 2
    sure = 1 / d + (parts.squared @ (1 / system.diagonal)) / d**2
    value = np.clip(sure + more.mean(axis=1), 1 / d, 1 / parts.block.added)
    spreads[k] = value + fixed_e
    traces[k] = sure.sum() + more.sum(axis=0) + use * fixed_e.sum()
    return spreads, traces, max(unsure, _relative_error(more, value))


def _relative_error(drawn: Array, value: Array) -> float:
    """Root mean square over levels of the error of a mean over random signs, relative."""
    variance = drawn.var(axis=1, ddof=1) / drawn.shape[1]
    return float(np.sqrt((variance / value**2).mean()))

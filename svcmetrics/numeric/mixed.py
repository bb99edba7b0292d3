"""Variance components of any number of crossed and nested random factors by (restricted) likelihood.

Algorithm: collapse the rows once, eliminate the largest factor from Henderson's equations, take
average-information steps on log variances. Agrees with lme4 to the digits that lme4 finds.

Sources: Henderson (1953); Gilmour, Thompson & Cullis (1995), Biometrics 51, 1440-1450;
Bates, Mächler, Bolker & Walker (2015), Journal of Statistical Software 67(1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from svcmetrics.numeric.mixed_collapse import (
    Array,
    Codes,
    Collapsed,
    NoSpread,
    NotIdentified,
    TooLarge,
    collapse,
)
from svcmetrics.numeric.mixed_point import Singular
from svcmetrics.numeric.mixed_search import NO_RESIDUAL, Flags, Found, Search

__all__ = ["Mixed", "NoSpread", "NotIdentified", "Singular", "TooLarge", "reml"]


@dataclass(frozen=True)
class Mixed:
    """A fitted model. Variances and their errors: factors in the order given, residual last."""

    variances: Array
    covariance: Array  # of the variances; rows of variances at zero are missing
    zero: Flags  # factors whose variance is at its bound, zero
    criterion: float  # −2 log likelihood, restricted or full, as lme4 prints it
    coefficients: Array
    coefficient_covariance: Array
    effects: list[Array]
    n: int
    restricted: bool
    steps: int
    converged: bool
    held: dict[int, float]
    _found: Found = field(repr=False)
    _data: Collapsed = field(repr=False)

    @property
    def errors(self) -> Array:
        """Standard errors of the variances (large-sample, from the average information)."""
        own = np.diagonal(self.covariance)
        return np.sqrt(np.where(own > 0, own, np.nan))

    @property
    def perfect(self) -> bool:
        """Whether the model leaves no residual: then no error can be stated."""
        total = float(self._data.dense_product[-1, -1]) / self.n
        return self.residual <= 1.1 * NO_RESIDUAL * total

    @property
    def residual(self) -> float:
        return float(self.variances[-1])

    @property
    def simulation_errors(self) -> Array:
        """What the random signs of the method for large factors add to the errors; else zero."""
        return np.sqrt(np.diagonal(self._found.noise))

    @property
    def criterion_error(self) -> float:
        """Standard error of the criterion by simulation; zero where it is exact."""
        return self._found.point.criterion_error

    @property
    def drawn(self) -> bool:
        """Whether traces and criterion were drawn by random signs: two factors were large."""
        return self._found.point.spreads is not None

    @property
    def spread_error(self) -> float:
        """Typical relative error of ``prediction_variances`` by simulation."""
        return self._found.point.spread_error

    @cached_property
    def prediction_variances(self) -> list[Array]:
        """Prediction-error variance of each predicted effect: var(û − u)."""
        spreads = self._found.point.spreads or self._spreads()
        return [
            np.zeros(len(s)) if none else s * self.residual
            for s, none in zip(spreads, self.zero, strict=True)
        ]

    def _spreads(self) -> list[Array]:
        """Diagonal of the inverse of Henderson's equations, per factor."""
        data, inverse = self._data, self._found.point.inverse
        out: list[Array] = [np.empty(0)] * len(data.sizes)
        if inverse is None:
            return out
        diagonal = self._found.block.diagonal(inverse)
        for k, rows in zip(data.eliminated, data.rows, strict=True):
            out[k] = diagonal[rows]
        for k, columns in zip(data.dense, data.columns, strict=True):
            out[k] = np.diagonal(inverse)[columns].copy()
        return out

    def fixed_covariance(self, factor: int) -> Array:
        """Covariance of one factor's prediction errors with the fixed effects: levels × fixed."""
        border = self._found.point.border
        if self.zero[factor]:
            return np.zeros((self._data.sizes[factor], self._data.fixed))
        if factor in self._data.dense:
            columns = self._data.columns[self._data.dense.index(factor)]
            return np.asarray(border[columns] * self.residual)
        rows = self._data.rows[self._data.eliminated.index(factor)]
        solved = self._found.block.solve(self._data.cross[:, : len(border)] @ border)
        return np.asarray(-solved[rows] * self.residual)

    def covariance_times(self, factor: int, weights: Array) -> Array:
        """Covariance of one factor's prediction errors times a vector, at any size."""
        data, point, block = self._data, self._found.point, self._found.block
        right = np.zeros((len(point.border), 1))
        if factor in data.dense:
            columns = data.columns[data.dense.index(factor)]
            right[columns, 0] = weights
            return np.asarray(point.times_inverse(right)[columns, 0] * self.residual)
        cross, rows = data.cross[:, : len(right)], data.rows[data.eliminated.index(factor)]
        own = np.zeros((data.cross.shape[0], 1))
        own[rows, 0] = weights
        own = block.solve(own)
        whole = own - block.solve(cross @ point.times_inverse(-(cross.T @ own)))
        return np.asarray(whole[rows, 0] * self.residual)

    def joint_covariance(self, factor: int) -> Array | None:
        """Covariance of prediction errors of [fixed | one factor]; None if it was eliminated."""
        inverse = self._found.point.inverse
        if factor not in self._data.dense or inverse is None:
            return None
        columns = self._data.columns[self._data.dense.index(factor)]
        index = np.r_[np.arange(self._data.random, len(inverse)), columns]
        return np.asarray(inverse[np.ix_(index, index)] * self.residual)


def reml(
    y: Array,
    factors: Sequence[Codes],
    X: Any = None,
    *,
    weights: Array | None = None,
    restricted: bool = True,
    keep: int | None = None,
) -> Mixed:
    """Fit y = Xb + Σ Z u + e with u ~ N(0, σ²ₖ), e ~ N(0, σ² / weight).

    ``factors``: for each random factor the codes 0 … q − 1 of its levels, one per row, each level
    present. ``X``: n × p fixed columns, dense or sparse (default: the mean). ``restricted``: REML,
    or full likelihood. ``keep``: a factor whose joint covariance is wanted later.

    Raises ``NotIdentified`` (a factor that cannot be told from another one), ``Singular`` (fixed
    columns that depend on one another), ``TooLarge`` (very many fixed columns beside two factors
    of > 5,000 levels) and ``NoSpread`` (all values equal).

    Two crossed factors of more than 5,000 levels each go to conjugate gradients and random signs:
    then ``simulation_errors`` and ``criterion_error`` say what that costs (seeded: the same
    data give the same numbers).
    """
    y = np.asarray(y, dtype="float64")
    X = np.ones((len(y), 1)) if X is None else X
    sizes = [int(c.max()) + 1 if len(c) else 0 for c in factors]
    data = collapse(y, factors, sizes, X, weights, keep)
    return fit(data, restricted=restricted)


def fit(
    data: Collapsed,
    *,
    restricted: bool = True,
    start: Array | None = None,
    held: dict[int, float] | None = None,
) -> Mixed:
    """The same from collapsed data.

    ``start``: variances to begin with, residual last. ``held``: variances that are not searched,
    by position.
    """
    found = Search(data, restricted, held).run(start)
    point = found.point
    variances = point.variances.copy()
    variances[:-1][found.zero] = 0.0
    shift = np.zeros(data.fixed)
    shift[:1] = data.mean
    r = data.random
    effects = [np.zeros_like(u) if z else u for u, z in zip(point.effects, found.zero, strict=True)]
    return Mixed(
        variances=variances,
        covariance=_covariance(found),
        zero=found.zero,
        criterion=point.criterion,
        coefficients=point.coefficients + shift,
        coefficient_covariance=point.border[r:] * variances[-1],
        effects=effects,
        n=data.n,
        restricted=restricted,
        steps=found.steps,
        converged=found.converged,
        held=dict(held or {}),
        _found=found,
        _data=data,
    )


def _covariance(found: Found) -> Array:
    """Inverse average information; missing for variances at zero, where it means nothing."""
    free = np.append(~found.zero, True)
    out = np.full((len(free), len(free)), np.nan)
    out[np.ix_(free, free)] = np.linalg.pinv(found.point.information[np.ix_(free, free)])
    return out + found.noise

"""Every pair of targets: difference, its error, and how sure the order of the two is.

Errors come as standard errors (with few degrees of freedom, if need be) or as joint draws, which
know what the errors of two targets have in common: shared raters, one weight for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr

from svcmetrics.numeric.ranks import marginal_critical, simultaneous_critical

Array = NDArray[np.float64]

_STEPS = np.linspace(0, 8, 801)
# Draws × pairs that are compared one by one: beyond about 400 targets, not all draws are.
_CELLS, _LEAST = 600_000_000, 400
_ROWS = 64


@dataclass(frozen=True)
class Pairs:
    """Matrices (j, k): how far k lies above j, the error of that, and its normal equivalent."""

    gap: Array
    error: Array
    z: Array
    se: Array
    draws: Array | None  # errors of all targets in each joint draw (draws × targets)

    @property
    def size(self) -> int:
        return len(self.se)

    @cached_property
    def compared(self) -> Array:
        """The draws whose pairs are compared one by one."""
        if self.draws is None:
            raise ValueError("no draws")
        return self.draws[: max(_LEAST, _CELLS // max(self.size, 1) ** 2)]

    @cached_property
    def largest(self) -> Array:
        """In each draw, for each j, the largest |error of a difference| over its standard error."""
        with np.errstate(divide="ignore"):
            inverse = np.where(self.error > 0, 1 / self.error, 0.0)
        out = np.zeros(self.compared.shape)
        for start in range(0, len(out), _ROWS):  # a block stays in the processor's cache
            part = self.compared[start : start + _ROWS]
            for j in range(self.size):
                ratio = np.abs(part - part[:, [j]])
                ratio *= inverse[j]
                out[start : start + _ROWS, j] = ratio.max(axis=1)
        return out


def pairs(estimate: Array, se: Array, df: Array | None = None, draws: Array | None = None) -> Pairs:
    """``df`` of each standard error: few make the same ratio count for less (Welch; never more
    than the smaller of the two, or small spreads that came by chance would stand out)."""
    gap = estimate - estimate[:, None]
    if draws is not None:
        draws = draws - draws.mean(axis=0)
        cross = draws.T @ draws / max(len(draws) - 1, 1)
        own = np.diagonal(cross)
        error = np.sqrt(np.maximum(own[:, None] + own - 2 * cross, 0))
        se = np.sqrt(own)
    else:
        error = np.sqrt(se[:, None] ** 2 + se**2)
    # What rounding leaves of equal draws is no error.
    error = np.where(error > 1e-9 * max(float(se.max(initial=0)), 1e-300), error, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(gap == 0, 0.0, gap / error)
        if df is not None:
            welch = error**4 / (se[:, None] ** 4 / df[:, None] + se**4 / df)
            ratio = _normal(ratio, np.minimum(welch, np.minimum(df[:, None], df)))
    np.fill_diagonal(ratio, 0.0)
    return Pairs(gap, error, ratio, se, draws)


def _normal(t: Array, df: Array) -> Array:
    """The normal deviate that is as unlikely as this Student t."""
    many = ~np.isfinite(df) | (df > 1e6)
    tail = stdtr(np.where(many, 1.0, df), -np.abs(t))
    return np.where(many, t, -np.sign(t) * ndtri(np.maximum(tail, 1e-300)))


def above(p: Pairs) -> Array:
    """P(j is truly above k), j in rows, k in columns: flat priors, or the share of the draws
    (centred on the estimates) in which it is; a tie counts half."""
    if p.draws is None:
        return np.asarray(ndtr(-p.z))
    out = np.zeros((p.size, p.size))
    for start in range(0, len(p.compared), _ROWS):
        part = p.compared[start : start + _ROWS]
        for j in range(p.size):
            out[j] += np.sign(part[:, [j]] - part - p.gap[j]).sum(axis=0)
    return np.asarray(0.5 + out / (2 * len(p.compared)))


def critical(p: Pairs, level: float, *, joint: bool) -> Array:
    """For each j the quantile of the largest |difference| / error: of its own, or of all pairs."""
    if p.draws is None:
        if joint:
            return np.full(p.size, simultaneous_critical(p.size, level))
        return marginal_critical(p.se, level)
    largest = p.largest
    if joint:
        return np.full(p.size, np.quantile(largest.max(axis=1), level))
    return np.asarray(np.quantile(largest, level, axis=0))


def half_widths(p: Pairs, level: float, df: Array | None = None) -> Array:
    """Half widths of the differences that hold for all pairs at once."""
    c = float(critical(p, level, joint=True)[0])
    if df is None or p.draws is not None:
        return np.asarray(c * p.error)
    from scipy.special import stdtrit

    with np.errstate(divide="ignore", invalid="ignore"):
        welch = p.error**4 / (p.se[:, None] ** 4 / df[:, None] + p.se**4 / df)
    freedom = np.minimum(welch, np.minimum(df[:, None], df))
    many = ~np.isfinite(freedom) | (freedom > 1e6)
    wide = np.where(many, c, stdtrit(np.where(many, 1.0, freedom), ndtr(c)))
    return np.asarray(wide * p.error)


def adjusted(p: Pairs) -> Array:
    """p of each pair, so that 5% is the chance of any wrong statement when all are equal."""
    if p.draws is not None:
        largest = np.sort(p.largest.max(axis=1))
        beaten = len(largest) - np.searchsorted(largest, np.abs(p.z), side="left")
        return np.asarray((beaten + 1.0) / (len(largest) + 1.0))
    return np.asarray(np.interp(np.abs(p.z), _STEPS, _tails(p.size), right=0.0))


@cache
def _tails(k: int) -> Array:
    """P(range of k normals / √2 above z) on a grid of z (Tukey's studentised range)."""
    x = np.linspace(-9, 9, 1201)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * (x[1] - x[0])
    inner = (ndtr(x) - ndtr(x - _STEPS[:, None] * np.sqrt(2))) ** (k - 1)
    return np.asarray(np.clip(1 - k * (inner @ density), 0, 1))


def rank_sets(p: Pairs, level: float, *, joint: bool) -> tuple[Array, Array]:
    """Lowest and highest rank that the data allow each target; rank 1 is the highest estimate."""
    c = critical(p, level, joint=joint)[:, None]
    return 1.0 + (p.z > c).sum(axis=1), p.size - (p.z < -c).sum(axis=1).astype("float64")


def from_mean(estimate: Array, draws: Array, level: float) -> tuple[Array, Array]:
    """Each estimate less the mean of all, and half widths that hold for all, from joint draws."""
    moved = draws - draws.mean(axis=0)
    moved = moved - moved.mean(axis=1, keepdims=True)
    error = moved.std(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        largest = np.where(error > 0, np.abs(moved) / error, 0.0).max(axis=1)
    return estimate - estimate.mean(), float(np.quantile(largest, level)) * error

"""Find the variances: average-information steps on log variances, and what happens at zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import mixed_large
from svcmetrics.numeric.mixed_collapse import Array, Collapsed
from svcmetrics.numeric.mixed_eliminate import Blocks, Diagonal, elimination
from svcmetrics.numeric.mixed_large import Large
from svcmetrics.numeric.mixed_point import Point, evaluate, set_ridge
from svcmetrics.numeric.mixed_start import moments

Flags = NDArray[np.bool_]

# A residual variance below this share of the total is none: the model fits without error.
NO_RESIDUAL = 1e-9
_STEPS = 60
_LONGEST = 1.6  # one step changes a variance at most fivefold
_TINY = 1e-9  # a variance this small beside residual / mean count is zero
# Expected gain of the criterion at which the search ends; exact where a step costs nothing.
_ENOUGH, _ENOUGH_SMALL, _SMALL = 1e-11, 1e-14, 20_000
# Where traces are drawn: their error moves the criterion far more than this.
_ENOUGH_DRAWN = 1e-5
_PROBES, _MOST_PROBES = 16, 256  # random signs
_SPREAD_ERROR = 0.1


@dataclass(frozen=True)
class Found:
    """The best point, which variances are zero, and how the search went."""

    point: Point
    zero: Flags
    steps: int
    converged: bool
    block: Diagonal | Blocks
    noise: Array  # covariance of the variances by simulation; zero where nothing is simulated


class Search:
    """One search; ``held`` fixes some variances (for profiles)."""

    def __init__(self, data: Collapsed, restricted: bool, held: dict[int, float] | None = None):
        self.data, self.restricted = data, restricted
        self.block = elimination(data)
        self.parts: Large | None = None
        if data.large and isinstance(self.block, Diagonal):
            self.parts = Large(data, self.block, _PROBES)
        self.held = held or {}
        self.enough = _ENOUGH_SMALL if data.n < _SMALL else _ENOUGH
        self.enough = _ENOUGH_DRAWN if data.large else self.enough
        self.least = NO_RESIDUAL * data.dense_product[-1, -1] / data.n
        self.mean_count = data.n / np.array(data.sizes, dtype="float64")

    def run(self, start: Array | None = None) -> Found:
        """The best point; with more random signs until simulation adds little to the errors."""
        found = self._settle(start)
        while self.parts and self.parts.probes < _MOST_PROBES and _is_noisy(found):
            self.parts = Large(self.data, self.parts.block, 4 * self.parts.probes)
            found = self._settle(found.point.variances, found.zero)
        return found

    def _settle(self, start: Array | None, zero: Flags | None = None) -> Found:
        """Climb; drop variances whose slope at zero points down; climb again if one comes back."""
        k = len(self.data.sizes)
        begin = moments(self.data) if start is None else start.copy()
        zero = np.zeros(k, dtype=bool) if zero is None else zero
        steps = 0
        for _ in range(2 * k + 2):
            point, zero, used, converged = self._climb(begin, zero)
            steps += used
            back = self._returning(point, zero)
            if not back.any():
                break
            zero &= ~back
            begin = point.variances.copy()
            begin[:-1][back] = 0.01 * begin[-1] / self.mean_count[back]
        # the last try need not be the best point: predictions read the block as it is left
        set_ridge(self.data, self.block, point.variances)
        noise = self._noise(point, zero)
        return Found(point, zero, steps, converged and point.solved, self.block, noise)

    def _noise(self, point: Point, zero: Flags) -> Array:
        """Covariance that simulation adds to the variances: that of the slope, carried over."""
        out = np.zeros((len(point.variances),) * 2)
        free = np.append(~zero, True)
        free[list(self.held)] = False
        if point.noise is not None and free.any():
            own = np.ix_(free, free)
            back = np.linalg.pinv(point.information[own])
            out[own] = back @ point.noise[own] @ back
        return out

    def _at(self, variances: Array) -> Point:
        if self.parts:
            return mixed_large.evaluate(self.parts, variances, self.restricted)
        return evaluate(self.data, self.block, variances, self.restricted)

    def _floor(self, residual: float) -> Array:
        return _TINY * residual / self.mean_count

    def _climb(self, begin: Array, zero: Flags) -> tuple[Point, Flags, int, bool]:
        now, zero = begin.copy(), zero.copy()
        now[list(self.held)] = list(self.held.values())
        now[:-1][zero] = self._floor(now[-1])[zero]
        point = self._at(now)
        for step in range(_STEPS):
            at_floor = point.variances[-1] <= 1.01 * self.least and point.slope[-1] < 0
            free = np.append(~zero, not at_floor)
            free[list(self.held)] = False
            move, gain = _newton(point, free)
            if gain < (1e-3 if at_floor else self.enough):
                return point, zero, step, True
            point = self._along(point, move, zero)
            zero = zero | self._vanishing(point, zero)
        return *self._fallback(point, zero), _STEPS, True

    def _fallback(self, point: Point, zero: Flags) -> tuple[Point, Flags]:
        """A general optimiser, for the rare shape of criterion on which the steps crawl."""
        from scipy.optimize import minimize

        def function(log: Array) -> tuple[float, Array]:
            at = self._at(np.where(free, np.exp(log), point.variances))
            return at.criterion, np.where(free, -2 * at.slope * at.variances, 0.0)

        free = np.append(~zero, True)
        free[list(self.held)] = False
        middle = np.log(point.variances)
        bounds = list(zip(middle - 12, middle + 12, strict=True))
        best = minimize(function, middle, jac=True, method="L-BFGS-B", bounds=bounds)
        after = self._at(np.where(free, np.exp(best.x), point.variances))
        return (after if after.criterion < point.criterion else point), zero

    def _along(self, point: Point, move: Array, zero: Flags) -> Point:
        """The first point on the way that is not worse; steps are halved until then."""
        longest = np.abs(move).max()
        move = move * min(1.0, _LONGEST / longest)
        for _ in range(25):
            new = point.variances * np.exp(move)
            new[-1] = max(new[-1], self.least)
            new[:-1] = np.maximum(new[:-1], self._floor(new[-1]))
            new[:-1][zero] = self._floor(new[-1])[zero]
            after = self._at(new)
            slack = max(1e-9 * abs(point.criterion), 2 * point.criterion_error)
            if after.criterion <= point.criterion + slack:
                return after
            move = move / 2
        return point

    def _vanishing(self, point: Point, zero: Flags) -> Flags:
        """Variances that are small and whose criterion still falls towards zero."""
        ratio = point.variances[:-1] * self.mean_count / point.variances[-1]
        small: Flags = (ratio < 0.05) & ~zero & (point.slope[:-1] < 0)
        small[[k for k in self.held if k < len(small)]] = False
        if not small.any():
            return small
        at_zero = point.variances.copy()
        at_zero[:-1][small] = (1e-6 * point.variances[-1] / self.mean_count)[small]
        return np.asarray(small & (self._at(at_zero).slope[:-1] < 0))

    def _returning(self, point: Point, zero: Flags) -> Flags:
        """Variances at zero that the criterion would like to raise again."""
        if not zero.any():
            return zero.copy()
        up = point.variances.copy()
        up[:-1][zero] = (1e-6 * up[-1] / self.mean_count)[zero]
        return np.asarray(zero & (self._at(up).slope[:-1] > 0))


def _is_noisy(found: Found) -> bool:
    """Whether simulation adds a tenth to a standard error, or 10% to a prediction's variance."""
    free = np.append(~found.zero, True)
    own = np.diagonal(np.linalg.pinv(found.point.information[np.ix_(free, free)]))
    of_spreads = found.point.spread_error > _SPREAD_ERROR
    return bool((np.diagonal(found.noise)[free] > 0.01 * own).any()) or of_spreads


def _newton(point: Point, free: Flags) -> tuple[Array, float]:
    """The step in log variances and twice the gain that a quadratic model expects of it."""
    move = np.zeros(len(free))
    if not free.any():
        return move, 0.0
    scale = point.variances[free]
    slope = point.slope[free] * scale
    size, axes = np.linalg.eigh(point.information[np.ix_(free, free)] * np.outer(scale, scale))
    size = np.maximum(
        size, 1e-8 * size.max() + 1e-12
    )  # flat directions: the step is cut to length later
    move[free] = axes @ ((axes.T @ slope) / size)
    return move, float(slope @ move[free])

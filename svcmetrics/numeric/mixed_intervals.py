"""Intervals for variance components: from the profile of the criterion, or from one chi-square."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import chdtri

from svcmetrics.numeric.mixed import Mixed, fit
from svcmetrics.numeric.mixed_collapse import Array

# Above this many rows the chi-square approximation is good and a profile takes long.
_PROFILED = 20_000
_WIDEST = 1e4  # times the total variance: further than this the interval is open


def intervals(model: Mixed, level: float = 0.95) -> tuple[Array, Array, str]:
    """Low and high for every variance, and the name of the method: "profile" or "satterthwaite"."""
    profiled = model.n <= _PROFILED and not model.perfect and not model.drawn
    pairs = []
    for k, value in enumerate(model.variances):
        if profiled:
            pairs.append(profile(model, k, level))
        else:
            pairs.append(satterthwaite(float(value), float(model.errors[k]), level))
    low, high = np.array(pairs).T
    return low, high, "profile" if profiled else "satterthwaite"


def satterthwaite(value: float, error: float, level: float) -> tuple[float, float]:
    """A variance as a multiple of a chi-square with 2 (value / error)² degrees of freedom."""
    if not error > 0 or value <= 0:
        return (0.0, float("nan")) if value == 0 else (float("nan"), float("nan"))
    df = 2 * (value / error) ** 2
    tail = (1 - level) / 2
    return float(df * value / chdtri(df, tail)), float(df * value / chdtri(df, 1 - tail))


def profile(model: Mixed, k: int, level: float) -> tuple[float, float]:
    """The values of variance k that the criterion does not reject, all other variances free."""
    allowed = float(chdtri(1, 1 - level))
    value = float(model.variances[k])
    free = [v for i, v in enumerate(model.variances.tolist()) if i not in model.held]
    total = float(sum(free))
    start = np.where(model.variances > 0, model.variances, 1e-3 * model.residual)

    fixed = model.held

    def excess(log: float) -> float:
        begin = start.copy()
        begin[k] = np.exp(log)
        same = model.restricted
        held = fit(model._data, restricted=same, start=begin, held=fixed | {k: float(begin[k])})
        return held.criterion - model.criterion - allowed

    middle = np.log(max(value, 1e-6 * total))
    high = _crossing(excess, middle, 0.7, np.log(_WIDEST * total))
    low = _crossing(excess, middle, -0.7, np.log(1e-7 * total)) if value > 0 else -np.inf
    return float(np.exp(low)), float(np.exp(high))


def _crossing(excess: Callable[[float], float], middle: float, step: float, end: float) -> float:
    """Where the excess turns positive on the way from the middle; infinite when it never does."""
    from scipy.optimize import brentq

    here = middle
    while (end - here) * step > 0:
        there = here + step
        if excess(there) > 0:
            return float(brentq(excess, here, there, xtol=1e-6, rtol=1e-8))
        here, step = there, step * 1.5
    return float(np.inf if step > 0 else -np.inf)

"""Time to the end of a case when some have not ended yet; arrays only.

Events are coded 0 = still open (censored), 1 = done, 2 = ended otherwise (competing).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric.intervals import normal_quantile

Floats = NDArray[np.float64]
Triple = tuple[float, float, float]
NAN = float("nan")


@dataclass(frozen=True)
class Curve:
    """A step curve at the distinct times of events, with its variance by Greenwood."""

    time: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    variance: Floats
    last: float  # the longest time seen, ended or not


def kaplan_meier(time: Floats, ended: NDArray[np.bool_]) -> Curve:
    """Share not yet ended at each time of an end (Kaplan and Meier 1958; Greenwood's variance)."""
    t, n, d = _table(time, ended)
    survival = np.cumprod(1 - d / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        # At the last time all may have ended: 0 · ∞, and the variance is 0.
        steps = np.where(n > d, d / (n * (n - d)), np.inf)
        variance = np.where(survival > 0, survival**2 * np.cumsum(steps), 0.0)
    return Curve(
        t, n, d, survival.astype(np.float64), variance, float(np.max(time)) if len(time) else NAN
    )


def quantile(curve: Curve, share: float, level: float = 0.95) -> Triple:
    """The time by which a share has ended, with limits by inverting log(-log) bands.

    NaN where the curve, or its band, does not come down far enough (Brookmeyer and Crowley 1982).
    """
    z = normal_quantile(level)
    s = curve.survival
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(s)
        half = z * np.sqrt(curve.variance) / (s * np.abs(log))
        lower, upper = s ** np.exp(half), s ** np.exp(-half)
    lower, upper = (np.where(s == 0, 0.0, np.where(s == 1, 1.0, b)) for b in (lower, upper))
    goal = 1 - share + 1e-12
    return _first(curve, s <= goal), _first(curve, lower <= goal), _first(curve, upper <= goal)


def restricted_mean(curve: Curve, horizon: float, level: float = 0.95) -> Triple:
    """Mean time up to a horizon: the area under the curve, with its normal limits."""
    inside = curve.time < horizon
    t, s = curve.time[inside], curve.survival[inside]
    edge = np.concatenate([[0.0], t, [horizon]])
    area = np.diff(edge) * np.concatenate([[1.0], s])
    mean = float(area.sum())
    n, d = curve.at_risk[inside], curve.events[inside]
    rest = area[::-1].cumsum()[::-1][1:]  # area right of each event
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(n > d, d / (n * (n - d)), 0.0)
    half = normal_quantile(level) * float(np.sqrt((rest**2 * steps).sum()))
    return mean, max(mean - half, 0.0), min(mean + half, horizon)


def cumulative_incidence(
    time: Floats, cause: NDArray[np.int64], which: int, horizon: float, level: float = 0.95
) -> Triple:
    """Share that has ended in one way by the horizon, the other way competing (Aalen–Johansen).

    Limits on the log(-log) scale, variance by the delta method (Marubini and Valsecchi 1995).
    """
    t, n, d, own = _table(time, cause > 0, cause == which)
    inside = t <= horizon
    t, n, d, own = t[inside], n[inside], d[inside], own[inside]
    if not len(t):
        return (0.0, NAN, NAN) if len(time) else (NAN, NAN, NAN)
    before = np.concatenate([[1.0], np.cumprod(1 - d / n)[:-1]])
    curve = np.cumsum(before * own / n)
    left = curve[-1] - curve
    with np.errstate(divide="ignore", invalid="ignore"):
        a = left**2 * np.where(n > d, d / (n * (n - d)), 0.0)
        b = before**2 * own * (n - own) / n**3
        c = left * before * own / n**2
    variance = float((a + b - 2 * c).sum())
    return _log_log(float(curve[-1]), variance, level)


def incidence(time: Floats, cause: NDArray[np.int64], which: int, grid: Floats) -> Floats:
    """Share that has ended in one way by each of these times, the other ways competing."""
    t, n, d, own = _table(time, cause > 0, cause == which)
    before = np.concatenate([[1.0], np.cumprod(1 - d / n)[:-1]]) if len(t) else np.empty(0)
    curve = np.concatenate([[0.0], np.cumsum(before * own / n)])
    return np.asarray(curve[np.searchsorted(t, grid, side="right")], dtype=np.float64)


def _log_log(p: float, variance: float, level: float) -> Triple:
    if not 0 < p < 1 or variance <= 0:
        return p, NAN, NAN
    half = normal_quantile(level) * np.sqrt(variance) / (p * abs(np.log(p)))
    return p, float(p ** np.exp(half)), float(p ** np.exp(-half))


def _table(time: Floats, ended: NDArray[np.bool_], *ways: NDArray[np.bool_]) -> list[Floats]:
    """Distinct times of ends, how many were at risk, how many ended, and of these in each way."""
    flags = [ended, *ways]
    if (time[1:] < time[:-1]).any():
        order = np.argsort(time, kind="stable")
        time, flags = time[order], [f[order] for f in flags]
    first = np.flatnonzero(np.append(True, time[1:] != time[:-1])[: len(time)])
    if not len(first):
        return [np.empty(0) for _ in range(2 + len(flags))]
    counts = [np.add.reduceat(f.astype(np.float64), first) for f in flags]
    some = counts[0] > 0
    at_risk = (len(time) - first).astype(np.float64)
    return [column[some] for column in (time[first], at_risk, *counts)]


def _first(curve: Curve, reached: NDArray[np.bool_]) -> float:
    return float(curve.time[np.argmax(reached)]) if reached.any() else NAN

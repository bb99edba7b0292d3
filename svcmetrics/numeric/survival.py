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
_STRETCH = 65_536


@dataclass(frozen=True)
class Ends:
    """Distinct times at which something ended: how many were at risk, were done, ended otherwise.

    ``before``: the share of which nothing had become until then.
    """

    time: Floats
    at_risk: Floats
    done: Floats
    other: Floats
    before: Floats
    last: float  # the longest time seen, ended or not


@dataclass(frozen=True)
class Curve:
    """A step curve at the distinct times of events, with its variance by Greenwood."""

    time: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    variance: Floats
    last: float  # the longest time seen, ended or not


def ends(time: Floats, cause: NDArray[np.int8]) -> Ends:
    """Counted once, for every curve of the same cases; quickest when the times are in order."""
    if (time[1:] < time[:-1]).any():
        order = np.argsort(time, kind="stable")
        time, cause = time[order], cause[order]
    if not len(time):
        nothing = np.empty(0)
        return Ends(nothing, nothing, nothing, nothing, nothing, NAN)
    first = np.flatnonzero(np.append(True, time[1:] != time[:-1]))
    done, other = (_counted(cause == k, first) for k in (1, 2))
    some = done + other > 0
    at, done, other = time[first[some]], done[some], other[some]
    at_risk = (len(time) - first[some]).astype(np.float64)
    left = np.cumprod(1 - (done + other) / at_risk)
    before = np.concatenate([[1.0], left[:-1]])[: len(left)]
    return Ends(at, at_risk, done, other, before, float(time[-1]))


def _counted(flags: NDArray[np.bool_], first: NDArray[np.int64]) -> Floats:
    """How many flags are up in each stretch; by running counts, since most stretches are one long."""
    until = np.concatenate([[0.0], np.cumsum(flags)])
    counts: Floats = np.diff(until[np.append(first, len(flags))])
    return counts


def kaplan_meier(found: Ends) -> Curve:
    """Share not yet done at each time of an end (Kaplan and Meier 1958; Greenwood's variance).

    What ended otherwise counts as censored.
    """
    own = found.done > 0
    t, n, d = (column[own] for column in (found.time, found.at_risk, found.done))
    survival = np.cumprod(1 - d / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        # At the last time all may have ended: 0 · ∞, and the variance is 0.
        steps = np.where(n > d, d / (n * (n - d)), np.inf)
        variance = np.where(survival > 0, survival**2 * np.cumsum(steps), 0.0)
    return Curve(t, n, d, survival.astype(np.float64), variance, found.last)


def quantile(curve: Curve, share: float, level: float = 0.95) -> Triple:
    """The time by which a share has ended, with limits by inverting log(-log) bands.

    NaN where the curve, or its band, does not come down far enough (Brookmeyer and Crowley 1982).
    """
    z, goal = normal_quantile(level), 1 - share + 1e-12
    out = [NAN, NAN, NAN]
    # A stretch at a time: what lies beyond the last of the three is not looked at.
    for begin in range(0, len(curve.time), _STRETCH):
        part = slice(begin, begin + _STRETCH)
        s = curve.survival[part]
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.log(s)
            half = z * np.sqrt(curve.variance[part]) / (s * np.abs(log))
            lower, upper = s ** np.exp(half), s ** np.exp(-half)
        lower, upper = (np.where(s == 0, 0.0, np.where(s == 1, 1.0, b)) for b in (lower, upper))
        for i, band in enumerate((s, lower, upper)):
            reached = band <= goal
            if np.isnan(out[i]) and reached.any():
                out[i] = float(curve.time[part][np.argmax(reached)])
        if not np.isnan(out).any():
            break
    return out[0], out[1], out[2]


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


def cumulative_incidence(found: Ends, which: int, horizon: float, level: float = 0.95) -> Triple:
    """Share that has ended in one way by the horizon, the other way competing (Aalen–Johansen).

    Limits on the log(-log) scale, variance by the delta method (Marubini and Valsecchi 1995).
    """
    inside = int(np.searchsorted(found.time, horizon, side="right"))
    if not inside:
        return (NAN, NAN, NAN) if np.isnan(found.last) else (0.0, NAN, NAN)
    n, done, other, before = (
        column[:inside] for column in (found.at_risk, found.done, found.other, found.before)
    )
    own, d = done if which == 1 else other, done + other
    curve = np.cumsum(before * own / n)
    left = curve[-1] - curve
    with np.errstate(divide="ignore", invalid="ignore"):
        a = left**2 * np.where(n > d, d / (n * (n - d)), 0.0)
        b = before**2 * own * (n - own) / (n * n * n)
        c = left * before * own / n**2
    variance = float((a + b - 2 * c).sum())
    return _log_log(float(curve[-1]), variance, level)


def incidence(found: Ends, which: int, grid: Floats) -> Floats:
    """Share that has ended in one way by each of these times, the other ways competing."""
    own = found.done if which == 1 else found.other
    curve = np.concatenate([[0.0], np.cumsum(found.before * own / found.at_risk)])
    return np.asarray(curve[np.searchsorted(found.time, grid, side="right")], dtype=np.float64)


def _log_log(p: float, variance: float, level: float) -> Triple:
    if not 0 < p < 1 or variance <= 0:
        return p, NAN, NAN
    half = normal_quantile(level) * np.sqrt(variance) / (p * abs(np.log(p)))
    return p, float(p ** np.exp(half)), float(p ** np.exp(-half))

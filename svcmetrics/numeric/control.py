"""Control charts on arrays: centre, spread and limits of a run of points, and Nelson's rules.

``set_by`` marks the points that set the limits; all points are judged. One run at a time.
Constants are those printed in ISO 7870-2 (d2 = 1.128, D4 = 3.267 for ranges of two), as in the
textbooks; more digits would move published limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

D2, D4 = 1.128, 3.267
SIGMAS = 3.0
# Nelson (1994): the power 1/3.6, as printed, that makes exponential times nearly normal.
POWER = 0.2777


@dataclass(frozen=True)
class Run:
    """What is drawn of one run of points.

    ``z``: distance from the centre in standard errors, on the scale on which the limits are
    symmetric. ``p``: two-sided probability of a point as extreme, were the run stable.
    ``sigma_z``: how many times wider than chance the points vary (Laney), where that is asked.
    """

    point: Floats
    centre: Floats
    lower: Floats
    upper: Floats
    z: Floats
    p: Floats
    sigma_z: float = float("nan")


def shares(hits: Floats, size: Floats, set_by: Flags, *, laney: bool = False) -> Run:
    """p chart; with ``laney`` p', whose limits allow for variation beyond the binomial."""
    centre = hits[set_by].sum() / size[set_by].sum()
    se = np.sqrt(centre * (1 - centre) / size)
    run = _counted(hits / size, centre, se, set_by, laney=laney, top=1.0)
    if laney:
        return run
    below = special.bdtr(hits, size.astype(np.int64), centre)
    above = special.bdtrc(hits - 1, size.astype(np.int64), centre)  # 1 below no hit at all
    return _with(run, _two_sided(below, above))


def rates(count: Floats, size: Floats, set_by: Flags, *, laney: bool = False) -> Run:
    """u chart (c chart when every size is 1); with ``laney`` u'."""
    centre = count[set_by].sum() / size[set_by].sum()
    run = _counted(count / size, centre, np.sqrt(centre / size), set_by, laney=laney, top=np.inf)
    if laney:
        return run
    expected = centre * size
    above = np.where(count > 0, special.pdtrc(count - 1, expected), 1.0)
    return _with(run, _two_sided(special.pdtr(count, expected), above))


def individuals(x: Floats, set_by: Flags) -> Run:
    """X chart: the spread is the mean moving range over 1.128."""
    centre, sd = x[set_by].mean(), moving_range(x, set_by) / D2
    z = _ratio(x - centre, sd)
    lower, upper = (centre + side * SIGMAS * sd for side in (-1, 1))
    return _level(x, (centre, lower, upper), z, _normal(z))


def moving_ranges(x: Floats, set_by: Flags) -> Run:
    """mR chart: differences of neighbours; its upper limit is 3.267 times their mean."""
    ranges = np.abs(np.diff(x, prepend=np.nan))
    mean = moving_range(x, set_by)
    z = _ratio(ranges - mean, mean * (D4 - 1) / SIGMAS)
    # The difference of two normal values is normal with twice their variance.
    tail = _normal(_ratio(ranges, mean / D2 * np.sqrt(2)))
    return _level(ranges, (mean, 0.0, D4 * mean), z, tail)


def gaps(count: Floats, set_by: Flags) -> Run:
    """g chart: cases between events, geometric (Benneyan 2001)."""
    mean = count[set_by].mean()
    sd = np.sqrt(mean * (mean + 1))
    stop = np.log1p(-1 / (mean + 1)) if mean > 0 else -np.inf
    with np.errstate(invalid="ignore"):
        above, below = np.exp(count * stop), -np.expm1((count + 1) * stop)
    above = np.where(count == 0, 1.0, above)
    z = _ratio(count - mean, sd)
    lower, upper = max(0.0, mean - SIGMAS * sd), mean + SIGMAS * sd
    return _level(count, (mean, lower, upper), z, _two_sided(below, above))


def times(hours: Floats, set_by: Flags) -> Run:
    """t chart: times between events, judged on the scale on which they are nearly normal."""
    y = individuals(hours**POWER, set_by)
    back = [np.maximum(v, 0.0) ** (1 / POWER) for v in (y.centre, y.lower, y.upper)]
    return Run(hours, back[0], back[1], back[2], y.z, y.p)


def moving_range(x: Floats, set_by: Flags) -> float:
    """Mean absolute difference of neighbours, among the points that set the limits."""
    return float(np.mean(np.abs(np.diff(x[set_by])))) if set_by.sum() > 1 else float("nan")


def nelson(x: Floats, z: Floats) -> NDArray[np.bool_]:
    """Nelson's eight rules (1984), one column each; a point is marked when it completes a pattern."""
    z = np.nan_to_num(z)
    side, move = np.sign(z), np.sign(np.diff(x, prepend=x[:1]))
    inside, outside = np.abs(z) < 1, np.abs(z) > 1
    rules = [
        np.abs(z) > SIGMAS,
        _streak(side, side != 0) >= 9,
        _streak(move, move != 0) >= 5,
        _streak(move * _alternate(len(x)), move != 0) >= 13,
        _of_last(z > 2, 2, 3) | _of_last(z < -2, 2, 3),
        _of_last(z > 1, 4, 5) | _of_last(z < -1, 4, 5),
        _streak(inside, inside) >= 15,
        _streak(outside, outside) >= 8,
    ]
    return np.stack(rules, axis=1)


def dispersion(z: Floats, set_by: Flags) -> tuple[float, float]:
    """Mean square of z where chance alone gives 1, and its chi-square probability."""
    used = z[set_by]
    free = len(used) - 1
    if free < 1:
        return float("nan"), float("nan")
    square = float(np.sum(used**2))
    return square / free, float(special.chdtrc(free, square))


def _counted(
    point: Floats, centre: float, se: Floats, set_by: Flags, *, laney: bool, top: float
) -> Run:
    z = _ratio(point - centre, se)
    wider = moving_range(z, set_by) / D2
    spread = wider * se if laney else se
    z = _ratio(z, wider) if laney else z
    lower = np.maximum(centre - SIGMAS * spread, 0.0)
    upper = np.minimum(centre + SIGMAS * spread, top)
    return Run(point, np.full_like(se, centre), lower, upper, z, _normal(z), wider)


def _level(point: Floats, lines: tuple[float, float, float], z: Floats, p: Floats) -> Run:
    """A run whose centre and limits are the same everywhere."""
    centre, lower, upper = (np.full_like(point, line) for line in lines)
    return Run(point, centre, lower, upper, z, p)


def _with(run: Run, p: Floats) -> Run:
    return Run(run.point, run.centre, run.lower, run.upper, run.z, p, run.sigma_z)


def _two_sided(below: Floats, above: Floats) -> Floats:
    return np.asarray(np.minimum(2 * np.minimum(below, above), 1.0))


def _normal(z: Floats) -> Floats:
    return np.asarray(2 * special.ndtr(-np.abs(z)))


def _ratio(a: Floats, b: Floats | float) -> Floats:
    """a / b; without any spread a point is at the centre or infinitely far away."""
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.asarray(a / b)
    return np.asarray(np.where((np.asarray(a) == 0) & (np.asarray(b) == 0), 0.0, out))


def _streak(value: NDArray[np.generic], holds: Flags) -> NDArray[np.int64]:
    """How many points in a row up to here have the same value, where the condition holds."""
    place = np.arange(len(value))
    new = np.ones(len(value), bool)
    new[1:] = (value[1:] != value[:-1]) | ~holds[1:] | ~holds[:-1]
    start = np.maximum.accumulate(np.where(new, place, 0)) if len(value) else place
    return np.where(holds, place - start + 1, 0)


def _of_last(flag: Flags, least: int, window: int) -> Flags:
    """Marked points that are the last of at least so many among the points of the window."""
    total = np.r_[0, np.cumsum(flag)]
    back = np.maximum(np.arange(len(flag)) + 1 - window, 0)
    return np.asarray(flag & (total[1:] - total[back] >= least))


def _alternate(n: int) -> Floats:
    return np.asarray(np.where(np.arange(n) % 2, 1.0, -1.0))

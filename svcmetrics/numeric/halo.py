"""How much of a form is one impression: variance of the pair of rater and target against that of single
answers, on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from svcmetrics.numeric.mixed import Mixed, reml
from svcmetrics.numeric.mixed_checks import none_p
from svcmetrics.numeric.mixed_intervals import profile, satterthwaite

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
_NORMAL = 1.959964
# With fewer standard errors the logarithm of a share is far from normal.
_THIN = 1.5


@dataclass(frozen=True)
class Impression:
    """Components by name (residual last); halo SD and share with 95% limits; p of no halo."""

    variances: dict[str, float]
    sd: tuple[float, float, float]
    share: tuple[float, float, float]
    converged: bool
    p: float


def impression(
    y: Floats, item: Whole, factors: dict[str, Whole], halo: tuple[str, ...]
) -> Impression:
    """``factors``: random factors by name; ``halo``: those that are the impression of a form."""
    columns = np.zeros((len(y), int(item.max()) + 1))
    columns[np.arange(len(y)), item] = 1.0
    # The columns of items hold the mean: taken off, a large offset costs no digits.
    model = reml(y - y.mean(), [_anew(c) for c in factors.values()], columns)
    names = [*factors, "residual"]
    value = dict(zip(names, model.variances.tolist(), strict=True))
    pick = np.array([names.index(h) for h in halo])
    total, rest = float(model.variances[pick].sum()), model.residual
    error = _error(model, pick)
    low, high = satterthwaite(total, error, 0.95)
    share = total / (total + rest)
    logit = _logit_error(model, pick, total, rest)
    ends = special.expit(special.logit(share) + np.array([-_NORMAL, _NORMAL]) * logit)
    if total < _THIN * error:
        # Next to nothing: on the logarithm any share would seem possible.
        low, high = 0.0, total + _NORMAL * error
        ends = np.array([0.0, high / (high + rest)])
    elif total == 0:
        # At the boundary there is no standard error; the criterion says what can be excluded.
        low, high = 0.0, max(profile(model, int(k), 0.95)[1] for k in pick)
        ends = np.array([0.0, high / (high + rest)])
    elif share == 1:
        ends = np.array([0.0, np.nan])
    sd = (total**0.5, float(np.sqrt(low)), float(np.sqrt(high)))
    return Impression(value, sd, (share, float(ends[0]), float(ends[1])), model.converged,
                      none_p(model, pick.tolist()))  # fmt: skip


def _error(model: Mixed, pick: Whole) -> float:
    part = np.nan_to_num(model.covariance[np.ix_(pick, pick)])
    return float(np.sqrt(part.sum()))


def _logit_error(model: Mixed, pick: Whole, total: float, rest: float) -> float:
    """Error of log(halo / residual)."""
    slope = np.zeros(len(model.variances))
    slope[pick], slope[-1] = 1 / max(total, 1e-300), -1 / max(rest, 1e-300)
    square = float(slope @ np.nan_to_num(model.covariance) @ slope)
    return float(np.sqrt(max(square, 0.0)))


def _anew(codes: Whole) -> Whole:
    return np.asarray(np.unique(codes, return_inverse=True)[1])

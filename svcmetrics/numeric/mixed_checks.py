"""After a fit of variance components: is a variance there at all, and what do its effects add to means?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import chdtrc, stdtrit

from svcmetrics.numeric.mixed import Mixed, fit
from svcmetrics.numeric.mixed_collapse import Array, Codes

# A variance this small a part of the total is none.
_NONE = 1e-8
# With more groups than this, errors of single effects are taken as apart from one another.
_GROUPS = 300


def none_p(model: Mixed, factors: Sequence[int]) -> float:
    """p of the hypothesis that these variances are all zero; likelihood ratio.

    One variance lies on its bound: half the weight is at zero, half on χ² with one degree of
    freedom (Self and Liang 1987, J. Am. Stat. Assoc. 82, 605-610). With q of them χ² with q − 1 and
    with q take half each, which is on the safe side.
    """
    if all(model.zero[k] for k in factors):
        return 1.0
    free = [v for k, v in enumerate(model.variances.tolist()) if k not in model.held]
    none = _NONE * float(sum(free))
    start = np.where(model.variances > 0, model.variances, 1e-3 * model.residual)
    start[list(factors)] = none
    held = model.held | dict.fromkeys(factors, none)
    without = fit(model._data, restricted=model.restricted, start=start, held=held)
    # Where the criterion was drawn by random signs, its error is given away.
    ratio = without.criterion - model.criterion
    ratio -= 2 * (without.criterion_error + model.criterion_error)
    if ratio <= 0:
        return 1.0
    q = len(factors)
    less = float(chdtrc(q - 1, ratio)) if q > 1 else 0.0
    return 0.5 * less + 0.5 * float(chdtrc(q, ratio))


def shares(group: Codes, level: Codes, groups: int, levels: int) -> Any:
    """Groups × levels, sparse: which part of a group's rows has each level."""
    from scipy.sparse import csr_array

    n = np.bincount(group, minlength=groups)
    return csr_array((1 / n[group], (group, level)), shape=(groups, levels))


def carried(model: Mixed, factor: int, part: Any, most: float) -> tuple[Array, Array]:
    """What a factor adds to each group's mean, beside the mean of all groups; half of 95% limits.

    ``part``: ``shares`` of groups with rows. ``most``: the largest standard deviation that the
    factor may have; where none was seen the limits rest on it.
    """
    effect, middle = model.effects[factor], np.asarray(part.mean(axis=0)).ravel()
    estimate = part @ effect - middle @ effect
    half = float(stdtrit(len(effect) - 1, 0.975))
    if model.zero[factor] or model.drawn or part.shape[0] > _GROUPS:
        own = most**2 if model.zero[factor] else model.prediction_variances[factor]
        own = np.broadcast_to(own, len(effect))
        square = part.multiply(part) @ own - 2 * (part @ (middle * own)) + middle**2 @ own
    else:
        rows = (part[[k]].toarray().ravel() - middle for k in range(part.shape[0]))
        square = np.array([w @ model.covariance_times(factor, w) for w in rows])
    return estimate, half * np.sqrt(np.maximum(square, 0.0))

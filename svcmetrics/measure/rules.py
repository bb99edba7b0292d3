"""Four declared rules that share the delay of a case among its steps; arrays only.

Rows are cases, columns are steps, NaN marks a step that took no part. Every rule shares the same
delay completely.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import shapley

Floats = NDArray[np.float64]
RULES = ("own", "role", "equal", "shapley")


def own(delay: Floats, over: Floats) -> Floats:
    """In proportion to the hours by which each step ran over its own promise."""
    return _spread(delay, np.nan_to_num(over))


def by_role(delay: Floats, weight: Floats, present: NDArray[np.bool_]) -> Floats:
    """In proportion to the role weights of the steps that took part; equal where none has one."""
    w = np.where(present, np.nan_to_num(weight), 0.0)
    bare = w.sum(axis=1) <= 0
    return _spread(delay, np.where(bare[:, None], present, w))


def equal(delay: Floats, unit: NDArray[np.int64], present: NDArray[np.bool_]) -> Floats:
    """Joint liability: every department that took part carries the same."""
    same = (unit[:, :, None] == unit[:, None, :]) & present[:, None, :]
    steps_of_unit = np.maximum(same.sum(axis=2), 1)
    return _spread(delay, present / steps_of_unit)


def shapley_in_line(delay: Floats, over: Floats) -> Floats:
    """Steps one after another: the mean over all orders of what each overrun adds to the delay.

    With very many overruns the value tends to a share in proportion to them (Aumann and Shapley
    1974), which serves beyond ``MOST_PLAYERS``.
    """
    o = np.nan_to_num(over)
    many = (o > 0).sum(axis=1) > shapley.MOST_PLAYERS
    out = own(delay, o)
    few = ~many
    # The slack is what the overruns exceed the delay by: hours that other steps saved.
    out[few] = shapley.beyond(o[few], o[few].sum(axis=1) - delay[few])
    return out


def shapley_on_network(
    taken: Floats, promise: Floats, before: Sequence[Sequence[int]], whole: Floats
) -> Floats:
    """Steps side by side: what each overrun adds to the longest path."""
    hours = np.nan_to_num(taken)
    return shapley.critical_path(hours, np.minimum(hours, promise), before, whole)


def _spread(delay: Floats, weight: Floats) -> Floats:
    total = weight.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(total > 0, weight / total, 0.0)
    return np.asarray(delay[:, None] * shares)

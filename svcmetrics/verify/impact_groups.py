"""Departments as they stand, and the groups they would fall into without an effect.

Not a statistic of its own; ``impact`` uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from svcmetrics.numeric.ranks import from_mean
from svcmetrics.study import MIN_RATERS
from svcmetrics.verify.forms import Forms

WORDS = ("below", "with", "above")


class Shift(Protocol):
    """What an effect does: how it moves each mean, and how it widens their errors."""

    @property
    def shift(self) -> np.ndarray: ...
    @property
    def widens(self) -> float: ...


@dataclass(frozen=True)
class Base:
    """Means, errors by raters, raters, which are shown, and the group of each: −1, 0 or 1."""

    targets: list[Any]
    mean: np.ndarray
    error: np.ndarray
    raters: np.ndarray
    shown: np.ndarray
    group: np.ndarray
    spread: float

    def after(self, effect: Shift) -> np.ndarray:
        """The groups if the effect were not there."""
        moved = self.mean + np.nan_to_num(effect.shift)
        return groups(moved, self.error / effect.widens, self.raters, self.shown)


def thin(forms: Forms) -> list[Any]:
    """Departments of too few raters to be told."""
    size = len(forms.targets)
    whose = np.unique(forms.rater.astype(np.int64) * size + forms.target) % size
    few = np.flatnonzero(np.bincount(whose, minlength=size) < MIN_RATERS)
    return [forms.targets[k] for k in few]


def base(forms: Forms) -> Base | None:
    """None where fewer than two departments have enough raters."""
    size = len(forms.targets)
    if size < 2:
        return None
    y = forms.centred()
    n = np.bincount(forms.target, minlength=size)
    mean = np.bincount(forms.target, y, minlength=size) / n
    pair, place = np.unique(forms.rater * size + forms.target, return_inverse=True)
    away = np.bincount(place, y - mean[forms.target])
    whose = pair % size
    raters = np.bincount(whose, minlength=size)
    square = np.bincount(whose, away**2, minlength=size)
    with np.errstate(divide="ignore", invalid="ignore"):  # one rater has no error
        error = np.sqrt(square * raters / (raters - 1)) / n
    shown = raters >= MIN_RATERS
    if shown.sum() < 2:
        return None
    group = groups(mean, error, raters, shown)
    return Base(forms.targets, mean, error, raters, shown, group, float(mean[shown].std(ddof=1)))


def groups(
    mean: np.ndarray, error: np.ndarray, raters: np.ndarray, shown: np.ndarray
) -> np.ndarray:
    """Above, with or below the mean of all at 95% for all together; hidden ones stay at 0."""
    out = np.zeros(len(mean), dtype=np.int64)
    away, half = from_mean(mean[shown], error[shown], raters[shown] - 1.0)
    out[shown] = np.where(np.abs(away) > half, np.sign(away), 0)
    return out

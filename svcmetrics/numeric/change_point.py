"""Where a series over waves steps to a new level, with honest error rates, on arrays.

Every split of the waves is tried; the largest standardised step counts, and its null distribution
is that of the largest step in resamples of the raters, so that neither the search nor raters who
answer in many waves make a step look surer than it is (single-step max-T).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """The step: the first wave after it, its size with simultaneous limits, and its p-value."""

    first: int
    size: float
    low: float
    high: float
    p: float


def change_point(series: Floats, noise: Floats) -> Change | None:
    """The largest step of a series; ``noise``: draws × waves around zero. None below 3 waves."""
    known = np.isfinite(series) & np.isfinite(noise).all(axis=0)
    where = np.flatnonzero(known)
    if len(where) < 3 or not noise[:, known].any():
        return None
    x, e = series[known], noise[:, known]
    # Waves count by their precision: a wave with few forms must not make a step.
    weight = 1 / np.maximum(e.var(axis=0), 1e-12 + e.var(axis=0).max() * 1e-6)
    after = np.arange(len(x))[None, :] >= np.arange(1, len(x))[:, None]
    contrast = weight * after / (weight * after).sum(axis=1, keepdims=True)
    contrast -= weight * ~after / (weight * ~after).sum(axis=1, keepdims=True)
    steps, drawn = contrast @ x, e @ contrast.T
    error = drawn.std(axis=0)
    top = np.abs(drawn / error).max(axis=1)
    best = int(np.abs(steps / error).argmax())
    half = float(np.quantile(top, 0.95) * error[best])
    p = (1 + (top >= abs(steps[best]) / error[best]).sum()) / (1 + len(top))
    size = float(steps[best])
    return Change(int(where[best + 1]), size, size - half, size + half, float(p))


def multiplier_noise(moved: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Draws × waves from jackknife deviations (groups × waves): what chance does to the series."""
    return np.asarray(rng.standard_normal((draws, len(moved))) @ moved)

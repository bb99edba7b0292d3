"""Shares of target, rater and residual variance in an unbalanced table, with every group left out.

Analysis of variance on uncorrected sums (Henderson's method 1): closed form, unbiased, negative
where the data say so; no iteration, so that leaving out each group of raters costs next to
nothing. One score per rater and target.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Raters are left out singly up to this number, in so many groups beyond it.
GROUPS = 200


def shares(score: Floats, target: Whole, rater: Whole) -> tuple[Floats, Floats]:
    """(3 shares, groups × 3 shares with the group left out): targets, raters, residual; raw.

    Where each rater scored one target only, raters are part of the residual (share missing).
    """
    raters, r = np.unique(rater, return_inverse=True)
    targets, t = np.unique(target, return_inverse=True)
    groups = min(len(raters), GROUPS)
    g = raters[r] % groups if len(raters) > GROUPS else r
    size = groups * len(targets)
    n_t = np.bincount(g * len(targets) + t, minlength=size).reshape(groups, -1).astype(float)
    y = score - score.mean()
    s_t = np.bincount(g * len(targets) + t, y, minlength=size).reshape(groups, -1)
    n_r, s_r = np.bincount(r).astype(float), np.bincount(r, y)
    g_r = raters % groups if len(raters) > GROUPS else np.arange(len(raters))
    parts = np.stack([
        np.bincount(g, minlength=groups), np.bincount(g, y, minlength=groups),
        np.bincount(g, y * y, minlength=groups), np.bincount(g_r, s_r**2 / n_r, minlength=groups),
        np.bincount(g_r, n_r**2, minlength=groups), np.bincount(g_r, minlength=groups),
    ], axis=1)  # fmt: skip
    whole = _solved(parts.sum(axis=0)[None], n_t.sum(axis=0)[None], s_t.sum(axis=0)[None])
    left = _solved(parts.sum(axis=0) - parts, n_t.sum(axis=0) - n_t, s_t.sum(axis=0) - s_t)
    return whole[0], left


def _solved(parts: Floats, n_t: Floats, s_t: Floats) -> Floats:
    """Shares from sums; one row per sample."""
    n, total, squares, between, n_r2, raters = parts.T
    with np.errstate(divide="ignore", invalid="ignore"):
        targets = (n_t > 0).sum(axis=1)
        mean = total**2 / n
        by_target = np.where(n_t > 0, s_t**2 / n_t, 0.0).sum(axis=1) - mean
        by_rater, all_ = between - mean, squares - mean
        a, b = (n_t**2).sum(axis=1) / n, n_r2 / n
        one_way = raters == n
        left = np.stack([
            np.stack([n - a, targets - b, targets - 1.0], -1),
            np.stack([raters - a, n - b, raters - 1.0], -1),
            np.stack([n - a, n - b, n - 1.0], -1),
        ], axis=1)  # fmt: skip
    right = np.stack([by_target, by_rater, all_], axis=-1)
    # Raters with one target each: their variance goes with the residual.
    left[one_way, 1] = [0.0, 1.0, 0.0]
    right[one_way, 1] = 0.0
    out = np.full((len(n), 3), np.nan)
    sound = np.isfinite(left).all(axis=(1, 2)) & (targets > 1) & (n > targets)
    sound[sound] = np.abs(np.linalg.det(left[sound])) > 1e-9
    if sound.any():
        found = np.linalg.solve(left[sound], right[sound][:, :, None])[:, :, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            out[sound] = found / found.sum(axis=1, keepdims=True)
    out[one_way, 1] = np.nan
    return out


def jackknife(whole: Floats, left: Floats, level: float = 0.95) -> tuple[Floats, Floats, Floats]:
    """(low, high, deviations): Student limits from leaving out groups, and what each group moves.

    The squared deviations sum to the variance of the estimate.
    """
    groups = len(left)
    moved = np.sqrt((groups - 1) / groups) * (left - left.mean(axis=0)) if groups else left
    error = np.linalg.norm(moved, axis=0)
    half = special.stdtrit(max(groups - 1, 1), 0.5 + level / 2) * error
    return whole - half, whole + half, moved

"""Shares of variance of an unbalanced table: by whole matrices, and each rater left out in turn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import two_way
from tests.numeric.test_mixed_start import by_matrices


def table(raters: int, targets: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rater, target = (x.ravel() for x in np.meshgrid(np.arange(raters), np.arange(targets)))
    kept = rng.random(len(rater)) < 0.7
    kept[:raters] = True
    rater, target = rater[kept], target[kept]
    y = 3 + rng.normal(size=raters)[rater] + 2 * rng.normal(size=targets)[target]
    return y + rng.normal(size=len(y)), target, rater


def shares(y, target, rater):
    codes = [np.unique(x, return_inverse=True)[1] for x in (target, rater)]
    found = by_matrices(y - y.mean(), codes)
    return found / found.sum()


def test_the_whole_and_what_is_left_without_each_rater():
    y, target, rater = table(9, 7)
    whole, left = two_way.shares(y, target, rater)
    np.testing.assert_allclose(whole, shares(y, target, rater), atol=1e-10)
    assert left.shape == (9, 3)
    for k in range(9):
        own = rater != k
        np.testing.assert_allclose(left[k], shares(y[own], target[own], rater[own]), atol=1e-10)


def test_many_raters_are_left_out_in_groups(monkeypatch):
    y, target, rater = table(11, 6)
    monkeypatch.setattr(two_way, "GROUPS", 4)
    whole, left = two_way.shares(y, target, rater)
    np.testing.assert_allclose(whole, shares(y, target, rater), atol=1e-10)
    assert left.shape == (4, 3)
    for k in range(4):
        own = rater % 4 != k
        np.testing.assert_allclose(left[k], shares(y[own], target[own], rater[own]), atol=1e-10)


def test_raters_of_one_target_each_are_part_of_the_residual():
    target = np.repeat(np.arange(5), 4)
    y = np.random.default_rng(2).normal(size=20) + 2.0 * target
    whole, left = two_way.shares(y, target, np.arange(20))
    between = stats.f_oneway(*y.reshape(5, 4)).statistic
    assert np.isnan(whole[1]) and np.isnan(left[:, 1]).all()
    # One-way: variance of targets over residual is (F - 1) / 4.
    assert whole[0] / whole[2] == pytest.approx((between - 1) / 4)
    alone = two_way.shares(y[:4], target[:4], np.arange(4))
    assert np.isnan(alone[0]).all()
    once = two_way.shares(y[:3], np.arange(3), np.zeros(3, int))  # nothing is left for the rest
    assert np.isnan(once[0]).all()


def test_limits_are_those_of_leaving_out_by_hand():
    left = np.array([[0.4], [0.5], [0.45], [0.6], [0.55]])
    low, high, moved = two_way.jackknife(np.array([0.5]), left)
    error = np.sqrt(4 / 5 * ((left - 0.5) ** 2).sum())
    half = stats.t.ppf(0.975, 4) * error
    assert (low[0], high[0]) == pytest.approx((0.5 - half, 0.5 + half))
    assert (moved**2).sum() == pytest.approx(error**2)

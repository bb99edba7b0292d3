"""Means of every grouping taken out by dummies, and the error of a slope by leaving raters out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import within


def groups(n=60):
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 6, n), rng.integers(0, 5, n)
    a[:6], b[:5] = np.arange(6), np.arange(5)
    return a, b, rng


def test_what_is_left_is_the_residual_of_all_dummies():
    a, b, rng = groups()
    y = rng.normal(size=60) + 2.0 * a - b + 1000
    dummies = np.hstack([np.eye(6)[a], np.eye(5)[b]])
    expected = y - dummies @ np.linalg.lstsq(dummies, y, rcond=None)[0]
    np.testing.assert_allclose(within.centred(y, [a, b]), expected, atol=1e-8)
    assert within.centred(np.empty(0), [np.empty(0, int)]).size == 0
    np.testing.assert_array_equal(within.centred(np.full(4, 7.0), [np.zeros(4, int)]), 0.0)


def test_the_slope_and_its_error_are_those_of_leaving_each_rater_out():
    a, _, rng = groups()
    x = rng.normal(size=60)
    y = 0.5 * x + rng.normal(size=60)
    cy, cx = within.centred(y, [a]), within.centred(x, [a])
    found = within.slope(y, x, [a], a)
    whole = (cx @ cy) / (cx @ cx)
    assert found.estimate == pytest.approx(whole) and found.clusters == 6
    # Leaving a cluster out of centred columns is the jackknife: CR3 is exact for one slope.
    left = np.array([(cx[a != k] @ cy[a != k]) / (cx[a != k] @ cx[a != k]) for k in range(6)])
    error = np.sqrt(5 / 6 * ((left - whole) ** 2).sum())
    half = stats.t.ppf(0.975, 5) * error
    assert (found.low, found.high) == pytest.approx((whole - half, whole + half))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(whole) / error, 5))
    wide = within.slope(y, x, [a], a, level=0.8)
    assert wide.high - whole == pytest.approx(stats.t.ppf(0.9, 5) * error)


def test_a_slope_needs_three_raters_in_whom_it_varies():
    x = np.array([1.0, -1, 1, -1, 0, 0])
    cluster = np.array([0, 0, 1, 1, 2, 2])
    two = within.slope_of_centred(x * 2, x, cluster)
    assert np.isnan(two.estimate) and two.clusters == 2
    x = np.array([1.0, -1, 1, -1, 2, -2])
    three = within.slope_of_centred(x * 2, x, cluster)
    assert three.estimate == pytest.approx(2) and three.clusters == 3
    assert three.low == pytest.approx(2) and three.p == 0.0  # no scatter at all
    assert np.isnan(within.slope_of_centred(x, x * 1e-9, cluster).estimate)

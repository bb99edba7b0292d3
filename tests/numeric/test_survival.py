"""Curves over time against sums that need no curve."""

from __future__ import annotations

import numpy as np
import pytest

from svcmetrics.numeric import survival

# Gehan 1965 (Biometrika 52, 203-223): weeks of remission with 6-mercaptopurine; 0 = still in it.
WEEKS = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35.0])
RELAPSE = np.r_[np.ones(9), np.zeros(12)].astype(np.int8)


def test_gehans_remissions():
    # Collett 2015, Modelling Survival Data, and Klein & Moeschberger 2003, table 4.1.
    curve = survival.kaplan_meier(survival.ends(WEEKS, RELAPSE))
    assert curve.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.events.tolist() == [3, 1, 1, 1, 1, 1, 1]
    printed = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    np.testing.assert_allclose(curve.survival, printed, atol=0.0006)
    errors = [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346]
    np.testing.assert_allclose(np.sqrt(curve.variance), errors, atol=0.00006)
    assert curve.last == 35
    assert survival.quantile(curve, 0.5)[0] == 23
    assert survival.quantile(curve, 0.15)[0] == 7
    assert np.isnan(survival.quantile(curve, 0.6)[0])


def mixed(n=60, seed=2):
    rng = np.random.default_rng(seed)
    return rng.integers(1, 15, n).astype(float), rng.integers(0, 3, n).astype(np.int8)


def test_the_order_of_cases_plays_no_part():
    time, cause = mixed()
    order = np.argsort(time, kind="stable")
    one, two = survival.ends(time, cause), survival.ends(time[order], cause[order])
    for name in ("time", "at_risk", "done", "other", "before", "last"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for at, risk, done, other in zip(one.time, one.at_risk, one.done, one.other, strict=True):
        here = time == at
        assert (risk, done, other) == (
            (time >= at).sum(),
            (cause[here] == 1).sum(),
            (cause[here] == 2).sum(),
        )


def test_ways_to_end_and_what_is_left_add_up_to_one():
    time, cause = mixed()
    found, grid = survival.ends(time, cause), np.arange(0.0, 15.0)
    one, two = (survival.incidence(found, which, grid) for which in (1, 2))
    both = survival.kaplan_meier(survival.ends(time, (cause > 0).astype(np.int8)))
    left = [np.prod([1 - e / n for t, n, e in zip(both.time, both.at_risk, both.events, strict=True)
                     if t <= at]) for at in grid]  # fmt: skip
    np.testing.assert_allclose(one + two + left, 1.0)
    assert one[0] == 0.0
    for at in (3.0, 9.0):
        for which, curve in ((1, one), (2, two)):
            share, low, high = survival.cumulative_incidence(found, which, at)
            assert share == pytest.approx(curve[int(at)])
            assert low < share < high


def test_without_competition_a_share_is_binomial():
    """Nobody lost, no other way out: the curve is a share, and its variance p (1 - p) / n."""
    time = np.repeat(np.arange(1.0, 11.0), 4)
    found = survival.ends(time, np.ones(40, np.int8))
    share, low, high = survival.cumulative_incidence(found, 1, 3.0)
    p, n = 0.3, 40
    assert share == pytest.approx(p)
    half = 1.959964 * np.sqrt(p * (1 - p) / n) / (p * abs(np.log(p)))
    np.testing.assert_allclose([low, high], [p ** np.exp(half), p ** np.exp(-half)], rtol=1e-6)
    np.testing.assert_allclose(survival.kaplan_meier(found).variance[2], 0.7 * 0.3 / 40)


def test_before_the_first_end_and_after_the_last_nothing_has_limits():
    found = survival.ends(np.array([2.0, 3.0]), np.array([1, 1], np.int8))
    assert survival.cumulative_incidence(found, 1, 1.0)[0] == 0.0
    assert np.isnan(survival.cumulative_incidence(found, 1, 1.0)[1:]).all()
    assert survival.cumulative_incidence(found, 1, 3.0)[0] == 1.0
    assert np.isnan(survival.cumulative_incidence(found, 1, 3.0)[1:]).all()
    assert survival.cumulative_incidence(found, 2, 3.0)[0] == 0.0
    assert np.isnan(survival.cumulative_incidence(found, 2, 3.0)[1:]).all()
    nothing = survival.ends(np.empty(0), np.empty(0, np.int8))
    assert np.isnan(survival.cumulative_incidence(nothing, 1, 3.0)).all()
    assert len(survival.kaplan_meier(nothing).time) == 0


def test_the_mean_up_to_a_horizon_is_the_mean_of_times_cut_off_there():
    time = np.array([1.0, 2, 2, 5, 8, 9])
    curve = survival.kaplan_meier(survival.ends(time, np.ones(6, np.int8)))
    for horizon in (4.0, 8.0, 9.0):
        cut = np.minimum(time, horizon)
        mean, low, high = survival.restricted_mean(curve, horizon)
        assert mean == pytest.approx(cut.mean())
        half = 1.959964 * np.sqrt(cut.var() / 6)
        assert low == pytest.approx(max(mean - half, 0.0), rel=1e-6)
        assert high == pytest.approx(min(mean + half, horizon), rel=1e-6)

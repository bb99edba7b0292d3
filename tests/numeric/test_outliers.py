"""Deleted residuals against the same thing done one group at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from svcmetrics.numeric import outliers
from svcmetrics.numeric.multiplicity import benjamini_hochberg, holm


def one_by_one(y, v):
    rows = []
    for i in range(len(y)):
        a, b = np.delete(y, i), np.delete(v, i)
        w = 1 / b
        mean = np.average(a, weights=w)
        q = (w * (a - mean) ** 2).sum()
        tau2 = max(0.0, (q - (len(a) - 1)) / (w.sum() - (w**2).sum() / w.sum()))
        star = 1 / (b + tau2)
        mu = np.average(a, weights=star)
        t = (y[i] - mu) / np.sqrt(v[i] + tau2 + 1 / star.sum())
        rows.append((mu, t, stats.t.sf(t, len(a) - 1)))
    return np.array(rows).T


def test_the_same_as_one_at_a_time():
    rng = np.random.default_rng(2)
    y, v = rng.normal(0, 1, 9), rng.uniform(0.05, 2, 9)
    found = outliers.deleted(y, v)
    for mine, other in zip(found[:3], one_by_one(y, v), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-10)


def test_too_few_groups_are_not_judged():
    assert np.isnan(outliers.deleted(np.arange(4.0), np.ones(4)).p).all()


def test_an_odd_one_out_does_not_hide_behind_its_own_size():
    found = outliers.deleted(np.array([0.0, 0.1, -0.1, 0.05, -0.05, 0.0, 8.0]), np.full(7, 0.01))
    assert found.p[-1] < 1e-6
    assert (found.p[:-1] > 0.3).all()


def test_log_odds_and_back():
    hits, trials = np.array([0.0, 3.0, 40.0]), np.array([10.0, 40.0, 40.0])
    y, variance = outliers.log_odds(hits, trials)
    np.testing.assert_allclose(outliers.share(y), (hits + 0.5) / (trials + 1))
    share = 43.5 / 91
    np.testing.assert_allclose(variance, 1 / (trials * share * (1 - share) + 0.5))
    again, fewer = outliers.log_odds(hits, trials, np.array([False, False, True]))
    share = 3.5 / 51
    np.testing.assert_allclose(fewer, 1 / (trials * share * (1 - share) + 0.5))
    assert again.tolist() == y.tolist()


@pytest.mark.parametrize("groups", [6, 14])
@pytest.mark.parametrize("chance", [0.02, 0.2])
def test_the_chance_of_any_alarm_among_honest_groups_is_held(groups, chance):
    # Groups that differ honestly, with a standard deviation of 0.5 in log odds.
    rng = np.random.default_rng(5)
    runs, alarms = 1000, 0
    for _ in range(runs):
        true = expit(logit(chance) + rng.normal(0, 0.5, groups))
        trials = rng.integers(60, 300, groups)
        found = outliers.deleted(*outliers.log_odds(rng.binomial(trials, true) * 1.0, trials * 1.0))
        alarms += bool(benjamini_hochberg(found.p).min() <= 0.05)
    # Beyond 66 lies 1% of Binomial(1000, 0.05).
    assert alarms <= 66


def test_holm_as_by_hand():
    # In order 0.005, 0.01, 0.03, 0.04: times 4, 3, 2, 1, never falling; missing ones do not count.
    found = holm([0.01, np.nan, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(found, [0.03, np.nan, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1.0, 1.0])
    assert holm([]).size == 0

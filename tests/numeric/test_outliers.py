"""Deleted residuals against the same thing done one group at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats
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
    for mine, other in zip(found, one_by_one(y, v), strict=True):
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


def test_a_rise_is_judged_by_the_rises_of_the_others_as_drawn_at_random():
    """The chance of so many later hits, from draws of mean, spread and rises weighed by the others."""
    later, earlier = np.array([5, 4, 40, 4, 3, 0, 1.0]), np.array([1, 1, 7, 4, 4, 1, 2.0])
    exposure = np.array([0.95, 0.9, 1.2, 0.95, 1.0, 0.9, 1.1])
    found = outliers.risen(later, earlier, exposure)
    draw = np.random.default_rng(3)
    n = 200_000
    mean, size = draw.normal(0, 0.5, n), np.abs(draw.normal(0, 0.5, n))
    for own in (0, 2):
        weight = np.ones(n)
        for i in set(range(7)) - {own}:
            odds = mean[:, None] + size[:, None] * draw.normal(size=(n, 4)) + np.log(exposure[i])
            total = later[i] + earlier[i]
            weight *= np.exp(later[i] * odds - total * np.logaddexp(0, odds)).mean(axis=1)
        odds = mean + size * draw.normal(size=n) + np.log(exposure[own])
        chance = stats.binom.sf(later[own] - 1, later[own] + earlier[own], special.expit(odds))
        assert found.p[own] == pytest.approx(np.average(chance, weights=weight), rel=0.12)


def test_a_rise_of_all_is_none_of_one_and_nothing_is_no_rise():
    later, earlier = np.full(8, 60.0), np.full(8, 20.0)
    found = outliers.risen(later, earlier, np.ones(8))
    assert (found.p > 0.3).all() and found.expected == pytest.approx(3, rel=0.15)
    later[0], later[1], earlier[1] = 200, 0, 0
    found = outliers.risen(later, earlier, np.ones(8))
    assert found.p[0] < 0.02 and found.p[1] == 1
    assert np.isnan(outliers.risen(later[:4], earlier[:4], np.ones(4)).p).all()


def test_honest_rises_are_seldom_flagged():
    """Departments drift by chance: any of eight stands out at 5% in no more than so many draws."""
    draw, alarms, times = np.random.default_rng(8), 0, 60
    n = np.array([300, 250, 230, 160, 155, 110, 80, 50])
    for _ in range(times):
        level = special.logit(0.03) + 0.6 * draw.normal(size=8)
        earlier = draw.binomial(n, special.expit(level)).astype(float)
        later = draw.binomial(n, special.expit(level + 0.3 * draw.normal(size=8))).astype(float)
        alarms += outliers.risen(later, earlier, np.ones(8)).p.min() * 8 <= 0.05
    assert alarms <= stats.binom.ppf(0.999, times, 0.05)


def test_a_share_is_judged_by_the_shares_of_the_others_as_drawn_at_random():
    """The chance of so many hits, from draws of mean, spread and levels weighed by the others."""
    hits, trials = np.array([6, 1, 0, 2, 0, 1, 0.0]), np.array([36, 30, 28, 25, 20, 18, 12.0])
    found = outliers.above(hits, trials)
    draw, n = np.random.default_rng(3), 200_000
    near = np.log((hits + 0.5) / (trials - hits + 0.5))
    mean = draw.uniform(near.min() - 1.5, near.max() + 0.5, n)
    size = np.abs(draw.normal(0, 1, n))
    for own in (0, 2):
        weight = np.ones(n)
        for i in set(range(7)) - {own}:
            odds = mean[:, None] + size[:, None] * draw.normal(size=(n, 4))
            weight *= np.exp(hits[i] * odds - trials[i] * np.logaddexp(0, odds)).mean(axis=1)
        chance = expit(mean + size * draw.normal(size=n))
        high = stats.binom.sf(hits[own] - 1, trials[own], chance)
        assert found.p[own] == pytest.approx(np.average(high, weights=weight), rel=0.12)
        assert found.expected[own] == pytest.approx(np.average(chance, weights=weight), rel=0.12)
    assert found.p[2] == 1 and found.t[0] == pytest.approx(-special.ndtri(found.p[0]))


def test_many_hits_are_judged_by_their_log_odds():
    hits, trials = np.array([30, 9, 10, 10, 10.0]), np.array([100, 100, 100, 100, 100.0])
    plain = outliers.deleted(*outliers.log_odds(hits, trials))
    found = outliers.above(hits, trials)  # 13.8 hits are expected of a group
    assert found.p.tolist() == plain.p.tolist() and found.t.tolist() == plain.t.tolist()
    assert found.expected.tolist() == expit(plain.expected).tolist()
    fewer = outliers.above(hits / 2, trials)
    assert not np.allclose(fewer.p, outliers.deleted(*outliers.log_odds(hits / 2, trials)).p)
    assert np.isnan(outliers.above(hits[:4], trials[:4]).p).all()


@pytest.mark.parametrize("chance", [0.02, 0.1])
def test_few_hits_of_honest_groups_are_seldom_flagged_and_steered_ones_more_often(chance):
    """Some thirty cases each: a fifth put off stands out two to three times as often as by log odds."""
    draw, times = np.random.default_rng(9), 60
    n = np.array([36, 30, 28, 25, 20, 18, 12, 10.0])
    alarms, seen = 0, np.zeros(2)
    for _ in range(times):
        level = special.logit(chance) + 0.5 * draw.normal(size=8)
        hits = draw.binomial(n.astype(int), expit(level)).astype(float)
        alarms += benjamini_hochberg(outliers.above(hits, n).p).min() <= 0.05
        hits[0] += draw.binomial(int(n[0] - hits[0]), 0.3)
        plain = outliers.deleted(*outliers.log_odds(hits, n)).p
        for k, p in enumerate((plain, outliers.above(hits, n).p)):
            seen[k] += benjamini_hochberg(p)[0] <= 0.05
    assert alarms <= stats.binom.ppf(0.999, times, 0.05)
    assert seen[1] > seen[0]

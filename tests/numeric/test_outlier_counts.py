"""Counts against the same thing drawn at random, with and without groups set apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats
from scipy.special import expit

from svcmetrics.numeric import outlier_counts, outliers
from svcmetrics.numeric.multiplicity import benjamini_hochberg


def test_a_rise_is_judged_by_the_rises_of_the_others_as_drawn_at_random():
    """The chance of so many later hits, from draws of mean, spread and rises weighed by the others."""
    later, earlier = np.array([5, 4, 40, 4, 3, 0, 1.0]), np.array([1, 1, 7, 4, 4, 1, 2.0])
    exposure = np.array([0.95, 0.9, 1.2, 0.95, 1.0, 0.9, 1.1])
    found = outlier_counts.risen(later, earlier, exposure)()
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
    found = outlier_counts.risen(later, earlier, np.ones(8))()
    assert (found.p > 0.3).all() and found.expected == pytest.approx(3, rel=0.15)
    later[0], later[1], earlier[1] = 200, 0, 0
    found = outlier_counts.risen(later, earlier, np.ones(8))()
    assert found.p[0] < 0.02 and found.p[1] == 1
    assert np.isnan(outlier_counts.risen(later[:4], earlier[:4], np.ones(4))().p).all()


def test_honest_rises_are_seldom_flagged():
    """Departments drift by chance: any of eight stands out at 5% in no more than so many draws."""
    draw, alarms, times = np.random.default_rng(8), 0, 60
    n = np.array([300, 250, 230, 160, 155, 110, 80, 50])
    for _ in range(times):
        level = special.logit(0.03) + 0.6 * draw.normal(size=8)
        earlier = draw.binomial(n, special.expit(level)).astype(float)
        later = draw.binomial(n, special.expit(level + 0.3 * draw.normal(size=8))).astype(float)
        alarms += outlier_counts.risen(later, earlier, np.ones(8))().p.min() * 8 <= 0.05
    assert alarms <= stats.binom.ppf(0.999, times, 0.05)


def test_a_share_is_judged_by_the_shares_of_the_others_as_drawn_at_random():
    """The chance of so many hits, from draws of mean, spread and levels weighed by the others."""
    hits, trials = np.array([6, 1, 0, 2, 0, 1, 0.0]), np.array([36, 30, 28, 25, 20, 18, 12.0])
    judge, apart = outlier_counts.above(hits, trials), np.isin(np.arange(7), [0, 3])
    found, two = judge(), judge(apart)
    draw, n = np.random.default_rng(3), 200_000
    near = np.log((hits + 0.5) / (trials - hits + 0.5))
    mean = draw.uniform(near.min() - 1.5, near.max() + 0.5, n)
    size = np.abs(draw.normal(0, 1, n))
    for own, without, said in (
        (0, [0], found),
        (2, [2], found),
        (0, [0, 3], two),
        (1, [0, 1, 3], two),
    ):
        weight = np.ones(n)
        for i in set(range(7)) - set(without):
            odds = mean[:, None] + size[:, None] * draw.normal(size=(n, 4))
            weight *= np.exp(hits[i] * odds - trials[i] * np.logaddexp(0, odds)).mean(axis=1)
        chance = expit(mean + size * draw.normal(size=n))
        high = stats.binom.sf(hits[own] - 1, trials[own], chance)
        assert said.p[own] == pytest.approx(np.average(high, weights=weight), rel=0.12)
        assert said.expected[own] == pytest.approx(np.average(chance, weights=weight), rel=0.12)
        # One more of the same mean and spread, by chance of its own.
        more = stats.binom.sf(hits[own] - 1, trials[own], expit(mean + size * draw.normal(size=n)))
        pair = np.average(high * (more if said is two else 1), weights=weight)
        assert said.together[own] == pytest.approx(pair, rel=0.15)
    assert found.p[2] == 1 and found.t[0] == pytest.approx(-special.ndtri(found.p[0]))


def test_many_hits_are_judged_by_their_log_odds():
    hits, trials = np.array([30, 9, 10, 10, 10.0]), np.array([100, 100, 100, 100, 100.0])
    plain = outliers.deleted(*outliers.log_odds(hits, trials))
    found = outlier_counts.above(hits, trials)()  # three of four have ten hits
    assert found.p.tolist() == plain.p.tolist() and found.t.tolist() == plain.t.tolist()
    assert found.expected.tolist() == expit(plain.expected).tolist()
    fewer = outlier_counts.above(hits / 2, trials)()
    assert not np.allclose(fewer.p, outliers.deleted(*outliers.log_odds(hits / 2, trials)).p)
    assert np.isnan(outlier_counts.above(hits[:4], trials[:4])().p).all()


@pytest.mark.parametrize("chance", [0.02, 0.1])
def test_few_hits_of_honest_groups_are_seldom_flagged_and_steered_ones_more_often(chance):
    """Some thirty cases each: a fifth put off stands out two to three times as often as by log odds."""
    draw, times = np.random.default_rng(9), 60
    n = np.array([36, 30, 28, 25, 20, 18, 12, 10.0])
    alarms, seen = 0, np.zeros(2)
    for _ in range(times):
        level = special.logit(chance) + 0.5 * draw.normal(size=8)
        hits = draw.binomial(n.astype(int), expit(level)).astype(float)
        alarms += benjamini_hochberg(outlier_counts.above(hits, n)().p).min() <= 0.05
        hits[0] += draw.binomial(int(n[0] - hits[0]), 0.3)
        plain = outliers.deleted(*outliers.log_odds(hits, n)).p
        for k, p in enumerate((plain, outlier_counts.above(hits, n)().p)):
            seen[k] += benjamini_hochberg(p)[0] <= 0.05
    assert alarms <= stats.binom.ppf(0.999, times, 0.05)
    assert seen[1] > seen[0]


@pytest.mark.parametrize(
    ("hits", "normal"), [([9, 9, 10, 90, 90, 90, 90], False), ([9, 10, 10, 10, 10, 10, 90], True)]
)
def test_log_odds_judge_where_three_of_four_have_ten_hits(hits, normal):
    """Not where a few have nearly all of the hits: the others' zeros would look far from their few."""
    hits, trials = np.array(hits, float), np.full(7, 100.0)
    plain = outliers.deleted(*outliers.log_odds(hits, trials))
    assert (outlier_counts.above(hits, trials)().p.tolist() == plain.p.tolist()) == normal


def test_log_odds_of_those_set_apart_tell_nothing_of_the_error_of_the_others():
    hits, trials = np.array([90, 80, 10, 12, 11, 10, 14.0]), np.full(7, 100.0)
    apart = np.arange(7) < 2
    found = outlier_counts.above(hits, trials)(apart)
    plain = outliers.deleted(*outliers.log_odds(hits, trials, apart), apart)
    assert (
        found.p.tolist() == plain.p.tolist() and found.together.tolist() == plain.together.tolist()
    )
    assert found.expected.tolist() == expit(plain.expected).tolist()


def test_rises_of_those_set_apart_tell_nothing_of_the_others():
    later, earlier = np.array([9, 8, 2, 1, 0, 2, 1, 3.0]), np.array([1, 1, 2, 2, 1, 1, 2, 2.0])
    exposure = np.full(8, 1.5)
    apart = np.arange(8) < 2
    judge = outlier_counts.risen(later, earlier, exposure)
    one = outlier_counts.risen(later[1:], earlier[1:], exposure[1:])()
    assert judge(apart).p[1] == pytest.approx(one.p[0], rel=0.02)
    assert judge(apart).expected[1] == pytest.approx(one.expected[0], rel=0.02)
    assert judge(apart).p[1] < judge().p[1] and judge(apart).expected[1] < judge().expected[1]


def test_levels_are_even_and_hold_the_normal_weights_of_each_mean():
    mean, size = np.array([-1.0, -0.88, -0.76]), np.array([0.0, 0.5])
    level, weight = outlier_counts._levels(mean, size)
    # Steps of a tenth at most: 0.12 in two; three spreads beyond on either side.
    assert np.diff(level) == pytest.approx(0.06)
    assert -2.5 <= level[0] < -2.46 and 0.70 < level[-1] <= 0.74
    exactly = weight[:, 0]
    assert level[exactly.argmax()] == pytest.approx(-1.0) and exactly.max() == pytest.approx(1)
    assert weight.sum(axis=0) == pytest.approx(1)
    assert level @ weight[:, 3] == pytest.approx(-0.88, abs=1e-3)
    assert (level + 0.88) ** 2 @ weight[:, 3] == pytest.approx(0.25, rel=0.03)


def test_hundreds_of_groups_neither_overflow_nor_vanish():
    """Their likelihood together is far below the smallest number; the chance of one is not."""
    hits = np.tile([0.0, 1.0, 2.0, 3.0], 100)
    hits[0] = 40.0
    found = outlier_counts.above(hits, np.full(400, 1000.0))()
    assert np.isfinite(found.p).all() and ((found.p > 0) & (found.p <= 1)).all()
    assert found.p[0] < 1e-4 < found.p[1:].min()
    assert found.expected[1:] == pytest.approx(hits.mean() / 1000, rel=0.2)

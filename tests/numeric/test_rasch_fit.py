"""Fit of the many-facet model and agreement within groups, summed rating by rating."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import rasch, rasch_fit, two_way, within_group

STEPS = np.array([[-1.2, 0.1, 1.1]])


def studied(weight=None, seed=1):
    rng = np.random.default_rng(seed)
    target, rater = (v.ravel() for v in np.indices((8, 5)))
    data = rasch.Data(
        rng.integers(0, 4, 40), target, (rater,), (8, 5), np.zeros(40, int), 3, weight
    )
    found = rasch.Fitted((rng.normal(size=8), rng.normal(0, 0.5, 5)), STEPS, 1, 0.0, True,
                         (np.ones(8), np.ones(5)), np.ones((1, 3)))  # fmt: skip
    return data, found, rasch_fit.moments(data, found)


def laws(data, found):
    """Chances, expectation, variance and fourth moment of each rating, one by one."""
    for t, r in zip(data.target, data.others[0], strict=True):
        place = found.measures[0][t] - found.measures[1][r]
        log = np.array([k * place - STEPS[0, :k].sum() for k in range(4)])
        p = np.exp(log) / np.exp(log).sum()
        mean = p @ np.arange(4)
        away = np.arange(4) - mean
        yield p, mean, p @ away**2, p @ away**4


@pytest.mark.parametrize("times", [None, 2.0])
def test_mean_squares_and_their_normal_forms(times):
    weight = None if times is None else np.linspace(0.5, times, 40)
    data, found, m = studied(weight)
    w = np.ones(40) if weight is None else weight
    law = list(laws(data, found))
    np.testing.assert_allclose(m.chances, [p for p, *_ in law])
    mean, variance, fourth = (np.array([v[k] for v in law]) for k in (1, 2, 3))
    np.testing.assert_allclose(m.expected, mean)
    np.testing.assert_allclose(m.variance, variance)
    place = found.location(data)
    for own, codes in zip(rasch_fit.elements(m, data, place), data.facets, strict=True):
        for k in range(codes.max() + 1):
            at = codes == k
            v, c, u = variance[at], fourth[at], w[at]
            z2 = (data.x[at] - mean[at]) ** 2 / v
            infit, outfit = (u * v * z2).sum() / (u * v).sum(), (u * z2).sum() / u.sum()
            q_in = np.sqrt((u * (c - v**2)).sum()) / (u * v).sum()
            q_out = np.sqrt((u * c / v**2).sum() / u.sum() ** 2 - 1 / u.sum())
            z = [(x ** (1 / 3) - 1) * 3 / q + q / 3 for x, q in ((infit, q_in), (outfit, q_out))]
            assert own.error[k] == pytest.approx(1 / np.sqrt((u * v).sum()))
            assert (own.infit[k], own.outfit[k]) == pytest.approx((infit, outfit))
            assert (own.infit_z[k], own.outfit_z[k]) == pytest.approx(z)
            assert own.ratings[k] == at.sum()
            r = np.cov(data.x[at], place[at], aweights=u)
            assert own.correlation[k] == pytest.approx(r[0, 1] / np.sqrt(r[0, 0] * r[1, 1]))


def test_agreement_counts_every_pair_of_raters_on_the_same_thing():
    data, found, m = studied()
    pairs = [(a, b) for a, b in itertools.combinations(range(40), 2)
             if data.target[a] == data.target[b]]  # fmt: skip
    law = [p for p, *_ in laws(data, found)]
    seen, hoped, count = rasch_fit.agreement(data, data.others[0], data.target, m)
    assert count == len(pairs)
    assert seen == sum(data.x[a] == data.x[b] for a, b in pairs)
    assert hoped == pytest.approx(sum(law[a] @ law[b] for a, b in pairs))
    twice = rasch_fit.agreement(data, np.zeros(40, int), data.target, m)
    assert twice[0] == twice[2] == -1 and np.isnan(twice[1])


def test_categories_have_the_averages_of_their_ratings():
    data, found, m = studied(np.linspace(0.5, 2, 40))
    place, w, law = found.location(data), data.times, list(laws(data, found))
    own = rasch_fit.categories(data, m, place)
    for k in range(4):
        at, p = data.x == k, np.array([v[0][k] for v in law])
        assert own["average"][k] == pytest.approx(np.average(place[at], weights=w[at]))
        assert own["expected"][k] == pytest.approx((p * w * place).sum() / (p * w).sum())
        z2 = np.array([(k - v[1]) ** 2 / v[2] for v in law])
        assert own["outfit"][k] == pytest.approx((w * z2)[at].sum() / (w * z2 * p).sum())


def test_fair_averages_are_expected_scores_when_all_else_is_average():
    data, found, _ = studied()
    for facet, sign in ((0, 1), (1, -1)):
        for k, measure in enumerate(found.measures[facet]):
            rest = found.measures[1 - facet].mean()
            place = measure - rest if sign > 0 else rest - measure
            log = np.array([j * place - STEPS[0, :j].sum() for j in range(4)])
            p = np.exp(log) / np.exp(log).sum()
            assert rasch_fit.fair(found, data, facet)[k] == pytest.approx(p @ np.arange(4))


def test_separation_by_its_definition():
    b, se = np.array([0.0, 1.0, 2.5, np.nan, 9.0]), np.array([0.3, 0.4, 0.5, 1.0, 0.0])
    found = rasch_fit.separation(b, se)
    b, se = b[:3], se[:3]
    noise, true = (se**2).mean(), b.var(ddof=1) - (se**2).mean()
    assert found["separation"] == pytest.approx(np.sqrt(true / noise))
    assert found["strata"] == pytest.approx((4 * np.sqrt(true / noise) + 1) / 3)
    assert found["reliability"] == pytest.approx(true / b.var(ddof=1))
    mean = np.average(b, weights=1 / se**2)
    chi = (((b - mean) / se) ** 2).sum()
    assert (found["chi_square"], found["df"]) == pytest.approx((chi, 2.0))
    assert found["p"] == pytest.approx(stats.chi2.sf(chi, 2))
    drawn = rasch_fit.separation(b, se, shrunken=True)
    assert drawn["reliability"] == pytest.approx(b.var(ddof=1) / (b.var(ddof=1) + noise))
    assert np.isnan(drawn["p"])
    assert np.isnan(list(rasch_fit.separation(b[:1], se[:1]).values())).all()
    assert np.isfinite(rasch_fit.separation(b[:2], se[:2])["df"])
    near = rasch_fit.separation(np.array([0.0, 0.1]), np.ones(2))
    assert near["separation"] == near["reliability"] == 0.0


SCORES = np.array([[4, 5, 3], [5, 5, 4], [4, 4, 4], [2, 5, 3.0]])


def test_agreement_within_a_group_and_in_its_resamples():
    s = within_group.spread(SCORES)
    np.testing.assert_allclose(s.mean[0], SCORES.mean(axis=0))
    np.testing.assert_allclose(s.variance[0], SCORES.var(axis=0, ddof=1))
    away = np.abs(SCORES - SCORES.mean(axis=0)).mean(axis=0)
    assert within_group.average_deviation(s)[0] == pytest.approx(away.mean())
    null = within_group.nulls(1, 5)
    assert null == {"uniform": 2.0, "slight_skew": 1.34, "maximum_dissensus": 4.0}
    assert np.isnan(within_group.nulls(1, 5.5)["slight_skew"])
    assert [within_group.nulls(1, top)["slight_skew"] for top in range(5, 12)] == [
        1.34, 1.85, 2.90, 3.47, 5.66, 6.30, 7.31]  # fmt: skip
    star = 1 - SCORES.var(axis=0, ddof=1).mean() / 2
    assert within_group.rwg_star(s, 2.0)[0] == pytest.approx(star)
    assert within_group.rwg_j(s, 2.0)[0] == pytest.approx(3 * star / (3 * star + 1 - star))
    one = within_group.spread(SCORES[:, :1])
    assert within_group.rwg_j(one, 2.0) == within_group.rwg_star(one, 2.0)
    assert within_group.rwg_j(s, 0.1)[0] == within_group.rwg_star(s, 0.1)[0] < 0
    times = np.array([[2, 0, 1, 1.0], [1, 1, 1, 1]])
    again = within_group.spread(SCORES, times)
    drawn = SCORES[[0, 0, 2, 3]]
    np.testing.assert_allclose(again.mean[0], drawn.mean(axis=0))
    np.testing.assert_allclose(again.variance[0], drawn.var(axis=0) * (4 / 3) ** 2)
    np.testing.assert_allclose(again.deviation[0], np.abs(drawn - drawn.mean(axis=0)).mean(axis=0))


def test_a_wg_compares_with_the_largest_variance_at_the_mean():
    """Brown and Hauenstein 2005: half of the raters at each end, as far as the mean allows."""
    s = within_group.spread(SCORES)
    mean, variance = SCORES.mean(axis=0), SCORES.var(axis=0, ddof=1)
    each = 1 - 2 * variance / (((5 + 1) * mean - mean**2 - 5) * 4 / 3)
    assert within_group.a_wg(s, 1, 5)[0] == pytest.approx(each.mean())
    same = within_group.spread(np.full((3, 2), 5.0))
    assert within_group.a_wg(same, 1, 5)[0] == 1.0
    # With four raters a mean above (5 * 3 + 1) / 4 cannot come from both ends.
    edge = np.array([[5.0], [5], [5], [1]])
    assert within_group.interpretable(within_group.spread(edge), 1, 5)
    assert within_group.interpretable(within_group.spread(6 - edge), 1, 5)
    beyond = np.array([[5.0], [5], [5], [2]])
    assert not within_group.interpretable(within_group.spread(beyond), 1, 5)
    assert not within_group.interpretable(
        within_group.spread(6 - edge - [[0], [0], [0], [1]]), 1, 5
    )


def test_mean_squares_of_groups_of_unequal_size():
    group, y = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2]), np.array([3, 4, 5, 2, 2, 4, 5, 5, 3.0])
    b = within_group.one_way(group, y)
    parts = [y[group == g] for g in range(3)]
    f = stats.f_oneway(*parts).statistic
    assert b.between / b.within == pytest.approx(f)
    assert (b.df1, b.df2, b.mean_size) == (2, 6, 3)
    assert b.size == pytest.approx((9 - (9 + 4 + 16) / 9) / 2)
    found = within_group.icc1_icc2(b, b.size)
    limits = f, f / stats.f.ppf(0.975, 2, 6), f * stats.f.ppf(0.975, 6, 2)
    assert found["icc1"] == pytest.approx([(v - 1) / (v + b.size - 1) for v in limits])
    assert found["icc2"] == pytest.approx([1 - 1 / v for v in limits])
    same = within_group.one_way(group, group.astype(float))
    assert within_group.icc1_icc2(same, 3)["icc1"] == (1.0, 1.0, 1.0)
    flat = within_group.one_way(group, np.zeros(9))
    assert np.isnan(within_group.icc1_icc2(flat, 3)["icc2"]).all()
    level = within_group.one_way(np.array([0, 0, 1, 1]), np.array([1.0, 2, 1, 2]))
    assert within_group.icc1_icc2(level, 2)["icc2"][0] == -np.inf


def test_shares_with_every_group_left_out_are_those_of_the_table_without_it():
    rng = np.random.default_rng(6)
    rater, target = (v.ravel() for v in np.indices((7, 5)))
    # A target that one rater alone has seen goes with that rater.
    keep = (rng.random(35) < 0.8) & ((target != 4) | (rater == 2)) | ((target == 4) & (rater == 2))
    y = (rng.normal(size=7)[rater] + rng.normal(size=5)[target] + rng.normal(size=35))[keep]
    rater, target = rater[keep], target[keep]
    whole, left = two_way.shares(y, target, rater)
    assert whole.sum() == pytest.approx(1)
    for r in range(7):
        at = rater != r
        np.testing.assert_allclose(left[r], two_way.shares(y[at], target[at], rater[at])[0])
    low, high, moved = two_way.jackknife(whole, left)
    error = np.sqrt(6 / 7 * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(high - low, 2 * stats.t.ppf(0.975, 6) * error)
    np.testing.assert_allclose((moved**2).sum(axis=0), error**2)
    once, _ = two_way.shares(y, target, np.arange(len(y)))
    assert np.isnan(once[1]) and once[[0, 2]].sum() == pytest.approx(1)
    alone, _ = two_way.shares(y[target == 0], target[target == 0], rater[target == 0])
    assert np.isnan(alone).all()


def test_of_more_than_two_hundred_raters_groups_are_left_out():
    rng = np.random.default_rng(7)
    rater, target = (v.ravel() for v in np.indices((205, 3)))
    y = rng.normal(size=205)[rater] + rng.normal(size=len(rater))
    left = two_way.shares(y, target, rater)[1]
    assert len(left) == 200
    at = ~np.isin(rater, [3, 203])
    np.testing.assert_allclose(left[3], two_way.shares(y[at], target[at], rater[at])[0])

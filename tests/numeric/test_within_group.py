"""Agreement within groups and between them, from the definitions, rater by rater."""

import statistics

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import within_group as wg

SCORES = np.array([[4.0, 5, 1], [4, 3, 5], [5, 4, 5], [2, 4, 1]])


def test_null_variances_of_a_scale():
    said = wg.nulls(1, 5)
    assert said["uniform"] == pytest.approx(statistics.pvariance(range(1, 6)))
    assert said["maximum_dissensus"] == pytest.approx(statistics.pvariance([1, 1, 5, 5]))
    assert said["slight_skew"] == 1.34
    assert wg.nulls(0, 10)["uniform"] == pytest.approx(statistics.pvariance(range(11)))
    assert wg.nulls(0, 10)["slight_skew"] == 7.31
    for low, high in ((1, 4), (1, 12), (1, 5.5)):  # none is published for these
        assert np.isnan(wg.nulls(low, high)["slight_skew"])


def test_the_spread_of_each_item():
    s = wg.spread(SCORES)
    for item, column in enumerate(SCORES.T.tolist()):
        mean = statistics.mean(column)
        assert s.mean[0, item] == pytest.approx(mean)
        assert s.variance[0, item] == pytest.approx(statistics.variance(column))
        away = [abs(v - mean) for v in column]
        assert s.deviation[0, item] == pytest.approx(statistics.mean(away))
    assert s.raters == 4


def test_the_spread_of_a_resample_is_that_of_its_raters_made_as_wide_as_a_sample_is():
    times = np.array([[1.0, 1, 1, 1], [2, 0, 1, 1], [0, 0, 4, 0]])
    s = wg.spread(SCORES, times)
    for b, row in enumerate(times.astype(int)):
        taken = np.repeat(SCORES, row, axis=0)
        for item, column in enumerate(taken.T.tolist()):
            mean = statistics.mean(column)
            assert s.mean[b, item] == pytest.approx(mean)
            assert s.variance[b, item] == pytest.approx(statistics.variance(column) * 4 / 3)
            away = [abs(v - mean) for v in column]
            assert s.deviation[b, item] == pytest.approx(statistics.mean(away))


def test_two_raters_are_enough():
    s = wg.spread(np.array([[2.0], [5.0]]))
    assert s.variance.tolist() == [[4.5]]
    assert wg.spread(np.array([[2.0], [5.0]]), np.ones((1, 2))).variance.tolist() == [[9.0]]
    # Their largest variance at a mean of 3.5: (5 - 3.5) (3.5 - 1) 2 = 7.5.
    assert wg.a_wg(s, 1, 5) == pytest.approx([1 - 9 / 7.5])


def test_one_rater_has_no_spread():
    s = wg.spread(SCORES[:1])
    assert s.variance.tolist() == [[0, 0, 0]]
    assert s.mean.tolist() == [[4, 5, 1]]
    assert wg.spread(SCORES[:1], np.ones((1, 1))).variance.tolist() == [[0, 0, 0]]
    assert wg.a_wg(s, 0, 6) == pytest.approx([1])


def test_rwg_and_rwg_j_against_james_demaree_and_wolf():
    s = wg.spread(SCORES)
    mean = statistics.mean(statistics.variance(c) for c in SCORES.T.tolist())
    assert wg.rwg_star(s, 2.0) == pytest.approx([1 - mean / 2.0])
    for null in (3.0, 6.0, 40.0):
        share = mean / null
        told = 3 * (1 - share) / (3 * (1 - share) + share)
        assert wg.rwg_j(s, null) == pytest.approx([told if share <= 1 else 1 - share])
    assert wg.rwg_j(s, mean) == pytest.approx([0])
    assert wg.rwg_j(s, mean / 2) == pytest.approx([-1])  # below nought it is left as it is
    one = wg.spread(SCORES[:, :1])
    assert wg.rwg_j(one, 2.0) == pytest.approx([1 - statistics.variance([4, 4, 5, 2]) / 2])
    two = wg.spread(SCORES[:, :2])
    mean = statistics.mean([statistics.variance([4, 4, 5, 2]), statistics.variance([5, 3, 4, 4])])
    assert wg.rwg_j(two, 2.0) == pytest.approx(
        [2 * (1 - mean / 2) / (2 * (1 - mean / 2) + mean / 2)]
    )


def test_a_wg_against_the_formula_as_printed():
    """Brown and Hauenstein 2005: 1 - 2 s² / ([(H + L) M - M² - H L] k / (k - 1))."""
    s = wg.spread(SCORES)
    told = []
    for column in SCORES.T.tolist():
        m, k = statistics.mean(column), 4
        most = ((5 + 1) * m - m * m - 5 * 1) * k / (k - 1)
        told.append(1 - 2 * statistics.variance(column) / most)
    assert wg.a_wg(s, 1, 5) == pytest.approx([statistics.mean(told)])


def test_a_wg_of_all_alike_is_one_and_of_two_camps_minus_one():
    alike, camps = np.full((4, 1), 3.0), np.array([[1.0], [1], [5], [5]])
    assert wg.a_wg(wg.spread(alike), 1, 5) == pytest.approx([1])
    assert wg.a_wg(wg.spread(np.full((4, 1), 5.0)), 1, 5) == pytest.approx([1])  # no room at all
    assert wg.a_wg(wg.spread(camps), 1, 5) == pytest.approx([-1])
    off = wg.spread(np.array([[5.0], [5], [6], [4]]))  # its mean is the end of the scale
    assert np.isnan(wg.a_wg(off, 1, 5)).all()


def test_means_at_the_very_limit_are_still_read():
    """Formula 5 of Brown and Hauenstein: from (L (k - 1) + H) / k to (H (k - 1) + L) / k."""
    lowest, highest = np.array([[1.0], [1], [1], [5]]), np.array([[5.0], [5], [5], [1]])
    for scores in (lowest, highest):
        assert wg.interpretable(wg.spread(scores), 1, 5)
    further = np.array([[0.0], [0], [0], [0.4]])
    for scores in (lowest - further, highest + further):
        assert not wg.interpretable(wg.spread(scores), 1, 5)
    assert not wg.interpretable(wg.spread(np.hstack([lowest, lowest * 0 + 1])), 1, 5)


def test_the_average_deviation_is_the_mean_over_items():
    told = [statistics.mean(abs(v - statistics.mean(c)) for v in c) for c in SCORES.T.tolist()]
    assert wg.average_deviation(wg.spread(SCORES)) == pytest.approx([statistics.mean(told)])


def test_one_way_against_scipy_and_by_hand():
    group = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
    score = np.array([3.0, 4, 5, 1, 2, 5, 5, 4, 3]) + 1e6
    b = wg.one_way(group, score)
    parts = [score[group == g] for g in range(3)]
    assert b.between / b.within == pytest.approx(stats.f_oneway(*parts).statistic)
    within = sum(((p - p.mean()) ** 2).sum() for p in parts)
    assert (b.within, b.df1, b.df2) == (pytest.approx(within / 6), 2, 6)
    assert b.size == pytest.approx((9 - (9 + 4 + 16) / 9) / 2)
    assert b.mean_size == 3
    assert np.isnan(wg.one_way(np.array([0, 1, 2]), np.array([1.0, 2, 4])).within)
    assert wg.one_way(np.array([0, 0, 1]), np.array([1.0, 2, 4])).within == pytest.approx(0.5)


def test_icc1_and_icc2_with_the_limits_of_f():
    b = wg.Between(between=8.0, within=2.0, df1=5, df2=18, size=4.0, mean_size=4.0)
    said = wg.icc1_icc2(b, 4.0)
    low, high = 4 / stats.f.ppf(0.975, 5, 18), 4 * stats.f.ppf(0.975, 18, 5)
    assert said["icc1"] == pytest.approx([(v - 1) / (v + 3) for v in (4, low, high)])
    assert said["icc2"] == pytest.approx([1 - 1 / v for v in (4, low, high)])


def test_icc_without_spread_within_or_between():
    def told(between, within):
        b = wg.Between(between, within, 2, 6, 3.0, 3.0)
        return wg.icc1_icc2(b, 3.0)

    assert told(4.0, 0.0) == {"icc1": (1.0,) * 3, "icc2": (1.0,) * 3}
    assert np.isnan(told(0.0, 0.0)["icc1"]).all()
    assert np.isnan(told(4.0, float("nan"))["icc2"]).all()
    assert told(0.5, 0.0)["icc2"] == (1.0,) * 3
    small = told(0.2, 0.4)  # as told(1, 2), on another scale
    assert small["icc1"] == pytest.approx(told(1.0, 2.0)["icc1"])
    assert small["icc1"][0] == pytest.approx(-0.5 / 2.5)
    assert small["icc2"][0] == pytest.approx(-1)
    none = told(0.0, 2.0)
    assert none["icc1"] == pytest.approx((-0.5, -0.5, -0.5))
    assert none["icc2"] == (float("-inf"),) * 3

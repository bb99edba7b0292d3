"""Limits of shares, counts and quantiles against printed tables and against scipy.stats."""

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import intervals


def test_garwood_1936_printed_limits():
    low, high = intervals.garwood([0, 1, 3, 10])
    assert low == pytest.approx([0.0, 0.0253, 0.6187, 4.7954], abs=5e-5)
    assert high == pytest.approx([3.6889, 5.5716, 8.7673, 18.3904], abs=5e-5)


def test_wilson_81_of_263():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3: 81/263, 15/148, 0/20, 1/29.
    low, high = intervals.wilson([81, 15, 0, 1], [263, 148, 20, 29])
    assert low == pytest.approx([0.2553, 0.0624, 0.0, 0.0061], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)


def test_clopper_pearson_of_the_same_table():
    # Newcombe (1998), table I, method 5.
    low, high = intervals.clopper_pearson([81, 15, 0, 1], [263, 148, 20, 29])
    assert low == pytest.approx([0.2527, 0.0578, 0.0, 0.0009], abs=5e-5)
    assert high == pytest.approx([0.3676, 0.1617, 0.1684, 0.1776], abs=5e-5)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_exact_limits_equal_scipy_stats(level):
    x, n = np.array([0, 1, 7, 40]), 40
    low, high = intervals.clopper_pearson(x, n, level)
    for i, k in enumerate(x):
        peer = stats.binomtest(int(k), n).proportion_ci(level)
        assert (low[i], high[i]) == pytest.approx((peer.low, peer.high), abs=1e-12)
    low, high = intervals.garwood(x, 2.0, level)
    tail = (1 - level) / 2
    assert high == pytest.approx(stats.chi2.ppf(1 - tail, 2 * x + 2) / 4)
    assert low[1:] == pytest.approx(stats.chi2.ppf(tail, 2 * x[1:]) / 4)


def test_byar_is_close_to_garwood():
    x = np.array([0, 1, 3, 10, 100])
    for ours, exact in zip(intervals.byar(x), intervals.garwood(x), strict=True):
        assert ours == pytest.approx(exact, rel=0.02, abs=0.02)


def test_byar_by_its_formula():
    """Breslow and Day 1987, p. 69: 7 cases in 2 years."""
    low = 7 * (1 - 1 / 63 - 1.959964 / (3 * 7**0.5)) ** 3 / 2
    high = 8 * (1 - 1 / 72 + 1.959964 / (3 * 8**0.5)) ** 3 / 2
    assert np.ravel(intervals.byar(7, 2.0)) == pytest.approx([low, high], rel=1e-6)


def test_nothing_to_estimate_from_gives_missing_limits():
    for both in (
        intervals.wilson(0, 0),
        intervals.clopper_pearson(0, 0),
        intervals.garwood(0, 0),
        intervals.byar(0, 0),
    ):
        assert np.isnan(both).all()


def test_a_limit_never_crosses_its_estimate():
    n = np.arange(1, 400)
    for x in (np.zeros_like(n), n, n // 3):
        for low, high in (intervals.wilson(x, n), intervals.clopper_pearson(x, n)):
            assert ((low <= x / n) & (x / n <= high) & (low >= 0) & (high <= 1)).all()


def test_ranks_of_the_median_as_printed():
    # Conover (1999), Practical Nonparametric Statistics, 3.2: n = 6 and 10 need ranks 1–6 and 2–9.
    low, high = intervals.quantile_ranks([5, 6, 10], 0.5)
    assert low.tolist() == [-1, 0, 1]
    assert high.tolist() == [5, 5, 8]


def test_ranks_cover_a_quantile_as_often_as_they_say():
    n, share = np.arange(1, 300), 0.9
    low, high = intervals.quantile_ranks(n, share)
    below = stats.binom.cdf(low, n, share)  # the quantile lies below the lower limit
    above = stats.binom.sf(high, n, share)
    assert (below <= 0.025 + 1e-12).all()
    assert (above <= 0.025 + 1e-12).all()

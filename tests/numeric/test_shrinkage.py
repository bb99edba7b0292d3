"""Ratios drawn to a gamma law: the highest negative binomial likelihood, and the law's quantiles."""

import numpy as np
import pytest
from scipy import optimize, stats

from svcmetrics.numeric import shrinkage

OBSERVED = np.array([0.0, 3, 8, 15, 2, 30, 7, 0])
EXPECTED = np.array([2.0, 4, 5, 20, 6, 14, 7, 0.5])


def minus(log, observed=OBSERVED, expected=EXPECTED):
    shape = np.exp(log)
    rate = shape / (observed.sum() / expected.sum())
    return -stats.nbinom.logpmf(observed, shape, rate / (rate + expected)).sum()


def test_the_shape_has_the_highest_likelihood():
    shape, rate = shrinkage.gamma_prior(OBSERVED, EXPECTED)
    other = optimize.minimize_scalar(minus, bounds=(-4, 10), method="bounded")
    assert np.log(shape) == pytest.approx(other.x, abs=1e-3)
    assert minus(np.log(shape)) <= other.fun + 1e-9
    assert shape / rate == pytest.approx(OBSERVED.sum() / EXPECTED.sum())


def test_the_likelihood_is_that_of_the_negative_binomial_up_to_a_constant():
    ends = [shrinkage._likelihood(s, 1.1, OBSERVED, EXPECTED) for s in (0.3, 2.0, 1e5)]
    told = []
    for s in (0.3, 2.0, 1e5):
        rate = s / 1.1
        told.append(stats.nbinom.logpmf(OBSERVED, s, rate / (rate + EXPECTED)).sum())
    assert np.diff(ends) == pytest.approx(np.diff(told), abs=1e-6)


def test_ratios_that_do_not_differ_beyond_chance_are_one():
    same = np.array([10.0, 20, 30]), np.array([10.0, 20, 30])
    assert shrinkage.gamma_prior(*same) == (float("inf"), float("inf"))
    found = shrinkage.shrunken(*same, float("inf"), float("inf"))
    assert [v.tolist() for v in found] == [[1, 1, 1]] * 3


def test_the_posterior_is_a_gamma_law():
    for level in (0.95, 0.8):
        mean, low, high = shrinkage.shrunken(OBSERVED, EXPECTED, 3.0, 2.5, level)
        law = stats.gamma(OBSERVED + 3.0, scale=1 / (EXPECTED + 2.5))
        assert mean == pytest.approx(law.mean())
        assert low == pytest.approx(law.ppf((1 - level) / 2))
        assert high == pytest.approx(law.ppf((1 + level) / 2))

"""Limits of funnels: the interpolated quantile by plain search; probabilities by SciPy's laws."""

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import funnel

SIZE = np.array([1.0, 2, 5, 17, 60, 400])
PROBABILITIES = (0.001, 0.025, 0.2, 0.5, 0.975, 0.999)


def limit(law, probability, most):
    """Spiegelhalter's A.1.1: the first count that reaches the probability, less what is too much."""
    r = next(k for k in range(most + 1) if law.cdf(k) >= probability or k == most)
    if law.pmf(r) == 0:
        return r
    return r - (law.cdf(r) - probability) / law.pmf(r)


@pytest.mark.parametrize("target", [0.02, 0.3, 0.5, 0.97])
@pytest.mark.parametrize("probability", PROBABILITIES)
def test_limits_of_shares_by_search(target, probability):
    found = funnel.exact_share(SIZE, target, probability)
    for n, value in zip(SIZE.astype(int), found, strict=True):
        told = limit(stats.binom(n, target), probability, n) / n
        assert value == pytest.approx(np.clip(told, 0, 1), abs=1e-9), n


@pytest.mark.parametrize("target", [0.02, 0.5, 3.0])
@pytest.mark.parametrize("probability", PROBABILITIES)
def test_limits_of_rates_by_search(target, probability):
    found = funnel.exact_rate(SIZE, target, probability)
    for n, value in zip(SIZE, found, strict=True):
        told = limit(stats.poisson(n * target), probability, 3000) / n
        assert value == pytest.approx(max(told, 0), abs=1e-9), n


def test_nothing_or_everything_expected_leaves_no_width():
    for target in (0.0, 1.0):
        for probability in (0.025, 0.975):
            found = funnel.exact_share(SIZE, target, probability)
            assert found.tolist() == [target] * len(SIZE)


def two_sided(law, count):
    return min(1.0, 2 * min(law.cdf(count), law.sf(count - 1)))


def test_probabilities_of_counts():
    for target in (0.01, 0.2, 0.5, 0.9):
        for hits in (0.0, 1.0, 2.0, 5.0):
            size = np.array([5.0, 9.0, 40.0])
            many = np.full(3, hits)
            told = [two_sided(stats.binom(n, target), hits) for n in size]
            assert funnel.p_share(many, size, target) == pytest.approx(told)
            told = [two_sided(stats.poisson(n * target), hits) for n in size]
            assert funnel.p_rate(many, size, target) == pytest.approx(told)


def test_the_factor_draws_in_the_most_extreme_tenth():
    z = np.array([0.0, 1, -1, 2, -2, 3, -3, 4, -4, 50, 5])
    inner = np.sort(z)
    inner[0], inner[-1] = (
        inner[1],
        inner[-2],
    )  # eleven values: the tenths are the second at either end
    assert funnel.factor(z) == pytest.approx((inner**2).mean())
    assert funnel.factor(np.array([5.0, 6.0])) == 1.0
    three = np.array([1.0, 2.0, 3.0])
    assert funnel.factor(three) == pytest.approx((1.2**2 + 2**2 + 2.8**2) / 3)


def test_the_variance_between_groups_of_equal_size():
    """Equal errors: the excess of the mean square, spread over one group less."""
    se = np.full(5, 0.1)
    assert funnel.between(3.0, se) == pytest.approx((5 * 3 - 4) * 0.01 / 4)
    assert funnel.between(0.8, se) == 0.0
    assert funnel.between(0.5, se) == 0.0
    assert funnel.between(2.0, se[:1]) == 0.0


def test_the_variance_between_groups_as_dersimonian_and_laird_have_it():
    se = np.array([0.1, 0.2, 0.4])
    w = 1 / se**2
    told = (3 * 1.5 - 2) / (w.sum() - (w**2).sum() / w.sum())
    assert funnel.between(1.5, se) == pytest.approx(told)

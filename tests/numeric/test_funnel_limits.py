"""Funnel limits: against quantiles of scipy, and the moments against their formulas."""

import numpy as np
from scipy import stats

from svcmetrics.numeric import funnel


def test_exact_limits_lie_between_the_counts_that_bracket_the_probability():
    size = np.array([1.0, 5, 20, 100, 1000, 50_000])
    for p in (0.001, 0.025, 0.975, 0.999):
        r = stats.binom.ppf(p, size, 0.13)
        at, below = stats.binom.cdf(r, size, 0.13), stats.binom.cdf(r - 1, size, 0.13)
        expected = np.clip((r - (at - p) / (at - below)) / size, 0, 1)
        np.testing.assert_allclose(funnel.exact_share(size, 0.13, p), expected, atol=1e-9)
        r = stats.poisson.ppf(p, size * 0.04)
        at, below = stats.poisson.cdf(r, size * 0.04), stats.poisson.cdf(r - 1, size * 0.04)
        expected = np.maximum(r - (at - p) / (at - below), 0) / size
        np.testing.assert_allclose(funnel.exact_rate(size, 0.04, p), expected, atol=1e-9)


def test_exact_probabilities_are_those_of_scipy():
    x, n = np.array([0.0, 3, 17, 40]), np.full(4, 40.0)
    both = np.minimum(stats.binom.cdf(x, 40, 0.3), stats.binom.sf(x - 1, 40, 0.3))
    np.testing.assert_allclose(funnel.p_share(x, n, 0.3), np.minimum(2 * both, 1), rtol=1e-9)
    both = np.minimum(stats.poisson.cdf(x, 12), stats.poisson.sf(x - 1, 12))
    np.testing.assert_allclose(funnel.p_rate(x, n, 0.3), np.minimum(2 * both, 1), rtol=1e-9)


def test_chance_alone_gives_a_factor_near_one_and_spread_its_variance():
    rng = np.random.default_rng(3)
    se = rng.uniform(0.02, 0.05, 4000)
    calm = rng.normal(size=4000)
    # Winsorised at 10%, the square of a normal value has mean 0.66; the cut protects from outliers.
    assert abs(funnel.factor(calm) - 0.66) < 0.05
    wide = rng.normal(0, np.sqrt(se**2 + 0.1**2)) / se
    tau2 = funnel.between(funnel.factor(wide), se)
    assert 0.5 * 0.1**2 < tau2 < 1.1 * 0.1**2
    assert funnel.between(0.9, se) == 0.0


def test_the_variance_between_groups_is_the_method_of_moments():
    z, w = np.array([1.2, -2.1, 3.0, 0.4, -1.9]), np.array([4.0, 5, 6, 7, 8])
    phi = funnel.factor(z)
    expected = (5 * phi - 4) / (w.sum() - (w**2).sum() / w.sum())
    np.testing.assert_allclose(funnel.between(phi, 1 / np.sqrt(w)), max(expected, 0))


def test_few_groups_say_nothing_of_spread():
    assert funnel.factor(np.array([3.0, -3.0])) == 1.0

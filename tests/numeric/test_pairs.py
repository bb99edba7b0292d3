"""Every pair of targets: by counting draws, by Welch and by Tukey."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import pairs, ranks

ESTIMATE, SE = np.array([3.0, 3.6, 2.0, 3.0]), np.array([0.2, 0.3, 0.25, 0.4])


def test_gaps_and_errors_of_independent_estimates():
    p = pairs.pairs(ESTIMATE, SE)
    for j in range(4):
        for k in range(4):
            assert p.gap[j, k] == ESTIMATE[k] - ESTIMATE[j]
            assert p.error[j, k] == pytest.approx(np.hypot(SE[j], SE[k]))
            z = 0.0 if j == k else p.gap[j, k] / p.error[j, k]
            assert p.z[j, k] == pytest.approx(z)
            assert pairs.above(p)[j, k] == pytest.approx(stats.norm.cdf(-z))
    assert p.size == 4
    with pytest.raises(ValueError, match="no draws"):
        _ = p.compared


def test_few_degrees_of_freedom_count_for_less_by_welch():
    df = np.array([4.0, 9.0, np.inf, 6.0])
    p = pairs.pairs(ESTIMATE, SE, df)
    for j in range(4):
        for k in range(j + 1, 4):
            error = np.hypot(SE[j], SE[k])
            welch = error**4 / (SE[j] ** 4 / df[j] + SE[k] ** 4 / df[k])
            freedom = min(welch, df[j], df[k])
            t = (ESTIMATE[k] - ESTIMATE[j]) / error
            expected = stats.norm.ppf(stats.t.cdf(t, freedom))
            assert p.z[j, k] == pytest.approx(expected) == pytest.approx(-p.z[k, j])
            half = stats.t.ppf(stats.norm.cdf(ranks.simultaneous_critical(4, 0.95)), freedom)
            assert pairs.half_widths(p, 0.95, df)[j, k] == pytest.approx(half * error)
    plain = pairs.half_widths(pairs.pairs(ESTIMATE, SE), 0.95)
    np.testing.assert_allclose(plain, ranks.simultaneous_critical(4, 0.95) * p.error)


def test_adjusted_p_is_that_of_the_studentised_range():
    p = pairs.pairs(ESTIMATE, SE)
    expected = stats.studentized_range.sf(np.abs(p.z[0, 1]) * np.sqrt(2), 4, np.inf)
    assert pairs.adjusted(p)[0, 1] == pytest.approx(expected, abs=1e-4)
    np.testing.assert_allclose(np.diag(pairs.adjusted(p)), 1.0, atol=1e-9)
    far = pairs.pairs(np.array([0.0, 100.0]), np.array([0.1, 0.1]))
    assert pairs.adjusted(far)[0, 1] == 0.0


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(4)
    draws = rng.normal(size=(150, 4)) * SE + 0.3 * rng.normal(size=(150, 1))
    return draws, pairs.pairs(ESTIMATE, SE, draws=draws)


def test_joint_draws_know_what_errors_have_in_common(drawn):
    draws, p = drawn
    for j in range(4):
        for k in range(4):
            apart = (draws[:, k] - draws[:, j]).std(ddof=1)
            assert p.error[j, k] == pytest.approx(apart, abs=1e-12)
    np.testing.assert_allclose(p.se, draws.std(axis=0, ddof=1))
    away = draws - draws.mean(axis=0)
    for j in range(4):
        for k in range(4):
            side = ESTIMATE[j] - ESTIMATE[k] + away[:, j] - away[:, k]
            assert pairs.above(p)[j, k] == pytest.approx(((side > 0) + (side == 0) / 2).mean())


def test_criticals_and_p_by_draws_are_shares_of_the_draws(drawn):
    draws, p = drawn
    away = draws - draws.mean(axis=0)
    gaps = np.abs(away[:, :, None] - away[:, None, :])
    ratio = np.divide(gaps, p.error, out=np.zeros_like(gaps), where=p.error > 0)
    np.testing.assert_allclose(p.largest, ratio.max(axis=2))
    own = pairs.critical(p, 0.9, joint=False)
    np.testing.assert_allclose(own, np.quantile(ratio.max(axis=2), 0.9, axis=0))
    joint = pairs.critical(p, 0.9, joint=True)
    np.testing.assert_allclose(joint, np.quantile(ratio.max(axis=(1, 2)), 0.9))
    np.testing.assert_allclose(pairs.half_widths(p, 0.9), joint[0] * p.error)
    beaten = (ratio.max(axis=(1, 2)) >= abs(p.z[0, 2])).sum()
    assert pairs.adjusted(p)[0, 2] == pytest.approx((beaten + 1) / 151)
    low, high = pairs.rank_sets(p, 0.9, joint=True)
    above = ((p.gap / np.where(p.error > 0, p.error, 1)) > joint[0]).sum(axis=1)
    np.testing.assert_array_equal(low, 1 + above)
    assert (high >= low).all() and high.max() == 4


def test_distances_from_the_mean_by_draws(drawn):
    draws, _ = drawn
    gap, half = pairs.from_mean(ESTIMATE, draws, 0.9)
    np.testing.assert_allclose(gap, ESTIMATE - ESTIMATE.mean())
    away = draws - draws.mean(axis=0)
    away = away - away.mean(axis=1, keepdims=True)
    error = away.std(axis=0, ddof=1)
    np.testing.assert_allclose(half, np.quantile((np.abs(away) / error).max(axis=1), 0.9) * error)


def test_estimates_that_are_the_same_number_are_no_pair():
    p = pairs.pairs(np.array([1.0, 1.0, 2.0]), np.zeros(3), draws=np.ones((5, 3)))
    assert (p.error == 0).all() and p.z[0, 1] == 0 and np.isinf(p.z[0, 2])
    assert (p.largest == 0).all()


def test_at_most_six_hundred_million_differences_are_looked_at_by_four_hundred_draws_or_more():
    for targets, looked_at in ((1000, 600), (1300, 400), (3, 700)):
        draws = np.zeros((700, targets))
        p = pairs.Pairs(*[np.zeros((1, 1))] * 3, np.zeros(targets), draws)
        assert len(p.compared) == looked_at

"""Errors of differences by their weights, and criticals that tables print."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import ranks

SE = np.array([0.2, 0.3, 0.5, 0.4])
ESTIMATE = np.array([3.0, 3.4, 4.1, 2.0])


def test_distances_from_the_mean_have_the_variance_of_their_weights():
    k, df = len(SE), np.array([400.0, 9.0, 7.0, 30.0])
    away, half = ranks.from_mean(ESTIMATE, SE)
    np.testing.assert_allclose(away, ESTIMATE - ESTIMATE.mean())
    weights = np.eye(k) - 1 / k
    variance = weights**2 @ SE**2
    level = 0.95 ** (1 / k)
    np.testing.assert_allclose(half, stats.norm.isf((1 - level) / 2) * np.sqrt(variance))
    # Welch and Satterthwaite; never more than the estimate's own.
    freedom = variance**2 / (weights**4 @ (SE**4 / df))
    assert (freedom < df).any() and (freedom > df).any()
    expected = stats.t.isf((1 - level) / 2, np.minimum(freedom, df)) * np.sqrt(variance)
    np.testing.assert_allclose(ranks.from_mean(ESTIMATE, SE, df)[1], expected)
    one = ranks.from_mean(ESTIMATE, np.zeros(k), df)
    np.testing.assert_array_equal(one[1], np.zeros(k))


def test_quasi_errors_give_the_errors_of_differences():
    np.testing.assert_allclose(ranks.quasi_errors(np.diag(SE**2)), SE)
    shared = np.diag(SE**2) + 0.07  # what all share is in no difference
    np.testing.assert_allclose(ranks.quasi_errors(shared), SE)
    two = np.array([[0.5, 0.1], [0.1, 0.3]])
    np.testing.assert_allclose(ranks.quasi_errors(two), np.sqrt([0.3, 0.3]))
    np.testing.assert_allclose(ranks.quasi_errors(np.array([[0.49]])), [0.7])


def test_an_interval_gives_back_the_error_that_it_was_made_of():
    df = np.array([np.inf, 5.0])
    half = np.array([stats.norm.ppf(0.975), stats.t.ppf(0.975, 5)]) * 0.3
    np.testing.assert_allclose(ranks.standard_errors(2 - half, 2 + half, 0.95, df), [0.3, 0.3])
    np.testing.assert_allclose(
        ranks.probability(np.array([1.2, 1.2]), df), [stats.norm.cdf(1.2), stats.t.cdf(1.2, 5)]
    )


@pytest.mark.parametrize("k", [2, 3, 10, 40])
def test_joint_critical_is_the_studentised_range(k):
    expected = stats.studentized_range.ppf(0.95, k, np.inf) / np.sqrt(2)
    assert ranks.simultaneous_critical(k, 0.95) == pytest.approx(expected, abs=2e-5)


def test_marginal_critical_of_two_is_that_of_one_difference():
    np.testing.assert_allclose(ranks.marginal_critical(SE[:2], 0.95), 1.959963985, atol=3e-7)
    rivals = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]], bool)
    one = ranks.marginal_critical(SE, 0.9, rivals)
    np.testing.assert_allclose(one[[0, 3]], stats.norm.ppf(0.95), atol=3e-7)
    assert (one[[1, 2]] > one[0]).all()
    # An exact estimate meets independent differences: Sidak.
    exact = ranks.marginal_critical(np.array([1e-12, 1.0, 1.0, 1.0]), 0.95)[0]
    assert exact == pytest.approx(stats.norm.ppf((1 + 0.95 ** (1 / 3)) / 2), abs=2e-5)


def test_many_targets_take_sidaks_quantile_which_is_hardly_wider():
    few, many = (ranks.marginal_critical(np.ones(k), 0.95) for k in (60, 61))
    assert len(set(many)) == 1
    assert many[0] == pytest.approx(stats.norm.ppf((1 + 0.95 ** (1 / 60)) / 2))
    assert few.max() < many[0] < few.max() + 0.2


@pytest.mark.parametrize("joint", [True, False])
def test_ranks_are_told_by_what_lies_clearly_above_and_below(joint):
    low, high = ranks.rank_sets(np.array([5.0, 1.0, 4.9, 3.0]), np.full(4, 0.2), 0.95, joint=joint)
    assert low.tolist() == [1, 4, 1, 3]
    assert high.tolist() == [2, 4, 2, 3]
    low, high = ranks.rank_sets(ESTIMATE, 100 * SE, 0.95, joint=joint)
    assert (low == 1).all() and (high == 4).all()


def test_rivals_told_apart_no_longer_raise_the_bar():
    # Against three rivals 3 / sqrt(2) = 2.12 is not enough; against the one that is left, 1.96 is.
    estimate, se = np.array([0.0, 3.0, 20.0, 40.0]), np.ones(4)
    assert ranks.marginal_critical(se, 0.95)[0] > 2.2
    low, high = ranks.rank_sets(estimate, se, 0.95, joint=False)
    assert low.tolist() == high.tolist() == [4, 3, 2, 1]
    low, high = ranks.rank_sets(estimate, se, 0.95, joint=True)
    assert low.tolist() == [3, 3, 2, 1] and high.tolist() == [4, 4, 2, 1]


def test_one_set_by_itself_is_no_wider_than_all_at_once():
    rng = np.random.default_rng(3)
    estimate, se = rng.normal(size=12), rng.uniform(0.1, 0.6, 12)
    own, every = (ranks.rank_sets(estimate, se, 0.95, joint=j) for j in (False, True))
    assert (own[0] >= every[0]).all() and (own[1] <= every[1]).all()
    assert (own[1] - own[0]).sum() < (every[1] - every[0]).sum()

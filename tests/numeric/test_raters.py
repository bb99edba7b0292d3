"""Errors that serve for comparing departments: from the whole covariance, or from sums of it."""

from __future__ import annotations

import numpy as np
import pytest

from svcmetrics.numeric.ranks import quasi_errors
from svcmetrics.numeric.raters import Means


@pytest.mark.parametrize("size", [3, 4, 9])
def test_sums_of_the_covariance_give_the_errors_of_the_whole(size):
    rng = np.random.default_rng(size)
    root = rng.normal(size=(size + 1, size + 1)) * 0.3 + np.eye(size + 1)
    covariance = root @ root.T
    shown = np.arange(size + 1) > 0
    whole = Means(np.zeros(size + 1), covariance)
    short = Means(np.zeros(size + 1), np.diag(covariance), lambda v: covariance @ v)
    expected = quasi_errors(covariance[1:, 1:])
    np.testing.assert_allclose(whole.comparable(shown), expected)
    np.testing.assert_allclose(short.comparable(shown), expected)
    np.testing.assert_allclose(whole.errors, short.errors)
    np.testing.assert_allclose(whole.errors**2, np.diag(covariance))


def test_of_two_or_where_only_variances_are_known_errors_are_their_roots():
    variances = np.array([0.04, 0.09, 0.25])
    alone = Means(np.zeros(3), variances)
    np.testing.assert_allclose(alone.comparable(np.ones(3, bool)), [0.2, 0.3, 0.5])
    two = Means(np.zeros(3), variances, lambda v: variances * v)
    np.testing.assert_allclose(two.comparable(np.array([True, False, True])), [0.2, 0.5])
    three = two.comparable(np.ones(3, bool))
    np.testing.assert_allclose(three, [0.2, 0.3, 0.5])

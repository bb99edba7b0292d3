"""Polychoric correlations: chances of rectangles, and the highest likelihood by a general search."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from svcmetrics.numeric import polychoric


def test_thresholds_give_back_the_shares_of_any_stack():
    shares = np.array([[[0.2, 0.5, 0.3], [0.1, 0.0, 0.9]]])
    found = polychoric.thresholds(shares)
    expected = stats.norm.ppf([[[0.2, 0.7], [0.1, 0.1]]])
    np.testing.assert_allclose(found, expected)
    ends = polychoric.thresholds(np.array([[0.0, 1.0, 0.0]]))
    np.testing.assert_allclose(ends, [[-10, 10]])


@pytest.mark.parametrize("rho", [-0.95, -0.4, 0.0, 0.6, 0.92, 0.99])
def test_chances_are_those_of_rectangles_below_the_bivariate_normal(rho):
    x, y = np.array([-0.8, 0.4]), np.array([-1.1, 0.2, 1.0])
    found = polychoric.chances(np.array([rho]), x[None], y[None])[0]
    law = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    edge = [np.r_[-10, x, 10], np.r_[-10, y, 10]]
    below = np.array([[law.cdf([a, b]) for b in edge[1]] for a in edge[0]])
    np.testing.assert_allclose(found, np.diff(np.diff(below, axis=0), axis=1), atol=2e-6)
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_counts_of_pairs_leave_out_what_is_missing():
    codes = np.array([[0, 1, -1], [1, 1, 0], [0, -1, 2], [0, 1, 2]])
    found = polychoric.tables(codes, (np.array([0, 0, 1]), np.array([1, 2, 2])))
    assert found[0].tolist() == [[0, 2, 0], [0, 1, 0], [0, 0, 0]]
    assert found[1].tolist() == [[0, 0, 2], [1, 0, 0], [0, 0, 0]]
    assert found[2].tolist() == [[0, 0, 0], [1, 0, 1], [0, 0, 0]]


def test_the_correlation_has_the_highest_likelihood_and_says_where_there_is_none():
    rng = np.random.default_rng(1)
    latent = rng.multivariate_normal([0, 0], [[1, 0.55], [0.55, 1]], 300)
    code = np.stack([np.digitize(latent[:, 0], [-0.5, 0.6]), np.digitize(latent[:, 1], [0, 0.9])])
    count = polychoric.tables(code.T, (np.array([0]), np.array([1])))
    first, second = (polychoric.thresholds(count.sum(axis=k) / 300) for k in (2, 1))

    def minus(rho):
        chance = polychoric.chances(np.array([rho]), first, second)
        return -(count * np.log(chance)).sum()

    rho, done = polychoric.correlations(count, first, second)
    peer = optimize.minimize_scalar(minus, bounds=(-0.99, 0.99), method="bounded",
                                    options={"xatol": 1e-9})  # fmt: skip
    assert done[0] and rho[0] == pytest.approx(peer.x, abs=1e-6)
    none = polychoric.correlations(np.zeros((1, 3, 3)), first, second)
    assert not none[1][0]
    # All on the diagonal: the likelihood grows up to the bound, which is no end of the search.
    equal = np.diag([100.0, 100, 100])[None]
    cut = polychoric.thresholds(np.full((1, 3), 1 / 3))
    rho, done = polychoric.correlations(equal, cut, cut)
    assert not done[0] and rho[0] == pytest.approx(0.9999, abs=1e-4)

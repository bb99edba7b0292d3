"""One common factor: exact loadings, the least squares by a general optimiser, proper ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from svcmetrics.numeric import minres

LOADING = np.array([0.9, 0.7, -0.5, 0.6, 0.4])


def exact(loading=LOADING) -> np.ndarray:
    r = np.outer(loading, loading)
    np.fill_diagonal(r, 1.0)
    return r


def drawn(seed: int, n: int = 60) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 1)) * LOADING + rng.normal(size=(n, 5)) * np.sqrt(1 - LOADING**2)
    return np.corrcoef(x.T)


def misfit(r, loading) -> float:
    rest = r - np.outer(loading, loading)
    return float((rest[np.triu_indices(len(r), 1)] ** 2).sum())


def test_exact_loadings_are_found_and_are_positive_in_sum():
    np.testing.assert_allclose(minres.one_factor(exact()), LOADING, atol=1e-10)
    np.testing.assert_allclose(minres.one_factor(exact(-LOADING)), LOADING, atol=1e-10)
    both = minres.one_factors(np.stack([exact(), exact(LOADING / 2)]))
    np.testing.assert_allclose(both, [LOADING, LOADING / 2], atol=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_residuals_are_as_small_as_a_general_optimiser_makes_them(seed):
    r = drawn(seed)
    found = minres.one_factor(r)
    peer = optimize.minimize(lambda v: misfit(r, v), LOADING, options={"gtol": 1e-10})
    np.testing.assert_allclose(found, peer.x, atol=1e-6)
    assert minres.settled(r, found)
    assert not minres.settled(r, found + 1e-3)
    near = minres.newton(r, found + 0.01, steps=4)
    np.testing.assert_allclose(near, found, atol=1e-9)


def test_a_loading_above_one_is_not_settled():
    loading = np.array([1.1, 0.6, 0.5, 0.4])
    r = np.outer(loading, loading)
    np.fill_diagonal(r, 1.0)
    assert not minres.settled(r, loading)  # no slope, and yet no proper solution
    assert minres.settled(exact(), LOADING)


def test_squared_multiple_correlations_are_those_of_regressions():
    r = drawn(9)
    for k in range(5):
        rest = [j for j in range(5) if j != k]
        expected = r[k, rest] @ np.linalg.solve(r[np.ix_(rest, rest)], r[rest, k])
        assert minres.smc(r)[k] == pytest.approx(expected)
    np.testing.assert_allclose(minres.smc(np.eye(3)), 0.0)


def test_one_singular_curve_does_not_stop_the_others():
    r = np.stack([np.eye(5), exact()])
    found = minres.newton(r, np.stack([np.zeros(5), LOADING + 0.02]), steps=5)
    np.testing.assert_allclose(found[1], LOADING, atol=1e-8)
    np.testing.assert_allclose(found[0], 0.0)

"""Shares of a fit: every order of entry by least squares, relative weights by a singular value split."""

from itertools import permutations

import numpy as np
import pytest

from svcmetrics.numeric import importance


def samples(p, seed=1, n=40, count=3):
    """Covariances of some samples; the last variable is explained."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, n, p)) @ (np.eye(p) + rng.uniform(0, 0.6, (p, p)))
    y = x @ rng.uniform(-0.5, 1, p) + rng.normal(0, 1.5, (count, n))
    data = np.concatenate([x, y[..., None]], axis=2)
    return data, np.stack([np.cov(d.T) for d in data])


def fit(data, chosen):
    """R² by least squares."""
    y = data[:, -1] - data[:, -1].mean()
    x = data[:, list(chosen)] - data[:, list(chosen)].mean(axis=0)
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0] if len(chosen) else y
    return 1 - left @ left / (y @ y)


@pytest.mark.parametrize("p", [1, 2, 3, 5])
def test_the_fit_of_every_subset_is_that_of_least_squares(p):
    data, c = samples(p)
    found = importance.explained(importance.correlations(c))
    assert found.shape == (2**p, 3)
    for subset in range(2**p):
        chosen = [j for j in range(p) if subset >> j & 1]
        assert found[subset] == pytest.approx([fit(d, chosen) for d in data], abs=1e-12)


@pytest.mark.parametrize("p", [1, 2, 4])
def test_a_share_is_the_mean_rise_over_all_orders(p):
    data, c = samples(p, seed=2)
    found = importance.lmg(importance.correlations(c))
    for d, row in zip(data, found, strict=True):
        told = np.zeros(p)
        orders = list(permutations(range(p)))
        for order in orders:
            for k, j in enumerate(order):
                told[j] += (fit(d, order[: k + 1]) - fit(d, order[:k])) / len(orders)
        assert row == pytest.approx(told)


@pytest.mark.parametrize("p", [1, 2, 4])
def test_relative_weights_go_through_the_nearest_orthogonal_variables(p):
    """Johnson 2000: Z = P Q' of the split X = P D Q' of standardised predictors."""
    data, c = samples(p, seed=3)
    found = importance.johnson(importance.correlations(c))
    for d, row in zip(data, found, strict=True):
        x = (d - d.mean(axis=0)) / (d.std(axis=0) * np.sqrt(len(d)))
        left, size, right = np.linalg.svd(x[:, :-1], full_matrices=False)
        near = left @ right
        beta = near.T @ x[:, -1]
        link = near.T @ x[:, :-1]
        assert row == pytest.approx((link.T**2) @ beta**2)
        assert row.sum() == pytest.approx(fit(d, range(p)))
        assert size.min() > 0


def test_a_constant_has_no_correlation():
    c = np.array([[[4.0, 1, 0], [1, 1, 0], [0, 0, 0]]])
    found = importance.correlations(c)[0]
    assert found[:2, :2] == pytest.approx(np.array([[1, 0.5], [0.5, 1]]))
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()

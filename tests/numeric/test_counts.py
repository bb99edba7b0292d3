"""Counts over time: score equations of the Poisson likelihood, Newey and West by double sums."""

import numpy as np
import pytest
from scipy import optimize

from svcmetrics.numeric import counts

RNG = np.random.default_rng(1)
X = np.column_stack([np.ones(30), np.arange(30) / 10, np.arange(30) > 17])
OFFSET = np.log(RNG.uniform(5, 40, 30))
Y = RNG.poisson(np.exp(X @ [0.2, -0.3, 0.5] + OFFSET)).astype(float)
Y[3] = 0.0


def test_the_highest_likelihood_and_its_information():
    fit = counts.poisson(Y, X, OFFSET)
    mu = np.exp(X @ fit.beta + OFFSET)
    assert fit.fitted == pytest.approx(mu)
    assert (X.T @ Y).tolist() == pytest.approx((X.T @ mu).tolist())
    other = optimize.minimize(
        lambda b: (np.exp(X @ b + OFFSET) - Y * (X @ b)).sum(), np.zeros(3), method="BFGS"
    )
    assert fit.beta == pytest.approx(other.x, abs=1e-4)
    assert fit.covariance == pytest.approx(np.linalg.inv(X.T @ np.diag(mu) @ X))
    assert fit.df == 27
    assert fit.dispersion == pytest.approx(((Y - mu) ** 2 / mu).sum() / 27)


def test_nothing_left_over_has_no_dispersion():
    y = np.array([3.0, 5.0])
    fit = counts.poisson(y, np.eye(2), np.zeros(2))
    assert np.exp(fit.beta) == pytest.approx(y)
    assert fit.df == 0
    assert np.isnan(fit.dispersion)
    one = counts.poisson(np.array([3.0, 5.0]), np.ones((2, 1)), np.zeros(2))
    assert one.dispersion == pytest.approx(1 / 4 + 1 / 4)
    same = counts.autocorrelated(fit, y + 1, np.eye(2), 0)  # no ratings to spare: no factor but n
    assert same == pytest.approx(2 * np.diag(1 / y**2))


@pytest.mark.parametrize("lags", [0, 1, 4])
def test_neighbouring_errors_by_a_double_sum(lags):
    fit = counts.poisson(Y, X, OFFSET)
    away = Y - fit.fitted
    meat = np.zeros((3, 3))
    for s in range(30):
        for t in range(30):
            if abs(s - t) <= lags:
                meat += (1 - abs(s - t) / (lags + 1)) * away[s] * away[t] * np.outer(X[s], X[t])
    told = fit.covariance @ meat @ fit.covariance * 30 / 27
    assert counts.autocorrelated(fit, Y, X, lags) == pytest.approx(told)


def test_harmonics_of_a_year():
    found = counts.harmonics(np.array([0.0, 3.0, 4.0]), 12.0, 2)
    half = np.sqrt(3) / 2
    told = [[0, 0, 1, 1], [1, 0, 0, -1], [half, -half, -0.5, -0.5]]
    assert found == pytest.approx(np.array(told), abs=1e-12)

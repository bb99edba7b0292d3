"""Weights of adjusted and shrunken means: generalised least squares and prediction by whole matrices."""

from __future__ import annotations

import numpy as np
import pytest

from svcmetrics.numeric import leaning

VARIANCES = {"rater": 0.6, "pair": 0.3, "residual": 1.2, "target": 0.8}


def data():
    rng = np.random.default_rng(5)
    target, rater = rng.integers(0, 4, 40), rng.integers(0, 7, 40)
    target[:4], rater[:7] = np.arange(4), np.arange(7)
    return target, rater, np.r_[[0, 1, 2], rng.integers(0, 3, 37)]


def covariance(target, rater, variances):
    pair = rater * 10 + target
    v = variances["residual"] * np.eye(len(target))
    v += variances.get("pair", 0) * (pair[:, None] == pair)
    return v + variances.get("rater", 0) * (rater[:, None] == rater)


@pytest.mark.parametrize("drop", [(), ("pair",), ("rater", "pair")])
@pytest.mark.parametrize("beside", [True, False])
def test_adjusted_means_are_generalised_least_squares(drop, beside):
    target, rater, wave = data()
    variances = {k: v for k, v in VARIANCES.items() if k not in drop}
    x = np.eye(4)[target]
    if beside:
        x = np.hstack([x, np.eye(3)[wave][:, 1:]])
    w = np.linalg.inv(covariance(target, rater, variances))
    solution = np.linalg.solve(x.T @ w @ x, x.T @ w)
    expected = solution[:4]
    if beside:  # at the mean wave of all forms
        expected = expected + np.eye(3)[wave][:, 1:].mean(axis=0) @ solution[4:]
    found = leaning.adjusted_rows(target, rater, [wave] if beside else [], variances)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    np.testing.assert_allclose(found @ x[:, :4], np.eye(4), atol=1e-9)


@pytest.mark.parametrize("own", [0.8, 0.0])
@pytest.mark.parametrize("beside", [True, False])
def test_shrunken_means_are_best_predictions(own, beside):
    target, rater, wave = data()
    variances = {**VARIANCES, "target": own}
    z = np.eye(4)[target]
    v = covariance(target, rater, variances) + own * z @ z.T
    x = np.ones((40, 1))
    if beside:
        level = np.eye(3)[wave][:, 1:]
        x = np.hstack([x, level - level.mean(axis=0)])
    w = np.linalg.inv(v)
    known = np.linalg.solve(x.T @ w @ x, x.T @ w)
    expected = known[0] + own * z.T @ w @ (np.eye(40) - x @ known)
    found = leaning.shrunken_rows(target, rater, [wave] if beside else [], variances)
    np.testing.assert_allclose(found, expected, atol=1e-9)

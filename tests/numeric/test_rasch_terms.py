"""Chances and moments of single ratings by definition, posteriors by fine integration."""

from __future__ import annotations

import numpy as np
import pytest

from svcmetrics.numeric import rasch, rasch_quadrature, rasch_terms

STEPS = np.array([[-1.1, 0.2, 0.7], [-0.3, -0.2, 0.9]])


def chances(place, steps):
    log = np.array([k * place - steps[:k].sum() for k in range(len(steps) + 1)])
    return np.exp(log - log.max()) / np.exp(log - log.max()).sum()


@pytest.mark.parametrize("size", [1.0, 90.0, 400.0])
@pytest.mark.parametrize("sets", [1, 2])
def test_chances_are_those_of_the_partial_credit_model_however_far_out(size, sets):
    rng = np.random.default_rng(1)
    place, group = rng.normal(size=20) * size, rng.integers(0, sets, 20)
    found = rasch_terms.chances(place, STEPS[:sets], group)
    expected = np.array([chances(v, STEPS[g]) for v, g in zip(place, group, strict=True)]).T
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("cut", [3, 4096])
@pytest.mark.parametrize("sets", [1, 2])
def test_sums_of_moments_are_those_of_each_rating(monkeypatch, cut, sets):
    monkeypatch.setattr(rasch_terms, "_AT_ONCE", cut)
    rng = np.random.default_rng(2)
    n, k = 13, np.arange(4)
    place, group, x = rng.normal(size=n), rng.integers(0, sets, n), rng.integers(0, 4, n)
    weight = rng.uniform(0.5, 2, n)
    found = rasch_terms.swept(place, STEPS[:sets], group, x, weight, third=True)
    reached, block = np.zeros((sets, 3)), np.zeros((sets, 3, 3))
    for i in range(n):
        p = chances(place[i], STEPS[group[i]])
        mean = p @ k
        above = np.array([p[m:].sum() for m in (1, 2, 3)])
        indicator = (k >= np.arange(1, 4)[:, None]).astype(float)
        away = k - mean
        with_x = indicator @ (p * away)
        variance = p @ away**2
        w = weight[i]
        np.testing.assert_allclose(found.columns[i], w * np.r_[x[i] - mean, variance, -with_x])
        squared = indicator @ (p * (away**2 - variance))
        np.testing.assert_allclose(found.third[i], w * np.r_[p @ away**3, -squared], atol=1e-12)
        reached[group[i]] += w * above
        block[group[i]] += w * (indicator * p @ indicator.T - np.outer(above, above))
    np.testing.assert_allclose(found.reached, reached)
    np.testing.assert_allclose(found.block, block)
    plain = rasch_terms.swept(place, STEPS[:sets], group, x, weight)
    assert plain.third.size == 0


def data():
    rng = np.random.default_rng(3)
    target, rater = (v.ravel() for v in np.indices((4, 3)))
    x = rng.integers(0, 4, 12)
    return rasch.Data(x, target, (rater,), (4, 3), np.zeros(12, int), 3, rng.uniform(0.5, 1.5, 12))


def test_posteriors_of_targets_are_those_of_fine_integration():
    d, rater, steps = data(), np.array([0.3, -0.5, 0.2]), STEPS[:1]
    mean, sd = 0.4, 1.3
    state = rasch_quadrature.State([np.zeros(4), -rater], steps, mean, sd, np.full(4, 0.8))
    found = rasch_quadrature.quadrature(d, state)
    grid = np.linspace(-12, 12, 4001)
    density = np.exp(-(((grid - mean) / sd) ** 2) / 2) / sd / np.sqrt(2 * np.pi)
    deviance = 0.0
    for t in range(4):
        like = density.copy()
        for i in np.flatnonzero(d.target == t):
            place = grid - rater[d.others[0][i]]
            power = np.exp(np.arange(4) * place[:, None] - np.r_[0, np.cumsum(STEPS[0])])
            like *= (power[:, d.x[i]] / power.sum(axis=1)) ** d.times[i]
        whole = np.trapezoid(like, grid)
        middle = np.trapezoid(grid * like, grid) / whole
        wide = np.sqrt(np.trapezoid((grid - middle) ** 2 * like, grid) / whole)
        assert found.mean[t] == pytest.approx(middle, abs=1e-6)
        assert found.spread[t] == pytest.approx(wide, abs=1e-6)
        deviance -= 2 * np.log(whole)
    assert found.deviance == pytest.approx(deviance, abs=1e-6)
    same = rasch_quadrature.quadrature(d, state, np.linspace(-8, 8, 401))
    np.testing.assert_allclose(same.mean, found.mean, atol=1e-6)
    assert same.deviance == pytest.approx(deviance, abs=1e-5)
    np.testing.assert_allclose(found.chance.sum(axis=1), 1.0)

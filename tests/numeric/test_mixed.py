"""Variance components: printed tables, the likelihood written out, zero variances, refusals."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from svcmetrics.numeric import mixed_collapse, mixed_search
from svcmetrics.numeric.mixed import NoSpread, NotIdentified, Singular, TooLarge, reml

PRINTED = tomllib.loads((Path(__file__).parents[1] / "published" / "mixed.toml").read_text("utf-8"))


def coded(*columns):
    return [np.unique(c, return_inverse=True)[1] for c in columns]


def written_out(variances, y, factors, X, weights, restricted=True):
    """−2 log likelihood with the whole covariance matrix, straight from the definition."""
    V = np.diag(variances[-1] / weights)
    for v, codes in zip(variances[:-1], factors, strict=True):
        V += v * (codes[:, None] == codes)
    W = np.linalg.inv(V)
    A = X.T @ W @ X
    b = np.linalg.solve(A, X.T @ W @ y)
    r = y - X @ b
    n = len(y) - (X.shape[1] if restricted else 0)
    out = np.linalg.slogdet(V)[1] + r @ W @ r + n * np.log(2 * np.pi)
    return out + (np.linalg.slogdet(A)[1] if restricted else 0.0), b


def test_dyestuff():
    case = PRINTED["dyestuff"]
    fit = reml(np.ravel(case["batch"]), [np.repeat(np.arange(6), 5)])
    assert fit.variances == pytest.approx(case["variances"], abs=0.005)
    assert fit.criterion == pytest.approx(case["criterion"], abs=5e-5)
    assert fit.coefficients[0] == pytest.approx(case["mean"])


def test_pastes_nested():
    case = PRINTED["pastes"]
    y = np.ravel(case["batch"])
    fit = reml(y, [np.repeat(np.arange(10), 6), np.repeat(np.arange(30), 2)])
    assert fit.variances == pytest.approx(case["variances"], abs=0.0005)
    assert fit.criterion == pytest.approx(case["criterion"], abs=5e-5)


@pytest.mark.parametrize("seed", range(16))
def test_it_finds_the_maximum_of_the_likelihood_written_out(seed):
    rng = np.random.default_rng(seed)
    n = 70
    a, b = rng.integers(0, 8, n), rng.integers(0, 6, n)
    factors = coded(*[[a, b], [a, a * 3 + rng.integers(0, 3, n)], [a, b, a * 6 + b % 3]][seed % 3])
    y = 5 + rng.normal(0, 1, n)
    for codes in factors:
        y += rng.choice([0, 0.5, 1.5]) * rng.normal(0, 1, codes.max() + 1)[codes]
    X = np.column_stack([np.ones(n), rng.normal(size=n)])
    weights = rng.uniform(0.5, 2, n) if seed % 2 else np.ones(n)
    restricted = seed % 5 > 0
    fit = reml(y, factors, X, weights=weights if seed % 2 else None, restricted=restricted)
    value, b = written_out(fit.variances, y, factors, X, weights, restricted)
    assert fit.converged
    assert fit.criterion == pytest.approx(value, abs=1e-6)
    assert fit.coefficients == pytest.approx(b, abs=1e-6)
    for i in range(len(fit.variances)):
        for factor in (0.99, 1.01):
            near = fit.variances.copy()
            near[i] = near[i] * factor if near[i] > 0 else 1e-3 * fit.residual
            assert written_out(near, y, factors, X, weights, restricted)[0] > value - 1e-9


def test_prediction_error_variances_equal_those_written_out():
    rng = np.random.default_rng(4)
    n = 60
    a, b = coded(rng.integers(0, 7, n), rng.integers(0, 5, n))
    y = rng.normal(0, 1, n) + rng.normal(0, 1, 7)[a] + rng.normal(0, 1, 5)[b]
    fit = reml(y, [a, b])
    Z = np.column_stack([np.eye(7)[a], np.eye(5)[b], np.ones(n)])
    ridge = np.r_[np.full(7, 1 / fit.variances[0]), np.full(5, 1 / fit.variances[1]), 0]
    inverse = np.linalg.inv(Z.T @ Z / fit.residual + np.diag(ridge))
    assert np.concatenate(fit.prediction_variances) == pytest.approx(np.diag(inverse)[:-1])
    assert fit.coefficient_covariance[0, 0] == pytest.approx(inverse[-1, -1])
    both = fit.joint_covariance(1)
    assert both == pytest.approx(inverse[np.ix_([12, *range(7, 12)], [12, *range(7, 12)])])


def test_blocks_and_diagonal_give_the_same(monkeypatch):
    rng = np.random.default_rng(9)
    r, t, i = (x.ravel() for x in np.indices((12, 5, 4)))
    factors = [t, r, r * 5 + t, r * 4 + i]
    y = rng.normal(0, 1, len(r)) + rng.normal(0, 1, 12)[r] + rng.normal(0, 0.6, 60)[r * 5 + t]
    monkeypatch.setattr(mixed_collapse, "choose", lambda f, s, p: (1, 2, 3))
    blocks = reml(y, factors)
    monkeypatch.setattr(mixed_collapse, "choose", lambda f, s, p: (2,))
    plain = reml(y, factors)
    assert len(blocks._data.eliminated) == 3
    assert blocks.criterion == pytest.approx(plain.criterion, abs=1e-8)
    for one, two in zip(blocks.prediction_variances, plain.prediction_variances, strict=True):
        assert one == pytest.approx(two, rel=1e-5, abs=1e-9)


def test_a_variance_at_zero_is_found_and_said():
    a = np.repeat(np.arange(6), 5)
    y = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 6)  # equal means: less spread between than expected
    fit = reml(y, [a])
    assert fit.zero.tolist() == [True]
    assert fit.variances == pytest.approx([0, y.var(ddof=1)])
    assert np.isnan(fit.covariance[0, 0])
    assert (fit.effects[0] == 0).all()


def test_the_general_optimiser_finds_the_same(monkeypatch):
    case = PRINTED["pastes"]
    y, factors = np.ravel(case["batch"]), [np.repeat(np.arange(10), 6), np.repeat(np.arange(30), 2)]
    monkeypatch.setattr(mixed_search, "_STEPS", 1)
    fit = reml(y, factors, start=np.array([1.0, 1.0, 1.0]))
    assert fit.variances == pytest.approx(case["variances"], abs=0.001)


def test_a_held_variance_stays():
    y = np.ravel(PRINTED["dyestuff"]["batch"])
    fit = reml(y, [np.repeat(np.arange(6), 5)], held={0: 1000.0})
    assert fit.variances[0] == 1000.0
    assert fit.criterion > PRINTED["dyestuff"]["criterion"]


def test_what_cannot_be_estimated_is_refused():
    n = 30
    a, y = np.repeat(np.arange(6), 5), np.random.default_rng(1).normal(size=n)
    for factors, other in (([a, 5 - a], 0), ([np.zeros(n, int)], None), ([np.arange(n)], None)):
        with pytest.raises(NotIdentified) as error:
            reml(y, factors)
        assert error.value.other == other
    with pytest.raises(NoSpread):
        reml(np.full(n, 4.0), [a])
    with pytest.raises(Singular):
        reml(y, [a], np.ones((n, 2)))


def test_a_model_without_residual_says_so():
    y = np.repeat(np.add.outer([1.0, 2.0, 3.5, 4.0], [0.0, 0.5, 0.7]).ravel(), 2)
    fit = reml(y, [np.repeat(np.arange(4), 6), np.tile(np.repeat(np.arange(3), 2), 4)])
    assert fit.perfect


def test_two_huge_crossed_factors_are_refused():
    rng = np.random.default_rng(2)
    a, b = coded(rng.integers(0, 6000, 60_000), rng.integers(0, 6000, 60_000))
    with pytest.raises(TooLarge):
        reml(rng.normal(size=60_000), [a, b])


def test_two_hundred_thousand_raters():
    rng = np.random.default_rng(3)
    r = np.repeat(np.arange(200_000), 2)
    t = rng.integers(0, 12, len(r))
    y = rng.normal(0, 1, len(r)) + rng.normal(0, 0.5, 200_000)[r] + np.linspace(-1, 1, 12)[t]
    fit = reml(y, [r, t])
    assert fit.variances[[0, 2]] == pytest.approx([0.25, 1.0], abs=0.02)


@pytest.mark.data
def test_insteval(shared_data):
    """lme4 1.1.31 with a tight optimiser; see the reference beside the data."""
    d = pd.read_csv(shared_data("insteval") / "ratings.csv")
    s, lecturer, dept = coded(d["s"], d["d"], d["dept"])
    y = d["y"].to_numpy("float64")
    fit = reml(y, [s, lecturer])
    assert fit.variances == pytest.approx([0.106214758, 0.273734616, 1.387179640], rel=1e-5)
    assert fit.criterion == pytest.approx(237783.88038798, abs=1e-6)
    assert fit.coefficients[0] == pytest.approx(3.25415829, abs=1e-7)
    X = np.column_stack([np.ones(len(y)), d["service"]])
    fit = reml(y, [s, lecturer, dept], X)
    assert fit.variances == pytest.approx(
        [0.1059979696, 0.265221157, 0.00691207379, 1.38650035671], rel=1e-4
    )
    assert fit.criterion <= 237733.834127519 + 1e-6
    assert fit.coefficients == pytest.approx([3.28258775722831, -0.0926417125797161], rel=1e-6)

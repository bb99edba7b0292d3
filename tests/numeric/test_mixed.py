"""Variance components: printed tables, the likelihood written out, zero variances, refusals."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from svcmetrics.numeric import mixed_collapse, mixed_gram, mixed_search
from svcmetrics.numeric.mixed import NoSpread, NotIdentified, Singular, fit, reml
from svcmetrics.numeric.mixed_collapse import collapse
from svcmetrics.numeric.mixed_intervals import intervals

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
    model = reml(np.ravel(case["batch"]), [np.repeat(np.arange(6), 5)])
    assert model.variances == pytest.approx(case["variances"], abs=0.005)
    assert model.criterion == pytest.approx(case["criterion"], abs=5e-5)
    assert model.coefficients[0] == pytest.approx(case["mean"])


def test_pastes_nested():
    case = PRINTED["pastes"]
    y = np.ravel(case["batch"])
    model = reml(y, [np.repeat(np.arange(10), 6), np.repeat(np.arange(30), 2)])
    assert model.variances == pytest.approx(case["variances"], abs=0.0005)
    assert model.criterion == pytest.approx(case["criterion"], abs=5e-5)


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
    model = reml(y, factors, X, weights=weights if seed % 2 else None, restricted=restricted)
    value, b = written_out(model.variances, y, factors, X, weights, restricted)
    assert model.converged
    assert model.criterion == pytest.approx(value, abs=1e-6)
    assert model.coefficients == pytest.approx(b, abs=1e-6)
    for i in range(len(model.variances)):
        for factor in (0.99, 1.01):
            near = model.variances.copy()
            near[i] = near[i] * factor if near[i] > 0 else 1e-3 * model.residual
            assert written_out(near, y, factors, X, weights, restricted)[0] > value - 1e-9


def test_prediction_error_variances_equal_those_written_out():
    rng = np.random.default_rng(4)
    n = 60
    a, b = coded(rng.integers(0, 7, n), rng.integers(0, 5, n))
    y = rng.normal(0, 1, n) + rng.normal(0, 1, 7)[a] + rng.normal(0, 1, 5)[b]
    model = reml(y, [a, b])
    Z = np.column_stack([np.eye(7)[a], np.eye(5)[b], np.ones(n)])
    ridge = np.r_[np.full(7, 1 / model.variances[0]), np.full(5, 1 / model.variances[1]), 0]
    inverse = np.linalg.inv(Z.T @ Z / model.residual + np.diag(ridge))
    assert np.concatenate(model.prediction_variances) == pytest.approx(np.diag(inverse)[:-1])
    assert model.coefficient_covariance[0, 0] == pytest.approx(inverse[-1, -1])
    weights = rng.normal(size=12)
    for k, own in ((0, slice(0, 7)), (1, slice(7, 12))):
        times = model.covariance_times(k, weights[own])
        assert times == pytest.approx(inverse[own, own] @ weights[own])
    both = model.joint_covariance(1)
    assert both == pytest.approx(inverse[np.ix_([12, *range(7, 12)], [12, *range(7, 12)])])


@pytest.mark.parametrize("seed", range(6))
def test_predictions_belong_to_the_variances_found(seed):
    """The search may try other variances last; what it leaves behind must not show."""
    rng = np.random.default_rng(seed)
    a, b = coded(rng.integers(0, 60, 300), rng.integers(0, 20, 300))
    sizes = [a.max() + 1, b.max() + 1]
    model = reml(rng.normal(0, 1, 300) + rng.normal(0, 0.5, sizes[1])[b], [a, b])
    used = [k for k in (0, 1) if not model.zero[k]]
    Z = np.column_stack([*(np.eye(sizes[k])[(a, b)[k]] for k in used), np.ones(300)])
    ridge = [np.full(sizes[k], 1 / model.variances[k]) for k in used]
    inverse = np.linalg.inv(Z.T @ Z / model.residual + np.diag(np.r_[*ridge, 0]))
    found = np.concatenate([model.prediction_variances[k] for k in used])
    assert found == pytest.approx(np.diag(inverse)[:-1], rel=1e-6)
    shared = np.concatenate([model.fixed_covariance(k)[:, 0] for k in used])
    assert shared == pytest.approx(inverse[:-1, -1], rel=1e-5)


def test_blocks_and_diagonal_give_the_same(monkeypatch):
    rng = np.random.default_rng(9)
    r, t, i = (x.ravel() for x in np.indices((12, 5, 4)))
    factors = [t, r, r * 5 + t, r * 4 + i]
    y = rng.normal(0, 1, len(r)) + rng.normal(0, 1, 12)[r] + rng.normal(0, 0.6, 60)[r * 5 + t]
    monkeypatch.setattr(mixed_collapse, "choose", lambda f, s, p, keep: (1, 2, 3))
    blocks = reml(y, factors)
    monkeypatch.setattr(mixed_collapse, "choose", lambda f, s, p, keep: (2,))
    plain = reml(y, factors)
    assert len(blocks._data.eliminated) == 3
    assert blocks.criterion == pytest.approx(plain.criterion, abs=1e-8)
    for one, two in zip(blocks.prediction_variances, plain.prediction_variances, strict=True):
        assert one == pytest.approx(two, rel=1e-5, abs=1e-9)


def test_a_variance_at_zero_is_found_and_said():
    a = np.repeat(np.arange(6), 5)
    y = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 6)  # equal means: less spread between than expected
    model = reml(y, [a])
    assert model.zero.tolist() == [True]
    assert model.variances == pytest.approx([0, y.var(ddof=1)])
    assert np.isnan(model.covariance[0, 0])
    assert (model.effects[0] == 0).all()


def test_the_general_optimiser_finds_the_same(monkeypatch):
    case = PRINTED["pastes"]
    y, factors = np.ravel(case["batch"]), [np.repeat(np.arange(10), 6), np.repeat(np.arange(30), 2)]
    monkeypatch.setattr(mixed_search, "_STEPS", 1)
    data = collapse(y, factors, [10, 30], np.ones((60, 1)), None)
    found = fit(data, start=np.array([1.0, 1.0, 1.0]))
    assert found.variances == pytest.approx(case["variances"], abs=0.001)


def test_a_held_variance_stays():
    y = np.ravel(PRINTED["dyestuff"]["batch"])
    data = collapse(y, [np.repeat(np.arange(6), 5)], [6], np.ones((30, 1)), None)
    found = fit(data, held={0: 1000.0})
    assert found.variances[0] == 1000.0
    assert found.criterion > PRINTED["dyestuff"]["criterion"]


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
    model = reml(y, [np.repeat(np.arange(4), 6), np.tile(np.repeat(np.arange(3), 2), 4)])
    assert model.perfect


def test_a_little_residual_is_not_none():
    rng = np.random.default_rng(5)
    a = np.repeat(np.arange(20), 5)
    y = rng.normal(size=20)[a] + 1e-3 * rng.normal(size=100)
    model = reml(y, [a])
    assert not model.perfect and model.residual == pytest.approx(1e-6, rel=0.3)


@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_the_unit_of_measurement_changes_nothing_but_itself(unit):
    rng = np.random.default_rng(6)
    a, b = np.repeat(np.arange(12), 8), np.tile(np.arange(8), 12)
    y = rng.normal(size=8)[b] + rng.normal(size=96)
    y -= (np.bincount(a, y) / 8)[a]  # equal means: no variance of this factor
    one, other = reml(y, [a, b]), reml(unit * y, [a, b])
    assert one.zero.tolist() == other.zero.tolist() == [True, False]
    assert other.variances == pytest.approx(unit**2 * one.variances, rel=1e-6)
    assert other.criterion == pytest.approx(one.criterion + 2 * 95 * np.log(unit), abs=1e-5)


def test_two_hundred_thousand_raters():
    rng = np.random.default_rng(3)
    r = np.repeat(np.arange(200_000), 2)
    t = rng.integers(0, 12, len(r))
    y = rng.normal(0, 1, len(r)) + rng.normal(0, 0.5, 200_000)[r] + np.linspace(-1, 1, 12)[t]
    model = reml(y, [r, t])
    assert model.variances[[0, 2]] == pytest.approx([0.25, 1.0], abs=0.02)


def test_profile_intervals():
    """lme4 reads its limits off a spline, here they are solved: they differ by up to 0.0003."""
    case = PRINTED["pastes"]
    factors = [np.repeat(np.arange(10), 6), np.repeat(np.arange(30), 2)]
    low, high, how = intervals(reml(np.ravel(case["batch"]), factors, restricted=False))
    assert how == "profile"
    assert np.sqrt(np.stack([low, high], 1)) == pytest.approx(np.array(case["profile"]), abs=3e-4)


@pytest.mark.data
def test_insteval(shared_data):
    """lme4 1.1.31 with a tight optimiser; see the reference beside the data."""
    d = pd.read_csv(shared_data("insteval") / "ratings.csv")
    s, lecturer, dept = coded(d["s"], d["d"], d["dept"])
    y = d["y"].to_numpy("float64")
    model = reml(y, [s, lecturer])
    assert model.variances == pytest.approx([0.106214758, 0.273734616, 1.387179640], rel=1e-5)
    assert model.criterion == pytest.approx(237783.88038798, abs=1e-6)
    assert model.coefficients[0] == pytest.approx(3.25415829, abs=1e-7)
    X = np.column_stack([np.ones(len(y)), d["service"]])
    model = reml(y, [s, lecturer, dept], X)
    assert model.variances == pytest.approx(
        [0.1059979696, 0.265221157, 0.00691207379, 1.38650035671], rel=1e-4
    )
    assert model.criterion <= 237733.834127519 + 1e-6
    assert model.coefficients == pytest.approx([3.28258775722831, -0.0926417125797161], rel=1e-6)


@pytest.mark.parametrize("share", [0.02, 0.9])
def test_a_weighted_product_of_few_and_of_many_entries_is_that_of_the_whole_matrix(share):
    rng = np.random.default_rng(3)
    whole = np.where(rng.random((40, 9)) < share, rng.integers(1, 5, (40, 9)), 0).astype(float)
    weight = rng.random(40)
    rows = sparse.csr_array(whole)
    np.testing.assert_allclose(mixed_gram._product(rows, weight), whole.T * weight @ whole)
    np.testing.assert_allclose(mixed_gram._product(rows, None), whole.T @ whole)
    np.testing.assert_array_equal(rows.toarray(), whole)


def test_every_way_to_weight_cross_products_gives_the_same(monkeypatch):
    rng = np.random.default_rng(11)
    n = 6000
    a, b = coded(rng.integers(0, 400, n), rng.integers(0, 30, n))
    y = rng.normal(3, 1, n)
    data = collapse(y, [a, b], [400, 30], np.column_stack([np.ones(n), y**2]), None)
    N, d = data.cross.toarray(), data.counts
    monkeypatch.setattr(mixed_gram, "_PAIRS", 0)
    values = np.unique(d)
    assert len(values) < 40
    ways = [
        mixed_gram.Pairs(d, data.cross),
        mixed_gram.Folded(d, data.cross, values, mixed_gram._basis(values)),
        mixed_gram.gram(d, data.cross),
        mixed_gram.Anew(d, data.cross),
    ]
    for ridge in (1e-7, 0.3, 8.0, 1e4, 1e9):
        for power in (1, 2):
            whole = N.T @ np.diag((d + ridge) ** -float(power)) @ N
            scale = np.sqrt(np.outer(np.diag(whole), np.diag(whole)))
            for way in ways:
                assert np.abs((way.at(ridge, power) - whole) / scale).max() < 1e-11

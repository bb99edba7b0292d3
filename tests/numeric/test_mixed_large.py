"""Two large crossed factors: against the dense method, against what was put in, and its errors."""

import numpy as np
import pytest

from svcmetrics.numeric import conjugate, mixed_collapse
from svcmetrics.numeric.mixed import Singular, TooLarge, reml


def crossed(n, sizes, sds, seed=1):
    rng = np.random.default_rng(seed)
    factors = [np.unique(rng.integers(0, k, n), return_inverse=True)[1] for k in sizes]
    y = 3 + rng.normal(0, sds[-1], n)
    for codes, sd in zip(factors, sds, strict=False):
        y += rng.normal(0, sd, codes.max() + 1)[codes]
    return y, factors, rng


def both(monkeypatch, *data, **options):
    exact = reml(*data, **options)
    monkeypatch.setattr(mixed_collapse, "DENSE_LIMIT", 50)
    drawn = reml(*data, **options)
    assert drawn.drawn
    assert not exact.drawn
    return exact, drawn


@pytest.mark.parametrize(
    ("sizes", "restricted", "weighted"),
    [((900, 300), True, False), ((900, 300), False, True), ((900, 200, 60), True, True)],
)
def test_it_agrees_with_the_dense_method(monkeypatch, sizes, restricted, weighted):
    y, factors, rng = crossed(12_000, sizes, [0.4, 0.3, 0.2, 0.9][-len(sizes) - 1 :])
    X = np.column_stack([np.ones(len(y)), rng.normal(size=len(y))])
    weights = rng.uniform(0.5, 2, len(y)) if weighted else None
    exact, drawn = both(monkeypatch, y, factors, X, weights=weights, restricted=restricted)
    off = np.abs(drawn.variances - exact.variances)
    assert (off < 4 * drawn.simulation_errors).all()
    assert (drawn.simulation_errors < 0.1 * exact.errors).all()
    assert abs(drawn.criterion - exact.criterion) < 4 * drawn.criterion_error
    assert drawn.errors == pytest.approx(exact.errors, rel=0.02)
    assert drawn.coefficients == pytest.approx(exact.coefficients, abs=1e-4)
    assert drawn.coefficient_covariance == pytest.approx(exact.coefficient_covariance, rel=1e-2)
    for k in range(len(sizes)):
        assert drawn.effects[k] == pytest.approx(exact.effects[k], abs=2e-3)
        one, two = drawn.prediction_variances[k], exact.prediction_variances[k]
        assert np.sqrt(np.mean((one / two - 1) ** 2)) < 2 * drawn.spread_error + 0.005
        shared = exact.fixed_covariance(k)
        scale = np.abs(shared).max()
        times = exact.covariance_times(k, np.ones(sizes[k]))
        assert drawn.covariance_times(k, np.ones(sizes[k])) == pytest.approx(times, rel=0.01)
        assert drawn.fixed_covariance(k) == pytest.approx(shared, abs=0.01 * scale)
    assert drawn.joint_covariance(0) is None


def test_the_errors_of_simulation_are_true(monkeypatch):
    """Over many seeds the spread of the estimates is the error that each of them states."""
    y, factors, _ = crossed(4_000, (500, 200), [0.4, 0.3, 0.9])
    exact = reml(y, factors)
    monkeypatch.setattr(mixed_collapse, "DENSE_LIMIT", 50)
    gaps, stated = [], []
    for seed in range(30):
        monkeypatch.setattr("svcmetrics.numeric.mixed_large.SEED", seed)
        model = reml(y, factors)
        gaps.append([*(model.variances - exact.variances), model.criterion - exact.criterion])
        stated.append([*model.simulation_errors, model.criterion_error])
    seen, said = np.sqrt(np.mean(np.square(gaps), 0)), np.mean(stated, 0)
    assert ((seen / said > 0.6) & (seen / said < 1.6)).all()


def test_the_same_data_give_the_same_numbers(monkeypatch):
    monkeypatch.setattr(mixed_collapse, "DENSE_LIMIT", 50)
    y, factors, _ = crossed(3_000, (400, 100), [0.4, 0.3, 0.9])
    one, two = reml(y, factors), reml(y, factors)
    assert one.criterion == two.criterion
    assert (one.variances == two.variances).all()


def test_two_hundred_thousand_raters_of_twenty_thousand_targets():
    y, factors, _ = crossed(600_000, (200_000, 20_000), [0.4, 0.3, 0.9])
    model = reml(y, factors)
    assert model.drawn
    assert model.converged
    true = np.array([0.16, 0.09, 0.81])
    assert (np.abs(model.variances - true) < 4 * model.errors).all()
    assert (model.simulation_errors < 0.1 * model.errors).all()
    assert model.spread_error < 0.1


def test_a_variance_at_zero_is_found_here_too(monkeypatch):
    monkeypatch.setattr(mixed_collapse, "DENSE_LIMIT", 50)
    rng = np.random.default_rng(2)
    rater, target = (x.ravel() for x in np.indices((120, 100)))
    noise = rng.normal(size=(120, 100))
    noise -= noise.mean(axis=1, keepdims=True)
    model = reml(noise.ravel() + rng.normal(size=100)[target], [rater, target])
    assert model.zero.tolist() == [True, False]
    assert model.variances[0] == 0
    assert (model.effects[0] == 0).all()
    assert np.isnan(model.errors[0])


def test_what_cannot_be_estimated_is_refused(monkeypatch):
    monkeypatch.setattr(mixed_collapse, "DENSE_LIMIT", 50)
    y, factors, _ = crossed(3_000, (400, 100), [0.4, 0.3, 0.9])
    with pytest.raises(Singular):
        reml(y, factors, np.ones((len(y), 2)))
    monkeypatch.setattr(mixed_collapse, "_FIXED_LIMIT", 1)
    with pytest.raises(TooLarge):
        reml(y, factors, np.column_stack([np.ones(len(y)), y**2]))


def test_conjugate_gradients_solve_and_know_the_determinant():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(40, 60))
    A = A @ A.T + np.diag(rng.uniform(1, 30, 40))
    b = rng.normal(size=(40, 3))
    found = conjugate.solve(lambda v: A @ v, np.diagonal(A), np.c_[b, np.zeros(40)], 1e-12)
    assert found.solved
    assert found.x[:, :3] == pytest.approx(np.linalg.solve(A, b))
    assert (found.x[:, 3] == 0).all()
    root = np.sqrt(np.diagonal(A))
    values, axes = np.linalg.eigh(A / np.outer(root, root))
    start = b / root[:, None]
    form = ((axes.T @ start) ** 2 * np.log(values)[:, None]).sum(axis=0) / (start**2).sum(axis=0)
    assert found.log_forms()[:3] == pytest.approx(form)

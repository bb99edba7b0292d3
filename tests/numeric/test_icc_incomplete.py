"""Components of incomplete tables by whole matrices; limits of a complete one by the exact ones."""

from __future__ import annotations

import numpy as np
import pytest

from svcmetrics.numeric import icc, icc_incomplete


def by_matrices(y, target, rater):
    """Henderson's third method: sums of squares as traces of projections."""

    def projection(*columns):
        x = np.hstack([np.ones((len(y), 1)), *columns])
        return x @ np.linalg.pinv(x)

    z, u = np.eye(target.max() + 1)[target], np.eye(rater.max() + 1)[rater]
    whole, one, two = projection(z, u), projection(z), projection(u)
    forms = [whole - two, whole - one, np.eye(len(y)) - whole]
    parts = [z @ z.T, u @ u.T, np.eye(len(y))]
    expected = np.array([[np.trace(f @ v) for v in parts] for f in forms])
    both = np.linalg.solve(expected, [y @ f @ y for f in forms])
    forms = [one - np.full((len(y),) * 2, 1 / len(y)), np.eye(len(y)) - one]
    expected = np.array([[np.trace(f @ v) for v in (parts[0], parts[2])] for f in forms])
    return [*both, *np.linalg.solve(expected, [y @ f @ y for f in forms])]


@pytest.mark.parametrize(("targets", "raters"), [(9, 5), (5, 8), (6, 6)])
def test_components_are_those_of_projections(targets, raters):
    rng = np.random.default_rng(targets)
    target, rater = (v.ravel() for v in np.indices((targets, raters)))
    kept = rng.random(len(target)) < 0.75
    kept[(rater == 0) | (target == 0)] = True
    target, rater = target[kept], rater[kept]
    y = rng.normal(size=(3, len(target))) + 1.5 * target - rater
    plan = icc_incomplete.design(target, rater)
    assert plan.rank == targets + raters - 1 and plan.wide == (targets >= raters)
    n = np.bincount(target)
    assert plan.raters_per_target == pytest.approx(targets / (1 / n).sum())
    found = icc_incomplete.henderson(plan, y)
    for k in range(3):
        np.testing.assert_allclose([v[k] for v in found], by_matrices(y[k], target, rater))
    t, r, e, alone, within = (v[0] for v in found)
    expected = [alone / (alone + within), t / (t + r + e), t / (t + e)]
    np.testing.assert_allclose(icc_incomplete.singles(found)[0], expected)


def test_raters_of_one_target_each_leave_the_one_way_form_only():
    target, rater = np.repeat(np.arange(4), 3), np.arange(12)
    y = np.random.default_rng(1).normal(size=12) + target
    found = icc_incomplete.henderson(icc_incomplete.design(target, rater), y)
    assert np.isnan([found.target, found.rater, found.residual]).all()
    between, within = y.reshape(4, 3).mean(axis=1).var(ddof=1), y.reshape(4, 3).var(axis=1, ddof=1)
    assert found.within == pytest.approx(within.mean())
    assert found.target_alone == pytest.approx(between - within.mean() / 3)


@pytest.mark.parametrize("shape", [(12, 4), (5, 9)])
def test_limits_of_a_complete_table_are_the_exact_ones(shape):
    rng = np.random.default_rng(3)
    table = (
        rng.normal(size=shape) + rng.normal(size=(shape[0], 1)) + 0.5 * rng.normal(size=shape[1])
    )
    target, rater = (v.ravel() for v in np.indices(shape))
    plan = icc_incomplete.design(target, rater)
    raw = icc_incomplete.henderson(plan, table.ravel())
    low, high = icc_incomplete.all_limits(plan, raw, 20_000, np.random.default_rng(4))
    exact = icc.six_limits(icc.mean_squares(table))
    for k in (0, 2):  # one-way and consistency: F limits
        assert low[k] == pytest.approx(exact[0][k], abs=0.02)
        assert high[k] == pytest.approx(exact[1][k], abs=0.02)
    # Absolute agreement: McGraw and Wong's limits are an approximation themselves.
    assert low[1] == pytest.approx(exact[0][1], abs=0.12)
    assert high[1] == pytest.approx(exact[1][1], abs=0.12)

"""Drawn sums of squares have the means and covariances that quadratic forms of the ratings have."""

import numpy as np
import pytest

from svcmetrics.numeric import icc_draws, icc_incomplete

DRAWS = 40_000


def plan(targets=7, raters=4, seed=1, missing=0.3):
    rng = np.random.default_rng(seed)
    target, rater = (v.ravel() for v in np.indices((targets, raters)))
    kept = rng.random(len(target)) > missing
    kept[:raters] = True
    kept[rater == 0] = True
    return target[kept], rater[kept]


def projection(x):
    return x @ np.linalg.pinv(x)


def moments(forms, v):
    mean = [np.trace(a @ v) for a in forms]
    return np.array(mean), np.array([[2 * np.trace(a @ v @ b @ v) for b in forms] for a in forms])


def agrees(found, mean, cov):
    """Within some five standard errors of what so many draws tell."""
    sd = np.sqrt(np.diagonal(cov))
    assert found.mean(axis=0) == pytest.approx(mean, abs=5 * sd.max() / np.sqrt(DRAWS))
    assert np.cov(found.T) / np.outer(sd, sd) == pytest.approx(cov / np.outer(sd, sd), abs=0.06)


@pytest.mark.parametrize("level", [1e9, -1e9], ids=("by kind", "by level"))
@pytest.mark.parametrize(
    ("shape", "seed", "variances"),
    [((7, 4), 1, (2.0, 0.7, 1.0)), ((4, 6), 2, (0.5, 2.0, 0.3)), ((6, 3), 3, (0.0, 0.0, 1.0))],
)
def test_sums_of_squares_of_two_sides(level, shape, seed, variances, monkeypatch):
    monkeypatch.setattr(icc_draws, "_LEVEL", level)
    monkeypatch.setattr(icc_draws, "_BLOCK", 100_000)  # several parts
    target, rater = plan(*shape, seed)
    sides = icc_incomplete.design(target, rater).sides
    one, two = np.eye(shape[0])[target], np.eye(shape[1])[rater]
    large, small = (one, two) if shape[0] >= shape[1] else (two, one)
    swept, kept, residual = variances
    v = swept * large @ large.T + kept * small @ small.T + residual * np.eye(len(target))
    n = len(target)
    forms = [
        a - np.ones((n, n)) / n
        for a in (
            np.eye(n),
            projection(large),
            projection(small),
            projection(np.hstack([one, two])),
        )
    ]
    parts = icc_draws.sums_of_squares(sides, swept, kept, residual, DRAWS, np.random.default_rng(4))
    parts = list(parts)
    assert len(parts) > 1
    found = np.concatenate([np.stack(part, axis=1) for part in parts])
    assert len(found) == DRAWS
    agrees(found, *moments(forms, v))
    assert (found[:, 0] >= found[:, 3]).all()
    assert (found[:, 3] >= found[:, 1] - 1e-9).all()
    assert (found[:, 3] >= found[:, 2] - 1e-9).all()


def test_both_ways_are_chosen_by_what_they_cost():
    target, rater = plan(60, 3, 5)
    sides = icc_incomplete.design(target, rater).sides
    assert icc_draws._alike(sides, 10_000) is not None  # sixty levels of three kinds
    wide = icc_incomplete.design(*plan(30, 25, 6)).sides
    assert icc_draws._alike(wide, 100) is None


@pytest.mark.parametrize("ratings", [[3, 3, 3, 3], [1, 2, 2, 5, 4], [1, 1, 1, 2]])
def test_sums_of_squares_of_one_side(ratings):
    ratings = np.array(ratings, float)
    level = np.repeat(np.arange(len(ratings)), ratings.astype(int))
    x, n = np.eye(len(ratings))[level], len(level)
    v = 1.5 * x @ x.T + 0.8 * np.eye(n)
    forms = [projection(x) - np.ones((n, n)) / n, np.eye(n) - projection(x)]
    drawn = icc_draws.alone(ratings, 1.5, 0.8, DRAWS, np.random.default_rng(7))
    agrees(np.stack(drawn, axis=1), *moments(forms, v))

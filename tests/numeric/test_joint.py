"""Draws of errors have the moments they are to have; composites of draws are those of each draw alone."""

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import joint

COVARIANCE = np.array([[4.0, 1.5, 0.0], [1.5, 1.0, -0.3], [0.0, -0.3, 0.25]])


def test_normal_draws_have_the_covariance_asked_for():
    draws = joint.multivariate(COVARIANCE, np.inf, 40_000, np.random.default_rng(3))
    assert draws.shape == (40_000, 3)
    assert draws.mean(axis=0) == pytest.approx([0, 0, 0], abs=0.03)
    assert np.cov(draws.T) == pytest.approx(COVARIANCE, abs=0.06)
    assert stats.kurtosis(draws[:, 0]) == pytest.approx(0, abs=0.12)


def test_a_covariance_without_full_rank_is_drawn_within_its_plane():
    both = np.array([[1.0, 2.0], [2.0, 4.0]])
    draws = joint.multivariate(both, np.inf, 200, np.random.default_rng(4))
    assert draws[:, 1] == pytest.approx(2 * draws[:, 0])
    assert draws[:, 0].std() == pytest.approx(1, abs=0.15)


def test_t_draws_share_one_stretch_and_have_the_tails_of_t():
    df = 9.0
    draws = joint.multivariate(COVARIANCE, df, 60_000, np.random.default_rng(5))
    assert np.cov(draws.T) == pytest.approx(COVARIANCE * df / (df - 2), rel=0.06, abs=0.06)
    for k in range(3):  # far out, where a normal error would hardly come
        scaled = draws[:, k] / np.sqrt(COVARIANCE[k, k])
        for q in (0.01, 0.25, 0.9, 0.99):
            assert (scaled < stats.t.ppf(q, df)).mean() == pytest.approx(q, abs=0.006)
    # Uncorrelated but not independent: a draw that is large in one is large in the other, too.
    large = np.abs(draws[:, 0]) > 4 * 2
    assert (np.abs(draws[large, 2]) > 2 * 0.5).mean() > 1.5 * (np.abs(draws[:, 2]) > 2 * 0.5).mean()


def test_two_pieces_have_the_limits_asked_for_on_either_side():
    down, up = np.array([1.0, 3.0]), np.array([2.0, 0.5])
    draws = joint.two_pieces(down, up, (50_000, 2), np.random.default_rng(6))
    for k in range(2):
        low, middle, high = np.quantile(draws[:, k], [0.025, 0.5, 0.975])
        assert (low, middle, high) == pytest.approx((-down[k], 0, up[k]), abs=0.05)
        assert draws[:, k].max() == pytest.approx(up[k] * 4 / 1.96, rel=0.35)


def by_hand(values, used, weights, method):
    """One draw of one target."""
    known = [(v, max(w, 1e-9)) for v, u, w in zip(values, used, weights, strict=True) if u]
    if method == "minimum":
        return min(v for v, _ in known)
    total = sum(w for _, w in known)
    if method == "arithmetic":
        return sum(v * w for v, w in known) / total
    return np.prod([max(v, 0.0) ** (w / total) for v, w in known])


@pytest.mark.parametrize("method", ["arithmetic", "geometric", "minimum"])
@pytest.mark.parametrize("cells", [4_000_000, 7])
def test_a_composite_of_draws_is_that_of_each_draw(method, cells, monkeypatch):
    monkeypatch.setattr(joint, "_CELLS", cells)
    rng = np.random.default_rng(7)
    x = rng.uniform(2, 9, (3, 4))
    x[0, 1] = 0.0
    errors = [rng.normal(0, 0.5, (11, 3)) for _ in range(4)]
    errors[1][:, 0] = -1.0  # below nought: counts as nought in a product
    used = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 1]], dtype=bool)
    weights = rng.uniform(0, 2, (11, 4))
    weights[3] = [0, 0, 1, 0]  # no weight on the only indicator of the last target
    x[~used] = np.nan  # not known, and so not counted
    found = joint.composites(x, errors, used, weights, method)
    told = [
        [
            by_hand([x[t, j] + errors[j][d, t] for j in range(4)], used[t], weights[d], method)
            for t in range(3)
        ]
        for d in range(11)
    ]
    assert found == pytest.approx(np.array(told), abs=1e-12)
    if method == "geometric":
        assert (found[:, 0] == 0).all()


@pytest.mark.parametrize("method", ["arithmetic", "geometric", "minimum"])
def test_a_single_indicator_is_the_composite(method):
    x, error = np.array([[5.0], [2.0]]), np.array([[0.5, -0.5], [1.0, 0.0]])
    found = joint.composites(x, [error], np.ones((2, 1), bool), np.ones((2, 1)), method)
    assert found == pytest.approx(np.array([[5.5, 1.5], [6.0, 2.0]]))

"""Polychoric correlations: chances of rectangles, and the highest likelihood by a general search."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from svcmetrics.numeric import polychoric


def test_thresholds_give_back_the_shares_of_any_stack():
    shares = np.array([[[0.2, 0.5, 0.3], [0.1, 0.0, 0.9]]])
    found = polychoric.thresholds(shares)
    expected = stats.norm.ppf([[[0.2, 0.7], [0.1, 0.1]]])
    np.testing.assert_allclose(found, expected)
    ends = polychoric.thresholds(np.array([[0.0, 1.0, 0.0]]))
    np.testing.assert_allclose(ends, [[-10, 10]])


@pytest.mark.parametrize("rho", [-0.95, -0.4, 0.0, 0.6, 0.92, 0.99])
def test_chances_are_those_of_rectangles_below_the_bivariate_normal(rho):
    x, y = np.array([-0.8, 0.4]), np.array([-1.1, 0.2, 1.0])
    found = polychoric.chances(np.array([rho]), x[None], y[None])[0]
    law = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    edge = [np.r_[-10, x, 10], np.r_[-10, y, 10]]
    below = np.array([[law.cdf([a, b]) for b in edge[1]] for a in edge[0]])
    np.testing.assert_allclose(found, np.diff(np.diff(below, axis=0), axis=1), atol=2e-6)
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_counts_of_pairs_leave_out_what_is_missing():
    codes = np.array([[0, 1, -1], [1, 1, 0], [0, -1, 2], [0, 1, 2]])
    found = polychoric.tables(codes, (np.array([0, 0, 1]), np.array([1, 2, 2])))
    assert found[0].tolist() == [[0, 2, 0], [0, 1, 0], [0, 0, 0]]
    assert found[1].tolist() == [[0, 0, 2], [1, 0, 0], [0, 0, 0]]
    assert found[2].tolist() == [[0, 0, 0], [1, 0, 1], [0, 0, 0]]


def test_the_correlation_has_the_highest_likelihood_and_says_where_there_is_none():
    rng = np.random.default_rng(1)
    latent = rng.multivariate_normal([0, 0], [[1, 0.55], [0.55, 1]], 300)
    code = np.stack([np.digitize(latent[:, 0], [-0.5, 0.6]), np.digitize(latent[:, 1], [0, 0.9])])
    count = polychoric.tables(code.T, (np.array([0]), np.array([1])))
    first, second = (polychoric.thresholds(count.sum(axis=k) / 300) for k in (2, 1))

    def minus(rho):
        chance = polychoric.chances(np.array([rho]), first, second)
        return -(count * np.log(chance)).sum()

    rho, done = polychoric.correlations(count, first, second)
    peer = optimize.minimize_scalar(minus, bounds=(-0.99, 0.99), method="bounded",
                                    options={"xatol": 1e-9})  # fmt: skip
    assert done[0] and rho[0] == pytest.approx(peer.x, abs=1e-6)
    none = polychoric.correlations(np.zeros((1, 3, 3)), first, second)
    assert not none[1][0]
    # All on the diagonal: the likelihood grows up to the bound, which is no end of the search.
    equal = np.diag([100.0, 100, 100])[None]
    cut = polychoric.thresholds(np.full((1, 3), 1 / 3))
    rho, done = polychoric.correlations(equal, cut, cut)
    assert not done[0] and rho[0] == pytest.approx(0.9999, abs=1e-4)


def estimated(full):
    """The correlation from a table whose last row and column are missing answers."""
    first, second = full.sum(axis=1)[:-1], full.sum(axis=0)[:-1]
    cuts = [polychoric.thresholds((v / v.sum())[None]) for v in (first, second)]
    return (
        polychoric.correlations(full[None, :-1, :-1], *cuts)[0][0],
        cuts,
        first.sum(),
        second.sum(),
    )


def test_the_influence_of_a_form_is_what_a_little_more_of_it_moves():
    """Of a table that the model fits: thresholds move along, also by answers beside a missing one."""
    x, y = np.array([-0.9, 0.1, 0.8]), np.array([-0.4, 0.7])
    law = polychoric.chances(np.array([0.45]), x[None], y[None])[0]
    full = np.zeros((5, 4))
    full[:4, :3] = 150 * law
    full[:4, 3], full[4, :3] = 20 * law.sum(axis=1), 30 * law.sum(axis=0)
    rho, cuts, one, two = estimated(full)
    assert rho == pytest.approx(0.45)
    found = polychoric.influence(
        full[None, :-1, :-1], np.array([rho]), *cuts, np.array([[one, two]])
    )[0]
    h = 1e-3
    for a in range(5):
        for b in range(4):
            ends = []
            for side in (h, -h):
                more = full.copy()
                more[a, b] += side
                ends.append(estimated(more)[0])
            assert found[a, b] == pytest.approx(
                (ends[0] - ends[1]) / (2 * h), rel=1e-4, abs=1e-6
            ), (a, b)


def test_errors_of_alpha_are_those_of_what_each_form_moves():
    """By differences: alpha, alpha without an item, the correlation of an item with the rest."""
    rng = np.random.default_rng(3)
    r = np.array([[1, 0.5, 0.3, 0.2], [0.5, 1, 0.4, 0.3], [0.3, 0.4, 1, 0.1], [0.2, 0.3, 0.1, 1]])
    one, two = np.triu_indices(4, 1)
    moved = rng.normal(0, 0.01, (20, 6))  # of each form, what it adds to each correlation
    by_item = np.zeros((20, 4))
    for k, (i, j) in enumerate(zip(one, two, strict=True)):
        by_item[:, i] += moved[:, k]
        by_item[:, j] += moved[:, k]

    def alpha(m):
        k = len(m)
        return k / (k - 1) * (1 - np.trace(m) / m.sum())

    def with_rest(m, i):
        others = [j for j in range(len(m)) if j != i]
        return m[i, others].sum() / np.sqrt(m[np.ix_(others, others)].sum())

    def error(statistic):
        h, out = 1e-4, []
        for form in moved:
            ends = []
            for side in (h, -h):
                m = r.copy()
                m[one, two] += side * form
                m[two, one] += side * form
                ends.append(statistic(m))
            out.append((ends[0] - ends[1]) / (2 * h))
        return np.linalg.norm(out)

    whole, fewer, own = polychoric.alpha_errors(r, by_item)
    assert whole == pytest.approx(error(alpha), rel=1e-5)
    for i in range(4):
        left = [j for j in range(4) if j != i]
        assert fewer[i] == pytest.approx(
            error(lambda m, left=left: alpha(m[np.ix_(left, left)])), rel=1e-5
        )
        assert own[i] == pytest.approx(error(lambda m, i=i: with_rest(m, i)), rel=1e-5)


def test_the_matrix_of_a_table_with_gaps_pair_by_pair():
    rng = np.random.default_rng(4)
    latent = rng.multivariate_normal(np.zeros(3), 0.5 + 0.5 * np.eye(3), 200)
    table = np.digitize(latent, [-0.6, 0.5]) * 2.0 + 1
    table[rng.random(table.shape) < 0.1] = np.nan
    whole, by_item = polychoric.matrix(table)
    told = np.zeros(table.shape)
    for i in range(3):
        for j in range(i):
            full = np.zeros((4, 4))
            codes = np.where(np.isfinite(table), np.nan_to_num((table - 1) / 2), 3).astype(int)
            np.add.at(full, (codes[:, i], codes[:, j]), 1)
            rho, cuts, one, two = estimated(full)
            assert whole[i, j] == whole[j, i] == pytest.approx(rho)
            own = polychoric.influence(
                full[None, :3, :3], np.array([rho]), *cuts, np.array([[one, two]])
            )
            told[:, i] += own[0][codes[:, i], codes[:, j]]
            told[:, j] += own[0][codes[:, i], codes[:, j]]
    assert np.diagonal(whole).tolist() == [1, 1, 1]
    assert by_item == pytest.approx(told)
    table[:, 0] = np.where(np.isfinite(table[:, 0]), 3.0, np.nan)
    assert polychoric.matrix(table) is None  # one category only

"""Factors: derivatives by differences, the lowest misfit against other searches, rotations at rest."""

import numpy as np
import pytest
from scipy import optimize

from svcmetrics.numeric import factors

RNG = np.random.default_rng(11)
PATTERN = np.array([[0.8, 0], [0.7, 0.1], [0.6, 0], [0, 0.9], [0.1, 0.5], [0, 0.6], [0.3, 0.4]])
PHI = np.array([[1.0, 0.4], [0.4, 1.0]])


def implied(pattern, phi):
    r = pattern @ phi @ pattern.T
    np.fill_diagonal(r, 1)
    return r


def disturbed(seed, n=120, items=PATTERN):
    """A correlation matrix of a sample: no set of factors fits it wholly."""
    x = np.random.default_rng(seed).multivariate_normal(
        np.zeros(len(items)), implied(items, PHI), n
    )
    return np.corrcoef(x.T)


EXACT = implied(PATTERN, PHI)
MANY = np.stack([disturbed(s) for s in range(4)])


def least_squares(r, x, k):
    value, _ = np.linalg.eigh(r - np.diag(x))
    return (value[:-k] ** 2).sum() / 2


def likelihood(r, x, k):
    scale = np.exp(-x / 2)
    value = np.linalg.eigvalsh(r * np.outer(scale, scale))[:-k]
    return (value - np.log(value) - 1).sum()


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("by_likelihood", [False, True])
def test_misfit_slope_and_bend_by_differences(k, by_likelihood):
    misfit = likelihood if by_likelihood else least_squares
    x = RNG.uniform(0.3, 0.9, (4, 7))
    x = np.log(x) if by_likelihood else x
    value, slope, curve, loading = factors._target(MANY, x, k, by_likelihood)
    h = 1e-5
    for m in range(4):
        assert value[m] == pytest.approx(misfit(MANY[m], x[m], k))
        moved = np.stack([x[m] + h * e for e in np.eye(7)] + [x[m] - h * e for e in np.eye(7)])
        ends = np.array([misfit(MANY[m], at, k) for at in moved])
        assert slope[m] == pytest.approx((ends[:7] - ends[7:]) / (2 * h), abs=1e-7)
        slopes = factors._target(np.repeat(MANY[m : m + 1], 14, axis=0), moved, k, by_likelihood)[1]
        bend = (slopes[:7] - slopes[7:]) / (2 * h)
        if not by_likelihood:  # there the term that vanishes at the end is left out
            assert curve[m] == pytest.approx(bend, abs=1e-6)
        assert loading[m].shape == (7, k)


@pytest.mark.parametrize("by_likelihood", [False, True])
def test_the_misfit_is_the_lowest_that_another_search_finds(by_likelihood):
    misfit = likelihood if by_likelihood else least_squares
    loading, ended = factors.extract(MANY, 2, likelihood=by_likelihood)
    assert ended.all()
    low, high = np.log([0.001, 1]) if by_likelihood else (0.001, 1)
    for m in range(4):
        own = np.clip(1 - (loading[m] ** 2).sum(axis=1), 0.001, 1)
        own = np.log(own) if by_likelihood else own
        starts = (np.full(7, 0.5), np.full(7, 0.25))
        others = [
            optimize.minimize(
                lambda x, m=m: misfit(MANY[m], x, 2), np.log(s) if by_likelihood else s,
                bounds=[(low, high)] * 7, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9},
            ).fun for s in starts
        ]  # fmt: skip
        assert misfit(MANY[m], own, 2) <= min(others) + 1e-9


@pytest.mark.parametrize("by_likelihood", [False, True])
def test_factors_that_fit_wholly_are_found_again(by_likelihood):
    loading, ended = factors.extract(EXACT[None], 2, likelihood=by_likelihood)
    assert ended.tolist() == [True]
    off = ~np.eye(7, dtype=bool)
    assert (loading[0] @ loading[0].T)[off] == pytest.approx(EXACT[off], abs=1e-6)
    assert (loading[0].sum(axis=0) > 0).all()
    # The first factor is the strongest.
    assert (loading[0, :, 0] ** 2).sum() > (loading[0, :, 1] ** 2).sum()
    one, ended = factors.extract(EXACT[None, :3, :3], 1, likelihood=by_likelihood)
    a, b, c = EXACT[0, 1], EXACT[0, 2], EXACT[1, 2]  # Spearman's three tetrads
    assert one[0, :, 0] == pytest.approx(np.sqrt([a * b / c, a * c / b, b * c / a]), abs=1e-6)


def test_each_matrix_of_a_stack_is_searched_as_if_alone():
    together, _ = factors.extract(MANY, 2)
    for m in range(4):
        assert factors.extract(MANY[m : m + 1], 2)[0][0] == pytest.approx(together[m], abs=1e-6)


@pytest.mark.parametrize("by_likelihood", [False, True])
def test_a_uniqueness_stays_within_its_bound(by_likelihood):
    """Three items whose tetrads ask for a loading above 1: a Heywood case."""
    r = np.array([[1, 0.9, 0.8], [0.9, 1, 0.5], [0.8, 0.5, 1]])
    assert 0.9 * 0.8 / 0.5 > 1
    loading, ended = factors.extract(r[None], 1, likelihood=by_likelihood)
    assert ended.all()
    misfit = likelihood if by_likelihood else least_squares
    change = np.log if by_likelihood else np.asarray
    other = optimize.minimize(
        lambda x: misfit(r, x, 1), change([0.3] * 3), bounds=[change([0.001, 1])] * 3,
        method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-10},
    )  # fmt: skip
    own = np.exp(other.x) if by_likelihood else other.x
    assert own[0] == pytest.approx(0.001)
    root = np.sqrt(own) if by_likelihood else np.ones(3)
    value, vector = np.linalg.eigh((r - np.diag(own)) / np.outer(root, root))
    told = np.abs(vector[:, -1]) * np.sqrt(value[-1]) * root
    assert loading[0, :, 0] == pytest.approx(told, abs=1e-5)


def test_a_singular_matrix_has_no_highest_likelihood_but_least_residuals():
    r = np.array([[1, 1, 0.5, 0.4], [1, 1, 0.5, 0.4], [0.5, 0.5, 1, 0.3], [0.4, 0.4, 0.3, 1]])
    both = np.stack([r, EXACT[:4, :4]])
    _, ended = factors.extract(both, 1, likelihood=True)
    assert ended.tolist() == [False, True]
    assert factors.extract(both, 1)[1].all()


def quartimin(pattern):
    squares = pattern**2
    return (
        sum(squares[:, j] @ squares[:, k] for j in range(squares.shape[1]) for k in range(j)) / 2
    )  # each pair of factors twice, over four


def test_a_rotation_is_at_rest_and_oblique():
    loading, _ = factors.extract(MANY, 3)
    pattern, phi, ended = factors.oblimin(loading)
    assert ended.all()
    for m in range(4):
        assert np.diagonal(phi[m]) == pytest.approx(np.ones(3))
        # The same common parts, told otherwise.
        assert pattern[m] @ phi[m] @ pattern[m].T == pytest.approx(loading[m] @ loading[m].T)
        for seed in range(30):  # no turn near it is simpler
            turn = np.linalg.cholesky(phi[m]).T
            turn = turn + 1e-3 * np.random.default_rng(seed).normal(size=(3, 3))
            turn /= np.linalg.norm(turn, axis=0)
            own = np.linalg.cholesky(phi[m]).T
            # pattern = loading inv(T)', whatever the frame that the loadings are told in
            frame = pattern[m] @ own.T
            near = frame @ np.linalg.inv(turn).T
            assert quartimin(near) >= quartimin(pattern[m]) - 1e-9


def test_the_simple_structure_of_a_perfect_pattern_is_found():
    simple = np.where(PATTERN > 0.35, PATTERN, 0)
    simple[6, 0] = 0
    r = implied(simple, PHI)
    loading, _ = factors.extract(r[None], 2)
    pattern, phi, _ = factors.oblimin(loading)
    order = np.argsort(-np.abs(pattern[0, 0]))
    assert np.abs(pattern[0][:, order]) == pytest.approx(simple, abs=1e-4)
    assert abs(phi[0, 0, 1]) == pytest.approx(0.4, abs=1e-4)


def test_the_value_and_slope_of_the_rotation_by_differences():
    loading = RNG.normal(0, 0.5, (2, 6, 3))
    turn = RNG.normal(size=(2, 3, 3))
    turn /= np.linalg.norm(turn, axis=1, keepdims=True)
    value, slope, pattern = factors._quartimin(loading, turn)
    h = 1e-6
    for m in range(2):
        own = loading[m] @ np.linalg.inv(turn[m]).T
        assert pattern[m] == pytest.approx(own)
        assert value[m] == pytest.approx(quartimin(own))
        for i in range(3):
            for j in range(3):
                ends = []
                for side in (h, -h):
                    moved = turn[m].copy()
                    moved[i, j] += side
                    ends.append(quartimin(loading[m] @ np.linalg.inv(moved).T))
                assert slope[m, i, j] == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-6)


def test_a_general_factor_above_two_is_the_root_of_their_correlation():
    """Schmid and Leiman: each loading times that of its factor on the general one."""
    found = factors.schmid_leiman(PATTERN[None], PHI[None])[0]
    assert found == pytest.approx(PATTERN.sum(axis=1) * np.sqrt(0.4))
    turned = factors.schmid_leiman((PATTERN * [1, -1])[None], (PHI * [[1, -1], [-1, 1]])[None])[0]
    assert turned == pytest.approx(found)  # a factor the other way round is the same factor
    none = factors.schmid_leiman(PATTERN[None], np.array([[[1, -0.2], [-0.2, 1]]]))
    assert none[0] == pytest.approx(np.zeros(7))


def test_a_general_factor_above_three_loads_as_their_tetrads_say():
    phi = np.array([[1, 0.42, 0.35], [0.42, 1, 0.3], [0.35, 0.3, 1]])
    second = [0.7, 0.6, 0.5]
    pattern = np.vstack([np.diag([0.8, 0.7, 0.6]), np.diag([0.5, 0.6, 0.4])])
    found = factors.schmid_leiman(pattern[None], phi[None])[0]
    assert found == pytest.approx(pattern @ second, abs=1e-6)
    sign = np.array([1, -1, 1])
    other = factors.schmid_leiman((pattern * sign)[None], (phi * np.outer(sign, sign))[None])[0]
    assert other == pytest.approx(found, abs=1e-6)

"""Eigenvalues, sampling adequacy and correlations of pairs, by definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics.numeric import dimensions

LOADING = np.array([0.8, 0.7, 0.6, 0.5])


def one_factor() -> np.ndarray:
    r = np.outer(LOADING, LOADING)
    np.fill_diagonal(r, 1.0)
    return r


def test_one_common_factor_has_one_eigenvalue_above_nothing():
    whole, common = (found[0] for found in dimensions.eigenvalues(one_factor()[None]))
    np.testing.assert_allclose(whole, np.linalg.eigvalsh(one_factor())[::-1])
    np.testing.assert_allclose(common, [LOADING @ LOADING, 0, 0, 0], atol=1e-6)


def test_sampling_adequacy_compares_correlations_with_partial_ones():
    r = one_factor()
    inverse = np.linalg.inv(r)
    partial = -inverse / np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    off = ~np.eye(4, dtype=bool)
    every, each = dimensions.kmo(r)
    plain, held = (r[off] ** 2).sum(), (partial[off] ** 2).sum()
    assert every == pytest.approx(plain / (plain + held))
    one, rest = (r[0, 1:] ** 2).sum(), (partial[0, 1:] ** 2).sum()
    assert each[0] == pytest.approx(one / (one + rest))
    twice = np.ones((2, 2))
    assert np.isnan(dimensions.kmo(twice)[0]) and np.isnan(dimensions.kmo(twice)[1]).all()


def test_pairwise_correlations_are_those_of_the_rows_that_have_both():
    rng = np.random.default_rng(1)
    table = rng.normal(size=(30, 4)) + rng.normal(size=(30, 1)) + 100
    table[rng.random(table.shape) < 0.2] = np.nan
    table[:, 3] = 7.0
    r, n = dimensions.pairwise(table)
    peer = pd.DataFrame(table[:, :3]).corr().to_numpy()
    np.testing.assert_allclose(r[:3, :3], peer, atol=1e-10)
    assert np.isnan(r[3]).all() and np.isnan(r[:, 3]).all()
    known = np.isfinite(table)
    assert n.tolist() == (known.T.astype(int) @ known.astype(int)).tolist()


def test_dimensions_beyond_chance_are_counted_from_the_largest():
    seen = np.array([3.0, 1.5, 0.9, 1.2])
    assert dimensions.beyond(seen, np.array([1.0, 1.0, 1.0, 1.0])) == 2
    assert dimensions.beyond(seen, np.array([3.0, 1.0, 1.0, 1.0])) == 0  # equal is not beyond
    assert dimensions.beyond(seen, np.zeros(4)) == 4


def test_one_component_is_partialled_out_where_one_factor_is_all_there_is():
    assert dimensions.least_partial(np.eye(4)) == 0
    two = np.full((6, 6), 0.1)
    two[:3, :3] = two[3:, 3:] = 0.8
    np.fill_diagonal(two, 1.0)
    assert dimensions.least_partial(two) == 2

"""Plans as graphs and designs: information by elimination, response by all that may happen."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import sparse

from svcmetrics.numeric import links

PLAN = np.array([[2, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 1, 2], [0, 0, 0, 0]], float)


def by_elimination(n: np.ndarray) -> np.ndarray:
    """R - N' K^-1 N, raters without a form left out."""
    n = n[n.sum(axis=1) > 0]
    return np.diag(n.sum(axis=0)) - n.T @ np.diag(1 / n.sum(axis=1)) @ n


def test_information_is_what_is_left_when_raters_are_eliminated():
    found = links.information(sparse.csr_array(PLAN))
    np.testing.assert_allclose(found, by_elimination(PLAN), atol=1e-12)
    with_nobody = links.information(sparse.csr_array(PLAN), 0.0)
    np.testing.assert_allclose(with_nobody, 0.0, atol=1e-12)


def test_information_at_a_response_is_the_mean_over_all_forms_that_may_come_back():
    plan = np.array([[2, 1, 1], [1, 0, 0]], float)
    cells = [(i, j) for i, j in np.argwhere(plan > 0) for _ in range(int(plan[i, j]))]
    mean = np.zeros((3, 3))
    for back in product([0, 1], repeat=len(cells)):
        n = np.zeros_like(plan)
        for (i, j), there in zip(cells, back, strict=True):
            n[i, j] += there
        mean += 0.6 ** sum(back) * 0.4 ** (len(back) - sum(back)) * by_elimination(n)
    np.testing.assert_allclose(links.information(sparse.csr_array(plan), 0.6), mean, atol=1e-12)


def test_the_spread_is_the_inverse_between_targets_and_missing_links_are_found():
    c = by_elimination(PLAN)
    np.testing.assert_allclose(links.spread(c), np.linalg.pinv(c), atol=1e-10)
    np.testing.assert_allclose(links.eigenvalues(c), np.linalg.eigvalsh(c).clip(0), atol=1e-12)
    assert (links.eigenvalues(-c) == 0).sum() >= 3
    assert links.components(c).tolist() == [0, 0, 0, 0]
    assert links.components(by_elimination(PLAN[[0, 3]])).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("seed", range(6))
def test_bridges_are_those_whose_leaving_makes_more_subsets(seed):
    rng = np.random.default_rng(seed)
    n = (rng.random((9, 8)) < 0.28).astype(float)
    n[0] = PLAN[0, [0, 1, 2, 3, 3, 3, 3, 3]] * 0 + np.array([1, 1, 0, 0, 0, 0, 0, 0])

    def subsets(rows):
        full = rows.T @ rows
        return len(set(links.components(full + 1e-9 * np.eye(8)).tolist()))

    whole = subsets(n)
    expected = [k for k in range(9) if subsets(np.delete(n, k, axis=0)) > whole]
    assert links.bridges(sparse.csr_array(n)).tolist() == expected


def test_forms_are_counted_and_quantiles_are_values_that_were_seen():
    table = links.count_table(np.array([0, 0, 1, 0]), np.array([1, 1, 0, 0]), (2, 3))
    assert table.toarray().tolist() == [[1, 2, 0], [1, 0, 0]]
    assert links.quantiles([3.0, 1.0, 2.0, 4.0], [0.25, 0.5, 0.51]).tolist() == [1, 2, 3]

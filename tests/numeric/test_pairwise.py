"""Pairwise comparisons: eigenvectors by a peer, least eigenvalues by a search, printed random indices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from svcmetrics.numeric import pairwise


def judged(judges=3, n=5, seed=1):
    rng = np.random.default_rng(seed)
    w = rng.dirichlet(np.ones(n), judges)
    a = w[:, :, None] / w[:, None, :] * np.exp(rng.normal(0, 0.3, (judges, n, n)))
    upper = np.triu_indices(n, 1)
    a[:, upper[1], upper[0]] = 1 / a[:, upper[0], upper[1]]
    a[:, np.arange(n), np.arange(n)] = 1.0
    return a


def leading(a):
    values, vectors = np.linalg.eig(a)
    k = int(np.argmax(values.real))
    vector = np.abs(vectors[:, k].real)
    return vector / vector.sum(), float(values[k].real)


def with_holes():
    a = judged()
    for i, j in ((0, 3), (1, 4)):
        a[:, i, j] = a[:, j, i] = np.nan
    return a


def test_the_principal_eigenvector_is_that_of_a_peer():
    a = judged()
    x, root = pairwise.principal(a)
    for k in range(3):
        vector, value = leading(a[k])
        np.testing.assert_allclose(x[k], vector, rtol=1e-10)
        assert root[k] == pytest.approx(value, rel=1e-12)


def test_what_is_missing_is_filled_so_that_the_eigenvalue_is_least():
    a = with_holes()
    full = pairwise.filled(a)
    known = ~np.isnan(a)
    np.testing.assert_array_equal(full[known], a[known])
    for k in range(3):

        def root(logs, k=k):
            m = a[k].copy()
            for (i, j), v in zip(((0, 3), (1, 4)), logs, strict=True):
                m[i, j], m[j, i] = np.exp(v), np.exp(-v)
            return leading(m)[1]

        start = np.log([full[k, 0, 3], full[k, 1, 4]])
        best = optimize.minimize(root, start + 0.3, method="Nelder-Mead",
                                 options={"xatol": 1e-7, "fatol": 1e-13})  # fmt: skip
        np.testing.assert_allclose(start, best.x, atol=2e-5)


def test_harkers_weights_count_a_missing_comparison_on_the_diagonal():
    a = with_holes()
    x, root = pairwise.harker(a)
    for k in range(3):
        m = np.where(np.isnan(a[k]), 0.0, a[k]) + np.diag(np.isnan(a[k]).sum(axis=1))
        vector, value = leading(m)
        np.testing.assert_allclose(x[k], vector, rtol=1e-9)
        assert root[k] == pytest.approx(value, rel=1e-10)


def test_row_means_are_logarithmic_least_squares_and_leave_one_out_is_by_hand():
    whole = judged()
    expected = np.exp(np.log(whole).mean(axis=2))
    np.testing.assert_allclose(
        pairwise.geometric(whole), expected / expected.sum(axis=1, keepdims=True)
    )
    a = with_holes()
    rows = [(i, j) for i in range(5) for j in range(i + 1, 5) if np.isfinite(a[0, i, j])]

    def weights(k, used):
        x = np.zeros((len(used) + 1, 5))
        y = np.zeros(len(used) + 1)
        for r, (i, j) in enumerate(used):
            x[r, i], x[r, j], y[r] = 1, -1, np.log(a[k, i, j])
        x[-1] = 1.0
        return np.exp(np.linalg.lstsq(x, y, rcond=None)[0])

    found, agreeing = pairwise.geometric(a), pairwise.agreeing_values(a)
    errors = pairwise.log_errors(a, found)
    for k in range(3):
        w = weights(k, rows)
        np.testing.assert_allclose(found[k], w / w.sum())
        for i, j in rows:
            assert errors[k, i, j] == pytest.approx(np.log(a[k, i, j] * w[j] / w[i]))
            other = weights(k, [r for r in rows if r != (i, j)])
            assert agreeing[k, i, j] == pytest.approx(other[i] / other[j])
    spare = len(rows) - 4
    squares = np.array([sum(errors[k, i, j] ** 2 for i, j in rows) for k in range(3)])
    np.testing.assert_allclose(pairwise.geometric_index(a, found), squares / spare)
    chain = np.array([[[1, 2, np.nan], [0.5, 1, 3], [np.nan, 1 / 3, 1]]])
    assert np.isnan(pairwise.geometric_index(chain, pairwise.geometric(chain))[0])
    assert np.isnan(pairwise.agreeing_values(chain)).all()


def test_comparisons_hang_together_directly_or_through_others():
    a = np.full((2, 6, 6), np.nan)
    a[:, np.arange(6), np.arange(6)] = 1.0
    for i in range(5):
        a[:, i, i + 1], a[:, i + 1, i] = 2.0, 0.5
    a[1, 2, 3] = a[1, 3, 2] = np.nan
    assert pairwise.connected(a).tolist() == [True, False]


# As printed: Saaty 1980, p. 21; Saaty 2005, p. 31; Donegan and Dodd 1991, table 2.
PRINTED = {
    "saaty1980": "0.58 0.90 1.12 1.24 1.32 1.41 1.45 1.49 1.51 1.48 1.56 1.57 1.59",
    "saaty2005": "0.52 0.89 1.11 1.25 1.35 1.40 1.45 1.49 1.52 1.54 1.56 1.58 1.59",
    "donegan_dodd1991": "0.4914 0.8286 1.0591 1.1797 1.2519 1.3171 1.3733 1.4055 1.4213 1.4497 "
    "1.4643 1.4822 1.4969 1.5078 1.5153 1.5262 1.5313 1.5371",
}
BEYOND = {25: 1.5619, 30: 1.5772, 40: 1.5976, 50: 1.6102, 60: 1.6178, 70: 1.6237,
          80: 1.6277, 90: 1.6213, 100: 1.6339}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_random_indices_are_those_printed_and_lines_between(name):
    rows = dict(enumerate(map(float, PRINTED[name].split()), start=3))
    rows |= BEYOND if name == "donegan_dodd1991" else {}
    for n, value in rows.items():
        assert pairwise.random_index(n, name) == (value, name)
    for n in (2, 1):
        assert np.isnan(pairwise.random_index(n, name)[0])
    beyond = max(rows) + 1
    line = (1.7699 * beyond - 4.3513) / (beyond - 1)
    assert pairwise.random_index(beyond, name) == (pytest.approx(line), "alonso_lamata2006")
    if name == "donegan_dodd1991":
        assert pairwise.random_index(35, name)[0] == pytest.approx((1.5772 + 1.5976) / 2)
    assert pairwise.thinned_index(1.12, 5, np.array([3])) == pytest.approx(1.12 * (1 - 6 / 12))

"""Codes counted and codes sorted are the same; adjusted p-values by hand."""

from __future__ import annotations

import numpy as np
import pytest

from svcmetrics.numeric import codes, links
from svcmetrics.numeric.multiplicity import benjamini_hochberg, holm


@pytest.mark.parametrize("size", [9, 1015, 1100, 200_000])
def test_codes_that_occur_and_the_place_of_each(size):
    code = np.array([7, 2, 8, 2, 0])
    there, place = codes.numbered(code, size)
    assert there.tolist() == codes.distinct(code, size).tolist() == [0, 2, 7, 8]
    assert place.tolist() == [2, 1, 3, 1, 0]
    none = np.empty(0, np.int64)
    assert codes.distinct(none, size).tolist() == codes.numbered(none, size)[0].tolist() == []


def test_how_many_others_a_code_meets():
    one, two = np.array([0, 0, 0, 2, 2]), np.array([1, 3, 1, 0, 3])
    assert codes.met(one, two, 4).tolist() == [2, 0, 2, 0]
    none = np.empty(0, np.int64)
    assert codes.met(none, none, 2).tolist() == [0, 0]


def test_p_values_adjusted_by_hand():
    p = [0.04, np.nan, 0.01, 0.03, 0.5]
    # 4 known: sorted 0.01, 0.03, 0.04, 0.5.
    expected = [4 / 3 * 0.04, np.nan, 0.04, 4 / 3 * 0.04, 0.5]
    np.testing.assert_allclose(benjamini_hochberg(p), expected)
    np.testing.assert_allclose(holm(p), [0.09, np.nan, 0.04, 0.09, 0.5])
    np.testing.assert_allclose(benjamini_hochberg([0.9, 0.8]), [0.9, 0.9])
    np.testing.assert_allclose(holm([0.9, 0.8]), [1.0, 1.0])
    assert np.isnan(benjamini_hochberg([np.nan])).all() and np.isnan(holm([np.nan])).all()
    assert benjamini_hochberg([]).shape == holm([]).shape == (0,)


def test_variances_of_a_plan_are_the_pseudo_inverse():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(6, 5))
    c = x.T @ x
    c -= np.outer(c.sum(axis=0), c.sum(axis=0)) / c.sum()  # the common level is not estimated
    np.testing.assert_allclose(links.spread(c), np.linalg.pinv(c, rcond=1e-10), atol=1e-10)
    np.testing.assert_array_equal(links.spread(np.zeros((2, 2))), np.zeros((2, 2)))

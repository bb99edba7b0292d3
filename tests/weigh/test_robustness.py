"""Closed forms on the simplex."""

import numpy as np
import pytest

from svcmetrics import weigh
from svcmetrics.problems import TableError
from tests.weigh.samples import GRID, long

TWO = np.array([[0.9, 0.2], [0.3, 0.6]])


def shares(result) -> np.ndarray:
    rows = result.table[result.table["metric"] == "robustness"]
    return rows.pivot(index="unit", columns="place", values="estimate").to_numpy()


def test_two_by_two_in_closed_form():
    # The first leads when 0.6 w1 > 0.4 w2, so for w1 above 0.4.
    result = weigh.robustness(long(TWO), draws=200_000, rng=1, **GRID)
    np.testing.assert_allclose(shares(result), [[0.6, 0.4], [0.4, 0.6]], atol=3 / np.sqrt(200_000))
    middle = result.table[result.table["metric"] == "central_weight"]["estimate"]
    np.testing.assert_allclose(middle, [0.7, 0.3, 0.2, 0.8], atol=0.005)


def test_limits_cut_the_simplex():
    limits = {"c1": (0.2, 0.6), "c2": (0.0, 1.0)}
    got = shares(weigh.robustness(long(TWO), limits=limits, draws=50_000, **GRID))
    np.testing.assert_allclose(got[:, 0], [0.5, 0.5], atol=0.01)
    empty = weigh.robustness(long(TWO), limits={"c1": (0, 0.3), "c2": (0, 0.3)}, **GRID)
    assert empty.findings[0].key == "robustness.no_weights"


def test_ties_share_their_places():
    x = np.array([[0.9, 0.9], [0.5, 0.5], [0.5, 0.5], [0.1, 0.1]])
    got = shares(weigh.robustness(long(x), draws=1000, **GRID))
    expected = [[1, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(got, expected)


def test_limits_that_cannot_be_used():
    for limits in ({"c1": (0, 1)}, {"c1": (0.5, 0.2), "c2": (0, 1)}):
        with pytest.raises(TableError):
            weigh.robustness(long(TWO), limits=limits, **GRID)

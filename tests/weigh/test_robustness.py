"""Closed forms on the simplex."""

import numpy as np
import pandas as pd
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


def test_limits_may_be_the_ends_and_may_meet():
    whole = {"c1": (0.0, 1.0), "c2": (0.0, 1.0)}
    got = shares(weigh.robustness(long(TWO), limits=whole, draws=20_000, **GRID))
    np.testing.assert_allclose(got[:, 0], [0.6, 0.4], atol=0.02)
    for limits in ({"c1": (-0.1, 1), "c2": (0, 1)}, {"c1": (0, 1.1), "c2": (0, 1)}):
        with pytest.raises(TableError):
            weigh.robustness(long(TWO), limits=limits, **GRID)


@pytest.mark.parametrize(("second", "key", "can"), [(0.1, "firm", 1), (0.85, "depends", 2)])
def test_who_leads_under_any_weights_is_firm(second, key, can):
    x = np.array([[0.9, 0.5], [second, 0.6], [0.05, 0.05]])
    result = weigh.robustness(long(x), draws=4000, **GRID)
    first = shares(result)[:, 0]
    found = result.findings[0]
    leads = int(first.argmax())
    assert found.values["name"] == f"u{leads}" and found.values["share"] == pytest.approx(
        100 * first.max()
    )
    assert found.key == ("robustness.firm" if first.max() >= 0.9 else "robustness.depends")
    assert found.values["can"] == int((first > 0).sum())
    places = result.table[result.table["metric"] == "robustness"]
    assert places["place"].tolist() == [1, 2, 3] * 3 and (places["n"] == 4000).all()
    middle = result.table[result.table["metric"] == "central_weight"]
    assert middle["criterion"].tolist() == ["c1", "c2"] * 3
    assert middle["estimate"].isna().tolist() == [False, False, False, False, True, True]


def test_departments_that_lack_a_number_are_left_out_and_counted():
    rows = long(np.array([[0.9, 0.2], [0.3, 0.6], [0.5, np.nan], [np.nan, np.nan]]))
    nameless = rows.head(2).assign(unit=[None, "u0"], criterion=["c1", None])
    both = pd.concat([rows, nameless], ignore_index=True)
    result = weigh.robustness(both, draws=500, **GRID)
    # The last one has no number at all: nobody there to be left out.
    assert result.about["dropped"] == {"no_id": 2, "incomplete_targets": 1}
    assert result.table["unit"].unique().tolist() == ["u0", "u1"]

"""A zero cell, and a criterion that does not differ."""

import numpy as np
import pytest

from svcmetrics import weigh
from svcmetrics.problems import TableError
from tests.weigh.samples import GRID, long


def weights(x) -> list[float]:
    return weigh.entropy(long(np.array(x, float)), **GRID).table["estimate"].tolist()


def test_a_zero_counts_as_zero():
    got = weights([[0, 10], [5, 12], [4, 11], [6, 13]])
    assert got == pytest.approx([0.98450782, 0.01549218], abs=5e-9)


def test_a_criterion_that_does_not_differ_has_no_weight():
    assert weights([[1, 3], [1, 5], [1, 4]]) == pytest.approx([0, 1])
    assert weights([[0, 3], [0, 5], [0, 4]]) == pytest.approx([0, 1])


def test_labels_of_rows_may_repeat():
    table = long(np.array([[1.0, 10], [2, 12], [4, 11]]))
    again = table.set_axis([0, 1, 2] * 2)
    assert weigh.entropy(again, **GRID).table.equals(weigh.entropy(table, **GRID).table)


def test_units_of_measurement_do_not_matter():
    x = np.array([[1, 30], [2, 20], [5, 25.0]])
    assert weights(x * [1, 3600]) == pytest.approx(weights(x))


def test_nothing_differs_or_something_is_negative():
    result = weigh.entropy(long(np.ones((3, 2))), **GRID)
    assert result.findings[0].level == "refused"
    with pytest.raises(TableError) as caught:
        weigh.entropy(long(np.array([[1.0, -1], [2, 1]])), **GRID)
    assert caught.value.problems[0].key == "negative_values"


def test_nothing_at_all_is_a_value_and_less_than_nothing_is_counted():
    result = weigh.entropy(long(np.array([[0.0, 1], [2, 1], [4, 1]])), **GRID)
    assert result.table["estimate"].tolist() == [1, 0]
    with pytest.raises(TableError) as caught:
        weigh.entropy(long(np.array([[-1.0, 0], [-2, 3], [0, 1]])), **GRID)
    assert caught.value.problems[0].count == 2


def test_two_departments_by_hand():
    """Shares of a quarter and three quarters against equal ones; a sum of nought tells nothing."""
    spare = 1 + (0.25 * np.log(0.25) + 0.75 * np.log(0.75)) / np.log(2)
    told = np.array([spare, 0, 0, 1]) / (spare + 1)
    assert weights([[1, 2, 0, 0], [3, 2, 0, 5]]) == pytest.approx(told)

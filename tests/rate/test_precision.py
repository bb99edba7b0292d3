"""Errors of a balanced design by formula, and of a random plan by simulation."""

import itertools

import numpy as np
import pandas as pd
import pytest

from svcmetrics import rate
from svcmetrics.numeric.links import count_table, information
from svcmetrics.problems import TableError
from tests.rate.samples import assigned
from tests.rate.test_connectivity import BLOCKS, plan


def test_the_balanced_design_has_the_printed_variance():
    # Cochran & Cox (1957), ch. 11: var(difference) = 2 k sigma² / (lambda v) = 6/7 sigma².
    table = rate.precision(plan(BLOCKS), wave=None, sd=2.0).table
    np.testing.assert_allclose(table["difference"] ** 2, 4 * 6 / 7, rtol=1e-12)
    np.testing.assert_allclose(table["worst"] ** 2, 4 * 6 / 7, rtol=1e-12)
    assert (table["n"] == 3).all()


def test_least_squares_on_simulated_ratings_is_as_exact_as_promised():
    rng = np.random.default_rng(8)
    rows = assigned(12, 5, 3, 6).query("round == '2025-01'")
    who, whom = pd.factorize(rows["who"])[0], pd.factorize(rows["whom"], sort=True)[0]
    x = np.column_stack([np.eye(12)[who], np.eye(5)[whom]])
    noise = rng.normal(0, 0.7, (len(rows), 4000))
    effects = (np.linalg.pinv(x) @ noise)[12:]
    effects -= effects.mean(axis=0)
    table = rate.precision(rows, rater="who", target="whom", wave="round", sd=0.7).table
    np.testing.assert_allclose(effects.std(axis=1), table["estimate"], rtol=0.05)


def test_information_under_non_response_is_the_exact_expectation():
    counts = count_table(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1, 1, 2, 1, 2]), (2, 3))
    expected = np.zeros((3, 3))
    for row in counts.toarray().astype(int):
        items = np.repeat(np.arange(3), row)
        for back in itertools.product([0, 1], repeat=len(items)):
            chosen = np.bincount(items[np.array(back, bool)], minlength=3)
            m = chosen.sum()
            if m:
                p = 0.6**m * 0.4 ** (len(items) - m)
                expected += p * (np.diag(chosen) - np.outer(chosen, chosen) / m)
    np.testing.assert_allclose(information(counts, 0.6), expected, atol=1e-12)


def test_fewer_answers_widen_the_intervals():
    full = rate.precision(plan(BLOCKS * 4), wave=None).table["estimate"]
    half = rate.precision(plan(BLOCKS * 4), wave=None, response=0.5).table["estimate"]
    assert (half > full * np.sqrt(2)).all()


def test_departments_with_too_few_raters_are_named():
    result = rate.precision(plan([*[[0, 1]] * 8, [0, 2], [1, 2]]), wave=None)
    few = next(f for f in result.findings if f.key == "precision.few_raters")
    assert few.values["names"] == ["2"]


def test_a_plan_that_falls_apart_is_refused():
    result = rate.precision(plan([[0, 1], [2, 3]]), wave=None)
    assert result.table["estimate"].isna().all()
    assert result.findings[0].level == "refused"


@pytest.mark.parametrize("change", [{"response": 0}, {"response": 1.2}, {"sd": 0}])
def test_shares_and_spreads_out_of_range(change):
    with pytest.raises(TableError):
        rate.precision(plan(BLOCKS), wave=None, **change)


def test_five_raters_are_enough_and_eight_names_are_shown():
    assert len(rate.precision(plan([[0, 1]] * 5), wave=None).findings) == 1
    for count in (8, 9):
        result = rate.precision(plan([list(range(count))] * 4), wave=None)
        few = result.findings[-1].values
        assert (few["count"], few["least"]) == (count, 5)
        assert few["names"] == [str(j) for j in range(8)] + ["…"] * (count > 8)


def test_the_reading_tells_the_usual_and_the_widest_interval():
    result = rate.precision(plan([*[[0, 1, 2]] * 6, [0, 1]]), wave=None, sd=0.5)
    table, told = result.table, result.findings[0].values
    widest = table.loc[table["half_width"].idxmax()]
    assert (told["name"], told["worst"]) == ("2", widest["half_width"])
    assert told["usual"] == table["half_width"].median()
    assert told["apart"] == pytest.approx(1.959964 * table["difference"].median())
    np.testing.assert_allclose(table["half_width"], 1.959964 * table["estimate"])
    # Departments 0 and 1 meet in seven blocks, each meets 2 in six.
    np.testing.assert_allclose(table["raters"], [7, 7, 6])
    alone = rate.precision(plan([[0], [0]]), wave=None)
    assert alone.table[["estimate", "difference"]].isna().all(axis=None)
    assert [f.key for f in alone.findings] == ["precision.apart"]

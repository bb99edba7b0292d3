"""Groups instead of ranks: the null, the algebra, and tables that cannot be grouped."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics import TableError
from svcmetrics.numeric.ranks import from_mean
from svcmetrics.score import groups


def scores(estimate, se=0.1, **more):
    names = [f"D{i}" for i in range(len(estimate))]
    return pd.DataFrame({"unit": names, "estimate": estimate, "se": se, **more})


def test_the_distance_has_the_error_of_a_difference_from_a_mean_that_holds_itself():
    # k = 4 equal errors: var = se² (1 - 1/k); Šidák's quantile for 4 statements is 2.4909.
    table = groups(scores([3.0, 3.0, 3.0, 4.0], 0.2), target="unit", uncertainty="se").table
    half = 2.4909 * 0.2 * np.sqrt(0.75)
    assert table["estimate"].tolist() == pytest.approx([-0.25, -0.25, -0.25, 0.75])
    assert (table["high"] - table["estimate"]).tolist() == pytest.approx([half] * 4, rel=1e-4)
    assert table["group"].tolist() == ["unclear"] * 3 + ["above"]


def test_an_interval_and_a_standard_error_say_the_same():
    data = scores([3.0, 3.1, 3.9], [0.1, 0.2, 0.1])
    data["low"], data["high"] = (
        data.estimate - 1.959964 * data.se,
        data.estimate + 1.959964 * data.se,
    )
    one = groups(data, target="unit").table
    two = groups(data, target="unit", uncertainty="se").table
    pd.testing.assert_frame_equal(one, two, rtol=1e-6)


def test_few_degrees_of_freedom_widen_the_intervals():
    data = scores([3.0, 3.1, 3.9], 0.1, df=4)
    narrow = groups(data, target="unit", uncertainty="se").table
    wide = groups(data, target="unit", uncertainty="se", df="df").table
    assert (wide["high"] > narrow["high"]).all()


@pytest.mark.parametrize("n", [5, 8, 400])
def test_twelve_equal_departments_are_seldom_called_different(n):
    rng = np.random.default_rng(20260101)
    studies, called = 2000, 0
    for _ in range(studies):
        x = rng.normal(3.5, 0.8, (12, n))
        se, df = x.std(1, ddof=1) / np.sqrt(n), np.full(12, n - 1.0)
        difference, half = from_mean(x.mean(1), se, df)
        called += (np.abs(difference) > half).any()
    assert called / studies < 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / studies)


def test_a_department_without_an_error_is_left_out_and_named():
    data = scores([3.0, 3.1, 3.9], [0.1, np.nan, 0.1])
    result = groups(data, target="unit", uncertainty="se")
    assert result.table["unit"].tolist() == ["D0", "D2"]
    assert result.about["dropped"] == {"no_error": 1}
    assert "D1" in result.say("en")


def test_one_department_is_refused():
    result = groups(scores([3.0]), target="unit", uncertainty="se")
    assert result.findings[0].level == "refused"
    assert result.table["estimate"].isna().all()


def test_errors_of_zero_are_said():
    result = groups(scores([3.0, 3.5], 0.0), target="unit", uncertainty="se")
    assert [f.key for f in result.findings][-1] == "uncertain.no_spread"
    same = groups(scores([3.0, 3.0], 0.0), target="unit", uncertainty="se").table
    assert same["group"].tolist() == ["unclear", "unclear"]


@pytest.mark.parametrize(
    ("change", "call"),
    [
        ({"se": -0.1}, {"uncertainty": "se"}),
        ({"unit": "A"}, {"uncertainty": "se"}),
        ({"estimate": np.inf}, {"uncertainty": "se"}),
        ({}, {"uncertainty": ("estimate", "estimate", "se")}),
        ({"low": 3.0, "high": 2.0}, {}),
        ({}, {"uncertainty": "se", "level": 95}),
    ],
)
def test_a_table_that_cannot_be_right_is_an_error(change, call):
    with pytest.raises(TableError):
        groups(scores([3.0, 3.1]).assign(**change), target="unit", **call)


def test_many_targets():
    rng = np.random.default_rng(5)
    data = scores(rng.normal(0, 1, 1128), 0.2)
    result = groups(data, target="unit", uncertainty="se")
    assert len(result.table) == 1128
    assert len(result.say("en")) < 900


@pytest.mark.parametrize("count", [8, 9])
def test_eight_names_are_told_and_more_are_only_hinted_at(count):
    high, low = [5.0 + k / 100 for k in range(count)], [3.0 - k / 100 for k in range(count)]
    result = groups(scores([*high, *low, 4.0], 0.01), target="unit", uncertainty="se")
    told = {f.key: dict(f.values) for f in result.findings}
    dots = ["…"] * (count - 8)
    assert told["groups.above"]["names"] == [f"D{k}" for k in range(8)] + dots
    assert told["groups.below"]["names"] == [f"D{k}" for k in range(count, count + 8)] + dots
    assert told["groups.above"]["count"] == told["groups.below"]["count"] == count
    rows = result.table.set_index("unit")
    assert told["groups.above"]["least"] == rows.loc[rows["group"] == "above", "low"].min()
    assert told["groups.below"]["least"] == -rows.loc[rows["group"] == "below", "high"].max()
    none = groups(scores([4.0] * count), target="unit", uncertainty="se").findings
    assert [f.key for f in none] == ["groups.none"]
    assert none[0].values["names"] == [f"D{k}" for k in range(8)] + dots
    assert (none[0].values["count"], none[0].values["targets"]) == (count, count)


@pytest.mark.parametrize("count", [8, 9])
def test_of_those_without_an_error_eight_are_named(count):
    table = scores([4.0] * (count + 2))
    table.loc[: count - 1, "se"] = np.nan
    left = groups(table, target="unit", uncertainty="se").findings[-1]
    assert left.key == "uncertain.left_out"
    assert left.values == {"names": [f"D{k}" for k in range(8)], "count": count}
    two = groups(table.iloc[[0, count]], target="unit", uncertainty="se")
    assert [f.key for f in two.findings] == ["groups.one"] and two.about["targets"] == 1

"""Points against fixed goalposts, and what must not happen to others."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics import score
from svcmetrics.problems import TableError

HOURS = pd.DataFrame(
    {
        "unit": ["A", "B", "C"],
        "metric": "hours",
        "estimate": [8.0, 24.0, 60.0],
        "low": [6.0, 20.0, 50.0],
        "high": [10.0, 30.0, 70.0],
    }
)
POSTS = {"hours": (48, 8)}


def test_fewer_hours_are_worth_more_and_limits_change_places():
    out = score.normalise(HOURS, target="unit", standard=POSTS)
    assert out["estimate"].tolist() == [100, 60, 0]
    assert out["low"].tolist() == [95, 45, 0]
    assert out["high"].tolist() == [100, 70, 0]
    assert out["beyond"].tolist() == [False, False, True]


def test_a_newcomer_does_not_change_the_points_of_others():
    new = pd.DataFrame(
        {"unit": ["D"], "metric": "hours", "estimate": [0.1], "low": 0.0, "high": 1.0}
    )
    alone = score.normalise(HOURS, target="unit", standard=POSTS)
    more = score.normalise(pd.concat([HOURS, new]), target="unit", standard=POSTS)
    pd.testing.assert_frame_equal(more.head(3), alone)


def test_goalposts_may_differ_per_unit():
    posts = pd.DataFrame(
        {"unit": ["A", "B", "C"], "metric": "hours", "worst": [16, 48, 100], "best": [8, 8, 20]}
    )
    out = score.normalise(HOURS, target="unit", standard=posts)
    assert out["estimate"].tolist() == [100, 60, 50]


def test_z_and_percentile_against_a_reference():
    rng = np.random.default_rng(5)
    known = pd.DataFrame({"metric": "hours", "estimate": rng.normal(20, 5, 400)})
    args = {"target": "unit", "standard": known, "better": {"hours": "lower"}}
    z = score.normalise(HOURS, method="z", **args)["estimate"]
    expected = 50 - 10 * (HOURS["estimate"] - known["estimate"].mean()) / known["estimate"].std()
    np.testing.assert_allclose(z, expected)
    share = score.normalise(HOURS, method="percentile", **args)
    assert share["estimate"].tolist() == pytest.approx(
        [100 * (known["estimate"] > v).mean() for v in HOURS["estimate"]]
    )
    assert (share["low"] <= share["estimate"]).all()
    assert (share["estimate"] <= share["high"]).all()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"standard": None}, "goalposts_missing"),
        ({"standard": {"other": (1, 2)}}, "goalposts_missing"),
        ({"standard": {"hours": (2, 2)}}, "goalposts_equal"),
        ({"standard": None, "method": "z", "better": {"hours": "lower"}}, "too_few_units"),
        ({"standard": None, "method": "z"}, "direction_missing"),
        ({"method": "z", "better": {"hours": "lower"}}, "standard_is_no_table"),
        ({"method": "minmax"}, "unknown_word"),
    ],
)
def test_what_cannot_be_used_is_named(change, key):
    with pytest.raises(TableError) as caught:
        score.normalise(HOURS, **{"target": "unit", "standard": POSTS, **change})
    assert caught.value.problems[0].key == key
    assert all(caught.value.say(code) for code in ("zh", "en"))


def test_missing_stays_missing_and_the_input_is_not_changed():
    data = HOURS.assign(estimate=[8.0, np.nan, 60.0])
    before = data.copy(deep=True)
    out = score.normalise(data, target="unit", standard=POSTS)
    assert out["estimate"].isna().tolist() == [False, True, False]
    pd.testing.assert_frame_equal(data, before)


def test_the_goalposts_themselves_are_not_beyond_them():
    rows = pd.DataFrame({"unit": [*"ABCD"], "metric": "hours", "estimate": [8.0, 48, 7.9, 48.1]})
    out = score.normalise(rows, target="unit", standard=POSTS)
    assert out["estimate"].tolist() == [100, 0, 100, 0]
    assert out["beyond"].tolist() == [False, False, True, True]


@pytest.mark.parametrize(("count", "enough"), [(9, False), (10, True)])
@pytest.mark.parametrize("method", ["z", "percentile"])
def test_ten_values_are_a_reference_and_equal_ones_are_none(count, enough, method):
    def points(values):
        known = pd.DataFrame({"metric": "hours", "estimate": values})
        return score.normalise(HOURS, target="unit", standard=known, method=method,
                               better={"hours": "lower"})  # fmt: skip

    if not enough:
        with pytest.raises(TableError) as caught:
            points(np.arange(count) * 6.0)
        assert caught.value.problems[0].values["needed"] == 10
        return
    out = points(np.arange(count) * 6.0)  # 0, 6, … 54
    if method == "percentile":
        # 24 is one of the ten: five take longer, and half of its own place counts.
        assert out["estimate"].tolist() == [80, 55, 0]
        assert out["low"].tolist() == [80, 45, 0]  # from 10, 30 and 70 hours
        assert out["high"].tolist() == [85, 60, 10]  # from 6, 20 and 50
    assert not out["beyond"].any()
    with pytest.raises(TableError):
        points(np.full(count, 6.0))


def test_more_is_better_where_that_is_said_and_limits_stay_in_their_places():
    known = pd.DataFrame({"metric": "hours", "estimate": np.arange(21.0)})
    rows = HOURS.assign(estimate=[5.0, 10.0, 15.0], low=[4.0, 9.0, 14.0], high=[6.0, 11.0, 16.0])
    out = score.normalise(
        rows, target="unit", standard=known, method="z", better={"hours": "higher"}
    )
    sd = np.arange(21.0).std(ddof=1)
    np.testing.assert_allclose(out["estimate"], 50 + 10 * np.array([-5, 0, 5]) / sd)
    np.testing.assert_allclose(out["low"], out["estimate"] - 10 / sd)
    less = score.normalise(
        rows, target="unit", standard=known, method="z", better={"hours": "lower"}
    )
    np.testing.assert_allclose(less["estimate"], 100 - out["estimate"])
    np.testing.assert_allclose(less["low"], 100 - out["high"])


def test_each_indicator_has_a_reference_of_its_own():
    known = pd.DataFrame({"metric": ["hours"] * 11 + ["back"] * 11,
                          "estimate": [*np.arange(11.0), *(100 + np.arange(11.0))]})  # fmt: skip
    rows = pd.DataFrame({"unit": ["A", "A"], "metric": ["back", "hours"], "estimate": [105.0, 5.0]})
    out = score.normalise(rows, target="unit", standard=known, method="z",
                          better={"hours": "lower", "back": "higher"})  # fmt: skip
    assert out["estimate"].tolist() == [50, 50]

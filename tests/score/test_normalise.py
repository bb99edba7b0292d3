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

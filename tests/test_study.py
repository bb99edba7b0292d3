"""A study as an object: tables by name, and the one long frame of answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics.problems import StudyError
from svcmetrics.study import Source, Study, long_ratings

PLAN = pd.DataFrame({
    "plan_id": ["a", "b"], "wave": "w1", "rater_key": ["p1", "p2"], "rater_unit_id": "FIN", "rater_role": "employee",
    "target_id": ["HR", "IT"], "service_id": ["s1", None], "mode": "confidential", "form_version": ["f1", "f2"],
})  # fmt: skip
ITEM = pd.DataFrame({
    "form_version": ["f1", "f2", "f1"], "item_id": ["q1", "q1", "q2"], "dimension": ["speed", "speed", "care"],
    "aspect": ["result", "result", "behaviour"], "min": [1.0, 0.0, 1.0], "max": [5.0,
    10.0, 5.0], "reversed": [False, False, True],
})  # fmt: skip


def test_a_missing_table_says_why_it_matters_in_both_languages():
    with pytest.raises(StudyError) as caught:
        Study({}).need("event")
    assert "流程日志" in caught.value.say("zh")
    assert "workflow log" in caught.value.say("en")
    with pytest.raises(AttributeError):
        _ = Study({}).apples


def test_replaced_tables_forget_where_the_old_ones_stood():
    study = Study({"unit": PLAN}, sources={"unit": Source("unit.csv")})
    assert "unit" not in study.with_tables(unit=ITEM).sources
    assert study.has("unit")
    assert not study.has("unit", "plan")


def test_row_numbers_are_those_of_the_file():
    assert Source("a", first_row=3).row_numbers(np.array([0, 2])).tolist() == [3, 5]
    assert Source("a", rows=np.array([2, 5, 9])).row_numbers(np.array([0, 2])).tolist() == [2, 9]


def test_long_ratings_of_a_planned_study_turn_reversed_items():
    rating = pd.DataFrame(
        {
            "plan_id": ["a", "a", "b", "z"],
            "item_id": ["q1", "q2", "q1", "q1"],
            "score": [4.0, 2.0, 9.0, 3.0],
        }
    )
    long = long_ratings(Study({"rating": rating, "plan": PLAN, "item": ITEM}))
    assert long["target_id"].tolist()[:3] == ["HR", "HR", "IT"]
    assert long["dimension"].tolist()[:3] == ["speed", "care", "speed"]
    assert long["raw_score"].tolist() == [4.0, 2.0, 9.0, 3.0]
    assert long["score"].tolist()[:3] == [4.0, 4.0, 9.0]
    # The plan row is not known and the item has two scales: no score, and the answer stays.
    assert np.isnan(long["score"].iloc[3])
    assert pd.isna(long["target_id"].iloc[3])


def test_long_ratings_of_a_lite_study():
    rating = pd.DataFrame(
        {
            "rater_key": ["p1", "p2"],
            "target_id": "HR",
            "item_id": "q1",
            "score": [4, None],
            "wave": "w1",
        }
    )
    long = long_ratings(Study({"rating": rating}))
    assert long.columns.tolist() == [
        "wave", "rater_key", "rater_unit_id", "rater_role", "target_id", "service_id", "mode", "item_id",
        "dimension", "aspect", "score", "raw_score", "seconds", "submitted_at", "plan_id", "form",
    ]  # fmt: skip
    assert long["dimension"].tolist() == ["q1", "q1"]
    assert long["score"].tolist()[0] == 4.0
    assert len(long) == 2


def test_a_rating_of_a_case_is_of_its_service_and_its_provider():
    rating = pd.DataFrame({"case_id": ["c1", "c9"], "item_id": "q1", "score": [4.0, 5.0]})
    event = pd.DataFrame({"case_id": ["c1", "c1"], "service_id": "s1"})
    service = pd.DataFrame({"service_id": ["s1"], "provider_id": ["HR"]})
    long = long_ratings(Study({"rating": rating, "event": event, "service": service}))
    assert long["target_id"].iloc[0] == "HR"
    assert pd.isna(long["target_id"].iloc[1])


def test_nothing_is_changed():
    rating = pd.DataFrame({"plan_id": ["a"], "item_id": ["q2"], "score": [2.0]}, index=[7])
    before = rating.copy(deep=True)
    long_ratings(Study({"rating": rating, "plan": PLAN, "item": ITEM}))
    pd.testing.assert_frame_equal(rating, before)

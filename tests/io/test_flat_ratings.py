"""Flat rating tables: long or with a column per item."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics.io.flat_ratings import flat_answers
from svcmetrics.io.guess import guess_mapping
from svcmetrics.io.mapping import Mapping
from svcmetrics.io.quality import Tally
from svcmetrics.io.rating_tables import rating_tables
from svcmetrics.problems import StudyError

BASE = [
    ("甲", "财务部", 4),
    ("甲", "人事部", 2),
    ("乙", "财务部", 5),
    ("乙", "人事部", 3),
    ("丙", "财务部", 1),
]


def tables(rows, columns=("评价人", "被评部门", "分数"), mapping=None, **constants):
    frame = pd.DataFrame(rows, columns=list(columns))
    frame.index += 2
    chosen = mapping or guess_mapping(list(frame), frame, format="ratings")
    chosen = chosen.but(
        timezone="Asia/Shanghai",
        constants={**chosen.constants, **{k.replace("__", "."): v for k, v in constants.items()}},
    )
    tally = Tally("ratings.csv", len(frame))
    answers, items = flat_answers(frame, chosen, tally)
    return rating_tables(answers, items, chosen, tally, key=b"k", timezone="Asia/Shanghai"), tally


def keys(tally):
    return {f.key.removeprefix("import.") for f in tally.findings}


def refusal(*args, **more):
    with pytest.raises(StudyError) as error:
        tables(*args, **more)
    return error.value.problems[0]


def test_a_long_table_becomes_unit_item_plan_and_rating():
    made, _ = tables(BASE)
    assert made["unit"]["unit_id"].tolist() == ["unit_unknown", "人事部", "财务部"]
    assert made["unit"]["is_service_unit"].tolist() == [False, True, True]
    assert made["rating"]["score"].tolist() == [4, 2, 5, 3, 1]
    assert made["plan"]["plan_id"].is_unique
    assert made["plan"]["rater_key"].nunique() == 3
    assert not made["plan"].astype(str).isin(["甲", "乙", "丙"]).to_numpy().any()
    assert made["item"][["item_id", "min", "max"]].to_numpy().tolist() == [["overall", 1, 5]]


def test_a_wide_table_has_one_item_per_column():
    rows = [("甲", "财务部", 4, 5, "好"), ("乙", "财务部", 3, None, "")]
    made, _ = tables(rows, ("评价人", "被评部门", "速度", "态度", "说明文字"))
    assert made["item"]["text_zh"].tolist() == ["速度", "态度"]
    assert made["rating"]["score"].fillna(-1).tolist() == [4, 3, 5, -1]
    assert made["rating"]["na_reason"].fillna("").tolist() == ["", "", "", "blank"]
    assert len(made["plan"]) == 2


def test_words_are_scores_and_an_unknown_word_stops_with_its_row():
    made, _ = tables([("甲", "财务部", "非常满意"), ("乙", "财务部", "不满意")])
    assert made["rating"]["score"].tolist() == [5, 2]
    problem = refusal([("甲", "财务部", "4"), ("乙", "财务部", "还行")])
    assert (problem.key, problem.rows) == ("import_unread_answers", (3,))


def test_the_same_form_twice_counts_once_and_a_conflict_asks_for_a_rule():
    made, tally = tables([*BASE, BASE[0]])
    assert len(made["rating"]) == 5
    assert tally.left_out == {"duplicate": 1}
    conflict = [*BASE, ("甲", "财务部", 1)]
    problem = refusal(conflict)
    assert (problem.key, problem.rows) == ("import_conflict", (2, 7))
    for rule, score in (("first", 4), ("last", 1), ("mean", 2.5)):
        made, _ = tables(conflict, rating__repeated=rule)
        kept = made["rating"].merge(made["plan"], on="plan_id")
        assert sorted(kept["score"]) == sorted([score, 2, 5, 3, 1])


def test_spaces_do_not_make_two_persons():
    made, _ = tables([("甲", "财务部", 4), ("甲 ", "人事部", 3), ("甲\u3000", "行政部", 5)])
    assert made["plan"]["rater_key"].nunique() == 1


def test_codes_and_typing_errors_are_never_averaged():
    made, tally = tables([*BASE, ("丁", "财务部", -99)])
    assert made["rating"]["na_reason"].dropna().tolist() == ["code -99"]
    assert "coded_missing" in keys(tally)
    many = [(f"r{i}", f"部{i % 7}", 1 + i % 5) for i in range(40)]
    assert refusal([*many, ("x", "部1", 55)]).key == "import_outside_scale"
    assert (
        tables([*many, ("x", "部1", 55)], item__min="0", item__max="100")[0]["rating"][
            "score"
        ].max()
        == 55
    )


def test_departments_called_na_survive():
    made, _ = tables([("甲", n, 4) for n in ("NA", "None", "null", "nan")])
    assert set(made["plan"]["target_id"]) == {"NA", "None", "null", "nan"}


def test_rows_without_rater_or_target_are_counted():
    made, tally = tables([*BASE, (None, "财务部", 3), ("丁", None, 3)])
    assert tally.left_out == {"no_rater": 1, "no_target": 1}
    assert len(made["rating"]) == 5


def test_wave_unit_role_service_and_time_are_taken_along():
    columns = (
        "评价人",
        "评价人部门",
        "评价人角色",
        "被评部门",
        "服务",
        "轮次",
        "分数",
        "提交时间",
        "用时",
        "意见",
    )
    rows = [
        ("甲", "研发部", "上级", "财务部", "报销", "2024H1", 4, "2024-03-01 09:00", "61秒", "快"),
        ("甲", "研发部", "上级", "财务部", "报销", "2024H2", 5, "2024-09-01 09:00", "70秒", None),
    ]
    made, _ = tables(rows, columns)
    assert made["plan"][["wave", "rater_unit_id", "rater_role", "service_id"]].iloc[0].tolist() == [
        "2024H1",
        "研发部",
        "supervisor",
        "报销",
    ]
    assert made["rating"]["seconds"].tolist() == [61, 70]
    assert made["service"][["service_id", "provider_id"]].to_numpy().tolist() == [
        ["报销", "财务部"]
    ]
    assert len(made["plan"]) == 2


LECTURES = pd.DataFrame(
    {
        "s": ["1", "1", "1", "2"],
        "d": ["1", "2", "3", "1"],
        "dept": ["2", "2", "9", "2"],
        "y": [5, 2, 4, 3],
    }
)


def test_parents_numbered_like_targets_are_other_units():
    mapping = Mapping(
        "ratings",
        {
            "s": ("plan.rater_key",),
            "d": ("plan.target_id",),
            "dept": ("unit.parent_id",),
            "y": ("rating.score",),
        },
    )
    made, tally = tables(LECTURES.to_numpy().tolist(), LECTURES.columns, mapping)
    parents = made["unit"].set_index("unit_id")["parent_id"]
    assert parents[["1", "2", "3"]].tolist() == ["dept 2", "dept 2", "dept 9"]
    assert "parents_renamed" in keys(tally)


def test_the_target_may_be_the_department_and_the_lecture_its_case():
    mapping = Mapping(
        "ratings",
        {
            "s": ("plan.rater_key",),
            "d": ("rating.case_id",),
            "dept": ("plan.target_id",),
            "y": ("rating.score",),
        },
    )
    made, _ = tables(LECTURES.to_numpy().tolist(), LECTURES.columns, mapping)
    assert len(made["rating"]) == 4
    assert len(made["plan"]) == 3
    assert made["plan"]["trigger"].unique().tolist() == ["case_close"]


def test_the_same_form_gets_the_same_plan_id_in_every_import():
    first, _ = tables(BASE)
    again, _ = tables(BASE[::-1])
    assert set(first["plan"]["plan_id"]) == set(again["plan"]["plan_id"])

"""Mappings: guessed from headers, shown in words, saved and read back."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from svcmetrics.io.guess import guess_mapping, need
from svcmetrics.io.mapping import Answer, Mapping, load_mapping, save_mapping
from svcmetrics.problems import StudyError

ZH = ["审批编号", "流程名称", "环节", "操作时间", "处理人工号", "处理人部门", "备注"]
EN = [
    "case:concept:name",
    "concept:name",
    "time:timestamp",
    "org:resource",
    "org:role",
    "lifecycle:transition",
    "case:deadline",
]


def frame(headers, rows=1):
    return pd.DataFrame([[f"x{i}" for i in range(len(headers))]] * rows, columns=headers)


def test_headers_in_chinese_and_english_are_recognised():
    zh = guess_mapping(ZH, frame(ZH))
    assert {s: t[0] for s, t in zh.columns.items()} == {
        "审批编号": "event.case_id", "流程名称": "event.service_id", "环节": "step.name", "操作时间": "event.at",
        "处理人工号": "event.actor_key", "处理人部门": "event.unit_id",
    }  # fmt: skip
    assert zh.left_out == ("备注",)
    en = guess_mapping(EN, frame(EN), format="xes")
    assert en.source("event.unit_id") == "org:role"
    assert en.source("commitment.due_at") == "case:deadline"


def test_each_word_of_the_file_gets_an_action():
    rows = pd.DataFrame(
        {"case": ["A"] * 3, "activity": ["提交", "审批", "驳回"], "time": ["2024-01-01"] * 3}
    )
    words = guess_mapping(list(rows), rows).values["event.action"]
    assert words == {"提交": "submit", "审批": "approve", "驳回": "reject"}


def test_a_mapping_survives_its_file(tmp_path):
    mapping = Mapping(
        "wjx",
        {"工号": ("plan.rater_key",), "部门": ("event.unit_id", "unit.name_zh")}, {"rating.score": {"满意": 4.0}},
        {"plan.wave": "W2"}, (Answer("第3题(财务部)", "Q3", "财务部"),), "Asia/Shanghai", "day", "pseudonym", ("总分",),
    )  # fmt: skip
    again = load_mapping(save_mapping(mapping, tmp_path / "对照.toml"))
    assert dataclasses.asdict(again) == dataclasses.asdict(mapping)


@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_mapping_is_shown_in_words(code):
    text = (
        guess_mapping(ZH, frame(ZH)).but(timezone="Asia/Shanghai", day_first="day").describe(code)
    )
    assert "审批编号  →" in text
    assert "(event.case_id)" in text
    assert "Asia/Shanghai" in text
    assert ("假名" if code == "zh" else "pseudonym") in text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("format = 'fax'", "mapping_word"),
        ("day_first = 'year'", "mapping_word"),
        ("persons = 'open'", "mapping_word"),
        ("format = ", "settings_syntax"),
        ("colour = 'red'", "mapping_unknown"),
        ("columns = 3", "mapping_unreadable"),
        ("values = {a = 3}", "mapping_unreadable"),
    ],
)
def test_a_wrong_mapping_file_is_named(tmp_path, text, key):
    path = tmp_path / "m.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(StudyError) as error:
        load_mapping(path)
    assert [p.key for p in error.value.problems] == [key]


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        (Mapping("flat", {"a": ("event.case_id",)}), "mapping_incomplete"),
        (
            Mapping("ratings", {"a": ("plan.rater_key",), "b": ("plan.target_id",)}),
            "mapping_incomplete",
        ),
        (
            Mapping("flat", {"a": ("event.case_id",), "b": ("step.name",), "z": ("event.at",)}),
            "mapping_absent",
        ),
        (
            Mapping(
                "flat",
                {
                    "a": ("event.case_id",),
                    "b": ("step.name",),
                    "c": ("event.at",),
                    "姓名": ("event.unit_id",),
                },
            ),
            "mapping_personal",
        ),
    ],
)
def test_what_cannot_be_read_is_said_before_reading(mapping, key):
    with pytest.raises(StudyError) as error:
        need(mapping, ["a", "b", "c", "姓名"], "f.csv")
    assert [p.key for p in error.value.problems] == [key]

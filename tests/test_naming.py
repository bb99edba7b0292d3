"""Names in place of ids, in the reader's language, in tables and sentences alike."""

from __future__ import annotations

import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics.naming import named, names
from svcmetrics.result import Finding, Result, estimates

UNITS = pd.DataFrame(
    {
        "unit_id": ["D1", "D2", "7"],
        "name_zh": ["财务部", None, "法务部"],
        "name_en": ["Finance", "HR", None],
    }
)


@pytest.fixture
def result() -> Result:
    table = estimates("icc", groups={"target_id": ["D1", "D2", "7"]}, estimate=1.0, n=7)
    told = [Finding("where.row", {"value": ["D1", "D2"]}), Finding("where.row", {"value": "7"})]
    return Result("icc", table, told)


@pytest.mark.parametrize(
    ("code", "expected"), [("zh", ["财务部", "HR", "法务部"]), ("en", ["Finance", "HR", "法务部"])]
)
def test_names_are_in_the_readers_language_and_fall_back_to_the_other(result, code, expected):
    with svc.speaking(code):
        assert named(result, {"unit": UNITS}).table["target_id"].tolist() == expected


def test_sentences_name_units_but_never_take_a_number_for_an_id(result):
    told = named(result, {"unit": UNITS})
    assert told.findings[0].values["value"] == ["财务部", "HR"]
    assert told.findings[1].values["value"] == "7"


def test_unknown_ids_and_other_columns_stay(result):
    table = result.table.assign(target_id=["D1", "X", "7"], remark="D1")
    told = named(Result("icc", table), {"unit": UNITS}).table
    assert told["target_id"].tolist() == ["财务部", "X", "法务部"]
    assert set(told["remark"]) == {"D1"}


def test_without_the_table_nothing_changes(result):
    pd.testing.assert_frame_equal(named(result, {}).table, result.table)


def test_an_id_without_any_name_is_its_own_name():
    assert names(UNITS.assign(name_zh=None, name_en=None), "unit_id", "zh")["D1"] == "D1"


def test_the_text_of_an_item_ends_without_a_full_stop_since_it_stands_in_sentences():
    item = pd.DataFrame(
        {"item_id": ["q1"], "text_zh": ["按时完成。"], "text_en": ["Done on time."]}
    )
    assert names(item, "item_id", "zh") == {"q1": "按时完成"}
    assert names(item, "item_id", "en") == {"q1": "Done on time"}


@pytest.mark.parametrize(("code", "said"), [("zh", "误差"), ("en", "error")])
def test_the_residual_of_a_design_has_a_word(code, said):
    table = estimates("component", groups={"term": ["target_id", "residual"]}, estimate=1.0, n=7)
    with svc.speaking(code):
        found = named(Result("generalizability", table), {"unit": UNITS}).table["term"]
    assert said in found[1] and "residual" not in found.tolist()

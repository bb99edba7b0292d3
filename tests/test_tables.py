"""The twelve tables: complete in both languages, unambiguous, and the small readers of columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import lang, tables
from svcmetrics.io import headers
from svcmetrics.problems import TableError
from svcmetrics.tables import TABLES

DESIGN = [
    "unit",
    "service",
    "step",
    "event",
    "commitment",
    "calendar",
    "item",
    "plan",
    "rating",
    "judgement",
    "weight",
    "relevance",
]


def test_the_twelve_tables():
    assert list(TABLES) == DESIGN
    assert len({lang.say(f"table.{n}", "zh") for n in TABLES}) == 12


@pytest.mark.parametrize("name", DESIGN)
def test_every_column_has_its_own_header_in_both_languages(name):
    for code in lang.LANGUAGES:
        titles = [headers.normal(c.header(name, code)) for c in TABLES[name].columns]
        assert len(set(titles)) == len(titles)
        assert lang.say(f"why.{name}", code)
    known = headers.columns_of(name)
    for column in TABLES[name].columns:
        for form in (column.name, column.header(name, "zh"), column.header(name, "en")):
            assert known[headers.normal(form)] == column.name


WORD_COLUMNS = {c.name: c for t in TABLES.values() for c in t.columns if c.words}


@pytest.mark.parametrize("column", WORD_COLUMNS.values(), ids=list(WORD_COLUMNS))
def test_every_word_is_understood_in_every_form(column):
    known = headers.words_of(column.name, column.words)
    for word in column.words:
        for code in lang.LANGUAGES:
            assert known[headers.normal(lang.say(f"word.{column.name}.{word}", code))] == word
        assert known[headers.normal(f" {word.upper()} ")] == word


def test_references_lead_to_a_column_of_the_same_kind():
    for table in TABLES.values():
        for column in (c for c in table.columns if c.refers):
            target, _, key = column.refers.partition(".")
            assert TABLES[target][key].kind == column.kind == "id"


def test_no_column_for_a_person():
    forbidden = ("name_of", "email", "phone", "ip", "employee_no")
    for table in TABLES.values():
        assert not set(table.names) & set(forbidden)
        for column in table.columns:
            personal = [
                headers.is_personal(column.header(table.name, code)) for code in lang.LANGUAGES
            ]
            assert not any(personal), column.name


@pytest.mark.parametrize("title", ["姓名", "评价人姓名", "E-mail", "邮箱地址", "手机号", "IP", "来自IP",
    "工号", "Employee ID", "Phone number"])  # fmt: skip
def test_personal_headers_are_known(title):
    assert headers.is_personal(title)


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int64", "float32", "Int64", "Float64", "category"]
)
def test_numbers_of_any_type_are_the_same(dtype):
    table = pd.DataFrame({"score": pd.Series([1, 2, 5]).astype(dtype)})
    out = tables.numbers(table, "score")
    assert out.dtype == np.float64
    assert out.tolist() == [1.0, 2.0, 5.0]


@pytest.mark.parametrize(
    "bad", [["4", 1], ["优", None], [np.inf, 1.0], [pd.Timestamp("2024-01-01")] * 2]
)
def test_what_is_no_number_is_an_error(bad):
    with pytest.raises(TableError) as caught:
        tables.numbers(pd.DataFrame({"score": bad}), "score")
    assert caught.value.problems[0].key == "not_a_number"


def test_complete_counts_what_it_drops():
    table = pd.DataFrame({"r": ["a", None, "c"], "s": [1, 2, None]})
    kept, dropped = tables.complete(table, score="s", by=["r"])
    assert kept["r"].tolist() == ["a"]
    assert dropped == {"no_score": 1, "no_id": 1}


def test_unique_and_require_and_words():
    table = pd.DataFrame({"a": [1, 1]})
    for call in (
        lambda: tables.unique(table, "a"),
        lambda: tables.require(table, "b"),
        lambda: tables.to_scores(["x"], {"y": 1}),
    ):
        with pytest.raises(TableError):
            call()
    assert tables.to_scores(["非常满意", None], {"非常满意": 5}).tolist()[0] == 5
    assert "return" in tables.words_of("action")

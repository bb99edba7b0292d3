"""How numbers and words are shown: short, honest about what is tiny, and in one language."""

from __future__ import annotations

import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import display


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.123456, "0.123"), (12.0, "12"), (1234.5, "1,234"), (3.3e-16, "0"), (-0.0, "0"),
        (9e-5, "<0.001"), (-9e-5, ">−0.001"), (float("nan"), "—"), (None, "—"), (pd.NaT, "—"),
        (True, "✓"), (7, "7"), ("3E5", "3E5"), (-10.0, "-10"),
    ],
)  # fmt: skip
def test_cells(value, shown):
    assert display.cell(value) == shown


def test_words_of_the_toolkit_are_translated_and_data_are_not():
    table = pd.DataFrame({"my unit": ["above"], "group": ["above"], "estimate": [1.0]})
    with svc.speaking("en"):
        shown = display.shown(table)
    assert shown["my unit"].tolist() == ["above"]
    assert shown[display.header("group", "en")].tolist() == ["clearly above the mean"]


def test_columns_that_tell_nothing_are_left_out():
    table = pd.DataFrame(
        {"metric": ["x"], "variant": [""], "estimate": [1.0], "low": [None], "F": [None]}
    )
    assert display.shown(table, "en").columns.tolist() == ["metric", "estimate", "low"]


def test_long_tables_are_cut_and_say_so():
    text = display.table_html(pd.DataFrame({"a": range(100)}), limit=10)
    assert text.count("<tr>") == 11
    assert "90" in text


def test_a_column_that_begins_below_the_cut_is_no_trouble():
    late = pd.DataFrame({"metric": "x", "to": [None] * 10 + [1.0], "estimate": range(11)})
    assert display.table_html(late, limit=10).count("<tr>") == 11


def test_counts_have_separators_and_ids_have_none():
    table = pd.DataFrame(
        {"service": [20240901], "metric": ["x"], "estimate": [0.5], "n": [40000], "late": [1234]}
    )
    assert display.shown(table, "en").iloc[0].tolist() == [
        "20240901",
        "x",
        "0.5",
        "40,000",
        "1,234",
    ]

"""The data-quality log: nothing dropped in silence, said in both languages, shown safely."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import svcmetrics.io
from svcmetrics import lang
from svcmetrics.io.quality import Tally, row_list
from svcmetrics.problems import Problem

SOURCES = Path(svcmetrics.io.__file__).parent


def report():
    tally = Tally("<b>.csv", 5, [Problem("file_damaged", file="x.csv", level="warning")])
    frame = pd.DataFrame({"a": range(5)}, index=range(2, 7))
    kept = tally.leave_out(frame, [True, False, False, False, True], "no_case")
    assert len(kept) == 3
    tally.say("filler_units", "warning", names=["<script>"])
    return tally.report("flat", {"event": 3}, ["event.csv"], {})


def test_rows_in_are_rows_kept_and_rows_left_out():
    made = report()
    assert made.rows_in == made.rows_kept + sum(made.left_out.values())
    table = made.table.set_index(["what", "name"])["rows"]
    assert table[("rows_in", "")] == 5
    assert table[("left_out", "no_case")] == 2
    assert table[("added", "event")] == 3


@pytest.mark.parametrize("code", ["zh", "en"])
def test_the_log_is_said_in_both_languages(code):
    text = report().say(code)
    assert "<b>.csv" in text
    assert "2, 6" in text
    assert "⚠" in text
    assert bool(re.search(r"[\u4e00-\u9fff]", text)) == (code == "zh")


def test_names_are_shown_as_text():
    page = report()._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page


def test_many_rows_are_cut_short():
    assert row_list(range(100)) == "0, 1, 2, 3, 4, 5, 6, 7 …"
    assert row_list([3]) == "3"


def test_every_finding_and_problem_of_the_importers_has_its_sentence():
    text = "".join(p.read_text("utf-8") for p in SOURCES.glob("*.py"))
    said = {f"import.{k}" for k in re.findall(r'tally\.say\(\s*"(\w+)"', text)}
    said |= {
        f"import.left_{k}"
        for k in re.findall(r'(?:tally|self)\.leave_out\([^"\n]*, "(\w+)"\)', text)
    }
    said |= {
        f"problem.{k}.found"
        for k in re.findall(
            r'(?:Problem|file_problem)\(\s*"((?:import|mapping|xes|qualtrics)_\w+)"', text
        )
    }
    assert len(said) > 60
    assert [k for k in sorted(said) if not lang.has(k)] == []

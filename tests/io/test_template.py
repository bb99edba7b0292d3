"""The bilingual template: read by our own reader, in both languages, deterministic, no formulas."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest

from svcmetrics.io import headers
from svcmetrics.io.check_sheet import write_checks
from svcmetrics.io.study_files import inspect_study, read_study, write_study
from svcmetrics.io.template import choices, new_study, sheet_name
from svcmetrics.problems import Problem, StudyError
from svcmetrics.study import Settings, Study
from svcmetrics.tables import LITE, TABLES

CHECKS = headers.CHECKS_SHEET


@pytest.fixture
def folder(tmp_path):
    new_study(tmp_path / "研究", language="zh")
    return tmp_path / "研究"


def test_two_files_and_nothing_overwritten(folder):
    assert sorted(p.name for p in folder.iterdir()) == ["study.toml", "study.xlsx"]
    with pytest.raises(StudyError) as caught:
        new_study(folder)
    assert caught.value.problems[0].key == "already_there"


def test_its_settings_are_the_documented_defaults(folder):
    problems = inspect_study(folder)[1]
    assert [p.key for p in problems] == ["tables_empty"]
    assert 'timezone = "Asia/Shanghai"' in (folder / "study.toml").read_text("utf-8")


def test_a_sheet_per_table_with_two_header_rows(folder):
    book = openpyxl.load_workbook(folder / "study.xlsx")
    assert set(book.sheetnames) == {sheet_name(n) for n in TABLES} | set(headers.NO_TABLE)
    for name, table in TABLES.items():
        sheet = book[sheet_name(name)]
        assert tuple(c.value for c in sheet[1]) == table.names
        known = headers.columns_of(name)
        for cell, column in zip(sheet[2], table.columns):
            zh, en = (column.header(name, code) for code in ("zh", "en"))
            assert cell.value.startswith(f"{zh} / {en}")
            assert {known[headers.normal(p)] for p in cell.value.split("/")} == {column.name}
        assert sheet.freeze_panes.endswith("3")


def test_every_choice_of_a_drop_down_is_understood():
    for table in TABLES.values():
        for column in table.columns:
            if column.kind == "bool":
                assert [headers.yes_no()[headers.normal(c)] for c in choices(column)] == [
                    True,
                    False,
                ]
            elif column.words:
                known = headers.words_of(column.name, column.words)
                assert tuple(known[headers.normal(c)] for c in choices(column)) == column.words


def test_same_template_same_bytes(folder, tmp_path):
    new_study(tmp_path / "研究2" / "研究", language="zh")
    assert (tmp_path / "研究2" / "研究" / "study.xlsx").read_bytes() == (
        folder / "study.xlsx"
    ).read_bytes()


def _fill_lite(path):
    book = openpyxl.load_workbook(path)
    rows = {
        "unit": [("HR", "人力资源部", None, None, "是 yes"), ("FIN", "财务部", None, None, "否 no")],
        "service": [("s1", "入职办理", None, "HR", "服务 service", None, None, "常规", "是", "每月都有")],
        "rating": [(None, None, "q1", s, None, None, None, None, "w1", f"p{s}", "FIN",
        "员工", "HR", "s1", "保密") for s in (3, 4, 5)],
    }  # fmt: skip
    for name, lines in rows.items():
        for number, line in enumerate(lines, 3):
            for place, value in enumerate(line, 1):
                book[sheet_name(name)].cell(number, place, value)
    book.save(path)


def test_a_lite_study_typed_into_the_template(folder):
    _fill_lite(folder / "study.xlsx")
    study, problems = inspect_study(folder)
    assert [(p.key, p.level) for p in problems] == [("scale_from_answers", "warning")]
    assert set(study.tables) == set(LITE)
    assert study.rating["mode"].tolist() == ["confidential"] * 3
    assert study.sources["rating"].first_row == 3


def test_problems_are_written_into_the_workbook_and_nothing_else_changes(folder):
    book = folder / "study.xlsx"
    before = {n: [[c.value for c in r] for r in s.rows] for n, s in _open(book).items()}
    problems = [
        Problem(
            "not_number",
            {"bad": "=1+1<&>\x07"},
            "rating",
            "study.xlsx",
            "评分 rating",
            "score",
            (3,),
        )
    ]
    assert write_checks(folder, problems) == book
    after = {n: [[c.value for c in r] for r in s.rows] for n, s in _open(book).items()}
    assert "第 3 行" in after[CHECKS][1][1]
    assert after[CHECKS][1][2].endswith("例如“=1+1<&>�”。")
    assert {n: v for n, v in after.items() if n != CHECKS} == {
        n: v for n, v in before.items() if n != CHECKS
    }
    write_checks(folder, [])
    assert _open(book)[CHECKS]["A2"].value == "没有发现问题"
    assert sorted(p.name for p in folder.iterdir()) == ["study.toml", "study.xlsx"]


def _open(book):
    opened = openpyxl.load_workbook(book)
    return {n: opened[n] for n in opened.sheetnames}


def test_an_open_workbook_is_left_alone(folder):
    (folder / "~$study.xlsx").write_bytes(b"x")
    before = (folder / "study.xlsx").read_bytes()
    with pytest.raises(StudyError) as caught:
        write_checks(folder, [])
    assert caught.value.problems[0].key == "workbook_busy"
    assert (folder / "study.xlsx").read_bytes() == before
    assert "workbook_open" in [p.key for p in inspect_study(folder)[1]]


def test_a_locked_workbook_is_told(folder, monkeypatch):
    def locked(*_: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr("svcmetrics.io.check_sheet.os.replace", locked)
    with pytest.raises(StudyError) as caught:
        write_checks(folder, [])
    assert caught.value.problems[0].key == "file_locked"
    assert sorted(p.name for p in folder.iterdir()) == ["study.toml", "study.xlsx"]


def test_checks_beside_csv_files(tmp_path):
    problems = [Problem("table_no_rows", table="unit", file="=unit.csv", level="warning")]
    file = write_checks(tmp_path, problems)
    assert file.name == "checks.csv"
    table = pd.read_csv(file)
    assert table.iloc[0, 0] == "提醒"
    assert not table.map(lambda v: str(v).startswith("=")).any(axis=None)


def test_names_that_look_like_formulas_stay_text_in_the_workbook(tmp_path):
    unit = pd.DataFrame(
        {
            "unit_id": ["=1+1", '=HYPERLINK("http://x")'],
            "name_zh": ["@SUM(1)", "http://x"],
            "is_service_unit": [True, False],
        }
    )
    write_study(Study({"unit": unit}, Settings()), tmp_path / "s", form="xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "s" / "study.xlsx")[sheet_name("unit")]
    assert [c.data_type for row in sheet["A3:B4"] for c in row] == ["s"] * 4
    assert read_study(tmp_path / "s").unit["unit_id"].tolist() == unit["unit_id"].tolist()

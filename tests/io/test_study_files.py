"""Studies on disk: every accepted form reads alike, every mistake is named, round trips are exact."""

from __future__ import annotations

import datetime as dt
import os

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import svcmetrics as svc
from svcmetrics.io import parquet_tables, study_out
from svcmetrics.io.study_files import inspect_study, read_study, write_study
from svcmetrics.io.values import _EDGES
from svcmetrics.problems import StudyError
from svcmetrics.study import Settings, Study

TOML = 'name = "试点"\ntimezone = "Asia/Shanghai"\n'
UNIT = "unit_id,name_zh,is_service_unit\nNA,无,否\n007,财务,是\n"


def _folder(path, **files):
    path.mkdir(exist_ok=True, parents=True)
    (path / "study.toml").write_text(TOML, "utf-8")
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        (path / f"{name}.csv").write_bytes(data)
    return path


def _keys(path, level="error"):
    return [p.key for p in inspect_study(path)[1] if p.level == level]


@pytest.mark.parametrize(
    "header",
    [
        "unit_id,name_zh,is_service_unit",
        "部门编号,中文名称,是否服务部门",
        "Unit ID,Chinese name,is a service unit",
        " 部门编号 / unit ID * ,ＮＡＭＥ＿ＺＨ,是否服务部门（是/否）",
        "unit_id,name_zh,is_service_unit\n部门编号 / unit ID,中文名称 / Chinese name,是否服务部门 / is a service unit",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_headers_in_every_form(tmp_path, header, encoding):
    _folder(tmp_path, 部门=f"{header}\nNA,无,否\n007,财务,是\n".encode(encoding))
    unit = read_study(tmp_path).unit
    assert unit["unit_id"].tolist() == ["NA", "007"]
    assert unit["is_service_unit"].tolist() == [False, True]


def test_ids_stay_text(tmp_path):
    ids = ["NA", "None", "null", "nan", "3E5", "007", "+86", "123456789012345678901", "TRUE"]
    text = "unit_id,name_zh,is_service_unit\n" + "".join(f"{i},x,1\n" for i in ids)
    assert read_study(_folder(tmp_path, unit=text)).unit["unit_id"].tolist() == ids


@pytest.mark.parametrize(
    ("column", "cell", "key"),
    [
        ("score", "5分", "not_number"),
        ("score", "inf", "not_number"),
        ("score", '"1,234"', "comma_unclear"),
        ("submitted_at", "01/02/2024", "day_or_month"),
        ("submitted_at", "9999-12-31", "time_sentinel"),
        ("submitted_at", "yesterday", "not_a_time"),
        ("item_id", "3.10102E+17", "digits_lost"),
        ("rater_role", "bosss", "word_unknown"),
        ("手机", "1", "column_personal"),
        ("分数", "1", "column_twice"),
    ],
)
def test_cells_that_cannot_be_read(tmp_path, column, cell, key):
    head = ["rater_key", "target_id", "item_id", "score"]
    row = ["p1", "007", "q1", "4"]
    if column in head:
        row[head.index(column)] = cell
    else:
        head, row = [*head, column], [*row, cell]
    folder = _folder(tmp_path, unit=UNIT, rating=f"{','.join(head)}\n{','.join(row)}\n")
    found = [p for p in inspect_study(folder)[1] if p.key == key]
    assert found
    assert found[0].file == "rating.csv"
    assert found[0].rows in ((2,), ())
    with pytest.raises(StudyError):
        read_study(folder)


@pytest.mark.parametrize(
    ("column", "cell", "key"),
    [
        ("score", '"4,5"', "decimal_comma"),
        ("submitted_at", "45352.375", "time_serial"),
        ("submitted_at", "2024-03-01", "clock_missing"),
        ("item_id", " q1", "spaces_trimmed"),
        ("scores", "1", "column_unknown"),
    ],
)
def test_doubts_are_warnings(tmp_path, column, cell, key):
    head = {"rater_key": "p1", "target_id": "007", "item_id": "q1", "score": "4"} | {column: cell}
    folder = _folder(tmp_path, unit=UNIT, rating=f"{','.join(head)}\n{','.join(head.values())}\n")
    assert key in _keys(folder, "warning")
    assert read_study(folder).rating["target_id"].tolist() == ["007"]


def test_times_get_the_zone_of_the_study_and_mixtures_are_told(tmp_path):
    text = "rater_key,target_id,item_id,score,submitted_at\n"
    text += "p,007,q1,4,2024-03-01 09:00\np,007,q2,4,2024-03-01T02:00:00Z\n"
    folder = _folder(tmp_path, unit=UNIT, rating=text)
    at = read_study(folder).rating["submitted_at"]
    assert [str(t) for t in at] == ["2024-03-01 09:00:00+08:00", "2024-03-01 10:00:00+08:00"]
    assert "mixed_offsets" in _keys(folder, "warning")


def test_the_doubled_hour_is_told(tmp_path):
    text = "rater_key,target_id,item_id,score,submitted_at\np,007,q1,4,2024-11-03 01:30:00\n"
    folder = _folder(tmp_path, unit=UNIT, rating=text)
    (folder / "study.toml").write_text('timezone = "America/New_York"', "utf-8")
    assert "clock_doubled" in _keys(folder, "warning")


def test_all_problems_come_at_once(tmp_path):
    folder = _folder(
        tmp_path,
        unit=UNIT,
        service="service_id\n",
        rating="rater_key,target_id,item_id,score\np,HQ,q1,x\n",
        plan="这是\n一个标题\n",
        uniit="a\n",
    )
    (folder / "step.xls").write_bytes(b"x")
    problems = inspect_study(folder)[1]
    found = {p.key for p in problems}
    assert {
        "not_number",
        "reference_unknown",
        "header_missing",
        "file_unknown",
        "extension_wrong",
    } <= found
    assert next(p for p in problems if p.key == "file_unknown").values["near"] == "unit"


@pytest.mark.parametrize(
    ("rows", "key", "level"),
    [
        (["部门一览,,", "unit_id,name_zh,is_service_unit", "HR,人力,是"], "title_rows", "warning"),
        (
            ["ResponseId,Q1", "Response ID,Text", '"{""ImportId"":""x""}",a', "R1,5"],
            "foreign_export",
            "error",
        ),
        (["序号,提交答卷时间", "1,2024/3/1"], "foreign_export", "error"),
        (["unit_id,name_zh,is_service_unit"], "table_no_rows", "warning"),
        (["apples,pears", "1,2"], "header_missing", "error"),
    ],
)
def test_what_stands_before_the_data(tmp_path, rows, key, level):
    assert key in _keys(_folder(tmp_path, unit="\n".join(rows) + "\n"), level)


def test_one_workbook_with_the_row_numbers_that_excel_shows(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "部门 unit"
    for row in (["unit_id", "name_zh", "is_service_unit", "headcount"],
        ["部门编号 / unit ID", "中文名称", "是否服务部门", "人数"],
                [7, "财务", "是 yes", 3], [None] * 4, [3.1010119900307123e17, "人力", "maybe", 2.5]):  # fmt: skip
        sheet.append(row)
    book.create_sheet("部们").append(["x"])
    path = tmp_path / "公司.xlsx"
    book.save(path)
    study, problems = inspect_study(path)
    assert study.unit["unit_id"].iloc[0] == "7"
    rows = {p.key: p.rows for p in problems}
    assert rows["digits_lost"] == rows["not_yes_no"] == rows["not_whole"] == (5,)
    assert next(p for p in problems if p.key == "sheet_unknown").sheet == "部们"


def test_excel_day_numbers_and_ids_made_into_dates(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "rating"
    for row in (["rater_key", "target_id", "item_id", "score", "submitted_at"], ["p", "a", "q", 4, 45352.375],
                ["p", "a", dt.datetime(2024, 3, 1), 4, dt.datetime(2024, 3, 1, 9)]):  # fmt: skip
        book.active.append(row)
    book.save(tmp_path / "s.xlsx")
    study, problems = inspect_study(tmp_path / "s.xlsx")
    assert study.rating["submitted_at"].nunique() == 1
    assert {"id_is_date", "time_serial"} <= {p.key for p in problems}


def test_nothing_there(tmp_path):
    assert _keys(tmp_path / "none") == ["file_missing"]
    assert _keys(_folder(tmp_path / "empty")) == ["no_tables"]
    (tmp_path / "a.txt").write_text("x")
    assert _keys(tmp_path / "a.txt") == ["not_a_study"]


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_folder_without_permission(tmp_path):
    folder = _folder(tmp_path / "s", unit=UNIT)
    folder.chmod(0)
    try:
        assert _keys(folder) == ["file_locked"]
    finally:
        folder.chmod(0o755)


def test_writing_is_whole_or_not_at_all(tmp_path, monkeypatch):
    study = Study({"unit": read_study(_folder(tmp_path / "in", unit=UNIT)).unit})
    target = write_study(study, tmp_path / "out")
    before = sorted((p.name, p.read_bytes()) for p in target.iterdir())

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(study_out, "write_settings", full)
    with pytest.raises(StudyError) as caught:
        write_study(study, target)
    assert caught.value.problems[0].key == "folder_locked"
    assert sorted((p.name, p.read_bytes()) for p in target.iterdir()) == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.docx").write_text("x")
    with pytest.raises(StudyError) as caught:
        write_study(Study({}), tmp_path)
    assert caught.value.problems[0].key == "folder_not_empty"
    assert (tmp_path / "thesis.docx").exists()


def test_a_large_log_stays_in_the_engine(tmp_path, monkeypatch):
    n = 200
    event = pd.DataFrame({
        "case_id": [f"c{i // 4}" for i in range(n)], "seq": np.arange(n) % 4, "service_id": "s1",
        "at": pd.date_range("2024-01-01", periods=n, freq="h", tz="Asia/Shanghai"), "action": "提交",
    })  # fmt: skip
    folder = _folder(tmp_path / "[a]*")
    event.to_parquet(folder / "event.parquet")
    monkeypatch.setattr(parquet_tables, "STAYS_FROM_BYTES", 10)
    study, problems = inspect_study(folder)
    assert not isinstance(study.event, pd.DataFrame)
    assert study.event.count().execute() == n
    assert study.event.action.nunique().execute() == 1
    assert study.event.action.first().execute() == "submit"
    assert [p.key for p in problems if p.level == "error"] == []
    again = read_study(write_study(study, tmp_path / "copy", form="parquet"))
    assert again.event.count().execute() == n


TEXTS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cf", "Co", "Cn"], include_characters="\n\t"),
    max_size=8,
)
FORMULAS = st.sampled_from(
    ["=1+1", "+86", "-1", "@x", "'=1", "＝1", "NA", "3E5", "007", "_x0041_", 'a"b', "a,b", "1\n2"]
)
IDS = TEXTS | FORMULAS
MOMENTS = st.datetimes(
    dt.datetime(1951, 1, 1), dt.datetime(2099, 1, 1), timezones=st.sampled_from([dt.UTC])
)
SCORES = st.floats(allow_nan=False, allow_infinity=False) | st.none()


@st.composite
def studies(draw):
    n = draw(st.integers(1, 4))

    def column(values):
        return draw(st.lists(values, min_size=n, max_size=n))

    unit = pd.DataFrame({
        "unit_id": column(IDS), "name_zh": column(TEXTS | st.none()), "is_service_unit": column(st.booleans()),
        "headcount": column(st.integers(1, 10**12) | st.none()),
    })  # fmt: skip
    rating = pd.DataFrame({
        "item_id": column(IDS), "score": column(SCORES), "submitted_at": column(MOMENTS | st.none()),
        "reason": column(IDS | st.none()), "mode": column(st.sampled_from(["anonymous", "named", None])),
    })  # fmt: skip
    # A row without anything to be seen is no row: readers leave it out.
    assume(all(any(str(v).strip(_EDGES) for v in r if pd.notna(v)) for r in rating.to_numpy()))
    calendar = pd.DataFrame({
        "calendar_id": column(IDS),
        "date": [pd.Timestamp(d) for d in column(st.dates(dt.date(1951, 1, 1), dt.date(2099, 1, 1)))],
        "slot": column(st.integers(0, 9)), "is_workday": column(st.booleans()),
        "open": column(st.times().map(lambda t: t.strftime("%H:%M:%S"))), "source": column(TEXTS),
        "status": column(st.sampled_from(["official", "provisional"])),
    })  # fmt: skip
    rating["submitted_at"] = pd.to_datetime(rating["submitted_at"], utc=True)
    return Study(
        {"unit": unit, "rating": rating, "calendar": calendar},
        Settings(seed=draw(st.integers(0, 99))),
    )


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(study=studies(), form=st.sampled_from(["csv", "parquet", "xlsx"]))
def test_a_written_study_reads_back_exactly(tmp_path_factory, study, form):
    folder = tmp_path_factory.mktemp("law")
    once = read_study(write_study(study, folder / "a", form=form))
    twice = read_study(write_study(once, folder / "b", form=form))
    assert once.settings == twice.settings == study.settings
    for name, table in once.tables.items():
        pd.testing.assert_frame_equal(table, twice.tables[name])
        assert len(table) == len(study.tables[name])
    scores = study.rating["score"].astype("float64")
    pd.testing.assert_series_equal(
        once.rating["score"], scores, check_names=False, check_exact=True
    )
    for file in (folder / "a").iterdir():
        assert file.read_bytes() == (folder / "b" / file.name).read_bytes()


def test_the_short_names_are_public():
    assert svc.read_study is read_study
    assert svc.write_study is write_study

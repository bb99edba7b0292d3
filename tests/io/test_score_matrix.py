"""The spreadsheet that a company has today: a row per rater, a column per department."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics.cli import main
from svcmetrics.io.foreign_source import guess_source, open_source
from svcmetrics.io.import_files import import_file
from svcmetrics.io.score_matrix import OVERALL, department_answers
from svcmetrics.io.study_files import read_study
from svcmetrics.problems import StudyError

SHEET = pd.DataFrame({
    "姓名": ["张三", "李四", "王五"], "所在部门": ["销售部", "研发部", "销售部"],
    "财务部": [90, 85, 95], "人力资源部": [88, None, 70], "信息技术部": [60, "弃权", 75],
    "合计": [238, 85, 240], "意见建议": ["快一点", None, "无"],
})  # fmt: skip


def saved(folder, table=SHEET, name="2025年4月评分.xlsx"):
    path = folder / name
    table.to_excel(path, index=False)
    return path


def test_each_cell_becomes_one_rating_of_its_department(tmp_path):
    import_file(saved(tmp_path), tmp_path / "s")
    study = read_study(tmp_path / "s")
    long = study.long_ratings()
    got = long.pivot_table(index="rater_key", columns="target_id", values="score", dropna=False)
    assert sorted(map(tuple, got[["财务部", "人力资源部", "信息技术部"]].fillna(-1).to_numpy())) == [
        (85.0, -1.0, -1.0), (90.0, 88.0, 60.0), (95.0, 70.0, 75.0),
    ]  # fmt: skip
    assert sorted(study.rating["na_reason"].dropna()) == ["abstained", "blank"]
    assert study.item[["item_id", "min", "max"]].values.tolist() == [[OVERALL, 0, 100]]
    # Sums are no department's, and nobody's name is kept.
    assert set(long["target_id"]) == {"财务部", "人力资源部", "信息技术部"}
    written = b"".join(p.read_bytes() for p in (tmp_path / "s").iterdir())
    assert "张三".encode() not in written


def test_the_month_comes_from_the_name_of_the_file_and_months_add_up(tmp_path):
    for name in ("2025年4月评分.xlsx", "评分2025-05.xlsx", "评分_202506.xlsx"):
        import_file(saved(tmp_path, name=name), tmp_path / "s")
    study = read_study(tmp_path / "s")
    assert study.plan["wave"].value_counts().to_dict() == {
        "2025-04": 9, "2025-05": 9, "2025-06": 9,
    }  # fmt: skip
    assert study.plan["rater_key"].nunique() == 3  # the same persons in every month
    assert study.item["form_version"].unique().tolist() == ["评分"]
    with pytest.raises(StudyError) as error:
        import_file(saved(tmp_path), tmp_path / "s")
    assert error.value.problems[0].key == "import_there_already"


@pytest.mark.parametrize("name", ["评分.xlsx", "20251399.xlsx", "12025-04.xlsx"])
def test_a_name_without_a_month_gives_none(tmp_path, name):
    mapping = guess_source(open_source(saved(tmp_path, name=name)))
    assert mapping.constant("plan.wave") == ""
    assert mapping.constant("plan.form_version") == name.removesuffix(".xlsx")


@pytest.mark.parametrize(
    ("header", "about"),
    [
        ("财务部", ("财务部", OVERALL)), ("财务部（时效）", ("财务部", "时效")),
        ("时效-财务部", ("财务部", "时效")), ("Finance: speed", ("Finance", "speed")),
        ("IT_quality", ("IT", "quality")), ("合计", None), ("时效", None),
        ("财务部-人事部", ("财务部-人事部", OVERALL)),
    ],
)  # fmt: skip
def test_a_header_tells_department_and_item_in_either_order(header, about):
    table = pd.DataFrame({header: [4, 5], "采购部": [3, 4], "行政部": [3, 4]})
    found = {a.column: (a.target, a.item) for a in department_answers(list(table), table)}
    assert found.get(header) == about


def test_what_is_no_sheet_of_departments_is_not_taken_for_one():
    one = pd.DataFrame({"财务部": [4, 5], "总分": [4, 5]})
    assert department_answers(list(one), one) == ()
    words = pd.DataFrame({"财务部": ["张三", "李四"], "行政部": ["甲", "乙"]})
    assert department_answers(list(words), words) == ()
    sums = pd.DataFrame({"财务部": [400, 101], "行政部": [250, 300]})
    assert department_answers(list(sums), sums) == ()
    full = pd.DataFrame({"财务部": [100, 0], "行政部": [99, 100]})
    assert len(department_answers(list(full), full)) == 2


def test_one_word_among_many_scores_stops_the_import_and_is_named(tmp_path):
    rows = pd.DataFrame({
        "姓名": [f"员工{i}" for i in range(20)], "财务部": [90] * 19 + ["很棒棒"], "行政部": [80] * 20,
    })  # fmt: skip
    with pytest.raises(StudyError) as error:
        import_file(saved(tmp_path, rows), tmp_path / "s")
    assert "很棒棒" in error.value.say()
    assert not (tmp_path / "s").exists()


def test_without_a_name_the_number_of_the_row_is_the_rater_and_without_both_it_is_asked_for(
    tmp_path,
):
    numbered = SHEET.drop(columns="姓名").assign(序号=[1, 2, 3])
    import_file(saved(tmp_path, numbered), tmp_path / "s")
    assert read_study(tmp_path / "s").plan["rater_key"].nunique() == 3
    bare = saved(tmp_path, SHEET.drop(columns="姓名"), "b.xlsx")
    with pytest.raises(StudyError, match=r"plan\.rater_key"):
        import_file(bare, tmp_path / "b")


def test_the_mapping_is_shown_before_anything_is_written(tmp_path, capsys):
    assert main(["import", str(saved(tmp_path)), str(tmp_path / "s"), "--lang", "zh"]) == 3
    said = capsys.readouterr().out
    assert "财务部  →  overall · 财务部" in said and "轮次 = 2025-04" in said
    assert not (tmp_path / "s").exists()


def noted(report) -> dict[str, dict]:
    return {p.key: p.values for p in report.problems}


def written(folder, *above, blank=""):
    """The sheet with rows above its headers, and one header left out."""
    headers = [None if h == blank else h for h in SHEET]
    titles = [[line, *[None] * (len(headers) - 1)] for line in above]
    rows = pd.DataFrame([*titles, headers, *SHEET.to_numpy().tolist()])
    path = folder / "sheet.xlsx"
    rows.to_excel(path, index=False, header=False)
    return path


def test_a_heading_above_the_headers_is_passed_over_and_told(tmp_path):
    report = import_file(written(tmp_path, "部门服务满意度评分表", "2025 年"), tmp_path / "s")
    assert noted(report)["import_title"] == {"rows": 2, "example": "部门服务满意度评分表"}
    assert len(read_study(tmp_path / "s").rating) == 9
    assert "import_title" not in noted(import_file(saved(tmp_path), tmp_path / "plain"))


def test_a_column_without_a_name_is_still_an_error(tmp_path):
    with pytest.raises(StudyError) as error:
        import_file(written(tmp_path, blank="财务部"), tmp_path / "s")
    assert error.value.problems[0].key == "import_blank_header"


def test_sheets_that_are_not_read_are_named(tmp_path):
    path = tmp_path / "months.xlsx"
    with pd.ExcelWriter(path) as book:
        for month in ("4月", "5月", "6月"):
            SHEET.to_excel(book, index=False, sheet_name=month)
        pd.DataFrame().to_excel(book, index=False, sheet_name="Sheet4")
    told = noted(import_file(path, tmp_path / "s"))["import_other_sheets"]
    assert told == {"read": "4月", "names": ["5月", "6月"], "count": 2}


@pytest.mark.parametrize("word", ["合计", "平均分", "均值：", "Total", "average"])
def test_rows_of_sums_are_nobodys_answers(tmp_path, word):
    last = {"姓名": word, "财务部": 90, "人力资源部": 79, "信息技术部": 67.5}
    table = pd.concat([SHEET, pd.DataFrame([last])], ignore_index=True)
    report = import_file(saved(tmp_path, table), tmp_path / "s")
    assert report.left_out == {"sum": 1} and report.rows_kept == 3
    assert read_study(tmp_path / "s").plan["rater_key"].nunique() == 3
    person = pd.concat([SHEET, pd.DataFrame([last | {"姓名": "平均田"}])], ignore_index=True)
    assert import_file(saved(tmp_path, person), tmp_path / "p").left_out == {}


def test_sums_in_a_long_table_are_left_out_too(tmp_path):
    long = pd.DataFrame({
        "评价人": ["a", "a", "b", "b", "合计", "c"], "被评部门": ["X", "Y", "X", "Y", "X", "总计"],
        "分数": [4, 5, 3, 4, 7, 9],
    })  # fmt: skip
    report = import_file(saved(tmp_path, long, "long.xlsx"), tmp_path / "s")
    assert report.left_out == {"sum": 2} and len(read_study(tmp_path / "s").rating) == 4

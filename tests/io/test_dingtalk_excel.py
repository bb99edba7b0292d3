"""钉钉 Excel exports: both layouts, details that repeat a case, ids of 21 digits, histories as text."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.io.import_files import propose
from svcmetrics.problems import StudyError

from .foreign import write_csv
from .workflows import CASES, built, dingtalk_newer, dingtalk_older, said, told, write_book


def imported(tmp_path, sheets, name="study"):
    return built(write_book(tmp_path / f"{name}.xlsx", sheets))


def test_the_older_layout(tmp_path):
    _, study = imported(tmp_path, {"Sheet1": dingtalk_older()})
    assert told(study, CASES[0]) == [
        (0, "submit", None, None), (60, "approve", "第1级审批", None), (120, "return", "第2级审批", None),
        (180, "resubmit", None, None), (240, "approve", "第1级审批", None), (300, "approve", "第2级审批", None),
        (300, "comment", None, None), (300, "close", None, None),
    ]  # fmt: skip
    status = measure.cases(study.event).set_index("case_id")["status"]
    assert [status[c] for c in CASES[:5]] == ["closed", "rejected", "withdrawn", "open", "closed"]
    assert study.event["is_auto"].sum() == 1
    assert study.service["service_id"].tolist() == ["采购申请"]


def test_what_is_not_understood_is_a_share(tmp_path):
    report, _ = imported(tmp_path, {"Sheet1": dingtalk_older()})
    assert said(report)["record_share"] == {"count": 14, "lost": 1, "share": 1 / 14}
    assert report.left_out == {"told_twice": 1, "unparsed": 1}


def test_the_newer_layout_gives_the_same_cases(tmp_path):
    _, one = imported(tmp_path, {"Sheet1": dingtalk_older()}, "older")
    report, two = imported(tmp_path, dingtalk_newer(), "newer")
    other = two.event[two.event["case_id"] != CASES[5]].reset_index(drop=True)
    columns = ["case_id", "seq", "at", "action", "step_no", "unit_id", "is_auto"]
    pd.testing.assert_frame_equal(one.event[columns], other[columns])
    assert said(report)["excel_cases"] == {"rows": 12, "sheets": 2, "cases": 6}
    assert said(report)["other_sheets"] == {"names": ["说明"]}
    assert set(two.service["service_id"]) == {"采购申请", "请假"}


def test_a_row_of_titles_above_the_headers(tmp_path):
    sheets = dingtalk_newer()
    rows = sheets["采购申请"]
    sheets["采购申请"] = [["审批信息", *[None] * (len(rows[0]) - 1)], rows[0], *rows[2:]]
    _, study = imported(tmp_path, sheets)
    assert study.event["case_id"].nunique() == 6


def test_a_sheet_of_explanations_may_come_first(tmp_path):
    sheets = dingtalk_newer()
    report, study = imported(tmp_path, {"说明": sheets.pop("说明"), **sheets})
    assert study.event["case_id"].nunique() == 6
    assert said(report)["other_sheets"] == {"names": ["说明"]}


def test_details_that_contradict_their_case_are_told(tmp_path):
    sheets = dingtalk_newer()
    sheets["采购申请"][3][5] = "拒绝"
    report, study = imported(tmp_path, sheets)
    assert said(report)["details_differ"] == {"count": 1}
    assert told(study, CASES[0])[-1][1] == "close"


def test_ids_that_lost_their_digits_are_refused(tmp_path):
    rows = dingtalk_older()
    rows[1][0] = int(CASES[0])
    with pytest.raises(StudyError) as error:
        imported(tmp_path, {"Sheet1": rows})
    assert error.value.problems[0].key == "import_digits_lost"


def test_a_csv_of_the_older_layout(tmp_path):
    rows = [["" if v is None else str(v) for v in r] for r in dingtalk_older()]
    report, _ = built(write_csv(tmp_path / "a.csv", rows, "gb18030"))
    assert report.format == "dingtalk"
    assert report.tables["event"] == 20


def test_a_workbook_without_such_headers(tmp_path):
    book = write_book(tmp_path / "a.xlsx", {"s": [["a", "a"], ["1", "2"]]})
    with pytest.raises(StudyError) as error:
        propose(book, format="dingtalk")
    assert error.value.problems[0].key == "import_double_header"

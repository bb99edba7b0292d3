"""泛微 workflow_requestlog: type codes, two columns of time, destinations of returns."""

from __future__ import annotations

import datetime as dt

import pytest

from svcmetrics import measure
from svcmetrics.io.flat_log import ACTIONS
from svcmetrics.io.import_files import propose
from svcmetrics.io.weaver import WORDS

from .foreign import write_csv
from .workflows import built, said, told, weaver, write_book


def imported(tmp_path, rows, name="study"):
    return built(write_csv(tmp_path / f"{name}.csv", rows))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weaver")
    return built(write_csv(folder / "study.csv", weaver()))


def test_the_codes_are_action_words():
    assert set(WORDS.values()) <= set(ACTIONS)


def test_returns_to_a_step_and_to_the_requester(whole):
    _, study = whole
    assert told(study, "9100000") == [
        (0, "comment", None, None), (5, "submit", None, None), (60, "approve", "52", None),
        (120, "return", "53", "52"), (150, "approve", "52", None), (160, "return", "53", None),
        (180, "resubmit", None, None), (240, "approve", "52", None), (300, "deliver", "53", None),
        (301, "comment", None, None),
    ]  # fmt: skip
    result = measure.returns(study.event, steps=study.step)
    assert result.about["dropped"]["to_requester"] >= 1
    assert result.table.set_index("unit_id")["returns"]["研发部"] == 1


def test_transfers_remarks_filing_and_unknown_codes(whole):
    report, study = whole
    assert [e[:3] for e in told(study, "9100001")] == [
        (0, "submit", None), (30, "reassign", "52"), (40, "comment", None), (90, "approve", "52"), (95, "close", None),
    ]  # fmt: skip
    assert said(report)["unknown_codes"]["names"] == ["z"]
    assert said(report)["branches"] == {"count": 1}
    assert said(report)["no_work"] == {"copies": 1, "comments": 2, "added": 0, "automatic": 1}


def test_an_automatic_approval_is_marked(whole):
    _, study = whole
    assert study.event.loc[study.event["is_auto"], ["case_id", "seq"]].values.tolist() == [
        ["9100000", 7]
    ]


def test_names_of_steps_and_services_where_they_are_exported(tmp_path):
    rows = [
        [*r, "nodename", "workflowname"] if not i else [*r, f"环节{r[3]}", "报销流程"]
        for i, r in enumerate(weaver())
    ]
    _, study = imported(tmp_path, rows)
    assert set(study.step["name_zh"]) == {"环节52", "环节53"}
    assert study.service["service_id"].tolist() == ["报销流程"]
    assert told(study, "9100000")[3] == (120, "return", "环节53", "环节52")


def test_excel_with_typed_dates_and_numbers_gives_the_same(tmp_path):
    rows: list = weaver()
    for row in rows[1:]:
        row[5] = dt.datetime.fromisoformat(row[5])
        row[6] = dt.time.fromisoformat(row[6])
        row[0], row[1], row[3] = int(row[0]), int(row[1]), int(row[3])
    _, one = built(write_book(tmp_path / "log.xlsx", {"s": rows}))
    _, other = imported(tmp_path, weaver())
    columns = ["case_id", "seq", "at", "action", "step_no", "to_step_no"]
    assert one.event[columns].equals(other.event[columns])


def test_rows_in_any_order_are_put_in_the_order_of_the_log(tmp_path):
    rows = weaver()
    _, one = imported(tmp_path, rows, "a")
    report, two = imported(tmp_path, [rows[0], *reversed(rows[1:])], "b")
    apart = [e.event.drop(columns="actor_key") for e in (one, two)]
    assert apart[0].equals(apart[1])
    assert "out_of_order" in said(report)


def test_rows_without_time_or_case_are_counted(tmp_path):
    rows = weaver()
    rows[3][5] = rows[3][6] = ""
    rows[4][6] = "25:99"
    rows[5][1] = ""
    rows.append(rows[-1])
    report, _ = imported(tmp_path, rows)
    assert report.left_out == {
        "duplicate": 1,
        "no_case": 1,
        "time_missing": 1,
        "time_unreadable": 1,
    }
    assert report.rows_in == 20


def test_the_mapping_says_what_each_code_means(tmp_path):
    mapping = propose(write_csv(tmp_path / "a.csv", weaver()))
    assert "3 退回  →  退回 (return)" in mapping.describe("zh")
    assert mapping.timezone == "Asia/Shanghai"


@pytest.mark.parametrize(
    "missing", ["NODEID", "DESTNODEID", "LOGID", "WORKFLOWID", "REMARK", "OPERATORDEPT"]
)
def test_an_export_without_a_column_is_read_as_far_as_it_goes(tmp_path, missing):
    place = weaver()[0].index(missing)
    rows = [r[:place] + r[place + 1 :] for r in weaver()]
    report, study = imported(tmp_path, rows)
    assert report.rows_kept == len(study.event) == 19
    assert [p.say() for p in study.check() if p.level == "error"] == []

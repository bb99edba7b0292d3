"""钉钉 interface: codes to actions, both generations of names, UTC and local time."""

from __future__ import annotations

import pytest

from svcmetrics import measure
from svcmetrics.io.dingtalk import WORDS
from svcmetrics.io.flat_log import ACTIONS

from .workflows import CASES, built, dingtalk, said, told, write_json


@pytest.fixture(scope="module", params=["newer, in UTC", "older, in local time"])
def imported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dingtalk")
    path = write_json(folder / "审批.json", dingtalk(old=request.param.startswith("older")))
    return *built(path), request.param


def plain(study, number):
    return [(m, a) for m, a, *_ in told(study, CASES[number])]


def test_the_codes_are_action_words():
    assert set(WORDS.values()) <= set(ACTIONS)


def test_a_return_keeps_the_case_and_a_second_start_is_a_resubmission(imported):
    _, study, _ = imported
    assert plain(study, 0) == [
        (0, "submit"), (60, "approve"), (120, "return"), (180, "resubmit"), (240, "approve"), (300, "approve"),
        (300, "comment"), (300, "close"),
    ]  # fmt: skip


def test_a_rejection_and_a_withdrawal_end_the_case(imported):
    _, study, _ = imported
    assert plain(study, 1) == [(0, "submit"), (90, "reject"), (90, "comment")]
    assert plain(study, 2) == [(0, "submit"), (45, "withdraw")]
    status = measure.cases(study.event).set_index("case_id")["status"]
    assert [status[c] for c in CASES[:5]] == ["closed", "rejected", "withdrawn", "open", "closed"]


def test_automatic_approvals_copies_and_added_approvers_are_no_work(imported):
    report, study, _ = imported
    assert plain(study, 4) == [
        (0, "submit"), (20, "approve"), (50, "comment"), (60, "reassign"), (200, "approve"), (200, "close"),
    ]  # fmt: skip
    event = study.event[study.event["case_id"] == CASES[4]]
    assert event["is_auto"].tolist() == [False, True, False, False, False, False]
    assert said(report)["no_work"] == {"copies": 1, "comments": 1, "added": 1, "automatic": 1}


def test_steps_are_named_where_the_interface_names_them(imported):
    report, study, which = imported
    steps = [(a, s) for _, a, s, _ in told(study, CASES[0])]
    if which.startswith("newer"):
        assert steps[:4] == [
            ("submit", None),
            ("approve", "部门审批"),
            ("return", "财务审批"),
            ("resubmit", None),
        ]
        assert said(report)["open_tasks"] == {"count": 1}
    assert study.service["service_id"].tolist() == ["采购申请"]
    assert study.event.loc[study.event["action"] == "submit", "unit_id"].unique().tolist() == [
        "研发部"
    ]
    assert study.unit.set_index("unit_id")["is_service_unit"]["研发部"] == False  # noqa: E712


def test_where_records_tell_no_start_or_end_the_approval_does(tmp_path):
    cases = dingtalk()
    for case in cases:
        records = case["result"]["operationRecords"]
        records[:] = [
            r for r in records if not r["type"].startswith(("START", "FINISH", "TERMINATE"))
        ]
    _, study = built(write_json(tmp_path / "审批.json", cases))
    assert plain(study, 0)[0] == (0, "submit") and plain(study, 0)[-1] == (300, "close")
    assert plain(study, 1) == [(0, "submit"), (90, "reject")]
    assert plain(study, 2) == [(0, "submit"), (45, "withdraw")]
    assert plain(study, 3)[-1][1] == "comment"


def test_a_code_that_came_later_is_no_work_and_is_named(tmp_path):
    cases = dingtalk()
    cases[3]["result"]["operationRecords"][1]["type"] = "NEW_KIND"
    report, study = built(write_json(tmp_path / "审批.json", cases))
    assert said(report)["unknown_codes"]["names"] == ["NEW_KIND"]
    assert plain(study, 3) == [
        (0, "submit"),
        (30, "comment"),
        (31, "comment"),
    ]

"""企业微信: seconds, both layouts, ends without a time."""

from __future__ import annotations

import pytest

from svcmetrics import measure
from svcmetrics.io.flat_log import ACTIONS
from svcmetrics.io.wecom import WORDS

from .workflows import CASES, built, said, told, wecom, write_json


@pytest.fixture(scope="module", params=[False, True], ids=["records", "steps"])
def imported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wecom")
    path = write_json(folder / "wecom.json", wecom(steps=request.param))
    return *built(path), request.param


def test_the_codes_are_action_words():
    assert set(WORDS.values()) <= set(ACTIONS)


def test_decisions_by_level(imported):
    _, study, _ = imported
    work = [e for e in told(study, CASES[0]) if e[1] not in ("comment", "close")]
    assert work == [
        (0, "submit", None, None), (60, "approve", "第1级审批", None), (120, "return", "第2级审批", None),
        (200, "approve", "第2级审批", None), (300, "approve", "第2级审批", None),
    ]  # fmt: skip
    assert [e[:2] for e in told(study, CASES[4])] == [
        (0, "submit"), (60, "reassign"), (200, "approve"), (200, "close"),
    ]  # fmt: skip


def test_how_requests_end(imported):
    report, study, _ = imported
    status = measure.cases(study.event).set_index("case_id")["status"]
    assert [status[c] for c in CASES[:5]] == ["closed", "rejected", "withdrawn", "open", "closed"]
    assert said(report)["untimed_ends"] == {"count": 1}
    assert said(report)["open_tasks"] == {"count": 2}


def test_copies_are_counted_and_are_no_work(imported):
    report, study, steps = imported
    if steps:
        assert said(report)["no_work"]["copies"] == 1
    else:
        assert said(report)["untimed_copies"] == {"count": 5}
    assert "approve" not in study.event.loc[study.event["step_no"].isna(), "action"].tolist()


def test_seconds_become_local_time(imported):
    report, study, _ = imported
    assert report.about["range"][0] == "2024-03-05T09:00:00+08:00"
    assert study.event["at"].dt.year.unique().tolist() == [2024]


@pytest.mark.parametrize(("status", "last"), [(6, "withdraw"), (7, "withdraw"), (10, "close")])
def test_what_came_after_the_approval(tmp_path, status, last):
    data = wecom()[4:]
    data[0]["info"]["sp_status"] = status
    _, study = built(write_json(tmp_path / "wecom.json", data))
    assert told(study, CASES[4])[-1][:2] == (200, last)

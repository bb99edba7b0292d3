"""飞书: timeline and task list; milliseconds, 0 for "not yet", automatic passes, destinations of returns."""

from __future__ import annotations

import pytest

from svcmetrics import measure
from svcmetrics.io.feishu import WORDS
from svcmetrics.io.flat_log import ACTIONS

from .workflows import CASES, built, feishu, said, told, write_json


def imported(tmp_path, data):
    return built(write_json(tmp_path / "feishu.json", data))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feishu")
    return built(write_json(folder / "feishu.json", feishu()))


def test_the_codes_are_action_words():
    assert set(WORDS.values()) <= set(ACTIONS)


def test_a_return_names_the_step_it_went_to(whole):
    _, study = whole
    assert told(study, CASES[0]) == [
        (0, "submit", None, None), (60, "approve", "部门审批", None), (70, "comment", None, None),
        (120, "approve", "财务复核", None), (150, "return", "出纳付款", "财务复核"), (200, "approve", "财务复核", None),
        (300, "approve", "出纳付款", None), (300, "comment", None, None), (300, "close", None, None),
    ]  # fmt: skip
    table = measure.returns(study.event, steps=study.step, by="step_no").table
    number = study.step.set_index("name_zh")["step_no"]["财务复核"]
    assert table.set_index("step_no")["returns"].to_dict()[number] == 1


def test_rejected_withdrawn_open_and_closed(whole):
    _, study = whole
    assert [a for _, a, *_ in told(study, CASES[1])] == ["submit", "reject"]
    assert [a for _, a, *_ in told(study, CASES[2])] == ["submit", "withdraw"]
    assert [a for _, a, *_ in told(study, CASES[3])] == ["submit"]
    status = measure.cases(study.event).set_index("case_id")["status"]
    assert [status[c] for c in CASES[:5]] == ["closed", "rejected", "withdrawn", "open", "closed"]


def test_an_automatic_pass_is_nobodys_work(whole):
    report, study = whole
    event = study.event[study.event["case_id"] == CASES[4]]
    assert event.loc[event["is_auto"], "action"].tolist() == ["approve"]
    assert event.loc[event["is_auto"], "actor_key"].isna().all()
    assert said(report)["no_work"] == {"copies": 1, "comments": 1, "added": 1, "automatic": 1}
    assert said(report)["open_tasks"] == {"count": 1}


def test_milliseconds_become_local_time(whole):
    report, _ = whole
    assert report.about["timezone"] == "Asia/Shanghai"
    assert report.about["range"] == ("2024-03-05T09:00:00+08:00", "2024-03-05T14:00:00+08:00")
    assert "unix_times" not in said(report)


def test_an_end_that_only_the_status_tells(tmp_path):
    data = feishu()
    for case in data[1:3]:
        case["data"]["timeline"] = case["data"]["timeline"][:1]
    _, study = imported(tmp_path, data)
    assert told(study, CASES[1])[-1][:2] == (90, "reject")
    assert told(study, CASES[2])[-1][:2] == (45, "withdraw")


@pytest.mark.parametrize("ext", ["", "{", "[1]", '{"rollback_node_ids": ["START"]}', "[" * 2000])
def test_a_destination_that_cannot_be_read_is_none(tmp_path, ext):
    data = feishu()
    data[0]["data"]["timeline"][3]["ext"] = ext
    _, study = imported(tmp_path, data)
    assert [t for *_, t in told(study, CASES[0])] == [None] * 9


def test_returned_to_the_beginning_and_submitted_again(tmp_path):
    data = feishu()
    line = data[0]["data"]["timeline"]
    line[3]["ext"] = '{"rollback_node_ids": ["START"]}'
    line.insert(4, {**line[0], "create_time": str(int(line[3]["create_time"]) + 60_000)})
    _, study = imported(tmp_path, data)
    assert [a for _, a, *_ in told(study, CASES[0])].count("resubmit") == 1
    about = measure.returns(study.event, steps=study.step).about
    assert about["dropped"]["to_requester"] == 1

"""Jira: changes of status as pairs of words, cut histories, fields that move nothing."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.io.import_files import propose
from svcmetrics.io.jira import meaning, state_of

from .workflows import built, jira, said, told, write_json


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jira")
    return built(write_json(folder / "jira.json", jira()))


def test_changes_of_status_become_actions(imported):
    _, study = imported
    assert told(study, "ITS-1") == [
        (0, "submit", None, None), (5, "comment", None, None), (10, "accept", "In Progress", None),
        (60, "deliver", "In Progress", None), (70, "comment", None, None), (120, "return", "In Review", "In Progress"),
        (200, "deliver", "In Progress", None), (300, "approve", "In Review", None), (300, "close", None, None),
    ]  # fmt: skip
    assert [e[1] for e in told(study, "ITS-4")] == ["submit", "accept", "pause", "resume"]
    assert [e[1] for e in told(study, "ITS-5")] == ["submit", "reassign", "deliver", "close"]
    status = measure.cases(study.event).set_index("case_id")["status"]
    assert status.tolist() == ["closed", "rejected", "withdrawn", "open", "closed"]


def test_what_moves_nothing_is_left_out_and_counted(imported):
    report, _ = imported
    assert report.left_out == {"not_workflow": 1}
    assert said(report)["no_work"]["comments"] == 1


def test_a_history_that_the_interface_cut_is_told(imported):
    assert said(imported[0])["jira_cut"] == {"count": 1}


def test_offsets_are_read(imported):
    report, _ = imported
    assert report.about["range"][0] == "2024-03-05T09:00:00+08:00"
    assert "zone_assumed" not in said(report)


def test_each_change_of_status_is_a_word_to_confirm(tmp_path):
    path = write_json(tmp_path / "jira.json", jira())
    mapping = propose(path)
    words = dict(mapping.values["event.action"])
    assert words["In Review → In Progress"] == "return"
    words["In Progress → In Review"] = "comment"
    changed = mapping.but(values={"event.action": words})
    _, study = built(path, mapping=changed)
    assert "deliver" not in [e[1] for e in told(study, "ITS-1")]


def test_one_issue_and_the_answer_of_the_changelog_alone(tmp_path):
    one = jira()["issues"][0]
    one["changelog"] = one["changelog"]["histories"]
    report, _ = built(write_json(tmp_path / "one.json", one))
    assert report.tables["event"] == 9


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [("To Do", "In Progress", "accept"), ("In Progress", "Done", "deliver"), ("In Review", "Done", "approve"),
     ("Done", "Reopened", "return"), ("Resolved", "Closed", "close"), ("Open", "Won't do", "withdraw"),
     ("Waiting for approval", "Approved", "approve"), ("In Progress", "Blocked", "pause"), ("待办", "处理中", "accept"),
     ("验收", "处理中", "return"), ("处理中", "挂起", "pause"), ("挂起", "处理中", "resume"),
     ("待办", "已拒绝", "reject"), ("Declined", "To Do", "return"), ("Backlog", "Selected", "comment")],
)  # fmt: skip
def test_what_a_change_of_status_means(old, new, word):
    assert meaning(old, new) == word


def test_a_name_that_says_nothing_is_new():
    assert state_of("第一步") == "new"


def _with_due_dates():
    """ITS-1 due on its day and moved later, ITS-2 never, ITS-3 set late, ITS-5 overdue."""
    answer = jira()
    one, _, three, _, five = answer["issues"]
    created = one["fields"]["created"]
    day = created[:10]

    def change(minutes: int, old, new) -> dict:
        stamp = created.replace("09:00", f"09:{minutes:02}")
        item = {"field": "duedate", "from": old, "fromString": old, "to": new, "toString": new}
        return {"id": "x", "author": {}, "created": stamp, "items": [item]}

    one["fields"]["duedate"] = "2030-01-01"
    one["changelog"]["histories"].append(change(50, day, "2030-01-01"))
    three["fields"]["duedate"] = "2030-01-02"
    three["changelog"]["histories"].append(change(5, None, "2030-01-02"))
    five["fields"]["duedate"] = "2020-01-01"
    return answer, day


def test_due_dates_are_deadlines_as_they_were_first(tmp_path):
    answer, day = _with_due_dates()
    report, study = built(write_json(tmp_path / "jira.json", answer))
    table = study.commitment.set_index("case_id")
    assert table.index.tolist() == ["ITS-1", "ITS-3"]
    assert table.loc["ITS-1", "due_at"] == pd.Timestamp(f"{day}T23:59:59+08:00")  # the day's end
    begun = study.event.groupby("case_id")["at"].min()
    assert table.loc["ITS-1", "agreed_at"] == begun["ITS-1"]
    assert table.loc["ITS-3", "agreed_at"] > begun["ITS-3"]
    told_of = said(report)
    assert told_of["due_moved"] == {"count": 1, "of": 3}
    assert told_of["no_deadline"] == {"count": 2}
    assert told_of["due_before_agreed"] == {"count": 1}  # ITS-5: no deadline that could be kept
    assert told_of["agreed_after_start"] == {"count": 1}
    out = measure.on_time(
        study.event, services=study.service, commitments=study.commitment, by=None
    )
    row = out.table[out.table["variant"] == "deadline"].iloc[0]
    assert row[["n", "on_time", "not_assessable"]].tolist() == [1, 1, 3]


def test_without_due_dates_there_are_no_commitments(imported):
    report, study = imported
    assert "commitment" not in study.tables
    assert "no_deadline" not in said(report)

"""Jira: changes of status as pairs of words, cut histories, fields that move nothing."""

from __future__ import annotations

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

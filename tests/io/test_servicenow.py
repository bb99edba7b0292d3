"""ServiceNow: one row per update, states to actions, seconds, days before months."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.io.import_files import import_file
from svcmetrics.io.servicenow import meaning, state_of
from svcmetrics.problems import StudyError

from .foreign import write_csv
from .workflows import built, said, servicenow, told


def imported(tmp_path, rows, name="study"):
    path = write_csv(tmp_path / f"{name}.csv", rows)
    return built(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("servicenow")
    path = write_csv(folder / "study.csv", servicenow())
    return built(path)


def actions(study, case):
    first = study.event.loc[study.event["case_id"] == case, "at"].min()
    return (
        [(m - 15 * 24 * 60, a, s, t) for m, a, s, t in told(study, case)] if first.day == 20 else []
    )


def test_updates_become_actions(whole):
    _, study = whole
    assert actions(study, "INC000001") == [
        (0, "submit", None, None), (10, "accept", "Group 1", None), (20, "reassign", "Group 2", None),
        (60, "pause", "Group 2", None), (100, "resume", "Group 2", None), (200, "deliver", "Group 2", None),
        (240, "return", None, "Group 2"), (250, "comment", None, None), (300, "deliver", "Group 2", None),
        (400, "close", None, None),
    ]  # fmt: skip
    status = measure.cases(study.event).set_index("case_id")["status"]
    assert status.tolist() == ["closed", "withdrawn", "open"]


def test_a_reopened_incident_is_charged_to_who_resolved_it(whole):
    _, study = whole
    table = measure.returns(study.event, steps=study.step).table.set_index("unit_id")
    assert table.loc["Group 2", ["returns", "outputs"]].tolist() == [1, 2]


def test_the_clock_stops_on_hold_and_says_why(whole):
    _, study = whole
    paused = study.event[study.event["action"] == "pause"]
    assert paused["reason_code"].tolist() == ["Awaiting Caller"]
    assert measure.cases(study.event)["paused_h"].tolist()[0] == pytest.approx(40 / 60)


def test_the_reported_seconds_are_compared(whole, tmp_path):
    report, _ = whole
    assert said(report)["reported_seconds"] == {"count": 1, "fits": 1}
    assert said(report)["made_sla"] == {"count": 3, "missed": 1}
    rows = servicenow()
    rows[10][-1] = "300"  # minutes, or a lie
    report, _ = imported(tmp_path, rows, "other")
    assert said(report)["reported_seconds"] == {"count": 1, "fits": 0}


def test_a_zone_nobody_named_is_said_and_dates_must_be_certain(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))
    report = import_file(write_csv(tmp_path / "a.csv", servicenow()), tmp_path / "study")
    assert "zone_assumed" in said(report)
    rows = [[c.replace("20/03/2024", "05/03/2024") for c in r] for r in servicenow()]
    with pytest.raises(StudyError) as error:
        import_file(write_csv(tmp_path / "b.csv", rows), tmp_path / "other")
    assert error.value.problems[0].key == "import_day_or_month"


def test_the_order_of_rows_changes_nothing(tmp_path):
    rows = servicenow()
    _, one = imported(tmp_path, rows, "a")
    _, two = imported(tmp_path, [rows[0], *reversed(rows[1:])], "b")
    apart = [e.event.drop(columns="actor_key") for e in (one, two)]
    assert apart[0].equals(apart[1])


def test_a_table_of_incidents_has_three_moments(tmp_path):
    rows = servicenow()
    _, study = imported(tmp_path, [rows[0], rows[10], rows[12]])
    assert [a for _, a, *_ in told(study, "INC000001")] == ["submit", "deliver", "close"]
    assert [a for _, a, *_ in told(study, "INC000002")] == ["submit"]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [("New", "Active", "accept"), ("1", "2", "accept"), ("2", "3", "pause"), ("Awaiting Vendor", "Active", "resume"),
     ("On Hold", "Resolved", "deliver"), ("6", "2", "return"), ("Closed", "New", "return"), ("6", "7", "close"),
     ("2", "8", "withdraw"), ("Awaiting User Info", "Awaiting Vendor", "comment"), ("2", "1", "comment")],
)  # fmt: skip
def test_what_a_change_of_state_means(old, new, word):
    assert meaning(old, new) == word


def test_a_state_that_says_nothing_is_new():
    assert state_of("-100") == "new"


def _due(column: str, moved: bool = True) -> list[list[str]]:
    """The incident log with a deadline of 7 hours for the first incident, moved by its last updates."""
    head, *rows = servicenow()
    stamps = head.index("opened_at"), head.index("sys_mod_count")
    first = pd.to_datetime(rows[0][stamps[0]], dayfirst=True)
    out = []
    for row in rows:
        hours = 30 if moved and int(row[stamps[1]]) > 6 else 7
        due = f"{first + pd.Timedelta(hours=hours):%d/%m/%Y %H:%M}" if row[0] == rows[0][0] else "?"
        out.append([*row, due])
    return [[*head, column], *out]


@pytest.mark.parametrize("column", ["due_date", "sla_due"])
def test_a_deadline_is_the_one_that_the_incident_had_first(tmp_path, column):
    report, study = imported(tmp_path, _due(column))
    (row,) = study.commitment.to_dict("records")
    begun = study.event.groupby("case_id")["at"].min()["INC000001"]
    assert row["agreed_at"] == begun
    assert row["due_at"] - begun == pd.Timedelta(hours=7)
    assert said(report)["due_moved"] == {"count": 1, "of": 1}
    out = measure.on_time(
        study.event, services=study.service, commitments=study.commitment, by=None
    )
    deadline = out.table[out.table["variant"] == "deadline"].iloc[0]
    assert deadline[["n", "on_time", "late"]].tolist() == [1, 1, 0]  # closed after 400 minutes


def test_a_table_of_incidents_has_deadlines_too(tmp_path):
    head, *rows = _due("due_date", moved=False)
    last = {row[0]: row for row in rows}
    report, study = imported(tmp_path, [head, *last.values()])
    assert study.commitment["case_id"].tolist() == ["INC000001"]
    assert said(report)["no_deadline"] == {"count": 2}

"""Adding to a study: nothing twice, nothing half, and what is not ours stays."""

from __future__ import annotations

import os

import pandas as pd
import pytest

from svcmetrics import read_study, write_study
from svcmetrics.io import merge_study
from svcmetrics.io.import_files import import_file, propose
from svcmetrics.problems import StudyError

from .foreign import WJX_TEXT, write_csv

HEAD = ["审批编号", "流程名称", "环节", "操作时间", "处理人", "部门"]
FLOW = [("提交", "研发部"), ("部门审批", "研发部"), ("法务审核", "法务部"), ("办结", "行政部")]


@pytest.fixture(autouse=True)
def _own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))


def log(tmp_path, name, *more):
    rows = [
        [f"{name}{i}", "用印申请", step, f"2024-03-0{i + 1} 09:{j}0:00", f"人{j}", unit]
        for i in range(3)
        for j, (step, unit) in enumerate(FLOW)
    ]
    return write_csv(tmp_path / f"{name}.csv", [HEAD, *rows, *more])


def files(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def refused(*args, **more):
    with pytest.raises(StudyError) as error:
        import_file(*args, **more)
    return [p.key for p in error.value.problems]


def test_a_second_import_adds_and_keeps_everything_else(tmp_path):
    study = tmp_path / "study"
    import_file(log(tmp_path, "A"), study)
    (study / "notes.md").write_text("mine", "utf-8")
    (study / "outputs").mkdir()
    report = import_file(
        log(tmp_path, "B", ["B9", "用印申请", "盖章", "2024-03-09 10:00:00", "人5", "行政部"]),
        study,
    )
    assert report.tables == {"step": 1, "event": 13}
    assert set(report.files) == {"step.csv", "event.csv"}
    found = read_study(study)
    assert len(found.event) == 25
    assert found.step.set_index("name_zh")["step_no"].to_dict() == {
        "提交": 1,
        "部门审批": 2,
        "法务审核": 3,
        "办结": 4,
        "盖章": 5,
    }
    assert (study / "notes.md").read_text("utf-8") == "mine"
    assert [p for p in found.check() if p.level == "error"] == []
    assert not [p for p in study.iterdir() if p.name.startswith(".")]


def test_the_same_file_twice_is_refused_and_changes_nothing(tmp_path):
    study = tmp_path / "study"
    import_file(log(tmp_path, "A"), study)
    before = files(study)
    assert refused(tmp_path / "A.csv", study) == ["import_there_already"]
    assert files(study) == before


def test_ratings_join_a_log(tmp_path):
    study = tmp_path / "study"
    import_file(log(tmp_path, "A"), study)
    report = import_file(write_csv(tmp_path / "w.csv", WJX_TEXT), study)
    assert set(report.tables) == {"unit", "item", "plan", "rating"}
    found = read_study(study)
    assert found.unit["unit_id"].is_unique
    assert found.has("event", "rating")
    assert refused(tmp_path / "w.csv", study) == ["import_there_already"]


def test_a_planned_form_keeps_its_plan_row(tmp_path):
    study = tmp_path / "study"
    import_file(write_csv(tmp_path / "w.csv", WJX_TEXT), study)
    found = read_study(study)
    planned = found.plan.assign(
        plan_id=[f"P{i}" for i in range(len(found.plan))], cases_in_window=4
    )
    tables = {n: t for n, t in found.with_tables(plan=planned).tables.items() if n != "rating"}
    write_study(type(found)(tables, found.settings), tmp_path / "planned")
    # The key belongs to the name of the study, which write_study has kept.
    import_file(tmp_path / "w.csv", tmp_path / "planned")
    again = read_study(tmp_path / "planned")
    assert set(again.rating["plan_id"]) == {f"P{i}" for i in range(6)}
    assert len(again.plan) == 6


def test_a_new_study_from_the_template_takes_an_import(tmp_path):
    from svcmetrics.io.template import new_study

    new_study(tmp_path / "study")
    report = import_file(log(tmp_path, "A"), tmp_path / "study")
    assert "study.toml" not in report.files
    import_file(log(tmp_path, "B"), tmp_path / "study")
    assert len(read_study(tmp_path / "study").event) == 24


@pytest.mark.parametrize("form", ["parquet", "xlsx"])
def test_a_study_stays_in_its_form(tmp_path, form):
    import_file(log(tmp_path, "A"), tmp_path / "csv")
    write_study(read_study(tmp_path / "csv"), tmp_path / "study", form=form)
    report = import_file(log(tmp_path, "B"), tmp_path / "study")
    assert report.files == (("study.xlsx",) if form == "xlsx" else ("event.parquet",))
    found = read_study(tmp_path / "study")
    assert len(merge_study.known_tables(found)["event"]) == 24


def test_a_failure_while_writing_puts_everything_back(tmp_path, monkeypatch):
    study = tmp_path / "study"
    import_file(log(tmp_path, "A"), study)
    before = files(study)
    real, calls = os.replace, []

    def failing(source, target):
        calls.append(target)
        if len(calls) == 3:
            raise OSError("disk full")
        return real(source, target)

    monkeypatch.setattr(merge_study.os, "replace", failing)
    more = ["B9", "用印申请", "盖章", "2024-03-09 10:00:00", "人5", "行政部"]
    assert refused(log(tmp_path, "B", more), study) == ["folder_locked"]
    monkeypatch.undo()
    assert files(study) == before
    assert not [p for p in study.iterdir() if p.name.startswith(".")]


def test_a_study_with_errors_is_not_added_to(tmp_path):
    study = tmp_path / "study"
    import_file(log(tmp_path, "A"), study)
    (study / "unit.csv").write_text("unit_id,is_service_unit\nU1,maybe\n", "utf-8")
    before = files(study)
    assert refused(log(tmp_path, "B"), study)
    assert files(study) == before


def test_joined_columns_keep_the_types_of_the_study():
    old = pd.DataFrame(
        {
            "unit_id": ["a"],
            "headcount": pd.array([3], "Int64"),
            "in_pilot": pd.array([True], "boolean"),
        }
    )
    new = pd.DataFrame({"unit_id": ["b"], "headcount": [None], "in_pilot": [None]})
    assert merge_study._joined(old, new).dtypes.equals(old.dtypes)


def test_the_confirmed_mapping_is_used(tmp_path):
    mapping = propose(log(tmp_path, "A")).but(timezone="Asia/Tokyo")
    import_file(tmp_path / "A.csv", tmp_path / "study", mapping=mapping)
    assert str(read_study(tmp_path / "study").event["at"].iloc[0]) == "2024-03-01 09:00:00+09:00"

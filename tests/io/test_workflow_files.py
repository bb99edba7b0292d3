"""What holds for every approval and ticket system: recognised, counted, without persons, readable."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from svcmetrics import lang, read_study
from svcmetrics.io.import_files import import_file, propose
from svcmetrics.io.mapping import WORKFLOWS, load_mapping, save_mapping
from svcmetrics.io.workflow_log import service_of
from svcmetrics.problems import StudyError

from .foreign import leaked, write_csv
from .workflows import (
    SECRETS,
    all_files,
    built,
    dingtalk,
    feishu,
    said,
    taken,
    told,
    weaver,
    write_book,
    write_json,
)

NAMES = (
    "dingtalk-api", "dingtalk-api-older", "dingtalk-excel-older", "dingtalk-excel-newer", "feishu", "wecom",
    "wecom-steps", "weaver", "servicenow", "jira",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return all_files(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module", params=NAMES)
def imported(request, files, tmp_path_factory):
    """Each file once: its name, report, study and folder."""
    folder = tmp_path_factory.mktemp("imported") / "study"
    return request.param, *taken(files[request.param], folder), folder


def test_a_file_is_recognised_imported_and_read_back(imported):
    name, report, study, _ = imported
    assert report.format == name.split("-")[0]
    assert [p.say() for p in study.check() if p.level == "error"] == []
    assert len(study.event) == report.rows_kept == report.rows_in - sum(report.left_out.values())
    assert {"time_range", "assumed_service"} <= set(said(report))
    assert set(study.step.groupby("service_id")["role"].agg(lambda r: (r == "lead").sum())) == {1}


def test_no_person_survives(imported):
    _, report, study, folder = imported
    assert leaked(folder, *SECRETS) == []
    assert not [s for s in SECRETS if s in report.say("zh") + report.say("en")]
    keys = study.event["actor_key"].dropna()
    assert len(keys) and keys.str.fullmatch(r"p[0-9a-f]{24}").all()


def test_the_report_is_said_in_both_languages(imported, files):
    name, report, *_ = imported
    for code in lang.LANGUAGES:
        assert "{" not in report.say(code)
        assert "{" not in propose(files[name]).describe(code)


def test_a_saved_mapping_gives_the_same_mapping(imported, files, tmp_path):
    name, *_ = imported
    mapping = propose(files[name])
    assert load_mapping(save_mapping(mapping, tmp_path / "mapping.toml")) == mapping


def test_an_import_by_a_saved_mapping_gives_the_same_events(files, tmp_path):
    path = files["servicenow"]
    saved = save_mapping(propose(path), tmp_path / "mapping.toml")
    one, two = (
        taken(path, tmp_path / n / "study", **m)[1]
        for n, m in (("a", {}), ("b", {"mapping": saved}))
    )
    unlike = ["actor_key"]  # the keys of two studies differ
    pd.testing.assert_frame_equal(one.event.drop(columns=unlike), two.event.drop(columns=unlike))


def test_the_same_file_twice_is_refused(imported, files):
    name, _, _, folder = imported
    with pytest.raises(StudyError) as error:
        import_file(files[name], folder)
    assert error.value.problems[0].key == "import_there_already"


def test_the_order_of_approvals_and_a_repeated_one_change_nothing(tmp_path):
    cases = feishu()
    made = []
    for name, data in (("a", cases), ("b", [*reversed(cases), cases[0]])):
        report, study = built(write_json(tmp_path / f"{name}.json", data))
        made.append(study.event)
    pd.testing.assert_frame_equal(*made)
    assert report.left_out == {"duplicate": 9}


def test_one_approval_per_line(tmp_path):
    lines = "\n".join(json.dumps(d, ensure_ascii=False) for d in dingtalk())
    (tmp_path / "a.jsonl").write_text(lines, "utf-8")
    whole = write_json(tmp_path / "b.json", dingtalk())
    one, two = (built(path)[1] for path in (tmp_path / "a.jsonl", whole))
    pd.testing.assert_frame_equal(one.event, two.event)


def test_a_department_for_each_step_comes_from_the_mapping(files, tmp_path):
    mapping = propose(files["dingtalk-api"])
    node = "operationRecords.showName"
    mapping = mapping.but(
        columns={**mapping.columns, node: ("step.name", "event.unit_id")},
        values={**mapping.values, "event.unit_id": {"部门审批": "研发部", "财务审批": "财务部"}},
    )
    report = import_file(files["dingtalk-api"], tmp_path / "study", mapping=mapping)
    study = read_study(tmp_path / "study")
    assert study.step.set_index("name_zh")["unit_id"].to_dict() == {
        "部门审批": "研发部",
        "财务审批": "财务部",
    }
    submits = study.event[study.event["action"].isin(["submit", "resubmit"])]
    assert set(submits["unit_id"]) == {"研发部"}
    assert "no_unit" not in said(report) or said(report)["no_unit"]["count"] < 5


@pytest.mark.parametrize(
    ("title", "person", "service"),
    [
        ("王小明提交的采购申请", None, "采购申请"), ("王小明的采购申请", "王小明", "采购申请"),
        ("王小明提交的李思雨的入职申请", None, "入职申请"),
        ("采购申请-王小明-2024", None, None), ("王小明", "王小明", None), (None, None, None),
    ],
)  # fmt: skip
def test_a_title_names_a_person_before_the_service(title, person, service):
    assert service_of(title, person) == service


def test_a_step_that_bears_a_name_is_left_blank(tmp_path):
    cases = dingtalk()
    cases[0]["result"]["operationRecords"][1]["showName"] = "zhaohg_01 审批"
    report = import_file(write_json(tmp_path / "a.json", cases), tmp_path / "study")
    assert said(report)["named_steps"] == {"count": 1}
    assert leaked(tmp_path / "study", "zhaohg_01") == []


def test_strange_objects_and_missing_keys_are_counted(tmp_path):
    cases: list = feishu()
    line = cases[0]["data"]["timeline"]
    del line[1]["create_time"]
    del line[2]["user_id"], line[2]["open_id"]
    del line[3]["type"]
    del (
        cases[3]["data"]["serial_number"],
        cases[3]["data"]["instance_code"],
        cases[3]["data"]["uuid"],
    )
    data = [*cases, {"code": 99991400, "msg": "request trigger frequency limit"}, 7, "x", None]
    report = import_file(write_json(tmp_path / "a.json", data), tmp_path / "study")
    assert said(report)["no_instance"] == {"count": 4}
    assert report.left_out == {"time_missing": 1, "no_case": 1}
    assert said(report)["unknown_codes"]["names"] == ["?"]
    study = read_study(tmp_path / "study")
    assert study.event["actor_key"].isna().sum() >= 1
    assert len(study.event) == report.rows_kept


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (json.dumps(feishu())[:-400], "json_cut"),
        ('{"data": {"timeline": [', "json_cut"),
        ('{"timeline": [1,, 2], "approval_name": "x"}', "json_broken"),
        ('"only a word"', "json_no_instances"),
        ("12", "json_no_instances"),
        ("[]", "json_no_instances"),
        ('{"code": 0, "data": {}}', "json_no_instances"),
        ("[" * 100_000 + "]" * 100_000, "json_deep"),
        ('{"a":' * 70 + "1" + "}" * 70, "json_deep"),
        ('{"timeline": [], "task_list": [], "approval_name": "报销"}', "import_nothing_left"),
        ('{"timeline": "x", "task_list": 7, "approval_name": ["报销"]}', "import_nothing_left"),
        ('{"sp_no": {"a": 1}, "sp_record": {"details": 3}, "applyer": []}', "import_nothing_left"),
        ('{"operationRecords": [null, 3, []], "tasks": null}', "import_nothing_left"),
        ('{"key": "A-1", "fields": {}, "changelog": []}', "import_nothing_left"),
    ],
)  # fmt: skip
def test_bad_json_is_named_and_leaves_nothing(tmp_path, text, key):
    (tmp_path / "a.json").write_text(text, "utf-8")
    with pytest.raises(StudyError) as error:
        import_file(tmp_path / "a.json", tmp_path / "study")
    assert [p.key for p in error.value.problems] == [key]
    assert error.value.say("zh") != error.value.say("en")
    assert not (tmp_path / "study").exists()


def test_json_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "a.json").write_bytes(json.dumps(feishu(), ensure_ascii=False).encode("gb18030"))
    with pytest.raises(StudyError) as error:
        propose(tmp_path / "a.json")
    assert error.value.problems[0].key == "json_encoding"
    (tmp_path / "b.json").write_bytes(json.dumps(feishu(), ensure_ascii=False).encode("utf-16"))
    assert propose(tmp_path / "b.json").format == "feishu"


@pytest.mark.parametrize("system", WORKFLOWS)
def test_a_table_of_something_else_is_refused_by_every_format(tmp_path, system):
    path = write_csv(
        tmp_path / "a.csv", [["case_id", "activity", "timestamp"], ["1", "x", "2024-01-01"]]
    )
    with pytest.raises(StudyError) as error:
        propose(path, format=system)
    assert error.value.problems[0].key == "workflow_headers"


def test_a_json_of_another_system_is_refused(files):
    with pytest.raises(StudyError) as error:
        propose(files["feishu"], format="wecom")
    assert error.value.problems[0].key == "json_no_instances"


def test_ids_of_21_digits_stay_whole_or_are_refused(files, tmp_path):
    import_file(files["wecom"], tmp_path / "study")
    assert told(read_study(tmp_path / "study"), "202403050900000000001")
    rows = weaver()
    rows[1][1] = "2.02403050900E+20"
    with pytest.raises(StudyError) as error:
        import_file(write_csv(tmp_path / "a.csv", rows), tmp_path / "other")
    assert error.value.problems[0].key == "import_digits_lost"


def test_an_empty_export_is_named(tmp_path):
    for path in (
        write_csv(tmp_path / "a.csv", weaver()[:1]),
        write_book(tmp_path / "a.xlsx", {"s": [["审批编号", "审批状态", "发起时间", "完成时间"]]}),
    ):
        with pytest.raises(StudyError) as error:
            import_file(path, tmp_path / "study")
        assert error.value.problems[0].key == "import_no_rows"

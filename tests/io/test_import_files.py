"""The front door: real files with independent numbers, and bad files by name."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from svcmetrics import measure, read_study
from svcmetrics.io.flat_log import clean_events
from svcmetrics.io.foreign_source import guess_source, open_source
from svcmetrics.io.import_files import import_file, propose
from svcmetrics.io.mapping import Mapping, save_mapping
from svcmetrics.io.quality import Tally
from svcmetrics.problems import StudyError

from .foreign import leaked, write_csv, write_xlsx


@pytest.fixture(autouse=True)
def _own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))


def no_errors(study):
    return [p.say() for p in study.check() if p.level == "error"] == []


def durations(event):
    ends = event.groupby("case_id")["at"].agg(["min", "max"])
    return (ends["max"] - ends["min"]).dt.total_seconds()


def named(study):
    """Activity names of the events, through the step table."""
    return study.event.merge(study.step, on=["service_id", "step_no"], how="left").sort_values(
        ["case_id", "seq"]
    )["name_en"]


def imported(rows, tmp_path):
    """The study that a log of case, activity, stage and hour becomes, and what was told."""
    table = pd.DataFrame(rows, columns=["case_id", "activity", "lifecycle", "hour"])
    start = pd.Timestamp("2024-03-04T08:00", tz="UTC")
    table["timestamp"] = [
        f"{start + pd.Timedelta(hours=h):%Y-%m-%dT%H:%M:%S}Z" for h in table.pop("hour")
    ]
    table.to_csv(tmp_path / "log.csv", index=False)
    report = import_file(tmp_path / "log.csv", tmp_path / "study")
    return read_study(tmp_path / "study"), report


def test_work_put_down_after_a_rejection_is_no_further_work(tmp_path):
    rows = [
        (case, *step)
        for case in "abc"
        for step in (("Submitted", "COMPLETE", 0), ("Check", "START", 1), ("Declined", "COMPLETE", 2),
                     ("Check", "COMPLETE", 3))
    ]  # fmt: skip
    rows += [("c", "Review", "START", 5), ("c", "Offer cancelled", "COMPLETE", 6),
             ("c", "Review", "COMPLETE", 7), ("c", "Sign", "COMPLETE", 8)]  # fmt: skip
    study, report = imported(rows, tmp_path)
    words = study.event.groupby("case_id")["action"].agg(list)
    assert words["a"] == ["submit", "accept", "reject", "deliver"]
    # The third case goes on: what looked like its end was none.
    assert words["c"] == [
        "submit",
        "accept",
        "return",
        "deliver",
        "accept",
        "comment",
        "deliver",
        "deliver",
    ]
    assert "1 withdrawals were followed by further work" in report.say("en")
    assert "1 rejections were followed by further work" in report.say("en")


@pytest.mark.parametrize(
    ("times", "said"),
    [(["2024-03-04T08:00:00Z", "2024-03-04T09:00:00+08:00"], "All times name their zone."),
     (["2024-03-04T08:00:00Z", "2024-03-04 09:00"], "Times without a zone are read")],
)  # fmt: skip
def test_whether_times_name_their_zone_is_seen(times, said, tmp_path):
    rows = pd.DataFrame({"case": "a", "activity": ["Submit", "Closed"], "time": times})
    rows.to_csv(tmp_path / "log.csv", index=False)
    mapping = propose(tmp_path / "log.csv")
    assert said in mapping.describe("en")
    assert ("没有写明时区" in mapping.describe("zh")) == ("without" in said)
    # Of one file, so it is not written into a mapping that is for many.
    assert "all_zoned" not in save_mapping(mapping, tmp_path / "m.toml").read_text("utf-8")


@pytest.mark.data
def test_loan_applications_end_as_the_bank_says(shared_data, tmp_path):
    rows = pd.read_parquet(shared_data("bpi2012_loans") / "events.parquet")
    rows.drop(columns="timestamp_local").to_csv(tmp_path / "loans.csv", index=False)
    import_file(tmp_path / "loans.csv", tmp_path / "study")
    study = read_study(tmp_path / "study")
    status = measure.cases(study.event, steps=study.step).set_index("case_id")["status"]
    said = (
        rows.assign(case_id=rows["case_id"].astype("str")).groupby("case_id")["activity"].agg(set)
    )
    for activity, word, others in (("A_ACTIVATED", "closed", 0), ("A_DECLINED", "rejected", 0),
                                   ("A_CANCELLED", "withdrawn", 93)):  # fmt: skip
        # 93 applications were worked on after they had been cancelled; they are not closed.
        assert (status[said.map(lambda s, a=activity: a in s)] != word).sum() == others
    assert (status == "open").sum() == 399 + 93


@pytest.mark.data
def test_travel_declarations(shared_data, tmp_path):
    folder = shared_data("bpi2020_domestic")
    truth = json.loads((folder / "reference.json").read_text("utf-8"))
    peer = next(v for k, v in truth.items() if k == "pm4py")
    value = {k.split("  ")[0]: v for k, v in peer.items()}
    report = import_file(folder / "DomesticDeclarations.xes.gz", tmp_path / "study")
    study = read_study(tmp_path / "study")
    event = study.event
    assert len(event) == value["n_events"] == report.rows_kept == 55_628
    assert event["case_id"].nunique() == value["n_cases"] == 10_357
    names = named(study)
    assert names.value_counts().to_dict() == value["activity_counts"]
    first, last = ~event["case_id"].duplicated(), ~event["case_id"].duplicated(keep="last")
    assert names.to_numpy()[first].tolist().count("Declaration SUBMITTED by EMPLOYEE") == 10_222
    assert pd.Series(names.to_numpy()[first]).value_counts().to_dict() == value["start_activities"]
    assert pd.Series(names.to_numpy()[last]).value_counts().to_dict() == value["end_activities"]
    taken = durations(event)
    assert taken.mean() == pytest.approx(957912.8257217341, rel=1e-9)
    assert taken.median() == 631780
    assert (event["action"] == "resubmit").sum() == 1_149
    assert event.loc[event["action"] == "resubmit", "case_id"].nunique() == 1_006
    assert leaked(tmp_path / "study", "STAFF MEMBER") == []
    assert no_errors(study)


@pytest.mark.data
def test_the_table_of_the_declarations_gives_the_same_events(shared_data):
    folder, made = shared_data("bpi2020_domestic"), []
    for file in ("DomesticDeclarations.xes.gz", "events.parquet"):
        source = open_source(folder / file)
        events = clean_events(source.frame, guess_source(source), Tally(file))
        made.append(events[["case_id", "activity", "at", "unit_id", "actor", "action", "is_auto"]])
    pd.testing.assert_frame_equal(*made)


@pytest.mark.data
def test_the_xes_and_the_table_of_one_log_give_the_same_events(shared_data, tmp_path):
    folder = shared_data("running_example")
    import_file(folder / "running-example.xes", tmp_path / "a" / "study")
    mapping = propose(folder / "events.parquet").but(
        constants={"event.service_id": "running-example"}
    )
    import_file(folder / "events.parquet", tmp_path / "b" / "study", mapping=mapping)
    one, two = (read_study(tmp_path / n / "study") for n in "ab")
    pd.testing.assert_frame_equal(one.event, two.event)
    assert len(one.event) == 42
    assert leaked(tmp_path / "a", "Pete", "Ellen") == []


@pytest.mark.data
def test_permits_with_their_case_file(shared_data, tmp_path):
    folder = shared_data("permit_receipt")
    report = import_file(
        folder / "events.parquet", tmp_path / "study", cases=folder / "cases.parquet"
    )
    study = read_study(tmp_path / "study")
    closing = study.event["action"] == "close"
    log = study.event[~closing]
    assert (len(log), log["case_id"].nunique()) == (8_577, 1_434)
    assert durations(log).mean() == pytest.approx(467263.9152573221, rel=1e-9)
    assert durations(log).median() == pytest.approx(2868.5835, rel=1e-9)
    ends = study.event[closing].merge(study.commitment, on="case_id")
    assert (len(ends), int((ends["at"] > ends["due_at"]).sum())) == (1_329, 377)
    assert len(study.commitment) == 1_434
    assert report.tables["event"] == 8_577 + 1_329
    assert no_errors(study)


LECTURERS = Mapping(
    "ratings",
    {
        "s": ("plan.rater_key",),
        "d": ("plan.target_id",),
        "dept": ("unit.parent_id",),
        "y": ("rating.score",),
    },
)
DEPARTMENTS = Mapping(
    "ratings",
    {
        "s": ("plan.rater_key",),
        "d": ("rating.case_id",),
        "dept": ("plan.target_id",),
        "y": ("rating.score",),
    },
)


@pytest.mark.data
@pytest.mark.parametrize(("mapping", "targets"), [(LECTURERS, 1_128), (DEPARTMENTS, 14)])
def test_lecture_ratings(shared_data, tmp_path, mapping, targets):
    source = shared_data("insteval") / "ratings.csv"
    import_file(source, tmp_path / "study", mapping=mapping)
    study = read_study(tmp_path / "study")
    assert len(study.rating) == 73_421
    assert study.plan["rater_key"].nunique() == 2_972
    assert study.plan["target_id"].nunique() == targets
    assert study.rating["score"].mean() == pd.read_csv(source)["y"].mean()
    assert no_errors(study)


LOG = [
    ["case_id", "activity", "timestamp", "resource"],
    ["A", "提交", "2024-03-01 09:00", "王小明"],
    ["A", "审批", "2024-03-01 11:00", "李四"],
]


def test_the_steps_of_a_user_propose_confirm_import(tmp_path):
    path = write_csv(tmp_path / "log.csv", LOG)
    mapping = propose(path)
    assert "王小明" not in mapping.describe()
    saved = save_mapping(mapping.but(timezone="Asia/Shanghai"), tmp_path / "log.toml")
    assert propose(path, mapping=saved).timezone == "Asia/Shanghai"
    report = import_file(path, tmp_path / "study", mapping=saved)
    assert report.tables["event"] == 2
    assert leaked(tmp_path / "study", "王小明", "李四") == []
    assert "event.csv" in report.say("zh")
    assert report.say("en") == str(report.say("en"))
    assert report.about["range"][0].startswith("2024-03-01T09:00")


def test_excel_and_csv_are_the_same(tmp_path):
    import_file(write_csv(tmp_path / "log.csv", LOG, "gb18030"), tmp_path / "a" / "study")
    import_file(write_xlsx(tmp_path / "log.xlsx", LOG), tmp_path / "b" / "study")
    one, two = (read_study(tmp_path / n / "study") for n in "ab")
    pd.testing.assert_frame_equal(one.event, two.event)


def test_two_imports_of_one_file_are_the_same_bytes(tmp_path):
    path = write_csv(tmp_path / "log.csv", LOG)
    for name in "ab":
        import_file(path, tmp_path / name / "study")
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n / "study").iterdir()} for n in "ab")
    assert one == two


def test_a_zone_that_nobody_named_is_said(tmp_path):
    report = import_file(write_csv(tmp_path / "log.csv", LOG), tmp_path / "study")
    assert "import.zone_assumed" in {f.key for f in report.findings}
    again = import_file(
        write_csv(tmp_path / "more.csv", [LOG[0], ["B", "提交", "2024-03-01 09:00", "甲"]]),
        tmp_path / "study",
    )
    assert "import.zone_assumed" not in {f.key for f in again.findings}


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("a.csv", b"", "file_empty"),
        ("a.csv", b"case_id,activity,timestamp\n", "import_no_rows"),
        ("a.csv", b"x,y\n1,2\n", "import_layout"),
        (
            "a.csv",
            b"case_id,activity,activity,timestamp\nA,x,y,2024-01-01\n",
            "import_double_header",
        ),
        ("a.csv", b"case_id,,timestamp,activity\nA,x,2024-01-01,y\n", "import_blank_header"),
        ("a.csv", b"case_id,activity,timestamp\n3.1E+17,x,2024-01-01\n", "import_digits_lost"),
        ("a.parquet", b"PAR1 no parquet", "file_damaged"),
        ("a.docx", b"PK", "import_ending"),
        ("a.xls", b"<html><table></table></html>", "html_table"),
        ("a.xes", b"case,activity\n", "xes_not_a_log"),
    ],
)
def test_bad_files_are_named_and_leave_nothing(tmp_path, name, content, key):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StudyError) as error:
        import_file(tmp_path / name, tmp_path / "study")
    assert [p.key for p in error.value.problems] == [key]
    assert error.value.say("zh") != error.value.say("en")
    assert not (tmp_path / "study").exists()


def test_a_format_that_does_not_exist(tmp_path):
    with pytest.raises(StudyError) as error:
        import_file(write_csv(tmp_path / "log.csv", LOG), tmp_path / "study", format="fax")
    assert error.value.problems[0].key == "import_format"
    with pytest.raises(StudyError) as error:
        import_file(tmp_path / "absent.csv", tmp_path / "study")
    assert error.value.problems[0].key == "file_missing"

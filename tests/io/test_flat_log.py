"""Flat event logs: every row becomes an event or is counted by a rule; words fit their case."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics.io.case_tables import case_tables
from svcmetrics.io.flat_log import clean_events
from svcmetrics.io.guess import guess_mapping, not_understood
from svcmetrics.io.log_tables import log_tables
from svcmetrics.io.mapping import Mapping
from svcmetrics.io.quality import Tally
from svcmetrics.problems import StudyError

COLUMNS = ["case_id", "activity", "timestamp", "resource"]
T = pd.Timestamp


def clean(rows, columns=COLUMNS, **changes):
    frame = pd.DataFrame(rows, columns=columns)
    frame.index += 2
    mapping = guess_mapping(list(frame), frame).but(timezone="Asia/Shanghai")
    mapping = mapping.but(**changes)
    tally = Tally("log.csv", len(frame))
    events = clean_events(frame, mapping, tally)
    assert len(events[~events["starts"]]) <= tally.rows_in - sum(tally.left_out.values())
    return events, tally, mapping, frame


def tables(rows, columns=COLUMNS, known=None, **changes):
    events, tally, mapping, frame = clean(rows, columns, **changes)
    cases = case_tables(frame, mapping, tally)
    made = log_tables(
        events, cases, mapping, tally, key=b"k", known=known or {}, timezone="Asia/Shanghai"
    )
    return made, tally


def said(tally, key):
    return next(dict(f.values) for f in tally.findings if f.key == f"import.{key}")


def keys(tally):
    return {f.key.removeprefix("import.") for f in tally.findings}


def test_rows_without_case_step_or_time_are_counted_out_with_their_rows():
    at = "2024-03-01 09:00"
    rows = [("A", "提交", at, "甲"), (None, "审核", at, "乙"), ("A", None, at, "乙"), ("A", "批准", None, "乙"),
            ("A", "归档", "soon", "乙"), ("A", "批准", "9999-12-31", "乙")]  # fmt: skip
    events, tally, *_ = clean(rows)
    assert len(events) == 1
    assert tally.left_out == {
        "no_case": 1,
        "no_activity": 1,
        "time_missing": 1,
        "time_unreadable": 1,
        "time_sentinel": 1,
    }
    assert said(tally, "left_no_case")["rows"] == "3"


def test_exact_duplicates_count_once():
    rows = [("A", "提交", "2024-03-01 09:00", "甲"), ("A", "退回", "2024-03-01 10:00", "乙")] * 2
    made, tally = tables(rows)
    assert tally.left_out == {"duplicate": 2}
    assert made["event"]["action"].tolist() == ["submit", "return"]


def test_rows_are_sorted_and_ties_of_bare_dates_are_told():
    rows = [
        ("A", "批准", "2024-03-03", "丙"),
        ("A", "提交", "2024-03-01", "甲"),
        ("A", "审核", "2024-03-01", "乙"),
    ]
    events, tally, *_ = clean(rows)
    assert events["activity"].tolist() == ["提交", "审核", "批准"]
    assert said(tally, "ties") == {"count": 1, "dated": 1}
    assert said(tally, "out_of_order") == {"count": 1}


def test_a_bare_time_beside_times_with_a_zone_stays_out_until_a_zone_is_declared():
    rows = [
        ("A", "提交", "2024-03-01T09:00:00+08:00", "甲"),
        ("A", "审核", "2024-03-01T02:00:00Z", "乙"),
        ("A", "批准", "2024-03-01 11:00:00", "丙"),
    ]
    events, tally, *_ = clean(rows, timezone="")
    assert events["at"].diff().iloc[1] == pd.Timedelta(hours=1)
    assert tally.left_out == {"time_no_zone": 1}
    _, tally, *_ = clean(rows)
    assert said(tally, "mixed_zones") == {"bare": 1, "offset": 2, "zone": "Asia/Shanghai"}


def test_day_and_month_are_asked_for():
    rows = [("A", "提交", "01/02/2024", "甲"), ("A", "批准", "13/02/2024", "乙")]
    with pytest.raises(StudyError, match="day_first"):
        clean(rows)
    events, *_ = clean(rows, day_first="day")
    assert events["at"].diff().iloc[1] == pd.Timedelta(days=12)


def test_ids_that_lost_digits_are_refused():
    rows = [(float(310101199003071233), "提交", "2024-03-01 09:00", "甲")]
    with pytest.raises(StudyError) as error:
        clean(rows)
    assert error.value.problems[0].key == "import_digits_lost"
    kept, *_ = clean(
        [
            ("310101199003071233112", "提交", "2024-03-01 09:00", "甲"),
            ("007", "提交", "2024-03-01 09:00", "甲"),
        ]
    )
    assert set(kept["case_id"]) == {"310101199003071233112", "007"}


def test_start_and_end_in_one_row_are_two_events():
    columns = ["case_id", "activity", "start", "end"]
    rows = [("A", "付款", T("2024-03-01 09:00"), T("2024-03-01 11:00")), ("B", "付款", T("2024-03-01 09:00"), None),
            ("C", "付款", T("2024-03-02 09:00"), T("2024-03-01 09:00"))]  # fmt: skip
    events, tally, *_ = clean(rows, columns)
    assert events[["case_id", "action"]].to_numpy().tolist() == [
        ["A", "accept"],
        ["A", "deliver"],
        ["B", "accept"],
    ]
    assert tally.left_out == {"ends_before_start": 1}
    assert said(tally, "open_rows")["count"] == 1


def test_a_clock_that_runs_behind_is_named_and_not_corrected():
    rows = []
    for i in range(40):
        at = T("2024-03-01 09:00") + pd.Timedelta(hours=i)
        rows += [
            (f"C{i}", "移交", at, "OA"),
            (f"C{i}", "接收", at - pd.Timedelta(minutes=3), "ERP"),
        ]
    _, tally, *_ = clean(rows)
    assert said(tally, "clock_skew") == {
        "first": "移交",
        "then": "接收",
        "minutes": -3.0,
        "count": 40,
    }
    backwards = [
        (f"C{i}", s, T("2024-03-01") + pd.Timedelta(hours=h * (i + 1)), "x")
        for i in range(40)
        for s, h in (("批准", 9), ("提交", 1))
    ]
    _, tally, *_ = clean(backwards)
    assert "clock_skew" not in keys(tally)


def test_excel_numbers_are_times_with_a_warning():
    events, tally, *_ = clean([("A", "提交", 45352.375, "甲"), ("A", "批准", 45352.5, "乙")])
    assert events["at"].iloc[0] == T("2024-03-01 01:00", tz="UTC")
    assert said(tally, "excel_times") == {"count": 2}


def test_actions_that_no_word_explains_are_counted_and_named():
    rows = [("A", "提交", "2024-03-01 09:00", "甲"), ("A", "第七步", "2024-03-01 10:00", "乙")]
    events, tally, *_ = clean(rows, values={"event.action": {"提交": "submit"}})
    assert events["action"].tolist() == ["submit", "deliver"]
    assert said(tally, "unknown_actions")["names"] == ["第七步"]
    _, _, mapping, _ = clean(rows)
    assert not_understood(mapping) == ["第七步"]
    with pytest.raises(StudyError, match="approved"):
        clean(rows, values={"event.action": {"提交": "approved"}})


def test_an_empty_or_useless_log_is_refused():
    with pytest.raises(StudyError) as error:
        clean([])
    assert error.value.problems[0].key == "import_no_rows"
    with pytest.raises(StudyError) as error:
        clean([("A", "提交", None, "甲")])
    assert error.value.problems[0].key == "import_nothing_left"


FLOW = [
    ("A", "提交", "2024-03-01 09:00", "研发部"), ("A", "审批", "2024-03-01 10:00", "财务部"),
    ("B", "提交", "2024-03-01 09:00", "研发部"), ("B", "驳回", "2024-03-01 10:00", "财务部"),
    ("B", "驳回", "2024-03-01 11:00", "研发部"), ("B", "提交", "2024-03-01 12:00", "研发部"),
    ("B", "审批", "2024-03-01 13:00", "财务部"),
    ("C", "提交", "2024-03-01 09:00", "研发部"), ("C", "驳回", "2024-03-01 10:00", "财务部"),
    ("D", "提交", "2024-03-01 09:00", "研发部"), ("D", "驳回", "2024-03-01 10:00", "研发部"),
]  # fmt: skip


def test_rejections_and_submissions_are_read_in_their_case():
    made, tally = tables(FLOW, ["case_id", "activity", "timestamp", "department"])
    by_case = made["event"].groupby("case_id")["action"].agg(list)
    assert by_case["B"] == [
        "submit",
        "return",
        "comment",
        "resubmit",
        "approve",
    ]  # sent back, kept its case
    assert by_case["C"] == ["submit", "reject"]  # ended
    assert by_case["D"] == ["submit", "withdraw"]  # by the requester
    assert said(tally, "requesters")["names"] == ["研发部"]
    assert made["unit"].set_index("unit_id")["is_service_unit"].to_dict() == {
        "研发部": False,
        "财务部": True,
    }
    assert made["service"]["provider_id"].tolist() == ["财务部"]


def test_a_log_that_begins_with_the_work_starts_with_its_first_event():
    rows = [
        (case, step, f"2024-03-0{day} 09:00", "甲")
        for case in "AB"
        for day, step in ((1, "Accepted"), (2, "Queued"), (3, "Accepted"), (4, "Completed"))
    ]
    made, tally = tables(rows)
    assert made["event"]["action"].tolist() == ["submit", "deliver", "accept", "close"] * 2
    assert said(tally, "opened_by_first") == {"count": 2}
    assert "resubmits" not in keys(tally)


@pytest.mark.parametrize(
    ("cases", "of_them", "warned"), [(20, 11, True), (20, 10, False), (19, 19, False)]
)
def test_where_most_completed_cases_are_sent_back_the_step_is_named(cases, of_them, warned):
    way = ["提交", "报价寄出", "客户退回合同", "办结"]
    rows = [
        (f"c{n}", step, f"2024-03-0{day} 09:00", "甲")
        for n in range(cases)
        for day, step in enumerate(way if n < of_them else way[:2] + way[3:], start=1)
    ]
    # Neither rejected nor open cases are completed.
    rows += [(f"r{n}", s, "2024-03-01 09:00", "甲") for n in range(30) for s in ("提交", "拒绝")]
    rows += [(f"o{n}", s, "2024-03-01 09:00", "甲") for n in range(30) for s in way[:2]]
    tally = tables(rows)[1]
    assert ("often_returned" in keys(tally)) == warned
    if warned:
        found = said(tally, "often_returned")
        assert found == {"share": of_them / cases, "of": cases, "names": ["客户退回合同"]}
        words = {"提交": "submit", "办结": "close", "拒绝": "reject"}
        words |= dict.fromkeys(["报价寄出", "客户退回合同"], "deliver")
        assert "often_returned" not in keys(tables(rows, values={"event.action": words})[1])
        # Without a closing step: cases that were neither rejected nor withdrawn.
        open_rows = [r for r in rows if r[1] != "办结" and not r[0].startswith("o")]
        assert said(tables(open_rows)[1], "often_returned")["of"] == cases


def test_steps_are_numbered_named_and_have_one_lead():
    made, _ = tables(FLOW, ["case_id", "activity", "timestamp", "department"])
    steps = made["step"]
    assert steps["step_no"].tolist() == [1, 2, 3]
    assert set(steps["name_zh"]) == {"提交", "审批", "驳回"}
    assert (steps["role"] == "lead").sum() == 1
    assert steps.loc[steps["role"] == "lead", "name_zh"].item() == "审批"
    assert made["event"]["step_no"].notna().all()


def test_steps_of_a_study_keep_their_numbers():
    made, _ = tables(FLOW, ["case_id", "activity", "timestamp", "department"])
    known = {"step": made["step"].assign(step_no=[7, 8, 9])}
    more = [
        ("E", "提交", "2024-03-01 09:00", "研发部"),
        ("E", "盖章", "2024-03-01 10:00", "行政部"),
        ("E", "审批", "2024-03-01 11:00", "财务部"),
    ]
    again, _ = tables(more, ["case_id", "activity", "timestamp", "department"], known)
    numbers = again["step"].set_index("name_zh")["step_no"].to_dict()
    old = made["step"].assign(step_no=[7, 8, 9]).set_index("name_zh")["step_no"]
    assert numbers == {"提交": old["提交"], "审批": old["审批"], "盖章": 10}
    assert not (again["step"]["role"] == "lead").any()


def test_persons_become_pseudonyms_and_the_system_is_nobody():
    rows = [
        ("A", "提交", "2024-03-01 09:00", "王小明"),
        ("A", "归档", "2024-03-01 10:00", "SYSTEM"),
    ]
    made, _ = tables(rows)
    event = made["event"]
    assert event["actor_key"].iloc[0].startswith("p")
    assert "王小明" not in event.to_csv()
    assert event["actor_key"].isna().tolist() == [False, True]
    assert event["is_auto"].tolist() == [False, True]
    kept, _ = tables(rows, persons="pseudonym")
    assert kept["event"]["actor_key"].iloc[0] == "王小明"


def test_case_columns_become_commitments_and_closing_events():
    columns = ["case_id", "activity", "timestamp", "startdate", "deadline", "enddate"]
    rows = [
        (
            "A",
            "Check",
            "2024-03-01 10:00",
            "2024-03-01 09:00",
            "2024-03-05 09:00",
            "2024-03-06 09:00",
        ),
        (
            "A",
            "Print",
            "2024-03-01 11:00",
            "2024-03-01 09:00",
            "2024-03-05 09:00",
            "2024-03-06 09:00",
        ),
        ("B", "Check", "2024-03-01 10:00", "2024-03-01 09:00", "2024-02-01 09:00", None),
        ("C", "Check", "2024-03-01 10:00", "2024-03-02 09:00", "2024-03-05 09:00", None),
    ]
    made, tally = tables(rows, columns)
    assert made["commitment"]["case_id"].tolist() == ["A", "C"]
    assert made["event"].query("action == 'close'")["case_id"].tolist() == ["A"]
    assert said(tally, "due_before_agreed") == {"count": 1}
    assert said(tally, "agreed_after_start") == {"count": 1}
    assert said(tally, "cases_closed") == {"closed": 1, "open": 2}


def test_a_declared_constant_replaces_an_assumption():
    given = {
        "service.output_kind": "software",
        "service.routine": "nonroutine",
        "service.scope_reason": "对外",
        "service.provider_id": "甲",
    }
    made, tally = tables(
        [("A", "提交", "2024-03-01 09:00", "甲")], constants={**given, "event.service_id": "开发"}
    )
    assert made["service"].iloc[0][["service_id", "output_kind", "routine"]].tolist() == [
        "开发",
        "software",
        "nonroutine",
    ]
    assert "assumed_service" not in keys(tally)


def test_words_of_the_mapping_rename_units_and_drop_fillers():
    columns = ["case_id", "activity", "timestamp", "department"]
    rows = [
        ("A", "提交", "2024-03-01 09:00", "财务"),
        ("A", "审批", "2024-03-01 10:00", "UNDEFINED"),
    ]
    _, tally = tables(rows, columns)
    assert said(tally, "filler_units")["names"] == ["UNDEFINED"]
    words = {"event.unit_id": {"财务": "财务部", "UNDEFINED": ""}}
    actions = {"event.action": {"提交": "submit", "审批": "approve"}}
    made, tally = tables(rows, columns, values={**words, **actions})
    assert made["event"]["unit_id"].tolist() == ["财务部", "unit_unknown"]
    assert said(tally, "no_unit") == {"count": 1}


def test_the_mapping_type_is_flat_by_default():
    assert Mapping().format == "flat"


def test_an_hour_that_the_zone_skips_is_told():
    rows = [
        ("A", "提交", "2024-03-10 02:30", "甲"),
        ("A", "批准", "2024-11-03 01:30", "乙"),
        ("A", "办结", "2024-11-03 09:00", "乙"),
    ]
    events, tally, *_ = clean(rows, timezone="America/New_York")
    assert len(events) == 3
    assert said(tally, "skipped_hour")["count"] == 1
    assert said(tally, "doubled_hour")["count"] == 1


NODES = ["流水号", "节点", "操作", "操作时间", "处理部门"]
APPROVAL = [
    ("A", "发起", "提交", "2025-03-03 09:00", "研发部"), ("A", "财务复核", "退回", "2025-03-03 10:00", "财务部"),
    ("A", "发起", "重新提交", "2025-03-03 11:00", "研发部"), ("A", "财务复核", "同意", "2025-03-03 14:00", "财务部"),
    ("A", None, "抄送", "2025-03-03 15:00", "财务部"), ("A", "出纳付款", "办结", "2025-03-04 10:00", "财务部"),
]  # fmt: skip


def test_a_column_of_actions_beside_the_steps_says_what_was_done():
    events, _, mapping, _ = clean(APPROVAL, NODES)
    assert mapping.source("step.name") == "节点" and mapping.source("event.action") == "操作"
    assert events["action"].tolist() == [
        "submit", "return", "resubmit", "approve", "comment", "close",
    ]  # fmt: skip
    # A request and a remark are no step; the step that closes the case is one.
    done = events["activity"].astype("object").where(events["activity"].notna(), "")
    assert done.tolist() == ["", "财务复核", "", "财务复核", "", "出纳付款"]
    made, _ = tables(APPROVAL, NODES)
    assert made["step"]["name_zh"].tolist() == ["财务复核", "出纳付款"]
    assert made["event"]["action"].eq("return").sum() == 1


def test_where_a_row_names_no_action_its_step_is_read():
    rows = [*APPROVAL[:5], ("A", "归档", None, "2025-03-04 10:00", "财务部")]
    events, tally, mapping, _ = clean(rows, NODES)
    assert mapping.values["event.action"]["归档"] == "close"
    assert events["action"].iloc[-1] == "close" and "unknown_actions" not in keys(tally)
    rows = [*APPROVAL[:5], ("A", None, None, "2025-03-04 10:00", "财务部")]
    events, tally, *_ = clean(rows, NODES)
    assert len(events) == 5 and tally.left_out == {"no_activity": 1}


@pytest.mark.parametrize(("vague", "taken"), [(1, True), (2, False)])
def test_a_column_that_rarely_says_what_was_done_is_no_column_of_actions(vague, taken):
    # Nine of ten entries must be words of action; a number or a city is none.
    known = [("A", "审核", "同意", f"2025-03-0{d} 09:00", "财务部") for d in range(1, 11 - vague)]
    odd = [("A", "审核", "上海", f"2025-03-1{d} 09:00", "财务部") for d in range(vague)]
    _, _, mapping, _ = clean([*known, *odd], NODES)
    assert (mapping.source("event.action") == "操作") is taken
    assert ("上海" in not_understood(mapping)) is taken

"""On time by hand: promise, deadline, open and overdue, not assessable, stopped clock."""

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import measure
from tests.measure import odd_log
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS

STUDY = {"services": SERVICES, "steps": STEPS, "calendar": CALENDAR}
COMMITMENTS = pd.DataFrame(
    {
        "case_id": ["i", "i", "b", "a"],
        "rev": [0, 1, 0, 0],
        "agreed_at": [
            "2024-09-03T09:00",
            "2024-09-05T09:00",
            "2024-09-03T09:00",
            "2024-09-01T09:00",
        ],
        "due_at": ["2024-09-06T18:00", "2024-09-10T18:00", "2024-09-30T18:00", "2024-09-03T12:00"],
        "requester_ok": [True, True, True, True],
        "provider_ok": [True, True, True, True],
    }
)


@pytest.fixture(scope="module")
def result():
    return measure.on_time(SMALL, **STUDY, commitments=COMMITMENTS)


def _row(table: pd.DataFrame, provider: str, variant: str) -> pd.Series:
    found = table[(table["provider_id"] == provider) & (table["variant"] == variant)]
    return found.iloc[0]


def test_promise_of_sixteen_working_hours_by_hand(result):
    # Net hours: a 15 − 8 = 7, b 40, c 22 − 16 = 6, d 5, e 6; f is open with 40 hours.
    row = _row(result.table, "HR", "promise")
    counts = ["n", "on_time", "late", "open_overdue", "pending", "not_assessable"]
    assert row[counts].tolist() == [6, 4, 1, 1, 0, 0]
    assert row["estimate"] == pytest.approx(4 / 6)
    assert (row["low"], row["high"]) == pytest.approx((0.29999, 0.90323), abs=5e-5)
    assert row["closed_only"] == pytest.approx(4 / 5)


def test_without_stopping_the_clock_one_more_is_late(result):
    # c took 22 working hours, 16 of them in the hands of the requester.
    row = _row(result.table, "HR", "promise_gross")
    assert row[["on_time", "late"]].tolist() == [3, 2]
    assert 0 < row["pause_share"] < 1


def test_no_promise_is_not_assessable_and_never_late(result):
    row = _row(result.table, "IT", "promise")
    assert row[["n", "not_assessable"]].tolist() == [0, 1]
    assert pd.isna(row["estimate"])


def test_emergencies_stand_apart(result):
    row = _row(result.table, "IT", "emergency_promise")
    assert row[["n", "on_time"]].tolist() == [1, 1]  # 2.5 of 4 clock hours, on a Saturday night


def test_deadlines_first_and_revised(result):
    table = result.table
    assert _row(table, "IT", "deadline")["estimate"] == 0.0
    assert _row(table, "IT", "deadline_revised")["estimate"] == 1.0
    # b's deadline was agreed after its start: not assessable; a is late against its own.
    assert _row(table, "HR", "deadline")[["n", "late"]].tolist() == [1, 1]
    assert result.about["dropped"]["agreed_after_start"] == 1
    assert "on_time.agreed_late" in [f.key for f in result.findings]


def test_withdrawn_cases_are_counted_and_left_out(result):
    assert result.about["dropped"]["withdrawn"] == 1


def test_a_promise_that_came_after_the_start_is_no_promise():
    later = SERVICES.assign(valid_from=["2024-09-03", None, None])
    row = _row(measure.on_time(SMALL, **STUDY | {"services": later}).table, "HR", "promise")
    assert row[["n", "not_assessable"]].tolist() == [1, 5]  # only e started on or after the 3rd


def test_cases_and_events_give_the_same(result):
    cases = measure.cases(SMALL, **STUDY)
    again = measure.on_time(cases, **STUDY, commitments=COMMITMENTS)
    pd.testing.assert_frame_equal(again.table, result.table)


def test_without_a_calendar_a_promise_in_working_hours_cannot_be_judged():
    out = measure.on_time(SMALL, services=SERVICES, steps=STEPS)
    assert _row(out.table, "HR", "promise")["n"] == 0
    assert "on_time.none" not in [f.key for f in out.findings] or out.findings[0].level == "refused"


def test_other_groups_and_none():
    by_month = measure.on_time(SMALL, **STUDY, by=["provider_id", "month"]).table
    assert set(by_month["month"]) == {"2024-09"}
    whole = measure.on_time(SMALL, **STUDY, by=None).table
    assert whole.loc[whole["variant"] == "promise", "n"].tolist() == [6]


def test_an_empty_department_changes_nothing(result):
    more = pd.concat([SERVICES, SERVICES.head(1).assign(service_id="NEW", provider_id="EMPTY")])
    out = measure.on_time(SMALL, **STUDY | {"services": more}, commitments=COMMITMENTS)
    pd.testing.assert_frame_equal(out.table, result.table)


def test_services_out_of_scope_are_counted_and_left_out():
    out = measure.on_time(
        SMALL, **STUDY | {"services": SERVICES.assign(in_scope=[True, False, True])}
    )
    assert out.about["dropped"]["out_of_scope"] == 1


# In a log in which everything happens: counted by hand

BOOK = {"services": odd_log.SERVICES, "steps": odd_log.STEPS, "calendar": odd_log.CALENDAR}
PARTS = ["on_time", "late", "open_overdue", "pending", "not_assessable"]
ODD = measure.on_time(
    odd_log.EVENTS, **BOOK, by="service_id", commitments=odd_log.COMMITMENTS
)  # fmt: skip


@pytest.mark.parametrize(
    ("service", "variant", "counts"),
    [
        # In time to the minute: on. With the requester: gross. Promised for the last time: last.
        # Late by a minute: late. Promised for the first time: first. Not promised: before, beyond, no7.
        ("PAY", "promise", [6, 4, 1, 0, 3]),
        ("PAY", "promise_gross", [5, 5, 1, 0, 3]),
        # Eleven alike; no1 to no5; open within their time: overdue (stopped), just, pending.
        ("BUY", "promise", [16, 0, 0, 3, 1]),
        ("BUY", "promise_gross", [16, 0, 1, 2, 1]),  # without the stop it is overdue
        ("FIRE", "emergency_promise", [1, 1, 1, 0, 0]),  # four hours to the minute
        ("IT1", "promise", [0, 0, 0, 0, 5]),
        # Agreed a minute after the start is too late to count; agreed at the start is not.
        ("PAY", "deadline", [1, 1, 0, 1, 11]),
        ("PAY", "deadline_revised", [2, 0, 0, 1, 11]),
        ("IT1", "deadline", [1, 1, 0, 0, 3]),
        ("FIRE", "emergency_deadline", [0, 1, 0, 0, 2]),
    ],
)
def test_cases_at_their_limits_by_hand(service, variant, counts):
    table = ODD.table.set_index(["service_id", "variant"])
    row = table.loc[(service, variant)]
    assert row[PARTS].tolist() == counts
    assert row["n"] == sum(counts[:3])
    closed = counts[0] + counts[1]
    share = counts[0] / closed if closed else np.nan
    assert row["closed_only"] == pytest.approx(share, nan_ok=True)


def test_what_is_odd_is_named_with_its_number():
    assert ODD.about["dropped"] == {
        "out_of_scope": 1, "no_start": 1, "negative": 1, "withdrawn": 2, "agreed_after_start": 1
    }  # fmt: skip
    told = {f.key: dict(f.values) for f in ODD.findings}
    assert told["on_time.not_assessable"] == {"count": 3 + 1 + 5 + 10 + 1}
    assert told["on_time.open_overdue"] == {"count": 1}
    assert told["on_time.agreed_late"] == {"count": 1}
    assert told["on_time.group_without"]["groups"] == ["GEN", "IT1", "NEW"]
    assert [told[f"log.{k}"]["count"] for k in ("no_start", "negative", "after_close")] == [1, 1, 1]
    assert (
        told["on_time.overall"]["share"] == 22 / 27 and told["on_time.overall"]["gross"] == 21 / 28
    )
    # Of what PAY took 9 hours stood still and 47 lay with the requester: 1393.5 hours in all.
    row = ODD.table.set_index(["service_id", "variant"]).loc[("PAY", "promise")]
    cases = measure.cases(odd_log.EVENTS, **BOOK)
    mine = cases[cases["case_id"].isin(["on", "late", "gross", "worse", "worst", "first", "last",
                                        "waiting", "no6", "no8", "again"])]  # fmt: skip
    stopped = mine["paused_h"].sum() + mine["requester_h"].sum()
    assert stopped == 9 + 47
    assert row["pause_share"] == pytest.approx(stopped / mine["elapsed_h"].sum())


def _counted(**change):
    row = {"variant": "promise", "unit": "a", "is_emergency": False, "on_time": 6, "late": 2, "open_overdue": 2,
           "pending": 3, "not_assessable": 0, "stopped": 30.0, "elapsed": 120.0}  # fmt: skip
    return row | change


def test_overdue_cases_count_as_late_and_pending_ones_not_at_all():
    module = importlib.import_module("svcmetrics.measure.on_time")
    rows = [_counted(), _counted(unit="b", on_time=1, late=0, open_overdue=0, stopped=0.0, elapsed=0.0),
            _counted(unit="c", on_time=0, late=0, open_overdue=0, pending=9),
            _counted(unit="a", is_emergency=True, on_time=1, late=1, open_overdue=0)]  # fmt: skip
    table = module._table(pd.DataFrame(rows), ["unit"])
    assert table["variant"].tolist() == ["promise"] * 3 + ["emergency_promise"]
    assert table["n"].tolist() == [10, 1, 0, 2]
    assert table["estimate"].fillna(-1).tolist() == [0.6, 1, -1, 0.5]
    assert table["closed_only"].fillna(-1).tolist() == [0.75, 1, -1, 0.5]
    assert table["pause_share"].fillna(-1).tolist() == [0.25, -1, 0.25, 0.25]


def test_what_is_said_of_promises_and_of_groups_without_one():
    module = importlib.import_module("svcmetrics.measure.on_time")
    rows = [_counted(not_assessable=1), _counted(unit="b", on_time=0, late=0, open_overdue=0),
            _counted(variant="promise_gross", on_time=5, late=3)]  # fmt: skip
    table = module._table(pd.DataFrame(rows), ["unit"])
    cases = SimpleNamespace(by=["unit"], findings=list)
    found = module._findings(table, cases, {"agreed_after_start": 2})
    keys = ["overall", "not_assessable", "open_overdue", "agreed_late", "group_without"]
    assert [f.key for f in found] == [f"on_time.{k}" for k in keys]
    assert found[0].values["share"] == 0.6 and found[0].values["gross"] == 0.5
    assert [dict(f.values) for f in found[1:]] == [
        {"count": 1},
        {"count": 2},
        {"count": 2},
        {"groups": ["b"]},
    ]
    calm = module._table(pd.DataFrame([_counted(open_overdue=0)]), ["unit"])
    assert [f.key for f in module._findings(calm, cases, {})] == ["on_time.overall"]
    agreed = module._table(pd.DataFrame([_counted(variant="deadline")]), ["unit"])
    assert module._findings(agreed, cases, {})[0].key == "on_time.deadline"
    assert module._positive({"a": 1, "b": 0, "c": None, "d": float("nan")}) == {"a": 1}

"""Logs as they really are: every trouble is counted and named, none is dropped in silence.

What a foreign file looks like is played in ``tests/io``; here it has become an event table.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.problems import TableError
from tests.measure.every import BOOK, NAMES, TIMED, clean, run, same
from tests.measure.logs import CALENDAR, SERVICES, SMALL, log

# All measures read a log through one door; some stand for all where the door is what is tested.
SOME = ("duration", "loops", "on_time", "rejections", "returns")


def _checked(events, **arguments) -> dict[str, int]:
    """What the check of the log counts; that it says each of these is part of the check."""
    out = run("log_check", events, **arguments)
    odd = out.table[out.table["count"] > 0].set_index("variant")["count"].to_dict()
    assert {f"log.{k}" for k in odd} <= {f.key for f in out.findings}
    assert {f.level for f in out.findings if f.key != "log_check.clean"} <= {"warning"}
    return odd


def _with(text: str) -> pd.DataFrame:
    return pd.concat([SMALL, log(text)], ignore_index=True)


def _keys(out) -> list[str]:
    return [f.key for f in out.findings]


def test_events_out_of_order_are_counted_and_the_numbering_decides():
    late = SMALL.copy()
    row = late.index[(late["case_id"] == "a") & (late["action"] == "resume")][0]
    late.loc[row, "at"] -= pd.Timedelta(hours=25)  # before the pause that it ends
    assert _checked(late) == {"out_of_order": 1}
    one, two = (measure.cases(t, **BOOK).set_index("case_id") for t in (late, SMALL))
    columns = ["status", "start_at", "end_at", "elapsed_h", "business_h"]
    pd.testing.assert_frame_equal(one[columns], two[columns])
    # A clock that was stopped for less than nothing was not stopped.
    assert one.loc["a", "paused_h"] == 0
    visits = measure.passages(late, **BOOK).groupby("case_id")["elapsed_h"].sum()
    pd.testing.assert_series_equal(visits, one["elapsed_h"].loc[visits.index], atol=1e-9)


def test_numbers_below_nought_are_an_order_too():
    events = SMALL[SMALL["case_id"].isin(["a", "b"])]
    below = measure.cases(events.assign(seq=events["seq"] - 70))
    pd.testing.assert_frame_equal(below, measure.cases(events))


@pytest.mark.parametrize("name", SOME)
def test_the_same_number_twice_in_a_case_stops_a_measure(name):
    twice = pd.concat([SMALL, SMALL.iloc[[3]]], ignore_index=True)
    with pytest.raises(TableError) as error:
        run(name, twice)
    problem = error.value.problems[0]
    assert (problem.key, problem.count) == ("duplicate_rows", 2)
    assert problem.values["example"] == ["a", "4"]


def test_the_same_event_under_another_number_is_counted():
    again = SMALL.assign(seq=SMALL["seq"] * 2)
    again = pd.concat([again, again.iloc[[3]].assign(seq=9)], ignore_index=True)  # a's only return
    assert _checked(again) == {"repeated": 1}
    # It counts twice where events are counted; nothing that it delays gets longer.
    back = run("returns", again).table["returns"].sum()
    assert back == clean("returns").table["returns"].sum() + 1
    columns = ["elapsed_h", "business_h", "paused_h", "requester_h"]
    one, two = (measure.cases(t, **BOOK)[columns] for t in (again, SMALL))
    pd.testing.assert_frame_equal(one, two)


@cache
def _odd() -> pd.DataFrame:
    """One case more that ends before it starts (y), and one that was never submitted (z)."""
    return _with("""
    y PAY 2024-09-05T09:00 submit ~p9
    y PAY 2024-09-04T09:00 close @HR
    z PAY 2024-09-04T09:00 accept 1 @HR
    z PAY 2024-09-05T09:00 close @HR
    """)


def test_cases_that_cannot_be_timed_are_counted():
    assert _checked(_odd()) == {"negative": 1, "out_of_order": 1, "no_start": 1}


@pytest.mark.parametrize("name", TIMED)
def test_cases_that_cannot_be_timed_are_left_out_and_named(name):
    out, whole = run(name, _odd()), clean(name)
    assert {"log.negative", "log.no_start"} <= set(_keys(out))
    # But for what is said about the odd cases, the answer is that of the log without them.
    pd.testing.assert_frame_equal(out.table, whole.table)
    assert out.about["dropped"] == whole.about["dropped"] | {"negative": 1, "no_start": 1}


@pytest.mark.parametrize("name", TIMED)
def test_a_log_without_any_submission_says_so(name):
    out = run(name, SMALL[~SMALL["action"].isin(["submit", "resubmit"])])
    assert out.about["dropped"]["no_start"] == SMALL["case_id"].nunique()
    assert "log.no_start" in _keys(out)
    assert out.table["estimate"].isna().all()
    assert "refused" in [f.level for f in out.findings]


@pytest.mark.parametrize("name", SOME)
def test_unknown_actions_stop_a_measure_and_are_named(name):
    strange = SMALL.assign(action=SMALL["action"].where(SMALL.index != 4, "办理中"))
    with pytest.raises(TableError, match="办理中"):
        run(name, strange)


@pytest.mark.parametrize("name", NAMES)
def test_incomplete_events_are_counted_by_every_measure(name):
    holes = SMALL.astype({"seq": "Int64"})
    for k, column in enumerate(["case_id", "seq", "service_id", "at", "action"]):
        holes.loc[len(holes)] = {**SMALL.iloc[4].to_dict(), "seq": 90 + k, column: None}
    out = run(name, holes)
    assert out.about["dropped"]["incomplete_events"] == 5
    if name != "log_check":
        pd.testing.assert_frame_equal(out.table, clean(name).table, check_dtype=False)


def test_work_after_the_end_is_named_and_not_timed():
    events = _with("b PAY 2024-09-30T09:00 deliver 1 @HR")
    events.loc[events.index[-1], "seq"] = 99
    assert _checked(events) == {"after_close": 1}
    one, two = (measure.cases(t, **BOOK).set_index("case_id") for t in (events, SMALL))
    assert one.loc["b", "after_close"]
    columns = ["status", "end_at", "elapsed_h", "business_h"]
    assert one.loc["b", columns].tolist() == two.loc["b", columns].tolist()
    for name in ("on_time", "survival", "time_ratio", "first_pass"):
        assert "log.after_close" in _keys(run(name, events))


@pytest.mark.parametrize("name", SOME)
def test_stamps_of_several_zones_are_instants(name):
    utc = SMALL["at"].dt.tz_convert("UTC").astype(str)
    here = SMALL["at"].dt.tz_localize(None).astype(str)  # on the clock of the study
    west = SMALL["at"].dt.tz_convert("America/New_York").astype(str)
    mixed = np.choose(np.arange(len(SMALL)) % 3, [utc, here, west])
    same(run(name, SMALL.assign(at=mixed)), clean(name))


def test_a_promise_or_deadline_after_the_start_is_never_held_against_anybody():
    later = SERVICES.assign(valid_from="2030-01-01")
    out = run("on_time", SMALL, services=later, by=None)
    promised = out.table[out.table["variant"] == "promise"].iloc[0]
    assert promised[["n", "late", "not_assessable"]].tolist() == [0, 0, 7]
    assert "on_time.not_assessable" in _keys(out)
    agreed = pd.DataFrame(
        {
            "case_id": ["b"],
            "rev": [0],
            "agreed_at": ["2024-09-02T10:00"],
            "due_at": ["2024-09-02T11:00"],
        }
    )
    out = run("on_time", SMALL, commitments=agreed)
    assert out.about["dropped"]["agreed_after_start"] == 1
    assert "on_time.agreed_late" in _keys(out)
    assert out.table.loc[out.table["variant"] == "deadline", "late"].sum() == 0


def test_a_gap_in_the_calendar_is_an_error_that_names_the_days():
    torn = CALENDAR[~CALENDAR["date"].astype(str).str.startswith("2024-09-1")]
    with pytest.raises(TableError) as error:
        run("on_time", SMALL, calendar=torn)
    problem = error.value.problems[0]
    assert (problem.key, problem.count) == ("calendar_gap", 10)
    assert problem.values["missing"][0] == "2024-09-10"


def test_beyond_the_calendar_working_time_is_unknown_and_not_shorter():
    short = CALENDAR[CALENDAR["date"].astype(str) <= "2024-09-05"]
    whole = _checked(SMALL, calendar=short)
    assert whole["outside_calendar"] == 7  # two of b, three of h, two of i
    cases = measure.cases(SMALL, **BOOK | {"calendar": short}).set_index("case_id")
    assert pd.isna(cases.loc["b", "business_h"])  # closed on the 6th
    assert cases.loc["a", "business_h"] == 15  # eight hours on the 2nd, seven on the 3rd
    table = run("on_time", SMALL, calendar=short, by=None).table
    row = table[table["variant"] == "promise"].iloc[0]
    assert row["not_assessable"] >= 2  # b, and the open f: not late, not on time
    out = run("duration", SMALL, calendar=short)
    assert out.about["dropped"]["outside_calendar"] >= 1


LONG = "202409020911000000001"  # 21 digits: as a number it loses the last five


def test_ids_of_21_digits_stay_apart_as_text():
    names = {c: LONG[:-1] + str(k) for k, c in enumerate(sorted(SMALL["case_id"].unique()))}
    long = SMALL.assign(
        case_id=SMALL["case_id"].map(names), prev_case_id=SMALL["prev_case_id"].map(names)
    )
    for name in SOME:
        pd.testing.assert_frame_equal(run(name, long).table, clean(name).table)


@pytest.mark.parametrize("name", SOME)
def test_ids_that_became_numbers_with_a_fraction_are_refused(name):
    numbers = SMALL.assign(case_id=SMALL["case_id"].map(ord) + float(LONG))
    with pytest.raises(TableError) as error:
        run(name, numbers)
    assert error.value.problems[0].key == "not_an_id"


@pytest.mark.parametrize("kind", ["whole", "stamps", "text"])
def test_hours_that_a_zone_skips_or_has_twice_are_counted(kind):
    # New York: no 02:00 to 03:00 on 2024-03-10; 01:00 to 02:00 twice on 2024-11-03.
    at = pd.to_datetime(
        ["2024-03-10 01:59", "2024-03-10 02:10", "2024-03-10 02:50", "2024-03-10 03:00",
         "2024-11-03 00:59", "2024-11-03 01:30", "2024-11-03 02:00"]
    )  # fmt: skip
    events = pd.DataFrame(
        {"case_id": "a", "seq": range(7), "service_id": "PAY", "action": "comment"}
    )
    events["at"] = at.astype(str) if kind == "text" else at
    zone = {"timezone": "America/New_York"}
    if kind == "whole":  # with an offset there is nothing to guess
        events["at"] = at.tz_localize("UTC")
    found = _checked(events, calendar=None, **zone)
    odd = {} if kind == "whole" else {"skipped_hour": 2, "doubled_hour": 1}
    assert {k: found.get(k) for k in ("skipped_hour", "doubled_hour") if k in found} == odd
    if kind != "whole":
        # What was skipped is read as an hour later, so that its order and distance stay.
        table = measure.duration(events, of="span", by=None, **zone).table
        gaps = measure.cases(events.iloc[1:3], **zone)
        assert gaps["last_at"][0] - gaps["first_at"][0] == pd.Timedelta(minutes=40)
        assert len(table)


def test_negative_gaps_of_two_clocks_are_named():
    events = log(
        "a PAY 2024-09-02T09:00 submit\na PAY 2024-09-02T08:57 accept 1\na PAY 2024-09-02T12:00 close"
    )
    out = measure.duration(events, of="gap", by=None)
    assert "log.negative" in _keys(out)
    assert _checked(events) == {"out_of_order": 1}

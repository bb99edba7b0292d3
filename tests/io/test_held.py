"""What was computed once is held by content: the same rows under any name, never other rows."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.io import engine, held
from svcmetrics.measure.log import read_log
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS

ZONE = "Asia/Shanghai"


@pytest.fixture(autouse=True)
def nothing_held():
    held.forget()


def test_a_copy_is_the_same_table_and_one_changed_in_place_is_another():
    ours = SMALL.copy()
    before = held.mark(ours)
    assert held.mark(SMALL.copy()) == before
    assert held.mark(SMALL.set_axis(range(7, 7 + len(SMALL)))) == before  # labels of rows are none
    ours.loc[3, "step_no"] = 9
    assert held.mark(ours) != before
    assert held.mark(SMALL.rename(columns={"seq": "no"})) != before
    assert held.mark(SMALL.iloc[::-1]) != before


def test_columns_that_do_not_matter_do_not_tell_tables_apart():
    more = SMALL.assign(note="x")
    assert held.mark(more) != held.mark(SMALL)
    assert held.mark(more, SMALL.columns) == held.mark(SMALL, SMALL.columns)


def test_what_cannot_be_summed_up_is_not_held():
    mixed = pd.DataFrame({"x": pd.Series([1, "a", None], dtype=object)})
    assert held.mark(mixed) is None
    assert held.marks(SMALL, mixed) is None
    assert [held.once(None, "key", lambda n=n: n) for n in (1, 2)] == [1, 2]


def test_a_table_in_an_engine_is_told_by_its_rows_not_its_name():
    backend = engine.connect()
    table = backend.create_table("event", SMALL)
    before = held.mark(table)
    assert held.mark(backend.table("event")) == before
    backend.raw_sql("UPDATE event SET step_no = 9 WHERE case_id = 'a' AND seq = 3")
    assert held.mark(table) != before
    assert held.mark(table, ["case_id", "seq"]) == held.mark(
        backend.create_table("again", SMALL), ["case_id", "seq"]
    )


def test_numbers_follow_a_table_that_changes_in_its_engine():
    backend = engine.connect()
    table = backend.create_table("event", SMALL)
    one = engine.frame(measure.cases(table))
    backend.raw_sql("DELETE FROM event WHERE case_id = 'a'")
    two = engine.frame(measure.cases(table))
    assert set(one["case_id"]) - set(two["case_id"]) == {"a"}


def test_numbers_follow_a_file_that_is_written_anew(tmp_path):
    path = tmp_path / "event.parquet"
    SMALL.to_parquet(path)
    assert len(measure.cases(path)) == 9
    SMALL[SMALL["case_id"] != "a"].to_parquet(path)
    assert len(measure.cases(path)) == 8


def test_a_file_that_was_opened_is_that_file(tmp_path):
    path = tmp_path / "event.parquet"
    SMALL.to_parquet(path)
    assert held.mark(engine.as_table(path)) == held.mark(str(path))
    before = held.mark(engine.as_table(path))
    table = engine.as_table(path)
    SMALL.head(20).to_parquet(path)
    assert held.mark(table) != before


def test_numbers_follow_a_frame_that_is_changed_in_place():
    ours = SMALL.copy()
    before = measure.cases(ours, services=SERVICES).set_index("case_id")["status"]
    ours.loc[(ours["case_id"] == "b") & (ours["action"] == "close"), "action"] = "reject"
    after = measure.cases(ours, services=SERVICES).set_index("case_id")["status"]
    assert (before["b"], after["b"]) == ("closed", "rejected")


@pytest.mark.parametrize("way", ["hold", "keep"])  # of a log in order, and of any other
def test_the_log_is_read_once_and_its_cases_are_computed_once(way, monkeypatch):
    events = SMALL if way == "hold" else SMALL.iloc[::-1]
    kept, make = [], getattr(engine, way)
    monkeypatch.setattr(engine, way, lambda table, **how: kept.append(1) or make(table, **how))
    study = {"services": SERVICES, "steps": STEPS, "calendar": CALENDAR}
    measure.cases(events, **study)
    first = len(kept)
    assert first > 0
    measure.cases(events.copy(), **study)
    assert len(kept) == first
    measure.on_time(events, **study)
    assert len(kept) == first + 1  # what all questions about cases have in common
    measure.time_ratio(events, **study)
    measure.survival(events.copy(), **study)
    measure.on_time(events, **study, by=["month", "service_id"])
    assert len(kept) == first + 1
    assert read_log(events, ZONE).events.equals(read_log(events, ZONE).events)


def test_another_calendar_zone_or_end_is_another_answer():
    study = {"services": SERVICES, "steps": STEPS}
    hours = [
        measure.cases(SMALL, **study, **more)["business_h"].sum()
        for more in (
            {"calendar": CALENDAR},
            {"calendar": CALENDAR.assign(close=CALENDAR["close"].replace("18:00", "17:00"))},
            {"calendar": CALENDAR, "until": "2024-12-01"},
            {"calendar": CALENDAR, "timezone": "Europe/Berlin"},
        )
    ]
    assert len(set(hours)) == 4


def test_only_the_last_tables_stay():
    for n in range(20):
        held.once(("log", n), "key", lambda n=n: n)
    assert held.once(("log", 19), "key", lambda: None) == 19
    assert held.once(("log", 0), "key", lambda: None) is None


def test_thousands_of_stopped_clocks_in_one_case_take_no_longer_than_in_many():
    """Each hour of 4,000 the clock stops for half an hour, inside one wait for the requester."""
    n = 4000
    start = pd.Timestamp("2024-01-01T00:00", tz="UTC")
    at = start + pd.to_timedelta(np.arange(2 * n) * 30, unit="min")
    body = pd.DataFrame({"action": np.tile(["pause", "resume"], n), "at": at})
    head = pd.DataFrame({"action": ["submit", "return"], "at": [start] * 2})
    tail = pd.DataFrame(
        {"action": ["resubmit", "close"], "at": [at[-1] + pd.Timedelta(30, "min")] * 2}
    )
    log = pd.concat([head, body, tail], ignore_index=True)
    log = log.assign(case_id="x", seq=range(len(log)), service_id="PAY")
    one = measure.cases(log).iloc[0]
    assert one[["elapsed_h", "paused_h", "requester_h"]].tolist() == [n, n / 2, n / 2]

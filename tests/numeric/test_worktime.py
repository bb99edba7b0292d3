"""Working time on arrays: the printed golden week, 200 stepped intervals, and the inverse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcmetrics.numeric import worktime

HOUR = 3600


def _seconds(times) -> np.ndarray:
    return pd.to_datetime(times).to_numpy().astype("M8[s]").astype(np.int64)


def _clock(days, *spans, start=None, end=None, tick=1):
    day = _seconds(days) * tick
    opens = np.concatenate([day + a * HOUR * tick for a, _ in spans])
    closes = np.concatenate([day + b * HOUR * tick for _, b in spans])
    start = int(day.min()) if start is None else start * tick
    end = int(day.max()) + 24 * HOUR * tick if end is None else end * tick
    return worktime.clock(opens, closes, start=start, end=end, day=24 * HOUR * tick)


def test_golden_week_2024_has_18_working_hours():
    # State Council notice for 2024: 1 to 7 October off, Sunday 29 September is a working day.
    clock = _clock(["2024-09-27", "2024-09-29", "2024-09-30", "2024-10-08"], (9, 17))
    start, end = _seconds(["2024-09-27 16:00"]), _seconds(["2024-10-08 10:00"])
    ticks, known = worktime.between(clock, start, end)
    assert known.all()
    assert ticks.tolist() == [18 * HOUR]


@pytest.mark.data
@pytest.mark.parametrize("tick", [1, 1_000_000])
def test_two_hundred_intervals_equal_stepping_minute_by_minute(shared_data, tick):
    folder = shared_data("cn_calendar")
    days = pd.read_csv(folder / "days_2016_2026.csv")
    rows = pd.read_csv(folder / "intervals_2016_2026.csv")
    work = days.loc[days["work_holiday_cn"] == 1, "date"]
    edges = {
        "start": int(_seconds(days["date"]).min()),
        "end": int(_seconds(days["date"]).max()) + 86400,
    }
    whole = _clock(work, (9, 18), **edges, tick=tick)
    lunch = _clock(work, (9, 12), (13, 18), **edges, tick=tick)
    start, end = _seconds(rows["start"]) * tick, _seconds(rows["end"]) * tick
    for clock, column in (
        (whole, "working_minutes_0900_1800"),
        (lunch, "working_minutes_0900_1200_1300_1800"),
    ):
        ticks, known = worktime.between(clock, start, end)
        assert known.all()
        assert (ticks == rows[column] * 60 * tick).all()
    due, known = worktime.after(lunch, start, rows["sla_minutes"].to_numpy() * 60 * tick)
    assert known.all()
    assert (due == _seconds(rows["due_0900_1200_1300_1800"]) * tick).all()


# Three days of 1,000 ticks; the second is free, and one slot runs over a midnight.
SMALL = worktime.clock([100, 500, 2900], [300, 1000, 3100], start=0, end=4000, day=1000)


def _stepped(at: int) -> int:
    return sum(100 <= t < 300 or 500 <= t < 1000 or 2900 <= t < 3100 for t in range(at))


@given(st.integers(0, 4000), st.integers(0, 4000))
def test_a_duration_equals_the_ticks_counted_one_by_one(a, b):
    ticks, known = worktime.between(SMALL, [a], [b])
    assert known.all()
    assert ticks[0] == _stepped(b) - _stepped(a)


@given(st.integers(0, 4000), st.integers(1, 900))
def test_adding_working_time_is_the_inverse(at, add):
    due, known = worktime.after(SMALL, [at], [add])
    if not known[0]:
        assert _stepped(at) + add > SMALL.total
        return
    assert _stepped(int(due[0])) - _stepped(at) == add
    assert _stepped(int(due[0]) - 1) - _stepped(at) == add - 1  # the earliest such instant


def test_instants_outside_the_calendar_are_flagged_and_edges_belong_to_it():
    _, known = worktime.between(SMALL, [-1, 0, 0], [10, 4000, 4001])
    assert known.tolist() == [False, True, False]
    assert worktime.position(SMALL, [0, 4000]).tolist() == [0, SMALL.total]


def test_no_working_time_to_add_gives_the_start_itself():
    due, known = worktime.after(SMALL, [1500], [0])
    assert (due.tolist(), known.tolist()) == ([1500], [True])


def test_a_calendar_without_any_slot_has_no_working_time():
    empty = worktime.clock([], [], start=0, end=3000, day=1000)
    assert worktime.between(empty, [10], [2900])[0].tolist() == [0]
    assert not worktime.after(empty, [10], [1])[1].any()


def test_slots_that_overlap_or_leave_the_calendar_are_refused():
    with pytest.raises(ValueError, match="overlap"):
        worktime.clock([0, 50], [100, 150], start=0, end=1000)
    with pytest.raises(ValueError, match="covers"):
        worktime.clock([0], [2000], start=0, end=1000)

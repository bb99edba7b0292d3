"""Working hours through the public function: printed cases, both ways of computing, time zones."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.io import engine
from svcmetrics.problems import TableError

GOLDEN = pd.DataFrame({"start": ["2024-09-27T16:00"], "end": ["2024-10-08T10:00"]})
NINE_TO_FIVE = [("09:00", "17:00")]


def test_golden_week_2024_has_18_of_258_hours():
    # State Council notice for 2024, counted by hand: Fri 1, Sun (make-up) 8, Mon 8, Tue 1.
    days = measure.working_calendar("2024-09-01", "2024-10-31", hours=NINE_TO_FIVE)
    out = measure.working_hours(GOLDEN, start="start", end="end", calendar=days)
    assert out.loc[0, ["working_h", "elapsed_h"]].tolist() == [18.0, 258.0]
    plain = measure.working_calendar("2024-09-01", "2024-10-31", hours=NINE_TO_FIVE, country="")
    out = measure.working_hours(GOLDEN, start="start", end="end", calendar=plain)
    assert out["working_h"].tolist() == [50.0]


@pytest.mark.data
def test_two_hundred_intervals_in_pandas_and_in_the_engine(shared_data):
    rows = pd.read_csv(shared_data("cn_calendar") / "intervals_2016_2026.csv")
    calendar = measure.working_calendar("2016-01-01", "2026-12-31")
    expected = (rows["working_minutes_0900_1200_1300_1800"] * 60).tolist()
    names = {"start": "start", "end": "end", "calendar": calendar}
    assert measure.working_hours(rows, **names)["working_s"].tolist() == expected
    typed = rows.assign(start=pd.to_datetime(rows["start"]), end=pd.to_datetime(rows["end"]))
    table = measure.working_hours(engine.as_table(typed), **names)
    assert engine.frame(table)["working_s"].tolist() == expected


def _random(rng, n=3000, zone=None) -> pd.DataFrame:
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 320 * 86400, n), unit="s")
    end = start + pd.to_timedelta(rng.integers(-86400, 40 * 86400, n), unit="s")
    return pd.DataFrame({"a": start, "b": end})


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Amsterdam", "America/New_York", "UTC"])
def test_pandas_and_engine_agree_in_every_zone(zone):
    rows = _random(np.random.default_rng(5))
    rows.loc[3, "b"] = pd.NaT
    country = "CN" if zone == "Asia/Shanghai" else "NL"
    hours = [("00:00", "03:00"), ("09:30", "17:00"), ("22:00", "24:00")]
    days = measure.working_calendar("2024-02-01", "2024-11-30", hours=hours, country=country)
    names = {"start": "a", "end": "b", "calendar": days, "timezone": zone}
    ours = measure.working_hours(rows, **names)
    table = engine.frame(measure.working_hours(engine.as_table(rows), **names))
    columns = ["working_s", "working_h", "elapsed_h"]
    table = table.set_index(["a", "b"])[columns].sort_index()
    pd.testing.assert_frame_equal(ours.set_index(["a", "b"])[columns].sort_index(), table)


def test_the_clock_of_the_stamps_changes_nothing():
    days = measure.working_calendar("2024-01-01", "2025-02-28")
    rows = _random(np.random.default_rng(6), 500)
    here = measure.working_hours(rows, start="a", end="b", calendar=days)
    there = rows.apply(lambda c: c.dt.tz_localize("Asia/Shanghai").dt.tz_convert("America/Lima"))
    there = measure.working_hours(there, start="a", end="b", calendar=days)
    pd.testing.assert_series_equal(here["working_s"], there["working_s"])


def test_a_night_shift_has_the_hours_that_were_worked_when_clocks_change():
    days = measure.working_calendar(
        "2024-03-29", "2024-11-05", hours=[("00:00", "24:00")], country=""
    )
    days["is_workday"], days["open"], days["close"] = True, "00:00", "24:00"
    rows = pd.DataFrame({"a": ["2024-03-31", "2024-10-27"], "b": ["2024-04-01", "2024-10-28"]})
    out = measure.working_hours(
        rows.apply(pd.to_datetime), start="a", end="b", calendar=days, timezone="Europe/Amsterdam"
    )
    assert out["working_h"].tolist() == [23.0, 25.0]


def test_outside_the_calendar_is_missing_and_the_row_stays():
    days = measure.working_calendar("2024-09-28", "2024-10-31")
    out = measure.working_hours(GOLDEN, start="start", end="end", calendar=days)
    assert len(out) == 1
    assert out["working_h"].isna().all()
    assert out["elapsed_h"].tolist() == [258.0]


def test_each_row_may_have_its_own_calendar_and_overtime_is_an_override():
    saturday = pd.DataFrame(
        {"date": ["2024-09-28"], "is_workday": [True], "open": ["10:00"], "close": ["12:30"]}
    )
    head = measure.working_calendar("2024-09-01", "2024-10-31", hours=NINE_TO_FIVE)
    plant = measure.working_calendar(
        "2024-09-01", "2024-10-31", hours=NINE_TO_FIVE, calendar_id="plant", overrides=saturday
    )
    rows = pd.concat([GOLDEN, GOLDEN, GOLDEN]).assign(site=["cn", "plant", "cn"])
    out = measure.working_hours(
        rows, start="start", end="end", calendar=pd.concat([head, plant]), calendar_id="site"
    )
    assert out["working_h"].tolist() == [18.0, 20.5, 18.0]
    with pytest.raises(TableError, match="mars"):
        measure.working_hours(
            rows.assign(site="mars"), start="start", end="end", calendar=head, calendar_id="site"
        )


def test_a_calendar_that_cannot_be_right_is_an_error_that_says_why():
    days = measure.working_calendar("2024-09-01", "2024-10-31")
    names = {"start": "start", "end": "end"}
    for bad, word in (
        (days[days["date"] != "2024-09-05"], "2024-09-05"),
        (pd.concat([days, days.head(1)]), "duplicate|重复"),
        (days.assign(close=None), "hours"),
        (days.assign(open="09:00"), "overlap"),
        (days.drop(columns="open"), "open"),
    ):
        with pytest.raises(TableError, match=word):
            measure.working_hours(GOLDEN, calendar=bad, **names)


def test_text_that_is_no_time_is_named():
    days = measure.working_calendar("2024-09-01", "2024-10-31")
    with pytest.raises(TableError, match="soon"):
        measure.working_hours(GOLDEN.assign(end="soon"), start="start", end="end", calendar=days)


def test_a_calendar_that_is_not_there_is_named_beside_those_that_are():
    days = measure.working_calendar("2024-09-01", "2024-10-31")
    names = {"start": "start", "end": "end", "calendar": days}
    own = str(days["calendar_id"].iloc[0])
    with pytest.raises(TableError) as caught:
        measure.working_hours(GOLDEN, calendar_id="night", **names)
    assert caught.value.problems[0].values == {"unknown": ["night"], "known": [own]}
    two = pd.concat([days, days.assign(calendar_id="night")])
    with pytest.raises(TableError) as caught:
        measure.working_hours(GOLDEN, **{**names, "calendar": two})
    assert caught.value.problems[0].values["unknown"] == ["?"]


def test_the_engine_adds_the_same_columns_and_leaves_none_of_its_own_behind():
    days = measure.working_calendar("2024-01-01", "2024-12-31")
    rows = _random(np.random.default_rng(8), 5).assign(other=1)
    names = {"start": "a", "end": "b", "calendar": days}
    table = measure.working_hours(engine.as_table(rows), **names)
    assert list(table.columns) == ["a", "b", "other", "working_s", "working_h", "elapsed_h"]

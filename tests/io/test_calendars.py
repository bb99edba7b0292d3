"""The Chinese calendar against four sources, and what is not yet published."""

import pandas as pd
import pytest

from svcmetrics.io.calendars import working_calendar
from svcmetrics.problems import TableError


@pytest.mark.data
def test_every_day_of_eleven_years_equals_the_state_council_notices(shared_data):
    days = pd.read_csv(shared_data("cn_calendar") / "days_2016_2026.csv")
    ours = working_calendar("2016-01-01", "2026-12-31").drop_duplicates("date")
    assert ours["date"].tolist() == days["date"].tolist()
    assert (ours["is_workday"].to_numpy() == (days["work_holiday_cn"] == 1)).all()
    assert (ours["status"] == "official").all()


def test_working_days_of_2024_and_2025_as_announced():
    # State Council notices: 251 working days in 2024, 248 in 2025.
    days = working_calendar("2024-01-01", "2025-12-31").drop_duplicates("date")
    assert days.groupby(days["date"].str[:4])["is_workday"].sum().to_dict() == {
        "2024": 251,
        "2025": 248,
    }


def test_an_unpublished_year_is_provisional():
    assert set(working_calendar("2031-01-01", "2031-12-31")["status"]) == {"provisional"}


def test_a_day_off_is_one_row_without_hours():
    off = working_calendar("2024-10-01", "2024-10-01")
    assert len(off) == 1
    assert not off["is_workday"].any()
    assert off[["open", "close"]].isna().all(axis=None)


def test_overrides_replace_single_days_and_are_official():
    own = pd.DataFrame({"date": ["2031-02-03"], "is_workday": [False], "source": ["site notice"]})
    days = working_calendar("2031-02-01", "2031-02-05", overrides=own).set_index("date")
    assert days.loc["2031-02-03", ["is_workday", "source", "status"]].tolist() == [
        False, "site notice", "official",
    ]  # fmt: skip
    assert days.loc["2031-02-04", "status"].tolist() == ["provisional", "provisional"]


@pytest.mark.parametrize(
    "hours",
    [
        [("09:00", "08:00")],
        [("09:00", "12:00"), ("11:00", "18:00")],
        [("9am", "5pm")],
        [("22:00", "25:00")],
    ],
)
def test_office_hours_that_make_no_sense_are_named(hours):
    with pytest.raises(TableError, match=r"24:00"):
        working_calendar("2024-01-01", "2024-01-02", hours=hours)


def test_no_day_at_all_is_an_error():
    with pytest.raises(TableError):
        working_calendar("2024-02-01", "2024-01-01")

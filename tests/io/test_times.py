"""Times of foreign files: what is read, and what is named instead of guessed."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics.io.times import odd_hours, read_times
from svcmetrics.problems import StudyError

SHANGHAI = {"timezone": "Asia/Shanghai"}


def one(text, **options):
    row = read_times(pd.Series([text]), **options).iloc[0]
    return (None if pd.isna(row["at"]) else row["at"].isoformat(), row["kind"])


@pytest.mark.parametrize(
    ("text", "at", "kind"),
    [
        ("2024-03-01T09:00:00+08:00", "2024-03-01T01:00:00+00:00", "offset"),
        ("2024-03-01T02:00:00Z", "2024-03-01T02:00:00+00:00", "offset"),
        ("2017-01-09T09:49:50.123+0100", "2017-01-09T08:49:50.123000+00:00", "offset"),
        ("2024/3/5 9:02", "2024-03-05T01:02:00+00:00", "bare"),
        ("2024年3月5日 09:02:03", "2024-03-05T01:02:03+00:00", "bare"),
        ("2024-03-05", "2024-03-04T16:00:00+00:00", "date_only"),
        ("45352.375", "2024-03-01T01:00:00+00:00", "serial"),
        ("1709254800000", "2024-03-01T01:00:00+00:00", "unix"),
        ("1709254800", "2024-03-01T01:00:00+00:00", "unix"),
        ("9999-12-31 00:00:00", None, "sentinel"),
        ("1900-01-01 00:00:00", None, "sentinel"),
        ("2024-02-30 10:00", None, "unreadable"),
        ("2024-02-03 25:00", None, "unreadable"),
        ("soon", None, "unreadable"),
        (None, None, "missing"),
        ("  ", None, "missing"),
    ],
)
def test_each_way_of_writing_a_time(text, at, kind):
    assert one(text, **SHANGHAI) == (at, kind)


def test_without_a_zone_a_bare_time_is_no_instant():
    assert one("2024-03-01 11:00:00") == (None, "no_zone")
    assert one("45352.375") == (None, "no_zone")
    assert one("2024-03-01T11:00:00Z") == ("2024-03-01T11:00:00+00:00", "offset")


def test_day_and_month_are_declared_never_guessed():
    assert one("01/02/2024 08:00", **SHANGHAI) == (None, "day_or_month")
    assert one("01/02/2024 08:00", **SHANGHAI, day_first="day")[0] == "2024-02-01T00:00:00+00:00"
    assert one("01/02/2024 08:00", **SHANGHAI, day_first="month")[0] == "2024-01-02T00:00:00+00:00"


def test_the_1904_system_of_excel():
    assert one(str(45352.375 - 1462), **SHANGHAI, from_1904=True)[0] == "2024-03-01T01:00:00+00:00"


def test_daylight_saving_is_counted():
    at = read_times(
        pd.Series(["2024-11-03 00:30", "2024-11-03 02:00"]), timezone="America/New_York"
    )["at"]
    assert at.diff().iloc[1] == pd.Timedelta(hours=2.5)


def test_typed_columns_are_read_like_text():
    bare = pd.Series(pd.to_datetime(["2024-03-01 09:00", None]))
    assert read_times(bare, **SHANGHAI)["kind"].tolist() == ["bare", "missing"]
    assert read_times(bare)["kind"].tolist() == ["no_zone", "missing"]
    known = bare.dt.tz_localize("Asia/Shanghai")
    assert read_times(known)["at"].iloc[0] == pd.Timestamp("2024-03-01 01:00", tz="UTC")
    cells = pd.Series(
        [bare.iloc[0].to_pydatetime(), "2024-03-01T09:00:00+08:00", 45352.375], dtype=object
    )
    assert read_times(cells, **SHANGHAI)["at"].nunique() == 1


def test_an_unknown_zone_is_named():
    with pytest.raises(StudyError, match="Mars/Olympus"):
        read_times(pd.Series(["2024-03-01 09:00"]), timezone="Mars/Olympus")


def test_hours_that_a_zone_skips_or_has_twice_are_found_and_keep_their_order():
    # New York: no 02:00 to 03:00 on 2024-03-10; 01:00 to 02:00 twice on 2024-11-03.
    text = pd.Series(
        ["2024-03-10 01:59", "2024-03-10 02:10", "2024-03-10 02:50", "2024-11-03 01:30", "2024-11-03 02:00",
         "2024-03-10T02:30:00Z", None]
    )  # fmt: skip
    zone = {"timezone": "America/New_York"}
    read = read_times(text, **zone)
    skipped, doubled = odd_hours(text, read, **zone)
    assert skipped.tolist() == [False, True, True, *[False] * 4]
    assert doubled.tolist() == [False, False, False, True, *[False] * 3]
    assert read["at"][2] - read["at"][1] == pd.Timedelta(minutes=40)
    assert read["at"][1] == pd.Timestamp("2024-03-10 07:10", tz="UTC")  # 03:10 on the new clock
    china = odd_hours(text, read_times(text, timezone="Asia/Shanghai"), timezone="Asia/Shanghai")
    assert not any(mask.any() for mask in china)

"""The Chinese working calendar of the invented company, and a clock that runs in working hours."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from svcmetrics.io.calendars import working_calendar
from svcmetrics.numeric import worktime

CALENDAR = "cn"
TIMEZONE = "Asia/Shanghai"
# No daylight saving since 1991: one offset serves the whole study.
OFFSET_S = 8 * 3600
# The log covers twelve months; the calendar reaches further, for deadlines beyond the end.
START, END = pd.Timestamp("2024-09-01"), pd.Timestamp("2025-09-01")
_FIRST_DAY, _LAST_DAY = "2024-07-01", "2025-12-31"
# Names no package and no version: the committed example must not change with either.
_SOURCE = "国务院办公厅放假通知 State Council notices"


def calendar_table() -> pd.DataFrame:
    """Every day with its two office slots, make-up days included."""
    return working_calendar(_FIRST_DAY, _LAST_DAY, calendar_id=CALENDAR).assign(source=_SOURCE)


class Clock:
    """Turns instants (seconds since 1970, UTC) into seconds worked so far, and back."""

    def __init__(self, calendar: pd.DataFrame):
        slots = calendar[calendar["is_workday"]]
        day = pd.to_datetime(slots["date"]).dt.strftime("%Y-%m-%d ")
        self._clock = worktime.clock(
            seconds(pd.to_datetime(day + slots["open"])), seconds(pd.to_datetime(day + slots["close"])),
            start=instant(_FIRST_DAY), end=instant(_LAST_DAY) + worktime.SECONDS_PER_DAY,
        )  # fmt: skip

    def worked(self, at: np.ndarray) -> np.ndarray:
        """Seconds of office time that lie before each instant."""
        return worktime.position(self._clock, at)

    def moment(self, worked: np.ndarray) -> np.ndarray:
        """The first instant at which so many seconds of office time have passed."""
        return worktime.after(self._clock, self._clock.start, worked)[0]


def seconds(local: pd.Timestamp | pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Clock time in the company's zone as whole seconds since 1970, UTC."""
    stamps = pd.DatetimeIndex(pd.Series(local)).as_unit("s")
    return stamps.astype("int64").to_numpy() - OFFSET_S


@cache
def instant(local: str | pd.Timestamp) -> int:
    """One clock time in the company's zone as whole seconds since 1970, UTC."""
    return int(seconds(pd.Series([pd.Timestamp(local)]))[0])


def iso(at: np.ndarray) -> np.ndarray:
    """Instants as text with the offset, e.g. 2024-10-08T09:00:00+08:00."""
    local = np.asarray(at, "int64") + OFFSET_S
    return np.char.add(np.datetime_as_string(local.astype("datetime64[s]")), "+08:00")

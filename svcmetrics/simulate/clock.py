"""The Chinese working calendar of the invented company, and a clock that runs in working hours."""

from __future__ import annotations

import numpy as np
import pandas as pd

CALENDAR = "cn"
TIMEZONE = "Asia/Shanghai"
# No daylight saving since 1991: one offset serves the whole study.
OFFSET_S = 8 * 3600
# The log covers twelve months; the calendar reaches further, for deadlines beyond the end.
START, END = pd.Timestamp("2024-09-01"), pd.Timestamp("2025-09-01")
_CALENDAR_DAYS = pd.date_range("2024-07-01", "2025-12-31")
_HOURS = (("09:00", "12:00"), ("13:00", "18:00"))
_NOTICE = "国务院办公厅放假通知 State Council notice"
_WEEK = "周一至周五 Monday to Friday"


def calendar_table() -> pd.DataFrame:
    """Every day with its two office slots; a day off has one row without hours."""
    import holidays

    days = _CALENDAR_DAYS
    official = holidays.country_holidays("CN", years=sorted(set(days.year)))
    off, makeup = set(official), set(official.weekend_workdays)
    rows = []
    for day in days.date:
        works = day in makeup or (day.weekday() < 5 and day not in off)
        source = _NOTICE if day in makeup or day in off else _WEEK
        for slot, (opens, closes) in enumerate(_HOURS if works else ((None, None),), start=1):
            rows.append((CALENDAR, day.isoformat(), slot, works, opens, closes, source, "official"))
    names = ["calendar_id", "date", "slot", "is_workday", "open", "close", "source", "status"]
    return pd.DataFrame(rows, columns=names)


class Clock:
    """Turns instants (seconds since 1970, UTC) into seconds worked so far, and back."""

    def __init__(self, calendar: pd.DataFrame):
        slots = calendar[calendar["is_workday"]]
        self.opens = seconds(pd.to_datetime(slots["date"] + " " + slots["open"]))
        self.lengths = seconds(pd.to_datetime(slots["date"] + " " + slots["close"])) - self.opens
        self.ends = np.cumsum(self.lengths)

    def worked(self, at: np.ndarray) -> np.ndarray:
        """Seconds of office time that lie before each instant."""
        slot = np.maximum(np.searchsorted(self.opens, at, side="right") - 1, 0)
        inside = np.clip(at - self.opens[slot], 0, self.lengths[slot])
        return self.ends[slot] - self.lengths[slot] + inside

    def moment(self, worked: np.ndarray) -> np.ndarray:
        """The first instant at which so many seconds of office time have passed."""
        slot = np.minimum(np.searchsorted(self.ends, worked, side="left"), len(self.ends) - 1)
        return self.opens[slot] + worked - (self.ends[slot] - self.lengths[slot])


def seconds(local: pd.Timestamp | pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Clock time in the company's zone as whole seconds since 1970, UTC."""
    stamps = pd.DatetimeIndex(pd.Series(local)).as_unit("s")
    return stamps.astype("int64").to_numpy() - OFFSET_S


def instant(local: str | pd.Timestamp) -> int:
    """One clock time in the company's zone as whole seconds since 1970, UTC."""
    return int(seconds(pd.Series([pd.Timestamp(local)]))[0])


def iso(at: np.ndarray) -> np.ndarray:
    """Instants as text with the offset, e.g. 2024-10-08T09:00:00+08:00."""
    local = np.asarray(at, "int64") + OFFSET_S
    return np.char.add(np.datetime_as_string(local.astype("datetime64[s]")), "+08:00")

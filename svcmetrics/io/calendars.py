"""Working calendars as the ``calendar`` table: office hours of every day, with make-up days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.tables import CALENDAR, require, unique

OFFICE_HOURS = (("09:00", "12:00"), ("13:00", "18:00"))
_SATURDAY = 5


def working_calendar(
    first: object,
    last: object,
    *,
    hours: Sequence[tuple[str, str]] = OFFICE_HOURS,
    calendar_id: str = "cn",
    country: str = "CN",
    overrides: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Which hours count as working time on each day, public holidays and make-up days included?

    ``first``, ``last``: the days to cover, both included. ``hours``: office slots as clock times;
    a night shift is two slots, up to "24:00" and from "00:00" of the next day. ``country``: whose
    public holidays ("CN" knows the make-up days 调休); "" means Monday to Friday without any holiday.
    ``overrides``: rows ``date, is_workday`` (also ``open, close, source``) that replace single days:
    a site's own holiday, overtime, or a notice that came after this package.

    Comes back as the canonical ``calendar`` table; a day off is one row without hours.

    It misleads beyond the published years: the State Council fixes next year's make-up days in
    autumn, and until then such a year holds weekends and statutory days only. Its rows say
    ``provisional``.

    Source: State Council notices, through the package ``holidays``.

    >>> days = working_calendar("2024-09-29", "2024-10-01", hours=[("09:00", "17:00")])
    >>> days[["date", "is_workday", "open", "status"]].to_string(index=False, header=False)
    '2024-09-29  True 09:00 official\\n2024-09-30  True 09:00 official\\n2024-10-01 False   NaN official'
    """
    days = pd.date_range(_day(first), _day(last), freq="D")
    if days.empty:
        raise table_error("calendar_empty", first=str(first), last=str(last))
    _check_hours(hours)
    plan = _plan(days, country)
    table = _slots(plan, hours, calendar_id)
    if overrides is not None:
        table = _overridden(table, overrides, hours, calendar_id)
    return table[list(CALENDAR.names)]


def _plan(days: pd.DatetimeIndex, country: str) -> pd.DataFrame:
    """Per day: worked or not, who says so, and whether that is final."""
    work = days.day_of_week.to_numpy() < _SATURDAY
    source = np.full(len(days), "Monday to Friday", dtype=object)
    final = np.ones(len(days), dtype=bool)
    if country:
        import holidays

        try:
            book = holidays.country_holidays(country, years=sorted(set(days.year)))
        except NotImplementedError as error:
            raise table_error("calendar_country", found=country) from error
        makeup = set(getattr(book, "weekend_workdays", ()))
        dates = list(days.date)
        off = np.array([d in book and d not in makeup for d in dates])
        extra = np.array([d in makeup for d in dates])
        work = (work & ~off) | extra
        source[:] = f"holidays {holidays.__version__} ({country})"
        # A Chinese year without make-up days has not been announced yet.
        known = {d.year for d in makeup}
        final = np.isin(days.year, list(known)) if country == "CN" else final
    status = np.where(final, "official", "provisional")
    return pd.DataFrame({"date": days, "is_workday": work, "source": source, "status": status})


def _slots(plan: pd.DataFrame, hours: Sequence[tuple[str, str]], calendar_id: str) -> pd.DataFrame:
    """One row per slot of a working day, and one without hours for a day off."""
    number = np.where(plan["is_workday"], len(hours), 1)
    rows = plan.loc[plan.index.repeat(number)].reset_index(drop=True)
    slot = np.arange(len(rows)) - np.repeat(np.cumsum(number) - number, number)
    work = rows["is_workday"].to_numpy()
    opens, closes = (np.array([h[i] for h in hours], dtype=object)[slot] for i in (0, 1))
    return rows.assign(
        calendar_id=calendar_id,
        date=rows["date"].dt.strftime("%Y-%m-%d"),
        slot=slot + 1,
        open=pd.Series(opens).where(work).astype("str"),
        close=pd.Series(closes).where(work).astype("str"),
    )


def _overridden(
    table: pd.DataFrame,
    overrides: pd.DataFrame,
    hours: Sequence[tuple[str, str]],
    calendar_id: str,
) -> pd.DataFrame:
    require(overrides, "date", "is_workday")
    own = overrides.reset_index(drop=True).copy()
    own["date"] = [_day(d).strftime("%Y-%m-%d") for d in own["date"]]
    own["source"] = own.get("source", "override")
    own["status"] = "official"
    if {"open", "close"} <= set(own.columns):
        own["slot"] = own.groupby("date").cumcount() + 1
        new = own.assign(calendar_id=calendar_id)
    else:
        unique(own, "date")
        new = _slots(own.assign(date=pd.to_datetime(own["date"])), hours, calendar_id)
    kept = table[~table["date"].isin(set(own["date"]))]
    return pd.concat([kept, new]).sort_values(["date", "slot"]).reset_index(drop=True)


def _day(value: object) -> dt.date:
    day = pd.to_datetime(value, errors="coerce")  # type: ignore[call-overload]
    if day is pd.NaT:
        raise table_error("calendar_empty", first=str(value), last=str(value))
    return day.date()


def _check_hours(hours: Sequence[tuple[str, str]]) -> None:
    last = -1
    for opens, closes in hours:
        a, b = clock_minutes(opens), clock_minutes(closes)
        if not last <= a < b:
            raise table_error("calendar_hours", found=f"{opens}–{closes}")
        last = b


def clock_minutes(text: object) -> int:
    """A clock time such as "09:30" or "24:00" in minutes after midnight."""
    parts = str(text).split(":")
    if len(parts) in (2, 3) and all(p.isdigit() for p in parts):
        minutes = int(parts[0]) * 60 + int(parts[1])
        if minutes <= 24 * 60 and int(parts[1]) < 60 and (len(parts) == 2 or int(parts[2]) == 0):
            return minutes
    raise table_error("calendar_hours", found=str(text))

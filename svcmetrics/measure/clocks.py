"""From the ``calendar`` table to clocks: working time of instants, in arrays and in the engine.

Slots are turned into instants before anything is subtracted, so that a night shift across the
change to summer time has the hours that were really worked. Everything is in microseconds.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from hashlib import blake2b
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine, held
from svcmetrics.io.calendars import clock_minutes
from svcmetrics.io.times import zone
from svcmetrics.numeric import worktime
from svcmetrics.problems import table_error
from svcmetrics.tables import require, unique

HOUR = 3_600_000_000  # microseconds
DAY = 24 * HOUR

Clocks = Mapping[str, worktime.Clock]


def clocks(calendar: pd.DataFrame, timezone: str) -> dict[str, worktime.Clock]:
    """One clock per calendar_id. Missing days, overlaps and days without hours are errors."""
    zone(timezone)
    return held.once(held.mark(calendar), ("clocks", timezone), lambda: _clocks(calendar, timezone))


def mark_of(book: Clocks) -> Hashable:
    """What tells these clocks from others."""
    digest = blake2b(digest_size=16)
    for name, clock in book.items():
        digest.update(name.encode())
        for part in vars(clock).values():
            digest.update(np.asarray(part).tobytes())
    return digest.digest()


def _clocks(calendar: pd.DataFrame, timezone: str) -> dict[str, worktime.Clock]:
    require(calendar, "calendar_id", "date", "is_workday", "open", "close")
    table = calendar.reset_index(drop=True)
    if "slot" in table:
        unique(table, "calendar_id", "date", "slot")
    table = table.assign(date=pd.to_datetime(table["date"]).dt.tz_localize(None).dt.normalize())
    return {
        str(name): _clock(rows, str(name), timezone) for name, rows in table.groupby("calendar_id")
    }


def _clock(rows: pd.DataFrame, name: str, timezone: str) -> worktime.Clock:
    days = pd.DatetimeIndex(rows["date"].unique()).sort_values()
    whole = pd.date_range(days[0], days[-1])
    if len(days) < len(whole):
        missing = [f"{d:%Y-%m-%d}" for d in whole.difference(days)]
        raise table_error("calendar_gap", calendar=name, missing=missing[:8], count=len(missing))
    work = rows[rows["is_workday"].astype(bool)]
    bare = work["open"].isna() | work["close"].isna()
    if bare.any():
        raise table_error("calendar_no_hours", rows=work.index[bare], calendar=name)
    # Of two equal clock times in autumn, a slot opens with the first and closes with the second.
    opens = _instants(work["date"], work["open"], timezone, first=True)
    closes = _instants(work["date"], work["close"], timezone, first=False)
    edge = _local([days[0], days[-1] + pd.Timedelta(days=1)], timezone, first=True)
    try:
        return worktime.clock(opens, closes, start=int(edge[0]), end=int(edge[1]), day=DAY)
    except ValueError:
        raise table_error("calendar_overlap", calendar=name) from None


def _instants(dates: pd.Series, times: pd.Series, timezone: str, *, first: bool) -> np.ndarray:
    known = {t: clock_minutes(t) for t in times.unique()}
    minutes = times.map(known).to_numpy("int64")
    stamps = dates.to_numpy("datetime64[us]") + minutes * np.timedelta64(1, "m")
    return _local(stamps, timezone, first=first)


def _local(stamps: object, timezone: str, *, first: bool) -> np.ndarray:
    index = pd.DatetimeIndex(stamps).as_unit("us")  # type: ignore[arg-type]
    flags = np.full(len(index), first)
    zoned = index.tz_localize(timezone, ambiguous=flags, nonexistent="shift_forward")
    return zoned.tz_convert("UTC").asi8.astype(np.int64)


def days_table(book: Clocks) -> Table:
    """The clocks as a table of the engine: one row per calendar and day, slots side by side."""
    frames = []
    for name, c in book.items():
        # One more day, so that the closing instant of the last one has a row.
        day = (c.first + np.arange(c.base.size + 1)) * c.day
        columns: dict[str, Any] = {
            "clock_id": name,
            "day_us": day,
            "base": np.append(c.base, c.total),
        }
        columns |= {"from_us": c.start, "to_us": c.end}
        for k in range(_width(book)):
            has = k < c.opens.shape[1]
            zero = np.zeros(c.base.size, np.int64)
            columns[f"open_{k}"] = np.append(c.opens[:, k] if has else zero, 0)
            columns[f"length_{k}"] = np.append(c.lengths[:, k] if has else zero, 0)
        frames.append(pd.DataFrame(columns))
    return engine.small(pd.concat(frames))


def with_worked(table: Table, book: Clocks, instants: Mapping[str, str]) -> Table:
    """Add working microseconds since the start of the calendar: ``{new column: instant column}``.

    ``table`` names the calendar of each row in ``clock_id``. Outside the calendar: NULL.
    """
    if not book:
        return table.mutate(**{new: ibis.null("int64") for new in instants})
    days, width = days_table(book), _width(book)
    for new, instant in instants.items():
        at = table[instant]
        right = days.rename({f"{new}_{c}": c for c in days.columns})
        tick = at % DAY
        on = [table["clock_id"] == right[f"{new}_clock_id"], at - tick == right[f"{new}_day_us"]]
        joined = table.left_join(right, on)
        at = joined[instant]
        total = joined[f"{new}_base"]
        for k in range(width):
            part = ibis.greatest(at % DAY - joined[f"{new}_open_{k}"], 0)
            total = total + ibis.least(part, joined[f"{new}_length_{k}"])
        inside = at.between(joined[f"{new}_from_us"], joined[f"{new}_to_us"])
        joined = joined.mutate(**{new: ibis.ifelse(inside, total, ibis.null("int64"))})
        table = joined.select(*table.columns, new)
    return table


def _width(book: Clocks) -> int:
    return max(c.opens.shape[1] for c in book.values())

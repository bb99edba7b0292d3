"""Instants in whole microseconds, UTC, however a column holds them."""

from __future__ import annotations

from functools import cache
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import IntegerColumn, Table, Value

from svcmetrics.io import engine
from svcmetrics.io.times import UNREAD, read_times, zone
from svcmetrics.problems import table_error

# Stands for "no instant" among the integers.
NONE = np.iinfo(np.int64).min
_MINUTE = 60_000_000


def typed(column: pd.Series, timezone: str) -> pd.Series:
    """A column of times as pandas holds them; text is read, and what cannot be read is an error."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.as_unit("us")  # what lies below a microsecond is cut off
    read = read_times(column, timezone=timezone)
    bad = read["kind"].isin(UNREAD).to_numpy() & column.notna().to_numpy()
    if bad.any():
        rows = np.flatnonzero(bad)
        raise table_error(
            "not_a_time", column=str(column.name), bad=str(column.iloc[rows[0]]), rows=rows
        )
    return read["at"]


def ticks(column: pd.Series, timezone: str) -> np.ndarray:
    """A column of times as microseconds since 1970, UTC; missing ones are ``NONE``."""
    at = typed(column, timezone)
    bare = getattr(at.dtype, "tz", None) is None
    us = (at if bare else at.dt.tz_convert("UTC").dt.tz_localize(None)).dt.as_unit("us")
    out = us.to_numpy("datetime64[us]").astype(np.int64)
    if not bare:
        return out
    empty = out == NONE
    return to_utc(out, timezone) if not empty.any() else _around(out, empty, timezone)


def _around(local: np.ndarray, empty: np.ndarray, timezone: str) -> np.ndarray:
    out = local.copy()
    out[~empty] = to_utc(local[~empty], timezone)
    return out


def to_utc(local: np.ndarray, timezone: str) -> np.ndarray:
    """Microseconds on the clock of a zone as instants; of a doubled hour the first is meant."""
    _, starts, offsets = _offsets(timezone)
    low, high = (
        np.searchsorted(
            starts, [local.min(initial=starts[-1]), local.max(initial=starts[0])], side="right"
        )
        if len(starts)
        else (0, 0)
    )
    if low == high:  # one offset for all, as in China since 1991
        return local - offsets[low]
    return local - offsets[np.searchsorted(starts, local, side="right")]


def utc_micros(at: Value, timezone: str) -> IntegerColumn:
    """Instants in microseconds, UTC; a stamp without an offset is read on the clock of the zone.

    Of a clock time that occurs twice the first is meant; one that does not occur is moved on.
    """
    if not at.type().is_timestamp():
        raise table_error("not_a_time", column=at.get_name(), bad=str(at.type()))
    us = engine.micros(at)
    if getattr(at.type(), "timezone", None) is not None:
        return us
    _, starts, offsets = _offsets(timezone)
    return us - _shift(us, starts, offsets)


def local_ticks(us: np.ndarray, timezone: str) -> np.ndarray:
    """The other way: what the clocks of a zone show at these instants."""
    moments, _, offsets = _offsets(timezone)
    return us + offsets[np.searchsorted(moments, us, side="right")]


def local_micros(us: Value, timezone: str) -> Value:
    """The same in the engine."""
    moments, _, offsets = _offsets(timezone)
    return us + _shift(us, moments, offsets)


def odd_hours(stamps: Table, timezone: str) -> dict[str, int]:
    """How many stamps ``at`` without an offset name an hour that the zone skips, or has twice.

    When clocks go forward there is no 02:30; when they go back there are two of it.
    """
    at = stamps["at"]
    if not at.type().is_timestamp() or getattr(at.type(), "timezone", None) is not None:
        return {"skipped_hour": 0, "doubled_hour": 0}
    us = engine.micros(at)
    ends = engine.row(stamps.aggregate(first=us.min(), last=us.max(), n=us.count()))
    moments, _, offsets = _offsets(timezone)
    first, last = moments + offsets[:-1], moments + offsets[1:]
    low, high = np.minimum(first, last), np.maximum(first, last)
    near = (low <= (ends["last"] or 0)) & (high > (ends["first"] or 0)) & bool(ends["n"])
    inside = {"skipped_hour": near & (first < last), "doubled_hour": near & (first > last)}
    hits = {
        k: [(us >= int(a)) & (us < int(b)) for a, b in zip(low[m], high[m])]
        for k, m in inside.items()
    }
    sums = {k: ibis.or_(*h).sum().fill_null(0) for k, h in hits.items() if h}
    found = engine.row(stamps.aggregate(**sums)) if sums else {}
    return {k: int(found.get(k, 0)) for k in inside}


def bare_stamps(events: Any) -> Table:
    """The stamps of a log as they stand, one column ``at``; those with an offset are missing."""
    if not isinstance(events, pd.DataFrame):
        return engine.as_table(events).select("at")
    at = events["at"]
    if not pd.api.types.is_datetime64_any_dtype(at):
        read = read_times(at, timezone="UTC")  # what has no offset is then its own clock
        local = read["at"].dt.tz_localize(None)
        at = local.where(read["kind"].isin(("bare", "date_only", "serial")))
    return engine.as_table(pd.DataFrame({"at": at.array}))


def _shift(us: Value, starts: np.ndarray, offsets: np.ndarray) -> Value | int:
    later = [(us >= int(s), int(o)) for s, o in zip(starts[::-1], offsets[:0:-1])]
    return ibis.cases(*later, else_=int(offsets[0])) if later else int(offsets[0])


@cache
def _offsets(timezone: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """When the offsets of a zone change: as instants, on its own clock, and the offsets themselves."""
    zone(timezone)
    days = pd.date_range("1970-01-01", "2070-01-01", freq="D", tz="UTC", unit="us")
    first = _offset(days[:1], timezone)
    jump = np.flatnonzero(np.diff(_offset(days, timezone)))
    if not len(jump):
        return np.empty(0, np.int64), np.empty(0, np.int64), first
    fine = (days.asi8[jump][:, None] + np.arange(24 * 60 + 1) * _MINUTE).ravel()
    at = pd.DatetimeIndex(fine.astype("datetime64[us]")).tz_localize("UTC")
    offset = _offset(at, timezone).reshape(len(jump), -1)
    change = np.argmax(offset[:, 1:] != offset[:, :-1], axis=1) + 1
    moment = fine.reshape(offset.shape)[np.arange(len(jump)), change]
    both = offset[:, [0, -1]]
    return moment, moment + both.max(axis=1), np.concatenate([first, both[:, 1]])


def _offset(at: pd.DatetimeIndex, timezone: str) -> np.ndarray:
    return at.tz_convert(timezone).tz_localize(None).asi8 - at.tz_localize(None).asi8

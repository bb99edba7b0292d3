"""Times and dates of a study: every instant in the study's time zone, every doubt a named problem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io.times import odd_hours, read_times, zone
from svcmetrics.io.values import Read, coded, texts, trouble
from svcmetrics.problems import Problem

_ISO = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$"
_ERRORS = {"day_or_month": "day_or_month", "sentinel": "time_sentinel", "unreadable": "not_a_time"}
_BARE = {"bare", "date_only", "serial"}
_WARNINGS = {"serial": "time_serial", "unix": "time_unix"}


def read_time(values: pd.Series, timezone: str, *, from_1904: bool = False) -> Read:
    """Instants in the study's time zone; entries without an offset are taken as local time."""
    kind: np.ndarray | None
    if pd.api.types.is_datetime64_any_dtype(values):
        text = values
        at, kind = _parts(values, timezone, from_1904)
    else:
        text, at, kind = _of_texts(values, timezone, from_1904)
    local = at.dt.tz_convert(zone(timezone))
    if kind is None or set(pd.unique(kind)) <= {"offset", "missing"}:
        return local, []
    odd = odd_hours(
        text, pd.DataFrame({"at": at, "kind": kind}), timezone=timezone, from_1904=from_1904
    )
    return local, _problems(text, odd, kind, timezone)


def read_date(values: pd.Series, *, from_1904: bool = False) -> Read:
    """Calendar days, as midnight without a zone."""
    text = values if pd.api.types.is_datetime64_any_dtype(values) else texts(values)
    at, kind = _parts(text, "UTC", from_1904)
    days = at.dt.tz_localize(None)
    timed = (
        (days.notna() & (days != days.dt.normalize())).to_numpy()
        | (kind == "offset")
        | (kind == "unix")
    )
    found = trouble("not_a_date", timed, text)
    for name, key in _ERRORS.items():
        found += trouble("not_a_date" if name == "unreadable" else key, kind == name, text)
    return days.mask(timed), found + trouble("time_serial", kind == "serial", text, level="warning")


def _parts(values: pd.Series, timezone: str, from_1904: bool) -> tuple[pd.Series, np.ndarray]:
    read = read_times(values, timezone=timezone, from_1904=from_1904)
    return read["at"], read["kind"].to_numpy(dtype=object)


def _of_texts(
    values: pd.Series, timezone: str, from_1904: bool
) -> tuple[pd.Series, pd.Series, np.ndarray | None]:
    """Times as text; where most of them repeat (all answers of a form), each is read once.

    No kinds come back where each is written with its offset: then nothing is in doubt.
    """
    text, code, distinct = coded(values)
    if 2 * len(distinct) > len(text):
        return text, *_of_text(text, timezone, from_1904)
    at, kind = _of_text(distinct, timezone, from_1904)
    spread = pd.Series(at.array.take(code, allow_fill=True), index=text.index)
    sure = set(pd.unique(kind)) <= {"offset"}
    return text, spread, None if sure else np.append(kind, "missing")[code]


def _of_text(text: pd.Series, timezone: str, from_1904: bool) -> tuple[pd.Series, np.ndarray]:
    """The usual form at engine speed, every other form with care."""
    import pyarrow as pa

    usual = text.str.match(_ISO, na=False).to_numpy(dtype=bool)
    if not usual.all():
        at, kind = _parts(text[~usual], timezone, from_1904)
        if not usual.any():
            return at, kind
    stamps = pa.array(text[usual], type=pa.large_string())
    try:
        instants = stamps.cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:  # a 30 February: find it row by row
        return _parts(text, timezone, from_1904)
    quick = pd.Series(instants.to_numpy(zero_copy_only=False), index=text.index[usual])
    kinds = np.full(len(text), "offset", dtype=object)
    whole = quick.astype("datetime64[us]").dt.tz_localize("UTC")
    if usual.all():
        return whole, kinds
    kinds[~usual] = kind
    merged = pd.Series(pd.NaT, index=range(len(text)), dtype="datetime64[us, UTC]")
    merged[usual], merged[~usual] = whole.array, at.array
    return pd.Series(merged.array, index=text.index), kinds


def _problems(
    text: pd.Series, odd: tuple[np.ndarray, np.ndarray], kind: np.ndarray, timezone: str
) -> list[Problem]:
    found: list[Problem] = []
    there = set(pd.unique(kind))
    for name, key in _ERRORS.items():
        found += trouble(key, kind == name, text) if name in there else []
    for name, key in _WARNINGS.items():
        found += trouble(key, kind == name, text, level="warning") if name in there else []
    if "offset" in there and there & _BARE:
        bare = np.isin(kind, list(_BARE))
        counts: dict[str, Any] = {"offset": int((kind == "offset").sum()), "timezone": timezone}
        found += trouble("mixed_offsets", bare, text, level="warning", **counts)
    if "date_only" in there:
        found += trouble("clock_missing", kind == "date_only", text, level="warning")
    for key, hours in zip(("clock_skipped", "clock_doubled"), odd, strict=True):
        found += trouble(key, hours, text, level="warning", timezone=timezone)
    return found

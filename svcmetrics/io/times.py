"""Times as foreign files write them: with an offset, without a zone, as Excel numbers, as seconds.

Nothing is guessed in silence. Each entry gets a ``kind``; what cannot be read for certain has no
time and says why in its kind.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from svcmetrics.problems import Problem, StudyError

# Kinds with a time, and kinds without one.
READ = ("offset", "bare", "date_only", "serial", "unix")
UNREAD = ("missing", "no_zone", "day_or_month", "sentinel", "unreadable")

_MIDNIGHT = r"(?:[T\s]\s*(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?)?"
_ZONE = r"\s*(?P<z>Z|UTC|[+-]\d{2}:?\d{2})?"
_YEAR_FIRST = (
    rf"^(?P<a>\d{{4}})[-/.年](?P<b>\d{{1,2}})[-/.月](?P<c>\d{{1,2}})日?{_MIDNIGHT}{_ZONE}$"
)
_YEAR_LAST = rf"^(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.](?P<c>\d{{4}}){_MIDNIGHT}{_ZONE}$"
# Excel counts days from 1899-12-30; 20,000 to 80,000 is 1954 to 2119.
_SERIAL, _UNIX = r"^[2-7]\d{4}(?:\.\d+)?$", r"^\d{10}(?:\d{3})?$"
_EXCEL_EPOCH = {False: "1899-12-30", True: "1904-01-01"}
# A workflow that began before this or ends after that is a filler for "unknown" or "never".
_SANE = (pd.Timestamp("1950-01-01", tz="UTC"), pd.Timestamp("2100-01-01", tz="UTC"))


def zone(name: str) -> ZoneInfo:
    """A time zone by its name, e.g. "Asia/Shanghai"."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise StudyError(Problem("import_zone_unknown", {"name": name})) from error


def read_times(
    values: pd.Series, *, timezone: str = "", day_first: str = "", from_1904: bool = False
) -> pd.DataFrame:
    """Entries as instants: columns ``at`` (UTC, microseconds) and ``kind``; same index.

    ``timezone``: the zone of entries without one ("" = not declared: they get no time).
    ``day_first``: "day" or "month" says what 01/02/2024 means ("" = not declared).
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        return _finished(*_typed(values, timezone), values.index)
    text = _texts(values)
    at = pd.Series(pd.NaT, index=range(len(text)), dtype="datetime64[us, UTC]")
    kind = np.where(text.isna(), "missing", "unreadable").astype(object)
    _year_first(text, at, kind, timezone)
    left = kind == "unreadable"
    if left.any():
        _year_last(text, at, kind, timezone, day_first)
        _numbers(text, at, kind, timezone, from_1904)
    return _finished(at, kind, values.index)


def is_clock_less(frame: pd.DataFrame) -> pd.Series:
    """Which entries are bare dates: their order within a day is unknown."""
    return frame["kind"] == "date_only"


def _finished(at: pd.Series, kind: np.ndarray, index: pd.Index) -> pd.DataFrame:
    strange = (at.notna() & ((at < _SANE[0]) | (at > _SANE[1]))).to_numpy()
    kind = np.where(strange, "sentinel", kind)
    out = pd.DataFrame({"at": at.mask(strange).array, "kind": kind}, index=index)
    return out


def _typed(values: pd.Series, timezone: str) -> tuple[pd.Series, np.ndarray]:
    plain = values.reset_index(drop=True)
    missing = plain.isna().to_numpy()
    if getattr(plain.dtype, "tz", None) is not None:
        return plain.dt.as_unit("us").dt.tz_convert("UTC"), np.where(
            missing, "missing", "offset"
        ).astype(object)
    at = _localised(plain.dt.as_unit("us"), timezone)
    whole = (plain == plain.dt.normalize()).to_numpy()
    # Midnight on every row is a date column; now and then it is just midnight.
    kind = np.where(missing, "missing", "date_only" if whole[~missing].all() else "bare").astype(
        object
    )
    return at, kind if timezone else np.where(missing, "missing", "no_zone").astype(object)


def _localised(local: pd.Series, timezone: str) -> pd.Series:
    """Wall-clock times as instants.

    Of the doubled hour in autumn the first pass is meant. The skipped hour in spring is read on the
    clock of the day before, so that times in it keep their order; ``odd_hours`` counts both.
    """
    if not timezone:
        return pd.Series(pd.NaT, index=local.index, dtype="datetime64[us, UTC]")
    placed = _placed(local, timezone)
    skipped = (placed.isna() & local.notna()).to_numpy()
    if skipped.any():
        day = pd.Timedelta(days=1)
        placed[skipped] = _placed(local[skipped] - day, timezone) + day
    return placed.dt.as_unit("us")


def _placed(local: pd.Series, timezone: str) -> pd.Series:
    """The first instants at which the clocks of a zone show this; none where they never do."""
    first = np.ones(len(local), dtype=bool)
    placed = local.dt.tz_localize(zone(timezone), ambiguous=first, nonexistent="NaT")
    return placed.dt.tz_convert("UTC")


def odd_hours(
    values: pd.Series,
    read: pd.DataFrame,
    *,
    timezone: str,
    day_first: str = "",
    from_1904: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Which entries of ``read_times`` name an hour that the zone skips, and one that it has twice."""
    bare = read["kind"].isin(("bare", "date_only", "serial")).to_numpy()
    skipped, doubled = np.zeros((2, len(values)), dtype=bool)
    at = read.loc[bare, "at"]
    if not bare.any() or not timezone or _steady(at, timezone):
        return skipped, doubled
    own = read_times(values[bare], timezone="UTC", day_first=day_first, from_1904=from_1904)
    local = own["at"].dt.tz_localize(None).reset_index(drop=True)
    skipped[bare] = (_placed(local, timezone).isna() & local.notna()).to_numpy()
    once = local.dt.tz_localize(zone(timezone), ambiguous="NaT", nonexistent="shift_forward")
    doubled[bare] = (once.isna() & local.notna()).to_numpy()
    return skipped, doubled


def _steady(at: pd.Series, timezone: str) -> bool:
    """Whether the clocks of a zone are never changed around these instants."""
    around = pd.Timedelta(days=2)
    days = pd.date_range(at.min() - around, at.max() + around, freq="D")
    return len({d.utcoffset() for d in days.tz_convert(zone(timezone))}) <= 1


def _texts(values: pd.Series) -> pd.Series:
    """Cells as text: dates that Excel typed come out in ISO form, whole numbers without ".0"."""
    if values.dtype == object:
        values = values.map(_cell_text)
    elif pd.api.types.is_float_dtype(values):
        values = values.map(lambda v: None if pd.isna(v) else f"{v:.10g}")
    out = values.astype("str").reset_index(drop=True).str.strip()
    return out.mask(out == "")


def _cell_text(value: object) -> str | None:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _year_first(text: pd.Series, at: pd.Series, kind: np.ndarray, timezone: str) -> None:
    parts = text.str.extract(_YEAR_FIRST)
    hit = parts["a"].notna().to_numpy()
    if hit.any():
        _put(parts[hit], ("a", "b", "c"), at, kind, timezone)


def _year_last(
    text: pd.Series, at: pd.Series, kind: np.ndarray, timezone: str, day_first: str
) -> None:
    rest = text[kind == "unreadable"]
    parts = rest.str.extract(_YEAR_LAST)
    parts = parts[parts["a"].notna()]
    if not len(parts):
        return
    if not day_first:
        kind[parts.index] = "day_or_month"
        return
    order = ("c", "b", "a") if day_first == "day" else ("c", "a", "b")
    _put(parts, order, at, kind, timezone)


def _put(
    parts: pd.DataFrame, order: tuple[str, str, str], at: pd.Series, kind: np.ndarray, timezone: str
) -> None:
    """Place the instants of matched parts; a 30 February stays unreadable."""
    number = parts[[*order, "H", "M", "S"]].fillna("0").astype("int32")
    local = pd.to_datetime(
        {"year": number[order[0]], "month": number[order[1]], "day": number[order[2]]},
        errors="coerce",
    ).dt.as_unit("us")
    fraction = parts["f"].fillna("0").str.ljust(6, "0").str[:6].astype("int64")
    second = number["H"].astype("int64") * 3600 + number["M"] * 60 + number["S"]
    sane = (
        (number["H"] < 24) & (number["M"] < 60) & (number["S"] < 61)
    ).to_numpy() & local.notna().to_numpy()
    local = local + pd.to_timedelta(second * 1_000_000 + fraction, unit="us")
    has_zone, has_clock = parts["z"].notna().to_numpy(), parts["H"].notna().to_numpy()
    # Excel writes a date as midnight: when every entry is one, these are dates.
    has_clock = has_clock & bool((second + fraction > 0).any())
    shifted = (local - _offsets(parts["z"])).dt.tz_localize("UTC")
    placed = shifted.where(has_zone, _localised(local.where(sane), timezone)).where(sane)
    bare = np.where(has_clock, "bare", "date_only") if timezone else "no_zone"
    at.loc[parts.index] = placed.dt.as_unit("us").array
    kind[parts.index] = np.where(sane, np.where(has_zone, "offset", bare), "unreadable")


def _offsets(zones: pd.Series) -> pd.Series:
    """Offsets from UTC as time spans: "+08:00", "-0530", "Z"."""
    names = {z: _minutes(z) for z in zones.dropna().unique()}
    return pd.to_timedelta(zones.map(names).fillna(0).astype("int64") * 60_000_000, unit="us")


def _minutes(name: str) -> int:
    if name in ("Z", "UTC"):
        return 0
    digits = name[1:].replace(":", "")
    return (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if name[0] == "-" else 1)


def _numbers(
    text: pd.Series, at: pd.Series, kind: np.ndarray, timezone: str, from_1904: bool
) -> None:
    """Excel day numbers (wall clock) and seconds or milliseconds since 1970 (UTC)."""
    rest = text[kind == "unreadable"]
    days = rest[rest.str.match(_SERIAL).to_numpy(dtype=bool)]
    if len(days):
        whole = (days.astype("float64") * 86_400).round().astype("int64")
        local = pd.Timestamp(_EXCEL_EPOCH[from_1904]) + pd.to_timedelta(
            whole * 1_000_000, unit="us"
        )
        at.loc[days.index] = _localised(local.dt.as_unit("us"), timezone).array
        kind[days.index] = "serial" if timezone else "no_zone"
    ticks = rest[rest.str.match(_UNIX).to_numpy(dtype=bool)]
    if len(ticks):
        number = ticks.astype("int64") * np.where(ticks.str.len() == 13, 1_000, 1_000_000)
        at.loc[ticks.index] = pd.to_datetime(number, unit="us", utc=True).dt.as_unit("us").array
        kind[ticks.index] = "unix"

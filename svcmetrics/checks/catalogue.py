"""Rules of units, services, steps, calendar and settings."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.checks.view import View, filled, nearest, some
from svcmetrics.study import MIN_COMMENTS, MIN_RATERS

# Shares typed with three decimals may miss 1 by rounding.
ROUNDING = 0.002


def check(view: View) -> None:
    """Units, services, steps, calendar, settings."""
    _units(view)
    _services(view)
    _steps(view)
    _calendar(view)
    _settings(view)


def _units(view: View) -> None:
    for name in ("unit", "service"):
        table = view.table(name)
        if table is not None:
            nameless = ~filled(table, "name_zh") & ~filled(table, "name_en")
            level = "error" if name == "unit" else "warning"
            view.say("name_missing", name, nameless, column="name_zh", level=level)
    unit = view.table("unit", "unit_id", "parent_id")
    if unit is not None:
        view.say("parent_circle", "unit", _in_circle(unit), column="parent_id")


def _in_circle(unit: pd.DataFrame) -> np.ndarray:
    """Units that are, through their parents, above themselves."""
    first = unit.drop_duplicates("unit_id").set_index("unit_id")["parent_id"]
    above, circle = unit["unit_id"].map(first), np.zeros(len(unit), dtype=bool)
    for _ in range(min(len(first), 50)):
        circle |= (above.notna() & (above == unit["unit_id"])).to_numpy(dtype=bool)
        if not above.notna().any():
            break
        above = above.map(first)
    return circle


def _services(view: View) -> None:
    service = view.table("service", "service_id")
    if service is None:
        return
    if {"promise_h", "routine"} <= set(service.columns):
        promised = service["promise_h"].notna() & (service["routine"] == "nonroutine")
        view.say("promise_nonroutine", "service", promised, column="promise_h")
    for start, end in (("valid_from", "valid_to"), ("baseline_from", "baseline_to")):
        if {start, end} <= set(service.columns):
            view.say("period_reversed", "service", service[end] < service[start], column=end)
    _overlaps(view, service)


def _overlaps(view: View, service: pd.DataFrame) -> None:
    """The same service, by id or by provider and name, twice in force on one day."""
    valid = {"valid_from", "valid_to"}
    if not valid & set(service.columns):
        return
    by_name = [c for c in ("provider_id", "name_zh", "name_en") if c in service.columns]
    for who in (["service_id"], by_name if len(by_name) > 1 else []):
        if who:
            view.say("periods_overlap", "service", _overlapping(service, who), column="valid_from")


def _overlapping(service: pd.DataFrame, who: list[str]) -> np.ndarray:
    def day(column: str, otherwise: str) -> pd.Series:
        days = (
            service[column]
            if column in service
            else pd.Series(pd.NaT, index=service.index, dtype="datetime64[us]")
        )
        return days.fillna(pd.Timestamp(otherwise))

    table = service.reset_index(drop=True)[who].assign(start=day("valid_from", "1900-01-01").array)
    table["end"] = day("valid_to", "2200-01-01").array
    known = table[table[who[-1]].notna() | table[who[0]].notna()].sort_values([*who, "start"])
    groups = known.groupby(who, dropna=False, sort=False)
    before = groups["end"].shift().groupby([known[c] for c in who], dropna=False).cummax()
    hit = (before.notna() & (before >= known["start"])).reindex(table.index, fill_value=False)
    return hit.to_numpy(dtype=bool)


def _steps(view: View) -> None:
    step = view.table("step", "service_id", "role")
    if step is None:
        return
    leads = (step["role"] == "lead").groupby(step["service_id"]).transform("sum")
    view.say("leads_two", "step", (leads > 1) & (step["role"] == "lead"), column="role")
    none = (leads == 0) & ~step["service_id"].duplicated()
    view.say(
        "lead_missing", "step", none, column="role", services=some(step.loc[none, "service_id"])
    )
    if "role_weight" in step.columns and step["role_weight"].notna().any():
        groups = step.groupby("service_id")["role_weight"]
        total, given = groups.transform("sum"), groups.transform("count")
        off = (given > 0) & ((total - 1).abs() > ROUNDING)
        found = f"{total[off].iloc[0]:.3f}" if off.any() else ""
        first = off & ~step["service_id"].duplicated()
        values: dict[str, Any] = {"groups": some(step.loc[off, "service_id"]), "found": found}
        view.say("weights_sum", "step", first, column="role_weight", **values)


def _calendar(view: View) -> None:
    calendar = view.table("calendar", "calendar_id", "date", "is_workday")
    if calendar is None:
        if view.study.has("event"):
            view.say("no_calendar", "calendar", level="warning")
        return
    open_, close = (_minutes(calendar, c) for c in ("open", "close"))
    works = calendar["is_workday"].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    view.say(
        "hours_missing", "calendar", works & (np.isnan(open_) | np.isnan(close)), column="open"
    )
    view.say("hours_reversed", "calendar", works & (close <= open_), column="close")
    table = (
        calendar[["calendar_id", "date"]]
        .assign(open=open_, close=close)[works]
        .sort_values(["calendar_id", "date", "open"])
    )
    before = table.groupby(["calendar_id", "date"], dropna=False)["close"].shift()
    hit = (table["open"] < before).reindex(calendar.index, fill_value=False)
    view.say("slots_overlap", "calendar", hit, column="open")


def _minutes(table: pd.DataFrame, column: str) -> np.ndarray:
    if column not in table.columns:
        return np.full(len(table), np.nan)
    parts = table[column].astype("str").str.extract(r"^(\d{1,2}):(\d{2})").astype("float64")
    return (parts[0] * 60 + parts[1]).to_numpy()


def _settings(view: View) -> None:
    settings = view.study.settings
    for entry, value, floor in (
        ("groups.raters", settings.min_raters, MIN_RATERS),
        ("groups.comments", settings.min_comments, MIN_COMMENTS),
    ):
        if value < floor:
            view.say("settings_floor", "", entry=entry, found=value, floor=floor)
    waves = sorted(settings.waves, key=lambda w: w.start)
    twice = [b.id for a, b in itertools.pairwise(waves) if b.start < a.end]
    if twice:
        view.say("waves_overlap", "", level="warning", waves=twice)
    unit = view.table("unit", "unit_id")
    unknown = (
        []
        if unit is None
        else [u for u in settings.pilot_units if not (unit["unit_id"] == u).any()]
    )
    if unit is not None and unknown:
        view.say(
            "pilot_unknown", "", units=unknown, near=nearest(unknown[0], unit["unit_id"].dropna())
        )

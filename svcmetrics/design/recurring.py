"""Cases of emergencies and special requests: when they came, how long they took, which steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io import engine
from svcmetrics.io.times import zone
from svcmetrics.problems import table_error
from svcmetrics.tables import numbers, require

_ENDS = ("close", "reject", "withdraw")
_WORKS = ("deliver", "approve")
_NEEDED = ("case_id", "seq", "service_id", "at", "action", "step_no")


@dataclass(frozen=True)
class CaseFacts:
    """``cases``: kind, routine, month, hours (missing while open), path ("1 2 3"). ``months``: of the log."""

    cases: pd.DataFrame
    months: int
    dropped: dict[str, int] = field(default_factory=dict)


def case_facts(events: Any, services: pd.DataFrame, by: str, timezone: str) -> CaseFacts:
    """One row per case whose service is nonroutine or an emergency."""
    often = services.set_index(services["service_id"].astype("str"))["routine"]
    rare = often[often.isin(["nonroutine", "emergency"])]
    log, months = _read(events, sorted(rare.index), by, timezone)
    log["seq"] = numbers(log, "seq")
    whole = log[["case_id", "seq", "at", "action"]].notna().all(axis=1)
    dropped = {"incomplete_events": int((~whole).sum())} if not whole.all() else {}
    log = log[whole].sort_values(["case_id", "seq"], kind="stable")
    double = log.duplicated(["case_id", "seq"], keep=False)
    if double.any():
        example = log.loc[double, ["case_id", "seq"]].iloc[0].astype("str").tolist()
        key = ["case_id", "seq"]
        raise table_error("duplicate_rows", count=int(double.sum()), key=key, example=example)
    cases = _cases(log, by)
    cases["routine"] = cases["service_id"].map(rare)
    blank = cases["kind"].isna()
    if blank.any():
        dropped["no_kind"] = int(blank.sum())
    return CaseFacts(cases[~blank], months, dropped)


def _read(events: Any, wanted: list[str], by: str, timezone: str) -> tuple[pd.DataFrame, int]:
    """Events of the wanted services, and the number of months that the whole log covers."""
    names = list(dict.fromkeys([*_NEEDED, by]))
    if engine.is_table(events):
        missing = [c for c in names if c not in events.columns]
        if missing:
            raise table_error("missing_columns", missing=missing, present=list(events.columns)[:20])
        ends = engine.row(events.aggregate(first=events["at"].min(), last=events["at"].max()))
        log = engine.frame(events.filter(events["service_id"].isin(wanted)).select(*names))
    else:
        require(events, *names)
        ends = {"first": events["at"].min(), "last": events["at"].max()}
        log = events.loc[events["service_id"].astype("str").isin(wanted), names].copy()
    log["at"] = _local(log["at"], timezone)
    span = _local(pd.Series([ends["first"], ends["last"]]), timezone).dt.to_period("M")
    months = 0 if span.isna().any() else (span[1] - span[0]).n + 1
    return log, months


def _local(at: pd.Series, timezone: str) -> pd.Series:
    """The clock of the study, without its zone: months and differences of days are all that is asked."""
    zone(timezone)
    stamps = pd.to_datetime(at, errors="coerce")
    if stamps.dt.tz is not None:
        stamps = stamps.dt.tz_convert(timezone).dt.tz_localize(None)
    return stamps


def _cases(log: pd.DataFrame, by: str) -> pd.DataFrame:
    groups = log.groupby("case_id")
    cases = groups.agg(
        service_id=("service_id", "first"), kind=(by, "first"), start=("at", "first")
    )
    end = log[log["action"].isin(_ENDS)].groupby("case_id")[["seq", "at"]].last()
    last = groups["seq"].last()
    again = (
        log[log["action"].isin(("submit", "resubmit", "return"))].groupby("case_id")["seq"].last()
    )
    closed = end["seq"].reindex(last.index) > again.reindex(last.index).fillna(-1)
    hours = (end["at"].reindex(last.index) - cases["start"]).dt.total_seconds() / 3600
    cases["hours"] = hours.where(closed & (hours >= 0), np.nan)
    cases["month"] = cases["start"].dt.strftime("%Y-%m")
    cases["path"] = _paths(log).reindex(cases.index).fillna("")
    return cases.reset_index()


def _paths(log: pd.DataFrame) -> pd.Series:
    """The steps that worked, in order; one that works twice in a row counts once."""
    work = log[log["action"].isin(_WORKS) & log["step_no"].notna()]
    step = work["step_no"].astype(float).astype(int)
    again = (step == step.shift()) & (work["case_id"] == work["case_id"].shift())
    return step[~again].astype("str").groupby(work.loc[~again, "case_id"]).agg(" ".join)

"""A flat event log of any origin, cleaned: every row is an event or is counted by a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io.actions import FALLBACK, is_automatic, lifecycle_action
from svcmetrics.io.foreign_table import ids, mapped_ids
from svcmetrics.io.mapping import WORKFLOWS, Mapping
from svcmetrics.io.quality import Tally, row_list
from svcmetrics.io.times import UNREAD, odd_hours, read_times
from svcmetrics.problems import Problem, StudyError

_TEXTS = {
    "case_id": "event.case_id", "activity": "step.name", "unit_id": "event.unit_id", "actor": "event.actor_key",
    "lifecycle": "event.lifecycle", "service_id": "event.service_id", "reason_code": "event.reason_code",
    "word": "event.action", "to_step": "event.to_step", "auto": "event.is_auto",
}  # fmt: skip
ACTIONS = ("submit", "accept", "deliver", "approve", "return", "reject", "resubmit", "withdraw", "reassign",
           "pause", "resume", "comment", "close")  # fmt: skip
_STEPLESS = ("submit", "resubmit", "withdraw", "close", "comment")
_TRUE = ("true", "1", "yes", "是")
# A gap that is negative, and nearly the same in this many pairs, is a clock that runs behind.
_SKEW_PAIRS, _SKEW_SHARE, _SKEW_SPREAD_S = 10, 0.8, 60.0


def clean_events(
    frame: pd.DataFrame, mapping: Mapping, tally: Tally, *, from_1904: bool = False
) -> pd.DataFrame:
    """One row per event: case_id, service_id, activity, to_step, action, at (UTC), unit_id, actor, is_auto,
    reason_code.

    Sorted by case and time. Rows without case, step or readable time, exact duplicates, and rows
    that end before they start are left out and counted in ``tally``.
    """
    if not len(frame):
        raise StudyError(Problem("import_no_rows", file=tally.source))
    events = pd.DataFrame(index=frame.index)
    for name, target in _TEXTS.items():
        events[name] = mapped_ids(frame, mapping, target, file=tally.source)
    for source in [s for s, targets in mapping.columns.items() if "event.unit_id" in targets][1:]:
        events["unit_id"] = events["unit_id"].fillna(ids(frame[source], file=tally.source))
    double = frame.duplicated().to_numpy()
    frame, events = frame[~double], tally.leave_out(events, double, "duplicate")
    events = tally.leave_out(events, events["case_id"].isna(), "no_case")
    if mapping.format not in WORKFLOWS:  # there the code says what happened, not the step
        empty = events["activity"].isna() & events["word"].isna()
        events = tally.leave_out(events, empty, "no_activity")
    frame = frame.loc[events.index]
    events = _timed(frame, events, mapping, tally, from_1904)
    if not len(events):
        raise StudyError(
            Problem(
                "import_nothing_left",
                {"reasons": [f"{k}: {v}" for k, v in tally.left_out.items()]},
                file=tally.source,
            )
        )
    return _ordered(_with_actions(events, mapping, tally), tally)


def _timed(
    frame: pd.DataFrame, events: pd.DataFrame, mapping: Mapping, tally: Tally, from_1904: bool
) -> pd.DataFrame:
    def read(target: str) -> pd.DataFrame | None:
        source = mapping.source(target)
        if source is None:
            return None
        how: Any = {"timezone": mapping.timezone, "day_first": mapping.day_first}
        found = read_times(frame[source], **how, from_1904=from_1904)
        odd = odd_hours(frame[source], found, **how, from_1904=from_1904)
        for key, rows in zip(("skipped_hour", "doubled_hour"), odd, strict=True):
            if rows.any():
                where = row_list(frame.index[rows])
                tally.say(key, "warning", count=int(rows.sum()), zone=mapping.timezone, rows=where)
        return found

    end, start = read("event.at"), read("event.start")
    times = end if end is not None else start
    if times is None:
        raise StudyError(
            Problem("import_nothing_left", {"reasons": ["event.at"]}, file=tally.source)
        )
    _tell_zones(times, mapping, tally)
    order = mapping.source("event.seq")
    events = events.assign(place=_place(frame[order]) if order else np.arange(len(frame)))
    if start is None or end is None:
        events = events.assign(at=times["at"], kind=times["kind"], starts=False)
        return _drop_unread(events, tally)
    return _two_ended(events, start, end, tally)


def _two_ended(
    events: pd.DataFrame, start: pd.DataFrame, end: pd.DataFrame, tally: Tally
) -> pd.DataFrame:
    """A row with start and end gives two events; an open one only its start."""
    events = events.assign(
        at=end["at"], kind=end["kind"], began=start["at"], start_kind=start["kind"]
    )
    events = tally.leave_out(events, events["at"] < events["began"], "ends_before_start")
    is_open = (events["kind"] == "missing") & events["began"].notna()
    if is_open.any():
        tally.say("open_rows", count=int(is_open.sum()), rows=row_list(events.index[is_open]))
    events = _drop_unread(events.assign(kind=events["kind"].mask(is_open, "open")), tally)
    blank = events["began"].isna()
    if blank.any():
        tally.say("no_start", "warning", count=int(blank.sum()), rows=row_list(events.index[blank]))
    begun = events[~blank].assign(starts=True)
    begun = begun.assign(at=begun["began"], kind=begun["start_kind"])
    return pd.concat([begun, events[events["kind"] != "open"].assign(starts=False)])


def _place(order: pd.Series) -> np.ndarray:
    number = pd.to_numeric(order, errors="coerce")
    return number.fillna(np.inf).to_numpy(dtype="float64")


def _tell_zones(times: pd.DataFrame, mapping: Mapping, tally: Tally) -> None:
    count = times["kind"].value_counts()
    bare = sum(int(count.get(k, 0)) for k in ("bare", "date_only", "serial"))
    if bare and count.get("offset", 0):
        tally.say(
            "mixed_zones", "warning", bare=bare, offset=int(count["offset"]), zone=mapping.timezone
        )
    elif bare and not tally.has("zone_assumed"):
        tally.say("zone_declared", zone=mapping.timezone, count=bare)
    if count.get("serial", 0):
        tally.say("excel_times", "warning", count=int(count["serial"]))
    if count.get("unix", 0) and mapping.format not in WORKFLOWS:  # there the unit is documented
        tally.say("unix_times", "warning", count=int(count["unix"]))


def _drop_unread(events: pd.DataFrame, tally: Tally) -> pd.DataFrame:
    if (events["kind"] == "day_or_month").any():
        bad = events.index[events["kind"] == "day_or_month"]
        raise StudyError(
            Problem(
                "import_day_or_month",
                file=tally.source,
                rows=tuple(int(r) for r in bad[:50]),
                count=len(bad),
            )
        )
    for kind in UNREAD:
        events = tally.leave_out(events, events["kind"] == kind, f"time_{kind}")
    return events


def _with_actions(events: pd.DataFrame, mapping: Mapping, tally: Tally) -> pd.DataFrame:
    words = mapping.values.get("event.action", {})
    wrong = sorted({str(w) for w in words.values()} - set(ACTIONS))
    if wrong:
        raise StudyError(
            Problem("unknown_word", {"unknown": wrong, "known": list(ACTIONS)}, file=tally.source)
        )
    named = events["word"].where(events["word"].notna(), events["activity"])
    action = named.astype("object").map(dict(words).get)
    unknown = action.isna().to_numpy()
    # A code that a known system has added since is no work until somebody says that it is.
    fallback = "comment" if mapping.format in WORKFLOWS else FALLBACK
    if unknown.any():
        names = named[unknown].value_counts()
        tally.say(
            "unknown_codes" if mapping.format in WORKFLOWS else "unknown_actions",
            "warning",
            count=int(unknown.sum()),
            share=unknown.mean(),
            names=list(names.index[:12]),
            kinds=len(names),
        )
    action = lifecycle_action(events["lifecycle"], action.fillna(fallback))
    action = action.mask(events["starts"].to_numpy(dtype=bool), "accept")
    auto = is_automatic(events["actor"]) | events["auto"].isin(_TRUE)
    # A remark at a step is not the step's work, and a case is not begun at one; where the systems that we
    # know close a case, nobody works, elsewhere the last step may be what closes it.
    told = events["word"].notna() & (mapping.format not in WORKFLOWS)
    quiet = action.isin(_STEPLESS) & (mapping.format in WORKFLOWS)
    quiet |= action.isin(_STEPLESS) & told & (action != "close")
    return events.assign(
        action=action,
        is_auto=auto,
        actor=events["actor"].mask(auto),
        activity=events["activity"].mask(quiet),
    )


def _ordered(events: pd.DataFrame, tally: Tally) -> pd.DataFrame:
    """Sorted by case, time and place in the file; what that order hides is told."""
    events = events.assign(line=events.index)
    before = events.groupby("case_id", sort=False)["at"].diff()
    late = (before < pd.Timedelta(0)).to_numpy()
    if late.any():
        tally.say("out_of_order", count=int(late.sum()))
        _tell_skew(events, before, tally)
    out = events.sort_values(["case_id", "at", "place"], kind="stable", ignore_index=True)
    same = (out["case_id"].eq(out["case_id"].shift()) & out["at"].eq(out["at"].shift())).to_numpy()
    dated = (same & (out["kind"] == "date_only").to_numpy()).sum()
    if same.any():
        tally.say("ties", "warning" if dated else "note", count=int(same.sum()), dated=int(dated))
    return out


def _tell_skew(events: pd.DataFrame, gap: pd.Series, tally: Tally) -> None:
    """Pairs of steps whose gap is always negative and nearly constant: a clock runs behind."""
    seconds = gap.dt.total_seconds()
    previous: Callable = events.groupby("case_id", sort=False)["activity"].shift
    pairs = pd.DataFrame({"first": previous(), "then": events["activity"], "gap": seconds}).dropna()
    for (first, then), gaps in pairs.groupby(["first", "then"])["gap"]:
        middle = gaps.median()
        spread = gaps.quantile(0.75) - gaps.quantile(0.25)
        steady = len(gaps) >= _SKEW_PAIRS and (gaps < 0).mean() >= _SKEW_SHARE
        if steady and spread <= max(_SKEW_SPREAD_S, 0.25 * abs(middle)):
            tally.say(
                "clock_skew",
                "warning",
                first=first,
                then=then,
                minutes=round(middle / 60, 1),
                count=len(gaps),
            )

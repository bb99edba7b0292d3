"""ServiceNow incidents (CSV or Excel): a log with one row per update, or one row per incident.

What an update means depends on the state before and after it, so each pair is a word of its own in
the mapping. ``business_stc`` and ``calendar_stc`` are seconds; they are compared, not imported.
A deadline (``due_date``, else ``sla_due``) is the one that an incident had first, agreed when it
appeared; ``made_sla`` says only whether a deadline was kept, not which, and is told.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.io.foreign_table import ForeignTable, ids
from svcmetrics.io.guess import guess_day_first
from svcmetrics.io.times import read_times
from svcmetrics.io.workflow_log import TARGETS, Events, Layout, Note, WorkflowLog, finished
from svcmetrics.result import Level

_FIXED = {
    "opened": "submit", "assignment_group": "reassign", "update": "comment",
    "opened_at": "submit", "resolved_at": "deliver", "closed_at": "close",
}  # fmt: skip
_LABELS = {
    "case": "number", "service": "category", "node": "assignment_group", "to": "reopened",
    "code": "incident_state", "at": "sys_updated_at", "actor": "sys_updated_by",
    "unit": "group", "reason": "hold_reason", "order": "sys_mod_count",
}  # fmt: skip
_DEADLINE = {"due": "due_date", "agreed": "agreed"}
_DUES = ("due_date", "sla_due")
_OWN = {
    "incident_state", "reassignment_count", "reopen_count", "sys_mod_count", "made_sla",
    "assignment_group", "business_stc", "calendar_stc", "sys_updated_at", "sys_updated_on",
}  # fmt: skip
_STATES = {
    "new": r"^1$|new|新建", "working": r"^2$|active|progress|work|处理",
    "waiting": r"^[345]$|await|hold|pending|挂起|等待",
    "done": r"^6$|resolv|解决", "closed": r"^7$|clos|关闭", "dropped": r"^8$|cancel|取消",
}  # fmt: skip
_MEANS = {
    "working": "accept", "waiting": "pause", "done": "deliver", "closed": "close", "dropped": "withdraw",
}  # fmt: skip


def is_servicenow(headers: list[str]) -> bool:
    """Whether the headers are those of an incident table."""
    low = {h.strip().lower() for h in headers}
    return "number" in low and len(low & _OWN) >= 3


def read_servicenow(table: ForeignTable) -> WorkflowLog:
    """The updates of a log as events; of a table of incidents their opening, resolution and end."""
    names = {str(c).strip().lower(): c for c in table.frame.columns}
    frame = table.frame.rename(columns={c: n for n, c in names.items()})
    frame = frame.map(lambda v: None if isinstance(v, str) and v.strip() in ("?", "") else v)
    stamp = next((c for c in ("sys_updated_at", "sys_updated_on") if c in frame), None)
    state = next((c for c in ("incident_state", "state") if c in frame), None)
    times = [c for c in (stamp, "opened_at", "resolved_at", "closed_at", *_DUES) if c in frame]
    day_first = "".join(dict.fromkeys(filter(None, (guess_day_first(frame[c]) for c in times))))
    day_first = day_first if day_first in ("day", "month") else ""
    notes = _notes(frame, day_first)
    if stamp is None or state is None or not frame["number"].duplicated().any():
        return _incidents(frame, table.file, day_first, notes)
    rows = _with_deadline(_ordered(frame, table.file, stamp, state, day_first), frame, notes)
    words = _FIXED | {p: meaning(*p.split(" → ")) for p in rows["pair"].dropna().unique()}
    out = _events(rows, words)
    labels = _LABELS | (_DEADLINE if rows["due"].notna().any() else {})
    layout = Layout("servicenow", words, labels, day_first=day_first)
    return finished(layout, out.reindex(frame.index), {}, tuple(notes))


def _ordered(
    frame: pd.DataFrame, file: str, stamp: str, state: str, day_first: str
) -> pd.DataFrame:
    """The updates of each case in their order, each with what it changed."""

    def entries(name: str) -> pd.Series:
        found = frame[name] if name in frame else pd.Series(None, frame.index, dtype="str")
        return ids(found, file=file)

    rows = pd.DataFrame(
        {
            "case": entries("number"), "state": entries(state), "group": entries("assignment_group"),
            "order": entries("sys_mod_count"), "actor": entries("sys_updated_by"), "at": frame[stamp],
            "service": entries("category"), "reason": entries("hold_reason"),
        }
    )  # fmt: skip
    at = read_times(rows["at"], timezone="UTC", day_first=day_first or "day")["at"]
    number = pd.to_numeric(rows["order"], errors="coerce")
    rows = rows.assign(instant=at, number=number)
    rows = rows.sort_values(["case", "number", "instant"], kind="stable")
    by = rows["case"]
    rows["service"] = rows.groupby("case")["service"].transform("last")
    for column in ("state", "group"):
        rows[column] = rows.groupby("case")[column].ffill()
        rows[f"old_{column}"] = rows.groupby("case")[column].shift()
    rows["first"] = ~by.duplicated()
    moved = rows["state"].ne(rows["old_state"]) & rows["old_state"].notna() & rows["state"].notna()
    rows["pair"] = (rows["old_state"] + " → " + rows["state"]).where(moved)
    return rows


def _events(rows: pd.DataFrame, words: dict[str, str]) -> pd.DataFrame:
    """The updates in roles."""
    handed = rows["group"].ne(rows["old_group"]) & rows["old_group"].notna()
    other = np.where(handed, "assignment_group", "update")
    code = (
        rows["pair"].fillna(pd.Series(other, rows.index, dtype="str")).mask(rows["first"], "opened")
    )
    word = code.map(words)
    back = word == "return"
    paused = word == "pause"
    out = pd.DataFrame(dict.fromkeys(TARGETS), index=rows.index, dtype="str")
    return out.assign(
        case=rows["case"], service=rows["service"], code=code, at=rows["at"], actor=rows["actor"],
        node=rows["group"].mask(rows["first"] | back), to=rows["old_group"].where(back),
        unit=rows["group"].mask(rows["first"] | back), reason=rows["reason"].where(paused),
        order=rows["order"], due=rows["due"], agreed=rows["agreed"],
    )  # fmt: skip


def _with_deadline(rows: pd.DataFrame, frame: pd.DataFrame, notes: list[Note]) -> pd.DataFrame:
    """The rows with the first deadline of their case, and when it was there: ``due``, ``agreed``."""
    due = _due(frame).reindex(rows.index)
    begun = rows["at"].mask(due.isna())
    if "opened_at" in frame:  # what the first update knows was there from the start
        opened = frame["opened_at"].reindex(rows.index)
        begun = begun.mask(rows["first"] & due.notna() & opened.notna(), opened)
    case = rows["case"]
    first, since = (s.groupby(case).transform("first") for s in (due, begun))
    moved = case[(due != first) & due.notna()].nunique()
    if moved:
        of = int(case[first.notna()].nunique())
        notes.append(("due_moved", "warning", {"count": int(moved), "of": of}))
    return rows.assign(due=first.map(_text).astype("str"), agreed=since.map(_text).astype("str"))


def _due(frame: pd.DataFrame) -> pd.Series:
    """The deadline of each row: the due date of the task, else that of its service level."""
    found = [frame[c] for c in _DUES if c in frame]
    if not found:
        return pd.Series(None, frame.index, dtype="object")
    out = found[0].astype("object")
    return out.where(out.notna(), found[-1].astype("object"))


def state_of(state: str) -> str:
    """What kind of state a name or number announces."""
    text = pd.Series([state.strip()])
    return next((s for s, p in _STATES.items() if text.str.contains(p, case=False).any()), "new")


def meaning(old: str, new: str) -> str:
    """The action word of a change of state."""
    before, after = state_of(old), state_of(new)
    if before in ("done", "closed") and after in ("new", "working", "waiting"):
        return "return"
    if before == "waiting" and after in ("new", "working"):
        return "resume"
    if after in (before, "new"):
        return "comment"
    return _MEANS[after]


def _incidents(frame: pd.DataFrame, file: str, day_first: str, notes: list[Note]) -> WorkflowLog:
    """A table with one row per incident: what it knows of each case are three moments."""
    events = Events()
    keys = ids(frame["number"], file=file)
    columns = [c for c in ("opened_at", "resolved_at", "closed_at") if c in frame]
    dues = _due(frame).map(_text)
    for row, case, due in zip(frame.to_dict("records"), keys, dues, strict=True):
        group, category = (_text(row.get(c)) for c in ("assignment_group", "category"))
        agreed = _text(row.get("opened_at")) if due else None
        events.open_case(None if pd.isna(case) else str(case), category, due=due, agreed=agreed)
        for column in columns:
            at, works = _text(row[column]), column == "resolved_at"
            if at is not None or column == "opened_at":
                place = group if works else None
                events.add(column, at, node=place, unit=place)
    labels = _LABELS | (_DEADLINE if dues.notna().any() else {})
    layout = Layout("servicenow", _FIXED, labels, day_first=day_first)
    return events.log(layout, *notes)


def _text(value: object) -> str | None:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _notes(frame: pd.DataFrame, day_first: str) -> list[Note]:
    """What the incidents say about themselves: whether their own seconds fit, and missed deadlines."""
    last = frame.drop_duplicates("number", keep="last")
    notes: list[Note] = []
    if {"calendar_stc", "opened_at", "resolved_at"} <= set(last.columns):
        ends, begins = (
            read_times(last[c], timezone="UTC", day_first=day_first or "day")["at"]
            for c in ("resolved_at", "opened_at")
        )
        ours = (ends - begins).dt.total_seconds()
        theirs = pd.to_numeric(last["calendar_stc"], errors="coerce")
        both = ours.notna() & theirs.notna()
        fits = int(((ours - theirs).abs() <= 60 + 0.01 * theirs.abs())[both].sum())
        if both.any():
            level: Level = "note" if fits >= 0.9 * both.sum() else "warning"
            notes.append(("reported_seconds", level, {"count": int(both.sum()), "fits": fits}))
    if "made_sla" in last:
        missed = int(last["made_sla"].astype("str").str.lower().isin(["false", "0"]).sum())
        notes.append(("made_sla", "note", {"count": len(last), "missed": missed}))
    return notes

"""What a case file adds to a log: deadlines agreed beforehand, and when a case ended."""

from __future__ import annotations

import pandas as pd

from svcmetrics.io.foreign_table import ids
from svcmetrics.io.mapping import Mapping
from svcmetrics.io.quality import Tally, row_list
from svcmetrics.io.times import read_times

_TIMES = {
    "agreed_at": "commitment.agreed_at", "due_at": "commitment.due_at", "planned": "case.planned_end",
    "end": "case.end",
}  # fmt: skip


def case_tables(
    frame: pd.DataFrame, mapping: Mapping, tally: Tally, *, from_1904: bool = False
) -> dict[str, pd.DataFrame]:
    """The tables "commitment" (deadline, agreed at the start) and "closing" (end of each closed case).

    Each comes back only where its columns are there.

    ``frame``: one row per case, or an event log that repeats its case columns on every event.
    """
    case = mapping.source("event.case_id")
    wanted = [s for t in _TIMES.values() if (s := mapping.source(t)) is not None and s in frame]
    if case not in frame.columns or not wanted:
        return {}
    rows = frame[[case, *wanted]].drop_duplicates()
    keys = ids(rows[case], file=tally.source)
    rows, keys = rows[keys.notna()], keys.dropna()
    double = keys.duplicated()
    if double.any():
        tally.say(
            "case_conflicts", "warning", count=int(double.sum()), rows=row_list(rows.index[double])
        )
        rows, keys = rows[~double], keys[~double]
    cases = pd.DataFrame({"case_id": keys})
    for name, target in _TIMES.items():
        source = mapping.source(target)
        if source in rows.columns:
            cases[name] = _times(rows[source], mapping, tally, from_1904)
    return _split(cases.reset_index(drop=True), tally)


def _times(values: pd.Series, mapping: Mapping, tally: Tally, from_1904: bool) -> pd.Series:
    read = read_times(
        values, timezone=mapping.timezone, day_first=mapping.day_first, from_1904=from_1904
    )
    bad = ~read["kind"].eq("missing") & read["at"].isna()
    if bad.any():
        tally.say(
            "case_times_unread",
            "warning",
            column=str(values.name),
            count=int(bad.sum()),
            rows=row_list(values.index[bad]),
        )
    return read["at"]


def _split(cases: pd.DataFrame, tally: Tally) -> dict[str, pd.DataFrame]:
    out: dict[str, pd.DataFrame] = {}
    if "end" in cases:
        closed = cases["end"].notna()
        tally.say("cases_closed", closed=int(closed.sum()), open=int((~closed).sum()))
        out["closing"] = cases.loc[closed, ["case_id"]].assign(at=cases["end"])
    due = cases.get("due_at", cases.get("planned"))
    if due is None or "agreed_at" not in cases:
        return out
    if "due_at" in cases and "planned" in cases:
        due = due.fillna(cases["planned"])
    promised = cases.assign(due_at=due)[["case_id", "agreed_at", "due_at"]]
    blank = promised[["agreed_at", "due_at"]].isna().any(axis=1)
    backwards = ~blank & (promised["due_at"] <= promised["agreed_at"])
    for name, mask in (("no_deadline", blank), ("due_before_agreed", backwards)):
        if mask.any():
            tally.say(name, "warning", count=int(mask.sum()))
    kept = promised[~blank & ~backwards]
    out["commitment"] = kept.assign(rev=0)[["case_id", "rev", "agreed_at", "due_at"]].reset_index(
        drop=True
    )
    return out

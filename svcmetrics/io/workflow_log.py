"""What a workflow system recorded, in one layout: a row per event, its code as the system wrote it.

A format says which of its codes means which action; that table goes into the mapping, where it
is shown, confirmed and saved. What a system calls by a person's name never becomes a step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from svcmetrics.io.mapping import Mapping
from svcmetrics.io.quality import Tally
from svcmetrics.problems import Problem
from svcmetrics.result import Level

TARGETS = {
    "case": "event.case_id", "service": "event.service_id", "node": "step.name", "to": "event.to_step",
    "code": "event.action", "at": "event.at", "actor": "event.actor_key", "unit": "event.unit_id",
    "reason": "event.reason_code", "auto": "event.is_auto", "order": "event.seq",
    "due": "commitment.due_at", "agreed": "commitment.agreed_at",
}  # fmt: skip
_STEPLESS = ("submit", "resubmit", "withdraw", "close")
Note = tuple[str, Level, dict[str, Any]]
# "王小明提交的采购申请" names a person before it names the service.
_TITLE = re.compile(r"^(?:.{1,20}?(?:提交|发起)的|[\u4e00-\u9fff·]{2,4}的)(?P<service>.{2,})$")
_AFTER_NAME = re.compile(r"^(?:提交|发起)?的?")
# A shorter id or a bare number may stand in a step's name by chance.
_NAME = re.compile(r"^(?:[\u4e00-\u9fff·]{2,}|(?=.*[^\d]).{3,})$")


@dataclass(frozen=True)
class Layout:
    """One format: ``words`` code → action, ``labels`` role → name of the source column.

    ``automatic``: codes that no person stands behind. ``no_work``: codes by what they are
    ("copies", "comments", "added"), counted for the report. ``timezone``: of times without one.
    """

    format: str
    words: Dictionary[str, str]
    labels: Dictionary[str, str]
    automatic: frozenset[str] = frozenset()
    no_work: Dictionary[str, frozenset[str]] = field(default_factory=dict)
    timezone: str = ""
    day_first: str = ""


@dataclass(frozen=True)
class WorkflowLog:
    """The events of a file as text under the labels of their layout, and what must be told."""

    layout: Layout
    frame: pd.DataFrame
    left: Dictionary[str, list[int]]
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()


class Events:
    """Collects the events of nested records; a record's number is its place in the file."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str | None]] = []
        self.numbers: list[int] = []
        self.left: dict[str, list[int]] = {}
        self._number = 0
        self._case: dict[str, str | None] = {}

    def open_case(
        self,
        case: str | None,
        service: str | None,
        *,
        due: str | None = None,
        agreed: str | None = None,
    ) -> None:
        """All that is added from now on belongs to this case; a deadline and when it was agreed."""
        self._case = {"case": case, "service": service, "due": due, "agreed": agreed}

    def add(
        self,
        code: str,
        at: str | None,
        *,
        actor: str | None = None,
        node: str | None = None,
        to: str | None = None,
        unit: str | None = None,
    ) -> None:
        """One event."""
        self._number += 1
        self.numbers.append(self._number)
        own = {"code": code, "at": at, "actor": actor, "node": node, "to": to, "unit": unit}
        self.rows.append(self._case | own)

    def leave(self, rule: str, count: int = 1) -> None:
        """Records that are no event."""
        for _ in range(count):
            self._number += 1
            self.left.setdefault(rule, []).append(self._number)

    def log(self, layout: Layout, *notes: Note) -> WorkflowLog:
        frame = pd.DataFrame(self.rows, columns=list(TARGETS), index=self.numbers, dtype="str")
        return finished(layout, frame, self.left, notes)


def finished(
    layout: Layout,
    frame: pd.DataFrame,
    left: Dictionary[str, list[int]],
    notes: tuple[Note, ...] = (),
) -> WorkflowLog:
    """A log from events in roles ("case", "node", "code" …): marked, without names, labelled."""
    automatic = frame["code"].isin(list(layout.automatic)) | (frame["auto"] == "true")
    frame = frame.assign(auto=automatic.map({True: "true", False: None}).astype("str"))
    notes = (*notes, *_no_work(layout, frame))
    for column in ("node", "to", "service"):
        frame, named = _nameless(frame, column)
        if named:
            notes = (*notes, ("named_steps", "warning", {"count": named}))
    wanted = [role for role in TARGETS if role in layout.labels]
    return WorkflowLog(layout, frame[wanted].rename(columns=dict(layout.labels)), left, notes)


def _no_work(layout: Layout, frame: pd.DataFrame) -> list[Note]:
    """How much of the log is no work: copies, remarks, added approvers, automatic passes."""
    counts = {
        kind: int(frame["code"].isin(list(layout.no_work.get(kind, ()))).sum())
        for kind in ("copies", "comments", "added")
    }
    counts["automatic"] = int((frame["auto"] == "true").sum())
    return [("no_work", "note", counts)] if any(counts.values()) else []


def _nameless(frame: pd.DataFrame, column: str) -> tuple[pd.DataFrame, int]:
    """Entries that contain a person of the file are blanked: a step is no person."""
    entries = frame[column].dropna().unique()
    persons = [p for p in frame["actor"].dropna().unique() if _NAME.match(p)]
    if not len(entries) or not persons:
        return frame, 0
    anyone = re.compile("|".join(re.escape(p) for p in sorted(persons, key=len, reverse=True)))
    bad = frame[column].isin([e for e in entries if anyone.search(e)])
    return frame.assign(**{column: frame[column].mask(bad)}), int(bad.sum())


def levels(words: Iterable[str]) -> Iterator[str | None]:
    """Names for steps that a system leaves nameless: work is counted through, a return begins anew."""
    level = 1
    for word in words:
        yield None if word in _STEPLESS else f"第{level}级审批"
        if word in ("approve", "deliver"):
            level += 1
        elif word in ("return", "submit", "resubmit"):
            level = 1


def service_of(title: str | None, person: str | None = None) -> str | None:
    """The service that a title names after the person who asks for it; None when it is not plain."""
    if not title:
        return None
    if person and title.startswith(person):
        return _AFTER_NAME.sub("", title.removeprefix(person)).strip() or None
    service = None
    while plain := _TITLE.match(service or title):  # "王小明提交的李思雨的入职申请" names two
        service = plain["service"].strip()
    return service


def propose_workflow(log: WorkflowLog, stem: str) -> Mapping:
    """The mapping of a known layout: nothing to guess but the service where the file names none."""
    layout = log.layout
    columns = {layout.labels[r]: (t,) for r, t in TARGETS.items() if r in layout.labels}
    return Mapping(
        layout.format,
        columns,
        {"event.action": dict(layout.words)},
        {"event.service_id": stem},
        timezone=layout.timezone,
        day_first=layout.day_first,
    )


def tell_workflow(log: WorkflowLog, tally: Tally) -> None:
    """What the reader left out and noticed; records that became no event count as rows read."""
    for rule, numbers in log.left.items():
        tally.rows_in += len(numbers)
        tally.count(rule, len(numbers), rows=numbers)
    for key, level, values in log.notes:
        tally.say(key, level, **values)
    unit = log.layout.labels.get("unit")
    if unit is None or log.frame[unit].isna().mean() > 0.5:
        node = log.layout.labels.get("node", "")
        tally.say("no_departments", "warning", column=node)

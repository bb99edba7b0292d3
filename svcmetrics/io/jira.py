"""Jira issues with their changelog (JSON): a change of status moves the case, everything else does not.

What a change of status means depends on both ends, so each pair is a word of its own in the
mapping: "In Progress → In Review". The pairs are guessed from the names of the statuses and the
order in which work usually passes them.

The deadline is the ``duedate`` that an issue had first: one that was moved later is judged by what
was agreed before. A due date is a day; it ends when the day ends on the clock of the issue.
"""

from __future__ import annotations

import re
from typing import Any

from svcmetrics.io.json_file import dicts_of, text_of
from svcmetrics.io.workflow_log import Events, Layout, Note, WorkflowLog

_FIXED = {
    "created": "submit", "resolutiondate": "close", "comment": "comment", "assignee": "reassign",
    "first assignee": "comment",
}  # fmt: skip
_LABELS = {
    "case": "key", "service": "issuetype", "node": "status", "to": "toString", "code": "changelog",
    "at": "created", "actor": "author", "reason": "resolution",
}  # fmt: skip
_DEADLINE = {"due": "duedate", "agreed": "agreed"}
_DAY, _OFFSET = re.compile(r"^\d{4}-\d{2}-\d{2}$"), re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")
_STATES = (
    ("refused", r"reject|declin|denied|驳回|拒绝"),
    ("dropped", r"cancel|withdraw|won'?t|abandon|撤回|撤销|取消|作废"),
    ("review", r"approval|待审"),
    ("waiting", r"wait|pending|block|hold|paus|等待|挂起|暂停"),
    ("closed", r"clos|archiv|关闭|归档"),
    ("done", r"done|resolv|complet|finish|fixed|deliver|已解决|完成|已办"),
    ("approved", r"^approved|已批准|已通过"),
    ("review", r"review|verif|test|\bqa\b|approv|审核|审批|验收|测试"),
    ("working", r"progress|doing|work|develop|implement|active|处理中|进行中|开发"),
    ("new", r""),
)
_RANK = {"new": 0, "working": 1, "review": 2, "approved": 3, "done": 4, "closed": 5}
_MEANS = {
    "refused": "reject", "dropped": "withdraw", "waiting": "pause", "closed": "close",
    "done": "deliver", "approved": "approve", "review": "deliver", "working": "accept",
}  # fmt: skip


def is_instance(item: dict[str, Any]) -> bool:
    """Whether an object is an issue of Jira."""
    return "changelog" in item or ("key" in item and isinstance(item.get("fields"), dict))


def read_instances(items: list[dict[str, Any]]) -> WorkflowLog:
    """One event per issue, change of status, change of assignee and comment."""
    events, words, cut, dues, moved = Events(), dict(_FIXED), 0, 0, 0
    for item in items:
        fields = item.get("fields")
        kind = text_of(fields.get("issuetype"), "name") if isinstance(fields, dict) else None
        log = item.get("changelog")
        histories = dicts_of(log, "histories", "values") or dicts_of(item, "changelog")
        due, agreed, changes = _deadline(fields, histories)
        dues, moved = dues + bool(due), moved + bool(changes)
        events.open_case(text_of(item, "key", "id"), kind, due=due, agreed=agreed)
        author = fields.get("reporter") or fields.get("creator") if isinstance(fields, dict) else {}
        events.add("created", text_of(fields, "created"), actor=_person(author))
        total = text_of(log, "total")
        cut += bool(total and total.isdecimal() and int(total) > len(histories))
        moves = [m for h in histories for m in _history(events, h, words)]
        ended = text_of(fields, "resolutiondate")
        if ended and (not moves or words[moves[-1]] not in ("reject", "withdraw", "close")):
            events.add("resolutiondate", ended)
        comments = fields.get("comment") if isinstance(fields, dict) else None
        for comment in dicts_of(comments, "comments"):
            events.add("comment", text_of(comment, "created"), actor=_person(comment.get("author")))
    notes: list[Note] = [("jira_cut", "warning", {"count": cut})] if cut else []
    if moved:
        notes.append(("due_moved", "warning", {"count": moved, "of": dues}))
    labels = _LABELS | (_DEADLINE if dues else {})
    layout = Layout(
        "jira", words, labels, no_work={"comments": frozenset({"comment"})}, timezone=""
    )
    return events.log(layout, *notes)


def _deadline(fields: Any, histories: list[dict[str, Any]]) -> tuple[str | None, str | None, int]:
    """The due date that was set first, when it was set, and how often it was moved afterwards."""
    begun = text_of(fields, "created")
    changes = [
        (text_of(h, "created"), text_of(c, "from", "fromString"), text_of(c, "to", "toString"))
        for h in histories
        for c in dicts_of(h, "items")
        if (text_of(c, "field") or "").lower() == "duedate"
    ]
    changes.sort(key=lambda change: change[0] or "")  # newest first in some answers
    first = changes[0][1] if changes else text_of(fields, "duedate")
    if first is None and changes:  # set after the issue was opened
        begun, _, first = changes.pop(0)
    return _end_of_day(first, begun), (begun if first else None), len(changes) if first else 0


def _end_of_day(due: str | None, stamp: str | None) -> str | None:
    """A due day as its last second, on the clock of the other stamps of the issue."""
    day = due[:10] if due else ""
    if not _DAY.match(day):
        return due
    offset = _OFFSET.search(stamp or "")
    return f"{day}T23:59:59{offset.group() if offset else ''}"


def _history(events: Events, history: dict[str, Any], words: dict[str, str]) -> list[str]:
    """Adds the changes of one moment; the changes of status among them."""
    moves = []
    who, at = _person(history.get("author")), text_of(history, "created")
    items = dicts_of(history, "items")
    if not items:
        events.leave("not_workflow")
    for change in items:
        field = (text_of(change, "field") or "").lower()
        old, new = text_of(change, "fromString"), text_of(change, "toString")
        if field == "assignee":
            first = text_of(change, "from", "fromString") is None
            events.add("first assignee" if first else "assignee", at, actor=who)
        elif field == "status" and old and new:
            code = f"{old} → {new}"
            moves.append(code)
            word = words.setdefault(code, meaning(old, new))
            # Work that is taken up happens at the new status, work that is handed on at the old one.
            node = new if word in ("accept", "resume") else old
            events.add(code, at, actor=who, node=node, to=new if word == "return" else None)
        else:
            events.leave("not_workflow")
    return moves


def state_of(status: str) -> str:
    """What kind of status a name announces; a name that says nothing is taken as new."""
    return next(s for s, p in _STATES if re.search(p, status, re.IGNORECASE))


def meaning(old: str, new: str) -> str:
    """The action word of a change of status."""
    before, after = state_of(old), state_of(new)
    if before == "waiting" and after in ("new", "working", "review"):
        return "resume"
    back = after in _RANK and before in _RANK and _RANK[after] < _RANK[before]
    if back or (before in ("refused", "dropped") and after in ("new", "working")):
        return "return"
    if before == "review" and after in ("approved", "done"):
        return "approve"
    return _MEANS.get(after, "comment")


def _person(item: Any) -> str | None:
    return text_of(item, "accountId", "key", "name", "emailAddress", "displayName")

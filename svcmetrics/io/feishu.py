"""飞书 approvals (JSON): the timeline says what happened, the task list what the steps are called.

All times are milliseconds since 1970; 0 means "not yet". AUTO_PASS is nobody's work.
"""

from __future__ import annotations

import json
from typing import Any

from svcmetrics.io.json_file import dicts_of, text_of
from svcmetrics.io.workflow_log import Events, Layout, Note, WorkflowLog

WORDS = {
    "START": "submit", "start_time": "submit", "PASS": "approve", "AUTO_PASS": "approve",
    "REMOVE_REPEAT": "approve", "REJECT": "reject", "AUTO_REJECT": "reject",
    "ROLLBACK_SELECTED": "return", "ROLLBACK": "return", "TRANSFER": "reassign",
    "ADD_APPROVER_BEFORE": "comment", "ADD_APPROVER": "comment", "ADD_APPROVER_AFTER": "comment",
    "DELETE_APPROVER": "comment", "CC": "comment", "COMMENT": "comment", "comment_list": "comment",
    "CANCEL": "withdraw", "DELETE": "withdraw",
    "APPROVED": "close", "REJECTED": "reject", "CANCELED": "withdraw", "DELETED": "withdraw",
}  # fmt: skip
LAYOUT = Layout(
    "feishu",
    WORDS,
    {
        "case": "serial_number", "service": "approval_name", "node": "task_list.node_name",
        "to": "timeline.ext", "code": "timeline.type", "at": "timeline.create_time",
        "actor": "timeline.user_id", "unit": "department_id",
        "auto": "auto",
    },
    frozenset({"AUTO_PASS", "AUTO_REJECT", "REMOVE_REPEAT"}),
    {
        "copies": frozenset({"CC"}),
        "comments": frozenset({"COMMENT", "comment_list"}),
        "added": frozenset(
            {"ADD_APPROVER_BEFORE", "ADD_APPROVER", "ADD_APPROVER_AFTER", "DELETE_APPROVER"}
        ),
    },
    "Asia/Shanghai",
)  # fmt: skip
# What the timeline itself says when the whole approval ends so.
_SAID = {
    "REJECTED": ("REJECT", "AUTO_REJECT"), "CANCELED": ("CANCEL",), "DELETED": ("DELETE",),
}  # fmt: skip
_DESTINATIONS = ("rollback_node_ids", "rollback_custom_node_ids", "node_ids", "node_id", "node_key")
_BEGINNING = "START"


def is_instance(item: dict[str, Any]) -> bool:
    """Whether an object is an approval of 飞书."""
    named = {"instance_code", "approval_code", "approval_name", "serial_number", "definition_code"}
    return bool({"timeline", "task_list"} & set(item) and named & set(item))


def read_instances(items: list[dict[str, Any]]) -> WorkflowLog:
    """One event per entry of the timeline and per comment; the end where only the status tells it."""
    events, open_tasks = Events(), 0
    for item in items:
        case = text_of(item, "serial_number", "instance_code", "uuid")
        events.open_case(case, text_of(item, "approval_name", "definition_name"))
        tasks = dicts_of(item, "task_list")
        names = _names(tasks)
        codes = [_entry(events, item, e, names) for e in dicts_of(item, "timeline")]
        for comment in dicts_of(item, "comment_list"):
            events.add("comment_list", _time(comment, "create_time"), actor=_person(comment))
        _ends(events, item, codes)
        open_tasks += sum(not _time(t, "end_time") for t in tasks)
    notes: list[Note] = [("open_tasks", "note", {"count": open_tasks})] if open_tasks else []
    return events.log(LAYOUT, *notes)


def _names(tasks: list[dict[str, Any]]) -> dict[str, str]:
    """Name of the step by any id that the timeline may use for it."""
    names: dict[str, str] = {}
    for task in tasks:
        name = text_of(task, "node_name", "custom_node_id", "node_id")
        for key in ("id", "node_id", "custom_node_id"):
            known = text_of(task, key)
            if known and name:
                names.setdefault(known, name)
    return names


def _entry(
    events: Events, item: dict[str, Any], entry: dict[str, Any], names: dict[str, str]
) -> str:
    code = text_of(entry, "type") or "?"
    asks = code == _BEGINNING or (code == "CANCEL" and _person(entry) == _person(item))
    at = [text_of(entry, "task_id"), text_of(entry, "node_key")]
    node = next((names[k] for k in at if k in names), None)
    events.add(
        code,
        _time(entry, "create_time"),
        actor=_person(entry),
        node=node,
        to=_destination(entry, names) if code.startswith("ROLLBACK") else None,
        unit=text_of(item, "department_id") if asks else None,
    )
    return code


def _destination(entry: dict[str, Any], names: dict[str, str]) -> str | None:
    """The one step that a return names; the beginning is no step, and two steps are not one."""
    try:
        more = json.loads(text_of(entry, "ext") or "{}", parse_int=str, parse_float=str)
    except (json.JSONDecodeError, RecursionError):
        return None
    if not isinstance(more, dict):
        return None
    for key in _DESTINATIONS:
        value = more.get(key)
        ids = value if isinstance(value, list) else [value]
        known = {names[i] for i in ids if isinstance(i, str) and i in names}
        if len(known) == 1:
            return known.pop()
    return None


def _ends(events: Events, item: dict[str, Any], codes: list[str]) -> None:
    if _BEGINNING not in codes:
        began, unit = _time(item, "start_time"), text_of(item, "department_id")
        events.add("start_time", began, actor=_person(item), unit=unit)
    status, ended = text_of(item, "status") or "", _time(item, "end_time")
    known = status == "APPROVED" or status in _SAID
    if ended and known and not set(_SAID.get(status, ())) & set(codes):
        events.add(status, ended)


def _person(item: dict[str, Any]) -> str | None:
    return text_of(item, "user_id", "open_id")


def _time(item: dict[str, Any], key: str) -> str | None:
    """A time in milliseconds; "0" is none."""
    value = text_of(item, key)
    return None if value is None or not value.strip("0") else value

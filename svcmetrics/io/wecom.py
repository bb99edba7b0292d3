"""企业微信 approvals (JSON): records of approvers by level, or the newer list of steps.

All times are seconds since 1970; 0 means "not yet". The interface does not say when a request was
withdrawn or deleted: the last time that it does give stands for it, and the report says how often.
"""

from __future__ import annotations

from typing import Any

from svcmetrics.io.json_file import dicts_of, text_of
from svcmetrics.io.workflow_log import Events, Layout, Note, WorkflowLog

WORDS = {
    "apply_time": "submit", "details 2": "approve", "details 3": "reject", "details 4": "reassign",
    "details 11": "return", "details 12": "comment", "details 13": "approve", "details 14": "deliver",
    "details 15": "reassign", "notifyer": "comment", "comments": "comment",
    "sp_status 2": "close", "sp_status 3": "reject", "sp_status 4": "withdraw",
    "sp_status 6": "withdraw", "sp_status 7": "withdraw", "sp_status 10": "close",
}  # fmt: skip
LAYOUT = Layout(
    "wecom",
    WORDS,
    {
        "case": "sp_no", "service": "sp_name", "node": "sp_record", "code": "sp_status",
        "at": "sptime", "actor": "approver.userid", "unit": "applyer.partyid",
    },
    no_work={
        "copies": frozenset({"notifyer"}),
        "comments": frozenset({"comments"}),
        "added": frozenset({"details 12", "details 13"}),
    },
    timezone="Asia/Shanghai",
)  # fmt: skip
_WAITING = ("1", "0")
_COPY_STEP = "2"
_LATER = ("4", "6", "7")  # the interface gives these no time


def is_instance(item: dict[str, Any]) -> bool:
    """Whether an object is an approval of 企业微信."""
    return "sp_no" in item


def read_instances(items: list[dict[str, Any]]) -> WorkflowLog:
    """One event per decision of an approver, per comment and copy, and for the end of the request."""
    events, waiting, untimed, copies = Events(), 0, 0, 0
    for item in items:
        events.open_case(text_of(item, "sp_no"), text_of(item, "sp_name"))
        person = item.get("applyer")
        events.add(
            "apply_time",
            _time(item, "apply_time"),
            actor=text_of(person, "userid"),
            unit=text_of(person, "partyid"),
        )
        first = len(events.rows) - 1
        waiting += _decisions(events, item)
        for comment in dicts_of(item, "comments"):
            who = text_of(comment.get("commentUserInfo"), "userid")
            events.add("comments", _time(comment, "commenttime"), actor=who)
        copies += 0 if "process_list" in item else len(dicts_of(item, "notifyer"))
        untimed += _end(events, item, first)
    notes: list[Note] = []
    notes += [("open_tasks", "note", {"count": waiting})] if waiting else []
    notes += [("untimed_copies", "note", {"count": copies})] if copies else []
    notes += [("untimed_ends", "warning", {"count": untimed})] if untimed else []
    return events.log(LAYOUT, *notes)


def _decisions(events: Events, item: dict[str, Any]) -> int:
    """The decisions of both layouts of the interface; how many approvers have not decided."""
    waiting = 0
    process = item.get("process_list")
    nodes = dicts_of(process, "node_list") or dicts_of(item, "sp_record")
    level = 0
    for node in nodes:
        copies = text_of(node, "node_type") == _COPY_STEP
        level += not copies
        for detail in dicts_of(node, "sub_node_list", "details"):
            status = text_of(detail, "sp_yj", "sp_status") or "?"
            who = text_of(detail, "userid") or text_of(detail.get("approver"), "userid")
            at = _time(detail, "sptime")
            if copies:
                events.add("notifyer", at, actor=who)
            elif status in _WAITING and at is None:
                waiting += 1
            else:
                events.add(f"details {status}", at, actor=who, node=f"第{level}级审批")
    return waiting


def _end(events: Events, item: dict[str, Any], first: int) -> int:
    """The end that only the status tells, at the last time of the case; 1 when that time is a stand-in."""
    status = text_of(item, "sp_status") or ""
    rows = events.rows[first:]
    refused = any(r["code"] == "details 3" for r in rows)
    if f"sp_status {status}" not in WORDS or (status == "3" and refused):
        return 0
    known = [t for r in rows if (t := r["at"]) and t.isdecimal()]
    events.add(f"sp_status {status}", max(known, key=int, default=None))
    return int(status in _LATER)


def _time(item: dict[str, Any], key: str) -> str | None:
    """A time in seconds; "0" is none."""
    value = text_of(item, key)
    return None if value is None or not value.strip("0") else value

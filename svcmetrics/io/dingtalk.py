"""钉钉 approvals as the web interface gives them (JSON): operation records, newer and older names.

The newer interface writes times in UTC ("2024-03-05T01:02Z"), the older one in local time.
"""

from __future__ import annotations

from typing import Any

from svcmetrics.io.json_file import dicts_of, text_of
from svcmetrics.io.workflow_log import Events, Layout, Note, WorkflowLog, levels, service_of

WORDS = {
    "createTime": "submit", "START_PROCESS_INSTANCE": "submit",
    "EXECUTE_TASK_NORMAL/AGREE": "approve", "EXECUTE_TASK_AGENT/AGREE": "approve",
    "EXECUTE_TASK_AUTO/AGREE": "approve", "EXECUTE_TASK_AUTO": "approve",
    "EXECUTE_TASK_NORMAL/REFUSE": "reject", "EXECUTE_TASK_AGENT/REFUSE": "reject",
    "EXECUTE_TASK_AUTO/REFUSE": "reject",
    "EXECUTE_TASK_NORMAL": "deliver", "EXECUTE_TASK_AGENT": "deliver",
    "REDIRECT_PROCESS": "return", "REDIRECT_TASK": "reassign",
    "APPEND_TASK_BEFORE": "comment", "APPEND_TASK_AFTER": "comment",
    "ADD_REMARK": "comment", "PROCESS_CC": "comment",
    "TERMINATE_PROCESS_INSTANCE": "withdraw", "FINISH_PROCESS_INSTANCE": "close",
    # The end of a case that a rejection or a withdrawal has ended already is no second end.
    "FINISH_PROCESS_INSTANCE/REFUSE": "comment", "FINISH_PROCESS_INSTANCE/TERMINATED": "comment",
    "finishTime": "close", "finishTime/REFUSE": "reject", "finishTime/TERMINATED": "withdraw",
}  # fmt: skip
LAYOUT = Layout(
    "dingtalk",
    WORDS,
    {
        "case": "businessId", "service": "title", "node": "operationRecords.showName",
        "code": "operationRecords.type", "at": "operationRecords.date",
        "actor": "operationRecords.userId", "unit": "originatorDeptName",
        "auto": "auto",
    },
    frozenset({"EXECUTE_TASK_AUTO", "EXECUTE_TASK_AUTO/AGREE", "EXECUTE_TASK_AUTO/REFUSE"}),
    {
        "copies": frozenset({"PROCESS_CC"}),
        "comments": frozenset({"ADD_REMARK"}),
        "added": frozenset({"APPEND_TASK_BEFORE", "APPEND_TASK_AFTER"}),
    },
    "Asia/Shanghai",
)  # fmt: skip
_STOPPED = ("TERMINATED", "CANCELED")


def is_instance(item: dict[str, Any]) -> bool:
    """Whether an object is an approval of 钉钉."""
    return "operationRecords" in item or "operation_records" in item


def read_instances(items: list[dict[str, Any]]) -> WorkflowLog:
    """One event per operation record, and the start and end where no record tells them."""
    events, open_tasks = Events(), 0
    for item in items:
        case = text_of(
            item, "businessId", "business_id", "processInstanceId", "process_instance_id"
        )
        events.open_case(case, service_of(text_of(item, "title")))
        records = dicts_of(item, "operationRecords", "operation_records")
        codes = [_code(item, r) for r in records]
        steps = levels(WORDS.get(c, "comment") for c in codes)
        for code, record, step in zip(codes, records, steps, strict=True):
            _record(events, item, record, code, step)
        _ends(events, item, codes)
        tasks = dicts_of(item, "tasks")
        open_tasks += sum(text_of(t, "status", "task_status") == "RUNNING" for t in tasks)
    notes: list[Note] = [("open_tasks", "note", {"count": open_tasks})] if open_tasks else []
    return events.log(LAYOUT, *notes)


def _code(item: dict[str, Any], record: dict[str, Any]) -> str:
    kind = text_of(record, "type", "operation_type", "operationType") or "?"
    result = text_of(record, "result", "operation_result", "operationResult") or "NONE"
    if kind.startswith("EXECUTE_TASK") and result != "NONE":
        return f"{kind}/{result}"
    return kind + _outcome(item) if kind == "FINISH_PROCESS_INSTANCE" else kind


def _record(
    events: Events, item: dict[str, Any], record: dict[str, Any], code: str, step: str | None
) -> None:
    """One record; ``step`` is None where the code belongs to no step, and a number for the rest."""
    who = text_of(record, "userId", "userid")
    asks = who == _originator(item) and WORDS.get(code) in ("submit", "withdraw")
    events.add(
        code,
        text_of(record, "date"),
        actor=who,
        node=text_of(record, "showName", "activityName", "activityId") or step if step else None,
        unit=_department(item) if asks or code == "START_PROCESS_INSTANCE" else None,
    )


def _ends(events: Events, item: dict[str, Any], codes: list[str]) -> None:
    person = _originator(item)
    if "START_PROCESS_INSTANCE" not in codes:
        began = text_of(item, "createTime", "create_time")
        events.add("createTime", began, actor=person, unit=_department(item))
    ended = text_of(item, "finishTime", "finish_time")
    told = any(c.startswith(("FINISH_", "TERMINATE_")) for c in codes)
    refused = any(c.endswith("/REFUSE") for c in codes)
    if ended and not told and not (refused and _outcome(item) == "/REFUSE"):
        events.add("finishTime" + _outcome(item), ended)


def _outcome(item: dict[str, Any]) -> str:
    """How the whole approval ended: "" for well."""
    if (text_of(item, "status") or "").upper() in _STOPPED:
        return "/TERMINATED"
    return "/REFUSE" if (text_of(item, "result") or "").upper() == "REFUSE" else ""


def _originator(item: dict[str, Any]) -> str | None:
    return text_of(item, "originatorUserId", "originator_userid")


def _department(item: dict[str, Any]) -> str | None:
    return text_of(item, "originatorDeptName", "originator_dept_name")

"""Which approval or ticket system a file comes from, and its events."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from svcmetrics.io import dingtalk, dingtalk_excel, feishu, jira, servicenow, weaver, wecom
from svcmetrics.io.foreign_table import ForeignTable
from svcmetrics.io.json_file import instances, read_json
from svcmetrics.io.safe_files import file_problem
from svcmetrics.io.workflow_log import WorkflowLog
from svcmetrics.problems import StudyError

# Jira last: its marks are the most general.
_JSON: dict[str, ModuleType] = {
    "dingtalk": dingtalk,
    "feishu": feishu,
    "wecom": wecom,
    "jira": jira,
}


def read_workflow_json(path: Path, format: str) -> WorkflowLog:  # noqa: A002
    """The events of a JSON file; "auto" tells the system by the keys of its first instance."""
    known = _JSON if format == "auto" else {k: v for k, v in _JSON.items() if k == format}
    documents = read_json(path)
    items, others = instances(documents, lambda i: any(m.is_instance(i) for m in known.values()))
    if not items:
        values = {"found": type(documents[0]).__name__, "known": list(known or _JSON)}
        raise StudyError(file_problem("json_no_instances", path, **values))
    reader = next(m for m in known.values() if m.is_instance(items[0]))
    own = [i for i in items if reader.is_instance(i)]
    log: WorkflowLog = reader.read_instances(own)
    strange = others + len(items) - len(own)
    if strange:
        notes = (*log.notes, ("no_instance", "warning", {"count": strange}))
        log = WorkflowLog(log.layout, log.frame, log.left, notes)
    if not len(log.frame):
        raise StudyError(file_problem("import_no_rows", path))
    return log


def workflow_of(headers: list[str]) -> str:
    """The system whose table has these headers; "" when none is known."""
    if dingtalk_excel.is_dingtalk_header(headers):
        return "dingtalk"
    if weaver.is_weaver(headers):
        return "weaver"
    return "servicenow" if servicenow.is_servicenow(headers) else ""


def read_workflow_table(path: Path, table: ForeignTable, format: str) -> WorkflowLog:  # noqa: A002
    """The events of a table in the layout of a known system."""
    headers = [str(c) for c in table.frame.columns]
    fits = {
        "weaver": weaver.is_weaver, "servicenow": servicenow.is_servicenow,
        "dingtalk": dingtalk_excel.is_dingtalk_header,
    }  # fmt: skip
    if format not in fits or not fits[format](headers):
        raise StudyError(
            file_problem("workflow_headers", path, format=format, present=headers[:30])
        )
    if format == "dingtalk":
        return dingtalk_excel.read_dingtalk_excel(path)
    if not len(table.frame):
        raise StudyError(file_problem("import_no_rows", path))
    return weaver.read_weaver(table) if format == "weaver" else servicenow.read_servicenow(table)

"""泛微: an export of the table workflow_requestlog (CSV or Excel), one row per entry of the log.

Date and time stand in two columns. ``destnodeid`` says where a return went; the node at which
requests begin is the requester's, so what goes there goes back to the requester.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from svcmetrics.io.foreign_table import ForeignTable, ids
from svcmetrics.io.workflow_log import TARGETS, Layout, Note, WorkflowLog, finished

_NAMES = {
    "0": "批准", "1": "保存", "3": "退回", "4": "重开", "7": "转发", "9": "批注", "a": "征询",
    "b": "征询回复", "e": "强制归档", "h": "转办", "i": "干预", "s": "督办", "t": "抄送",
}  # fmt: skip
_BEGINS, _HANDLES = "2 发起", "2 经办"
WORDS = {
    _BEGINS: "submit", _HANDLES: "deliver", "0 批准": "approve", "1 保存": "comment", "3 退回": "return",
    "4 重开": "resume", "7 转发": "comment", "9 批注": "comment", "a 征询": "comment",
    "b 征询回复": "comment", "e 强制归档": "close", "h 转办": "reassign", "i 干预": "reassign",
    "s 督办": "comment", "t 抄送": "comment",
}  # fmt: skip
LAYOUT = Layout(
    "weaver",
    WORDS,
    {
        "case": "requestid", "service": "workflowid", "node": "nodeid", "to": "destnodeid",
        "code": "logtype", "at": "operatedate operatetime", "actor": "operator",
        "unit": "operatordept", "auto": "remark", "order": "logid",
    },
    no_work={
        "copies": frozenset({"t 抄送", "7 转发"}),
        "comments": frozenset({"9 批注", "1 保存", "s 督办", "a 征询", "b 征询回复"}),
    },
    timezone="Asia/Shanghai",
)  # fmt: skip
_NEEDED = {"requestid", "logtype", "operatedate", "operatetime"}
_AUTOMATIC = r"系统自动|自动(?:审批|批准|提交|通过|流转)|超时自动"


def is_weaver(headers: list[str]) -> bool:
    """Whether the headers are those of workflow_requestlog."""
    return {h.strip().lower() for h in headers} >= _NEEDED


def read_weaver(table: ForeignTable) -> WorkflowLog:
    """One event per row, with the row's number."""
    names = {str(c).strip().lower(): c for c in table.frame.columns}

    def entries(*wanted: str) -> pd.Series:
        found = next((names[w] for w in wanted if w in names), None)
        if found is None:
            return pd.Series(None, table.frame.index, dtype="str")
        return ids(table.frame[found].map(_clock_text), file=table.file)

    frame = pd.DataFrame(dict.fromkeys(TARGETS), index=table.frame.index, dtype="str")
    node_id = entries("nodeid")
    frame = frame.assign(
        case=entries("requestid"),
        service=entries("workflowname", "workflowid"),
        at=entries("operatedate").str[:10].str.cat(entries("operatetime"), sep=" ", na_rep=""),
        actor=entries("operator"),
        unit=entries("operatordept", "operatordeptname", "departmentname"),
        order=entries("logid"),
        node=entries("nodename").fillna(node_id),
    )
    frame["at"] = frame["at"].str.strip().mask(frame["at"].str.strip() == "")
    kind = entries("logtype")
    beginning = _beginnings(frame, node_id, kind)
    at_start = (node_id == beginning).fillna(False).astype(bool)
    frame["code"] = _codes(kind, at_start)
    frame["node"] = frame["node"].mask(frame["code"] == _BEGINS)
    automatic = entries("remark").str.contains(_AUTOMATIC, regex=True, na=False)
    frame["auto"] = pd.Series("true", frame.index, dtype="str").where(automatic)
    frame["to"], several = _destinations(frame, node_id, entries("destnodeid"), beginning)
    notes: list[Note] = [("weaver_end", "note", {})]
    if several:
        notes.append(("branches", "warning", {"count": several}))
    return finished(LAYOUT, frame, {}, tuple(notes))


def _clock_text(value: object) -> object:
    """Dates and clock times that Excel has typed, as text."""
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else value


def _codes(kind: pd.Series, at_start: pd.Series) -> pd.Series:
    """The code with its name; a submission at the first node is the requester's, elsewhere it is work."""
    named = kind.map({k: f"{k} {v}" for k, v in _NAMES.items()}).astype("str").fillna(kind)
    submits = kind == "2"
    return named.mask(submits & at_start, _BEGINS).mask(submits & ~at_start, _HANDLES)


def _beginnings(frame: pd.DataFrame, node_id: pd.Series, kind: pd.Series) -> pd.Series:
    """For each row the node at which the requests of its workflow begin: the most usual first one."""
    order = pd.to_numeric(frame["order"], errors="coerce")
    rows = frame[["case", "service", "at"]].assign(
        node=node_id, kind=kind, order=order, service=frame["service"].fillna("")
    )
    first = rows.sort_values(["at", "order"], kind="stable").drop_duplicates("case")
    first = first[first["kind"].isin(["1", "2"])]
    usual = first.groupby("service")["node"].agg(lambda n: n.mode().min())
    return rows["service"].map(usual)


def _destinations(
    frame: pd.DataFrame, node_id: pd.Series, sent: pd.Series, beginning: pd.Series
) -> tuple[pd.Series, int]:
    """The step that a return went to, by the name it has elsewhere; how many name several."""
    back = frame["code"] == "3 退回"
    sent = sent.str.strip(",").where(back)
    several = sent.str.contains(",", regex=False, na=False)
    names = frame["node"].groupby(node_id).first()
    named = sent.map(names).astype("str").fillna(sent)
    return named.mask(several | (sent == beginning)), int(several.sum())

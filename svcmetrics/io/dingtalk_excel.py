"""钉钉 approvals exported to Excel: the older layout and the newer one.

The newer layout has two header rows, a sheet per form, and repeats a case for every row of its
details: one row per 数据id is the case. The step history stands as text in 审批记录.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics.io import dingtalk_record as record
from svcmetrics.io.cells import csv_grid, xlsx_grids
from svcmetrics.io.foreign_table import ids, refuse_cell_errors
from svcmetrics.io.grid import Grid
from svcmetrics.io.safe_files import file_problem
from svcmetrics.io.workflow_log import Events, Layout, Note, WorkflowLog, levels, service_of
from svcmetrics.problems import StudyError

_DATA, _NUMBER = "数据id", "审批编号"
_ALIKE = {
    "审批发起时间": "发起时间", "审批完成时间": "完成时间", "发起人userid": "发起人UserID",
    "数据ID": _DATA, "数据Id": _DATA,
}  # fmt: skip
_WANTED = (
    _DATA, _NUMBER, "审批单名称", "标题", "审批状态", "审批结果", "发起时间", "完成时间", "发起人姓名",
    "发起人部门", "审批记录",
)  # fmt: skip
_WORDS = {
    "发起时间": "submit", **record.ACTIONS, "完成时间": "close", "完成时间 拒绝": "reject",
    "完成时间 撤销": "withdraw",
}  # fmt: skip
LAYOUT = Layout(
    "dingtalk",
    _WORDS,
    {
        "case": _NUMBER, "service": "审批单名称", "node": "环节", "code": "审批记录",
        "at": "发起时间 审批记录 完成时间", "actor": "发起人姓名 审批记录", "unit": "发起人部门",
        "auto": "自动",
    },
    record.AUTOMATIC,
    {"copies": record.COPIES, "comments": record.COMMENTS, "added": record.ADDED},
    "Asia/Shanghai",
)  # fmt: skip
_HEADER_ROWS = 3


def is_dingtalk_header(headers: list[str]) -> bool:
    """Whether these headers, in either layout, are those of an approval export."""
    named = {_ALIKE.get(h, h) for h in headers}
    return _NUMBER in named and {"审批状态", "发起时间"} <= named


def read_dingtalk_excel(path: Path) -> WorkflowLog:
    """The events of all sheets; one row per case, whatever its details."""
    grids = xlsx_grids(path) if path.suffix.lower().startswith(".xls") else {"": csv_grid(path)}
    tables = {name: t for name, grid in grids.items() if (t := _table(grid)) is not None}
    for name, table in tables.items():
        refuse_cell_errors(table, path, name)
    if not tables:
        raise StudyError(file_problem("dingtalk_headers", path))
    events = Events()
    tally = {"rows": 0, "cases": 0, "entries": 0, "lost": 0, "differ": 0}
    for sheet, table in tables.items():
        cases = _cases(table, path.name, tally)
        for case in cases.to_dict("records"):
            _case(events, case, sheet, tally)
    log = events.log(LAYOUT, *_notes(tally, sorted(set(grids) - set(tables)), len(tables)))
    odd = [p for name in tables for p in grids[name].problems if p.key != "merged_cells"]
    return replace(log, problems=tuple(odd))


def is_dingtalk_excel(path: Path) -> bool:
    """Whether a workbook has a sheet with the headers of an approval export."""
    return any(_table(grid) is not None for grid in xlsx_grids(path).values())


def _table(grid: Grid) -> pd.DataFrame | None:
    """The wanted columns below the header, which may lie under a row of titles or have one below it."""
    for place in range(min(_HEADER_ROWS, len(grid.cells))):
        headers = ["" if pd.isna(v) else str(v).strip() for v in grid.cells.iloc[place]]
        headers = [_ALIKE.get(h, h) for h in headers]
        if not is_dingtalk_header(headers):
            continue
        first = {n: headers.index(n) for n in _WANTED if n in headers}
        below = grid.cells.iloc[place + 1 :]
        table = pd.DataFrame({n: below[below.columns[i]] for n, i in first.items()})
        head = table.iloc[:1]
        second = head.isna().all(axis=None) or (head == list(first)).all(axis=None)
        return table.iloc[1:] if second else table
    return None


def _cases(table: pd.DataFrame, file: str, tally: dict[str, int]) -> pd.DataFrame:
    """One row per case: a row without ids, or with ids that were there, is a detail of a case above."""
    for name in (_DATA, _NUMBER):
        if name in table:
            table = table.assign(**{name: ids(table[name], file=file)})
    key = table[_DATA].fillna(table[_NUMBER]) if _DATA in table else table[_NUMBER]
    tally["rows"] += len(table)
    named = table[key.notna() | table["发起时间"].notna()]
    again = key.reindex(named.index).duplicated() & key.reindex(named.index).notna()
    whole = named.astype("str").fillna("")
    tally["differ"] += int((again & ~whole.duplicated()).sum())
    cases = named[~again]
    tally["cases"] += len(cases)
    return cases


def _case(events: Events, case: dict[Any, Any], sheet: str, tally: dict[str, int]) -> None:
    def entry(name: str) -> str | None:
        value = case.get(name)
        if isinstance(value, (dt.datetime, dt.date)):
            return value.isoformat(sep=" ") if isinstance(value, dt.datetime) else value.isoformat()
        text = "" if value is None or pd.isna(value) else str(value).strip()
        return text or None

    person = entry("发起人姓名")
    events.open_case(entry(_NUMBER) or entry(_DATA), _service(entry, person, sheet))
    events.add("发起时间", entry("发起时间"), actor=person, unit=entry("发起人部门"))
    found, lost = record.entries_of(entry("审批记录"))
    history = [
        e
        for e in found
        if not (e.what in ("发起", "发起申请", "提交申请", "提交") and e is found[0])
    ]
    tally["entries"] += len(found) + lost
    tally["lost"] += lost
    events.leave("unparsed", lost)
    events.leave("told_twice", len(found) - len(history))
    steps = levels(record.ACTIONS[e.what] for e in history)
    for told, step in zip(history, steps, strict=True):
        unit = entry("发起人部门") if told.who == person and step is None else None
        events.add(told.what, told.at, actor=told.who, node=step, unit=unit)
    _end(events, entry, {e.what for e in history})


def _service(entry: Callable[[str], str | None], person: str | None, sheet: str) -> str | None:
    named = entry("审批单名称") or service_of(entry("标题"), person)
    if named and person and person in named:
        named = service_of(named, person)
    return named or (sheet if sheet and not sheet.lower().startswith("sheet") else None)


def _end(events: Events, entry: Callable[[str], str | None], said: set[str]) -> None:
    """The end of a case, unless its history has told it already."""
    at, status, result = (entry(n) for n in ("完成时间", "审批状态", "审批结果"))
    words = {record.ACTIONS[w] for w in said}
    if at is None or words & {"reject", "withdraw"}:
        return
    stopped = any(w in (status or "") for w in ("撤", "终止"))
    refused = any(w in (result or "") for w in ("拒绝", "不同意"))
    events.add("完成时间" + (" 撤销" if stopped else " 拒绝" if refused else ""), at)


def _notes(tally: dict[str, int], others: list[str], sheets: int) -> list[Note]:
    """What the workbook held, and how much of the histories was understood."""
    share = tally["lost"] / tally["entries"] if tally["entries"] else 0.0
    rows = {"rows": tally["rows"], "sheets": sheets, "cases": tally["cases"]}
    notes: list[Note] = [("excel_cases", "note", rows)]
    seen = {"count": tally["entries"], "lost": tally["lost"], "share": share}
    notes.append(("record_share", "warning" if tally["lost"] else "note", seen))
    if tally["differ"]:
        notes.append(("details_differ", "warning", {"count": tally["differ"]}))
    if others:
        notes.append(("other_sheets", "warning", {"names": others[:8]}))
    notes.append(("persons_by_name", "warning", {}))
    return notes

"""Files in the exact layouts of approval and ticket systems, made for the tests; nobody in them exists."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

CHINA = timezone(timedelta(hours=8))
START = datetime(2024, 3, 5, 9, 0, tzinfo=CHINA)
# 21 digits: as a number each would lose its last ones.
CASES = [f"2024030509000000{n:05d}" for n in range(1, 8)]
PEOPLE = {
    "王小明": "manager7531", "李思雨": "0154273625881", "陈大文": "wx-chen.dw", "赵合规": "zhaohg_01",
    "孙知会": "ou_sunzhihui",
}  # fmt: skip
A, B, C, D, E = PEOPLE.values()
SECRETS = (*PEOPLE, *PEOPLE.values(), "13800138000", "请王小明补充")


def at(minutes: float) -> datetime:
    """So many minutes after the beginning of all fixtures."""
    return START + timedelta(minutes=minutes)


def write_json(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), "utf-8")
    return path


# One story per case, in the words of the study; every fixture tells it in its own way:
# 0 returned to the requester, submitted again, approved; 1 rejected; 2 withdrawn;
# 3 still open; 4 passed by hand and automatically, handed over, an approver added.


def dingtalk(*, old: bool = False) -> list[dict[str, Any]]:
    """Answers of the interface, one per approval: newer names in UTC, or older names in local time."""

    def stamp(minutes: float) -> str:
        if old:
            return at(minutes).strftime("%Y-%m-%d %H:%M:%S")
        return at(minutes).astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")

    def record(who: str, minutes: float, kind: str, result: str = "NONE", node: str = "") -> dict:
        names = (
            ("userid", "operation_type", "operation_result")
            if old
            else ("userId", "type", "result")
        )
        out = dict(zip(names, (who, kind, result))) | {
            "date": stamp(minutes),
            "remark": "请王小明补充",
        }
        return out | ({} if old else {"showName": node, "activityId": f"id_{node}"})

    def answer(number: int, status: str, result: str, end: float | None, *records: dict) -> dict:
        if old:
            body = {
                "title": "王小明提交的采购申请", "create_time": stamp(0), "finish_time": stamp(end) if end else "",
                "originator_userid": A, "originator_dept_id": "-1", "originator_dept_name": "研发部",
                "status": status, "result": result.lower(), "business_id": CASES[number],
                "operation_records": list(records), "tasks": [],
                "form_component_values": [{"name": "电话", "value": "13800138000"}],
            }  # fmt: skip
            return {"errcode": 0, "process_instance": body, "request_id": "x"}
        body = {
            "title": "王小明提交的采购申请", "createTime": stamp(0), "finishTime": stamp(end) if end else None,
            "originatorUserId": A, "originatorDeptId": "88", "originatorDeptName": "研发部",
            "status": status, "result": result.lower(), "businessId": CASES[number], "approverUserIds": [B, C],
            "operationRecords": list(records), "formComponentValues": [{"name": "电话", "value": "13800138000"}],
            "tasks": [] if end else [{"taskId": 70123456789012345, "userId": C, "status": "RUNNING", "result": "NONE"}],
        }  # fmt: skip
        return {"result": body, "success": "true"}

    begin = record(A, 0, "START_PROCESS_INSTANCE", node="发起申请")
    return [
        answer(0, "COMPLETED", "agree", 300, begin,
               record(B, 60, "EXECUTE_TASK_NORMAL", "AGREE", "部门审批"),
               record(C, 120, "REDIRECT_PROCESS", "NONE", "财务审批"),
               record(A, 180, "START_PROCESS_INSTANCE", node="发起申请"),
               record(B, 240, "EXECUTE_TASK_NORMAL", "AGREE", "部门审批"),
               record(C, 300, "EXECUTE_TASK_AGENT", "AGREE", "财务审批"),
               record(E, 300, "PROCESS_CC", node="抄送人"),
               record(C, 300, "FINISH_PROCESS_INSTANCE")),
        answer(1, "COMPLETED", "refuse", 90, begin,
               record(B, 90, "EXECUTE_TASK_NORMAL", "REFUSE", "部门审批"),
               record(B, 90, "FINISH_PROCESS_INSTANCE")),
        answer(2, "TERMINATED", "", 45, begin, record(A, 45, "TERMINATE_PROCESS_INSTANCE")),
        answer(3, "RUNNING", "", None, begin, record(B, 30, "EXECUTE_TASK_NORMAL", "AGREE", "部门审批"),
               record(D, 31, "ADD_REMARK", node="部门审批")),
        answer(4, "COMPLETED", "agree", 200, begin,
               record(B, 20, "EXECUTE_TASK_AUTO", "AGREE", "部门审批"),
               record(C, 50, "APPEND_TASK_BEFORE", "NONE", "财务审批"),
               record(C, 60, "REDIRECT_TASK", "NONE", "财务审批"),
               record(D, 200, "EXECUTE_TASK_NORMAL", "AGREE", "财务审批"),
               record(D, 200, "FINISH_PROCESS_INSTANCE")),
    ]  # fmt: skip


def feishu() -> list[dict[str, Any]]:
    """Answers of the interface: milliseconds as text, "0" for what has not ended."""

    def ms(minutes: float | None) -> str:
        return "0" if minutes is None else str(int(at(minutes).timestamp() * 1000))

    def task(
        number: int, who: str, node: str, begin: float, end: float | None, status: str
    ) -> dict:
        return {"id": f"7{number:018d}", "user_id": who, "open_id": f"ou_{who}", "status": status,
                "node_id": f"{number % 10:032x}", "node_name": node, "custom_node_id": f"custom{number % 10}",
                "type": "AND", "start_time": ms(begin), "end_time": ms(end)}  # fmt: skip

    def entry(
        kind: str, minutes: float, who: str | None, number: int | None = None, **more: Any
    ) -> dict:
        out = {
            "type": kind,
            "create_time": ms(minutes),
            "user_id": who,
            "open_id": f"ou_{who}",
            "comment": "请王小明补充",
        }
        if number is not None:
            out |= {"task_id": f"7{number:018d}", "node_key": f"{number % 10:032x}"}
        return {k: v for k, v in out.items() if v is not None} | {"ext": "{}"} | more

    def answer(
        number: int, status: str, end: float | None, tasks: list, *line: dict, **more: Any
    ) -> dict:
        body = {
            "approval_code": "7C468A54-8745-2245-9675-08B7C63E7A85", "approval_name": "费用报销",
            "serial_number": CASES[number], "instance_code": f"81D31358-93AF-92D6-7425-01A5D67C4E7{number}",
            "uuid": f"u{number}", "user_id": A, "open_id": f"ou_{A}", "department_id": "od-8ec33ffec336",
            "start_time": ms(0), "end_time": ms(end), "status": status, "reverted": False,
            "form": '[{"id":"w1","type":"input","value":"13800138000"}]', "comment_list": [],
            "task_list": tasks, "timeline": list(line),
        }  # fmt: skip
        return {"code": 0, "msg": "success", "data": body | more}

    first = task(1, B, "部门审批", 0, 60, "APPROVED")
    second = task(2, C, "财务复核", 60, 120, "APPROVED")
    third = task(3, D, "出纳付款", 120, 150, "ROLLBACK")
    begin = entry("START", 0, A)
    to_second = json.dumps({"rollback_node_ids": [f"{2:032x}"]})
    return [
        answer(0, "APPROVED", 300, [first, second, third], begin, entry("PASS", 60, B, 1), entry("PASS", 120, C, 2),
               entry("ROLLBACK_SELECTED", 150, D, 3, ext=to_second), entry("PASS", 200, C, 2),
               entry("PASS", 300, D, 3), entry("CC", 300, None, cc_user_list=[{"user_id": E, "cc_id": "1"}]),
               comment_list=[{"id": "1", "user_id": A, "comment": "请王小明补充", "create_time": ms(70)}]),
        answer(1, "REJECTED", 90, [first], begin, entry("REJECT", 90, B, 1)),
        answer(2, "CANCELED", 45, [], begin, entry("CANCEL", 45, A)),
        answer(3, "PENDING", None, [task(1, B, "部门审批", 0, None, "PENDING")], begin),
        answer(4, "APPROVED", 200, [first, second], begin, entry("AUTO_PASS", 0.1, None, 1),
               entry("ADD_APPROVER_BEFORE", 50, C, 2), entry("TRANSFER", 60, C, 2), entry("PASS", 200, D, 2)),
    ]  # fmt: skip


def wecom(*, steps: bool = False) -> list[dict[str, Any]]:
    """Answers of the interface: seconds as numbers; records by level, or the newer list of steps."""

    def s(minutes: float | None) -> int:
        return 0 if minutes is None else int(at(minutes).timestamp())

    def answer(number: int, status: int, *levels: tuple, comments: list | None = None) -> dict:
        info = {
            "sp_no": CASES[number], "sp_name": "用章申请", "sp_status": status, "template_id": "Bs7x",
            "apply_time": s(0), "applyer": {"userid": A, "partyid": "2"}, "notifyer": [{"userid": E}],
            "apply_data": {"contents": [{"control": "Text", "value": {"text": "13800138000"}}]},
            "comments": comments or [],
        }  # fmt: skip
        if steps:
            nodes = [{"node_type": 1, "sp_status": status, "apv_rel": 1, "sub_node_list": [
                {"userid": who, "speech": "请王小明补充", "sp_yj": code, "sptime": s(m)} for who, code, m in level]}
                for level in levels]  # fmt: skip
            copies = {"node_type": 2, "sub_node_list": [{"userid": E, "sptime": s(301)}]}
            info["process_list"] = {"node_list": [*nodes, copies] if number == 0 else nodes}
        else:
            info["sp_record"] = [{"sp_status": status, "approverattr": 1, "details": [
                {"approver": {"userid": who}, "speech": "请王小明补充", "sp_status": code, "sptime": s(m),
                 "media_id": []}
                for who, code, m in level]} for level in levels]  # fmt: skip
        return {"errcode": 0, "errmsg": "ok", "info": info}

    remark = [
        {
            "commentUserInfo": {"userid": A},
            "commenttime": s(130),
            "commentcontent": "请王小明补充",
            "commentid": "1",
        }
    ]
    return [
        answer(0, 2, [(B, 2, 60)], [(C, 11, 120), (B, 2, 200), (C, 2, 300)], comments=remark),
        answer(1, 3, [(B, 3, 90)]),
        answer(2, 4, [(B, 1, None)]),
        answer(3, 1, [(B, 2, 30)], [(C, 1, None)]),
        answer(4, 2, [(C, 4, 60), (D, 13, 200)]),
    ]  # fmt: skip


def jira() -> dict[str, Any]:
    """An answer of the search with expand=changelog."""

    def stamp(minutes: float) -> str:
        return at(minutes).strftime("%Y-%m-%dT%H:%M:%S.000+0800")

    def person(who: str) -> dict:
        return {"accountId": who, "displayName": "王小明", "emailAddress": f"{who}@example.org"}

    def move(minutes: float, who: str, old: str, new: str, field: str = "status") -> dict:
        item = {
            "field": field,
            "fieldtype": "jira",
            "from": old and "1",
            "fromString": old,
            "to": "2",
            "toString": new,
        }
        return {
            "id": str(minutes),
            "author": person(who),
            "created": stamp(minutes),
            "items": [item],
        }

    def issue(number: int, done: float | None, *histories: dict, total: int | None = None) -> dict:
        fields = {
            "issuetype": {"name": "IT 服务请求"}, "created": stamp(0), "reporter": person(A), "summary": "请王小明补充",
            "resolutiondate": done and stamp(done), "status": {"name": "Done"}, "comment": {"comments": []},
        }  # fmt: skip
        if number == 0:
            fields["comment"] = {
                "comments": [{"author": person(B), "created": stamp(70), "body": "请王小明补充"}]
            }
        log = {
            "startAt": 0,
            "maxResults": 100,
            "total": total or len(histories),
            "histories": list(histories),
        }
        return {
            "id": str(10_000 + number),
            "key": f"ITS-{number + 1}",
            "fields": fields,
            "changelog": log,
        }

    return {"startAt": 0, "maxResults": 50, "total": 5, "issues": [
        issue(0, 300, move(5, B, "", "王小明", "assignee"), move(10, B, "To Do", "In Progress"),
              move(60, B, "In Progress", "In Review"), move(120, C, "In Review", "In Progress"),
              move(200, B, "In Progress", "In Review"), move(300, C, "In Review", "Done")),
        issue(1, 90, move(90, B, "To Do", "Declined")),
        issue(2, None, move(45, A, "To Do", "Cancelled")),
        issue(3, None, move(10, B, "To Do", "In Progress"), move(20, B, "In Progress", "Waiting for customer"),
              move(80, B, "Waiting for customer", "In Progress"), total=120),
        issue(4, 200, move(20, B, "王小明", "李思雨", "assignee"), move(30, C, "a", "b", "description"),
              move(200, D, "To Do", "Done")),
    ]}  # fmt: skip


def weaver() -> list[list[str]]:
    """Rows of workflow_requestlog as a database tool exports them."""
    head = ["LOGID", "REQUESTID", "WORKFLOWID", "NODEID", "LOGTYPE", "OPERATEDATE", "OPERATETIME", "OPERATOR",
            "OPERATORDEPT", "DESTNODEID", "REMARK", "CLIENTIP", "RECEIVEDPERSONS"]  # fmt: skip
    rows = [
        (0, 51, "1", 0, A, "研发部", 51), (0, 51, "2", 5, A, "研发部", 52), (0, 52, "0", 60, B, "研发部", 53),
        (0, 53, "3", 120, C, "财务部", 52), (0, 52, "0", 150, B, "研发部", 53), (0, 53, "3", 160, C, "财务部", 51),
        (0, 51, "2", 180, A, "研发部", 52), (0, 52, "0", 240, B, "研发部", 53), (0, 53, "2", 300, C, "财务部", 54),
        (0, 53, "t", 301, C, "财务部", 53), (1, 51, "2", 0, A, "研发部", 52), (1, 52, "h", 30, B, "研发部", 52),
        (1, 52, "9", 40, D, "法务部", 52), (1, 52, "0", 90, D, "法务部", 53), (1, 53, "e", 95, C, "财务部", 54),
        (2, 51, "2", 0, A, "研发部", 52), (3, 51, "2", 0, A, "研发部", 52), (3, 52, "z", 10, B, "研发部", 52),
        (3, 52, "3", 20, B, "研发部", "51,53"),
    ]  # fmt: skip
    out = [head]
    for number, (case, node, kind, minutes, who, unit, dest) in enumerate(rows, 1):
        t = at(minutes)
        note = "系统自动批准" if (case, minutes) == (0, 240) else "请王小明补充"
        out.append([str(number), str(9_100_000 + case), "88", str(node), kind, t.strftime("%Y-%m-%d"),
                    t.strftime("%H:%M:%S"), who, unit, str(dest), note, "203.0.113.7", "孙知会"])  # fmt: skip
    return out


def servicenow() -> list[list[str]]:
    """Rows of an incident log: one per update, question marks for what is not known, day first."""
    head = ["number", "incident_state", "active", "reassignment_count", "reopen_count", "sys_mod_count", "made_sla",
            "caller_id", "opened_at", "sys_updated_by", "sys_updated_at", "category", "assignment_group", "assigned_to",
            "hold_reason", "resolved_at", "closed_at", "business_stc", "calendar_stc"]  # fmt: skip

    def stamp(minutes: float) -> str:
        return (at(minutes) + timedelta(days=15)).strftime("%d/%m/%Y %H:%M")

    def row(
        case: int, count: int, state: str, minutes: float, group: str, **more: str
    ) -> list[str]:
        known = {
            "number": f"INC00000{case}", "incident_state": state, "sys_mod_count": str(count), "made_sla": "true",
            "active": "true", "reassignment_count": "0", "reopen_count": "0", "caller_id": A, "opened_at": stamp(0),
            "sys_updated_by": B, "sys_updated_at": stamp(minutes), "category": "Category 55", "assignment_group": group,
            "assigned_to": C, "hold_reason": "?", "resolved_at": "?", "closed_at": "?",
            "business_stc": "?", "calendar_stc": "?",
        } | more  # fmt: skip
        return [known[h] for h in head]

    last = {
        "resolved_at": stamp(300),
        "calendar_stc": "18000",
        "business_stc": "18000",
        "made_sla": "false",
    }
    return [
        head,
        row(1, 0, "New", 0, "?"), row(1, 1, "Active", 10, "Group 1"), row(1, 2, "Active", 20, "Group 2"),
        row(1, 3, "Awaiting User Info", 60, "Group 2", hold_reason="Awaiting Caller"),
        row(1, 4, "Active", 100, "Group 2"),
        row(1, 5, "Resolved", 200, "Group 2"), row(1, 6, "Active", 240, "Group 2", reopen_count="1"),
        row(1, 7, "Active", 250, "Group 2"), row(1, 8, "Resolved", 300, "Group 2"),
        row(1, 9, "Closed", 400, "Group 2", closed_at=stamp(400), **last),
        row(2, 0, "New", 0, "Group 1"), row(2, 1, "Canceled", 45, "Group 1"),
        row(3, 0, "New", 0, "Group 1"), row(3, 1, "Active", 30, "Group 1"),
    ]  # fmt: skip


def dingtalk_older() -> list[list[Any]]:
    """The older Excel export: one header row, ids as text, the history in one cell."""
    head = ["审批编号", "标题", "审批状态", "审批结果", "审批发起时间", "审批完成时间", "发起人工号", "发起人姓名",
            "发起人部门", "历史审批人姓名", "审批记录", "当前处理人姓名", "审批耗时", "联系电话"]  # fmt: skip

    def case(number: int, status: str, result: str, end: float | None, history: str) -> list[Any]:
        return [CASES[number], "王小明提交的采购申请", status, result, clock(0), end and clock(end), A, "王小明",
                "研发部", "李思雨,陈大文", history, "" if end else "陈大文", "5小时", "13800138000"]  # fmt: skip

    return [
        head,
        case(0, "完成", "同意", 300, line(("王小明", "发起申请", 0), ("李思雨", "同意", 60), ("陈大文", "退回", 120),
             ("王小明", "重新提交", 180), ("李思雨", "同意", 240), ("陈大文", "同意", 300), ("孙知会", "抄送", 300))),
        case(1, "完成", "拒绝", 90, line(("李思雨", "拒绝", 90))),
        case(2, "撤销", "", 45, ""),
        case(3, "审批中", "", None, line(("李思雨", "同意", 30)) + "李思雨|盖了章|昨天下午|;"),
        case(4, "完成", "同意", 200, line(
             ("系统", "自动通过", 20), ("陈大文", "加签", 50), ("陈大文", "转交", 60), ("赵合规", "同意", 200))),
    ]  # fmt: skip


def dingtalk_newer() -> dict[str, list[list[Any]]]:
    """The newer Excel export: two header rows, a sheet per form, a row per detail of a case."""
    base = ["数据id", "审批编号", "审批单名称", "标题", "审批状态", "审批结果", "发起时间", "完成时间", "发起人姓名",
            "发起人UserID", "发起人部门", "历史审批人姓名", "审批记录", "当前审批节点"]  # fmt: skip
    heads = [[*base, "采购明细", None, "电话"], [None] * len(base) + ["物品", "数量", None]]
    rows: list[list[Any]] = []
    for number, old in enumerate(dingtalk_older()[1:]):
        one = [
            f"data-{number}",
            old[0],
            "采购申请",
            old[1],
            old[2],
            old[3],
            old[4],
            old[5],
            "王小明",
            A,
            "研发部",
            old[9],
            old[10],
            old[11],
        ]
        rows += [[*one, f"纸 {n}", str(n), "13800138000"] for n in range(1, 3)]
        if number == 1:  # a detail below merged cells
            rows.append([None] * len(base) + ["笔", "9", None])
    leave = [[*base, "天数"], [None] * (len(base) + 1),
             ["data-9", CASES[5], "请假", "王小明提交的请假", "完成", "同意", clock(0), clock(60),
              "王小明", A, "研发部",
              "李思雨", line(("李思雨", "同意", 60)), "", "2"]]  # fmt: skip
    return {"采购申请": heads + rows, "请假": leave, "说明": [["导出说明"], ["仅供内部使用"]]}


def clock(minutes: float) -> str:
    return at(minutes).strftime("%Y-%m-%d %H:%M:%S")


def line(*entries: tuple[str, str, float]) -> str:
    """A history as the export writes it."""
    return "".join(f"{who}|{what}|{clock(m)}|请王小明补充;\n" for who, what, m in entries)


def write_book(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def all_files(folder: Path) -> dict[str, Path]:
    """One file in every layout, by its name: the word before the dash is the format."""
    from .foreign import write_csv

    folder.mkdir(parents=True, exist_ok=True)
    return {
        "dingtalk-api": write_json(folder / "审批.json", dingtalk()),
        "dingtalk-api-older": write_json(folder / "older.json", dingtalk(old=True)),
        "dingtalk-excel-older": write_book(folder / "older.xlsx", {"Sheet1": dingtalk_older()}),
        "dingtalk-excel-newer": write_book(folder / "newer.xlsx", dingtalk_newer()),
        "feishu": write_json(folder / "feishu.json", feishu()),
        "wecom": write_json(folder / "wecom.json", wecom()),
        "wecom-steps": write_json(folder / "steps.json", wecom(steps=True)),
        "weaver": write_csv(folder / "requestlog.csv", weaver(), "gb18030"),
        "servicenow": write_csv(folder / "incident.csv", servicenow()),
        "jira": write_json(folder / "jira.json", jira()),
    }


def taken(path: Path, folder: Path, **options: Any) -> tuple[Any, Any]:
    """A file imported with keys of its own: the report, and the study as it is read back."""
    from svcmetrics import read_study
    from svcmetrics.io.import_files import import_file

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVCMETRICS_KEYS", str(folder.parent / "keys"))
        report = import_file(path, folder, **options)
    return report, read_study(folder)


def built(path: Path, **options: Any) -> tuple[Any, Any]:
    """Report and study of a file without writing it: reading back is tested once for every format."""
    from svcmetrics.io.foreign_source import guess_source, open_source, tell_about
    from svcmetrics.io.import_tables import tables_of_log, time_range
    from svcmetrics.io.quality import Tally
    from svcmetrics.study import Settings, Study

    opened = open_source(path)
    mapping = options.get("mapping") or guess_source(opened)
    tally = Tally(path.name, len(opened.frame))
    tell_about(opened, tally)
    settings = Settings(name="study", timezone=mapping.timezone or "Asia/Shanghai")
    mapping = mapping.but(timezone=settings.timezone)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVCMETRICS_KEYS", str(path.parent / "keys"))
        tables = tables_of_log(opened, mapping, None, tally, Study({}, settings), {})
    added = {name: len(table) for name, table in tables.items()}
    about = {"range": time_range(tables), "timezone": settings.timezone}
    return tally.report(mapping.format, added, [], about), Study(tables, settings)


def told(study: Any, case: str) -> list[tuple]:
    """The events of a case: minutes after the beginning, action, step, step it went to."""
    step = study.step.assign(name=study.step["name_zh"].fillna(study.step["name_en"]))
    names = dict(zip(zip(step["service_id"], step["step_no"]), step["name"]))
    rows = study.event[study.event["case_id"] == case].sort_values("seq")
    number = {
        c: rows[c].astype("object").where(rows[c].notna(), None) for c in ("step_no", "to_step_no")
    }
    places = {
        c: [names.get((s, n)) for s, n in zip(rows["service_id"], v)] for c, v in number.items()
    }
    minutes = ((rows["at"] - START).dt.total_seconds() / 60).tolist()
    return list(zip(minutes, rows["action"], places["step_no"], places["to_step_no"]))


def said(report: Any) -> dict[str, dict[str, Any]]:
    """The findings of an import by their key."""
    return {f.key.removeprefix("import."): dict(f.values) for f in report.findings}

"""The column 审批记录 of a 钉钉 export: a history squeezed into one text.

An entry reads "王小明|同意|2024-03-05 09:02:11|意见;". What is not understood is counted: its share
is reported, and nothing is made up for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TIME = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[ T]+\d{1,2}:\d{2}(?::\d{2})?"
# An entry begins after a semicolon or a line break; remarks may hold both, so its own begin decides.
_SPLIT = re.compile(r"\s*[;；\r\n]+\s*")
_FIELDS = re.compile(r"\s*[|｜]\s*")
_LOOSE = re.compile(
    rf"^(?P<who>\S{{2,20}})\s*[::,,]?\s+(?P<what>\S{{2,12}})\s*[::,,]?\s+(?P<at>{_TIME})"
)
_TIMED = re.compile(rf"^{_TIME}$")
# Words of the export, longest first where one lies in another.
ACTIONS = {
    "发起申请": "submit", "提交申请": "submit", "发起": "submit", "提交": "submit", "重新提交": "resubmit",
    "同意": "approve", "已同意": "approve", "通过": "approve", "自动同意": "approve",
    "自动通过": "approve", "系统自动通过": "approve", "拒绝": "reject", "已拒绝": "reject",
    "退回": "return", "已退回": "return", "转交": "reassign", "已转交": "reassign", "转办": "reassign",
    "加签": "comment", "前加签": "comment", "后加签": "comment", "添加评论": "comment", "评论": "comment",
    "抄送": "comment", "催办": "comment", "撤销": "withdraw", "撤回": "withdraw", "已撤销": "withdraw",
    "办理": "deliver", "已办理": "deliver",
}  # fmt: skip
AUTOMATIC = frozenset({"自动同意", "自动通过", "系统自动通过"})
COPIES, COMMENTS = frozenset({"抄送"}), frozenset({"添加评论", "评论", "催办"})
ADDED = frozenset({"加签", "前加签", "后加签"})


@dataclass(frozen=True)
class Entry:
    """One understood entry of a history."""

    who: str
    what: str
    at: str


def entries_of(text: str | None) -> tuple[list[Entry], int]:
    """The understood entries of a history, in order, and the number of those that were not."""
    found: list[Entry] = []
    lost = 0
    for part in _SPLIT.split(text or ""):
        if not part.strip(" |｜"):
            continue
        entry = _entry(part)
        if entry is not None:
            found.append(entry)
        elif "|" in part or "｜" in part or not found:
            lost += 1  # a part without any field is the rest of the remark before it
    return found, lost


def _entry(part: str) -> Entry | None:
    fields = _FIELDS.split(part.strip())
    if len(fields) < 3:
        loose = _LOOSE.match(part.strip())
        if loose is None or loose["what"] not in ACTIONS:
            return None
        return Entry(loose["who"], loose["what"], loose["at"])
    at = next((f for f in fields[1:] if _TIMED.match(f)), None)
    what = next((f for f in fields[1:4] if f in ACTIONS), None)
    return Entry(fields[0], what, at) if fields[0] and what and at else None

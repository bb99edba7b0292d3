"""问卷星 exports (Excel; CSV in GB18030 or UTF-8): text or coded variant, wide, one row per form."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from svcmetrics.io.answer_words import guess_scores
from svcmetrics.io.foreign_table import ForeignTable, read_table
from svcmetrics.io.mapping import Mapping
from svcmetrics.io.questionnaire import Question, propose_answers, with_a_target

_NUMBER, _SUBMITTED, _SPENT = "序号", "提交答卷时间", "所用时间"
# The IP column carries a place; neither is needed, so neither is read.
_NEVER = re.compile(
    r"^来自IP|^IP(地址)?$|^来源详情|^来源$|昵称|头像|^微信|openid|姓名|手机|电话|邮箱",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"^总分|^得分$")
_SINGLE = re.compile(r"^\s*(\d+)\s*[、.．:]\s*(.*)$", re.DOTALL)
_MATRIX = re.compile(r"^\s*第\s*(\d+)\s*题\s*[(（](.+)[)）]\s*$", re.DOTALL)
_TAIL = re.compile(r"^(.*?)\s*(?:[(（]([^()（）]+)[)）]|[—–:：]\s*([^—–:：]+))\s*$", re.DOTALL)


def is_wenjuanxing(headers: list[str]) -> bool:
    """Whether the headers are those of a 问卷星 export."""
    return _NUMBER in headers and _SUBMITTED in headers


def read_wenjuanxing(path: str | Path) -> ForeignTable:
    """The table without the columns that tell persons or places."""
    table = read_table(path)
    kept = [
        c for c in table.frame.columns if not _NEVER.search(str(c).strip()) or _SINGLE.match(str(c))
    ]
    return ForeignTable(table.frame[kept], table.file, table.problems, table.from_1904)


def propose_wenjuanxing(table: ForeignTable) -> Mapping:
    """The mapping of an export: forms are raters; departments as matrix rows are targets."""
    frame = table.frame
    columns: dict[str, tuple[str, ...]] = {}
    for header, target in (
        (_NUMBER, "plan.rater_key"),
        (_SUBMITTED, "rating.submitted_at"),
        (_SPENT, "rating.seconds"),
    ):
        if header in frame:
            columns[header] = (target,)
    asked, answers, left = propose_answers(questions(list(frame.columns)), frame)
    answers, pointless = with_a_target(asked, answers)
    if ("plan.rater_key",) in asked.values():
        columns.pop(_NUMBER, None)
    rest = [
        c
        for c in frame.columns
        if c not in columns and c not in asked and c not in {a.column for a in answers}
    ]
    left = tuple(dict.fromkeys([*left, *pointless, *rest]))
    words = (
        guess_scores(pd.concat([frame[a.column] for a in answers if a.kind == "score"]))
        if answers
        else {}
    )
    named = ("plan.rater_key",) in asked.values()
    constants = {
        "plan.mode": "confidential" if named else "anonymous",
        "plan.wave": "W1",
        "plan.form_version": Path(table.file).stem,
    }
    return Mapping(
        "wjx",
        {**columns, **asked},
        {"rating.score": words} if words else {},
        constants,
        answers,
        "Asia/Shanghai",
        left_out=left,
    )


def questions(headers: list[str]) -> list[Question]:
    """The question columns, in order; several columns with one number are the rows of a matrix."""
    found: list[Question] = []
    for header in headers:
        if _TOTAL.search(header):
            continue
        if matrix := _MATRIX.match(header):
            found.append(Question(header, matrix[1], "", matrix[2].strip()))
        elif single := _SINGLE.match(header):
            found.append(Question(header, single[1], single[2].strip()))
    repeated = {q.number for q in found if sum(o.number == q.number for o in found) > 1}
    return [_with_row(q) if q.number in repeated and not q.row else q for q in found]


def _with_row(q: Question) -> Question:
    tail = _TAIL.match(q.text)
    return (
        Question(q.column, q.number, tail[1].strip(), (tail[2] or tail[3]).strip())
        if tail
        else Question(q.column, q.number, "", q.text)
    )

"""The spreadsheet of old: a row per rater, a column per department, a score in every cell."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from svcmetrics.io.answer_words import guess_scores, to_numbers
from svcmetrics.io.mapping import Answer

_DEPARTMENT = re.compile(
    r"(部|部门|处|科|科室|中心|室|组|办|办公室)$|^(finance|hr|it|legal|procurement|administration)$|"
    r"\b(dept|department|team|office|unit|division)$",
    re.IGNORECASE,
)
# "财务部（时效）", "财务部-时效", "时效_财务部"
_PARTS = re.compile(r"^(.+?)\s*(?:[(（]\s*(.+?)\s*[)）]|[-—–_:：/|]+\s*(.+))$")
# Of all entries, what must be a score or a word for none.
_SCORES, _MOST = 0.9, 100.0
# One column is a column of scores, not a sheet of departments.
_DEPARTMENTS = 2
OVERALL = "overall"


def department_answers(headers: Sequence[str], sample: pd.DataFrame) -> tuple[Answer, ...]:
    """Which department, and which item, each column of scores is about; none where this is no such sheet.

    A header names a department, or a department and an item, in either order. Columns that are
    no scores, sums ("合计") and means among them, are passed over.
    """
    found = [(h, *_about(str(h))) for h in headers]
    answers = tuple(
        Answer(h, item, target=target, text=item if item != OVERALL else "总体评价 overall")
        for h, target, item in found
        if target and _are_scores(sample[h])
    )
    return answers if len({a.target for a in answers}) >= _DEPARTMENTS else ()


def _about(header: str) -> tuple[str, str]:
    """Department and item of a header; two blanks when it names no department."""
    text = header.strip()
    if parts := _PARTS.match(text):
        first, second = parts[1].strip(), (parts[2] or parts[3]).strip()
        if _is_department(first) != _is_department(second):
            return (first, second) if _is_department(first) else (second, first)
    return (text, OVERALL) if _is_department(text) else ("", "")


def _is_department(text: str) -> bool:
    return bool(_DEPARTMENT.search(text))


def _are_scores(values: pd.Series) -> bool:
    """Whether nearly all that is written there is a score; the import stops at any word that is none."""
    given = values.dropna()
    read = to_numbers(given, guess_scores(given))
    return bool(
        read["score"].notna().any()
        and read["unread"].isna().mean() >= _SCORES
        and read["score"].max() <= _MOST
    )

"""Columns of a questionnaire export as answers: single questions, matrix rows, choices, rankings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from svcmetrics.io.answer_words import (
    CHOICES,
    RANKING,
    guess_scores,
    split_choices,
    split_ranking,
    to_numbers,
)
from svcmetrics.io.flat_ratings import form_columns, scored, without_sums
from svcmetrics.io.mapping import Answer, AnswerKind, Mapping
from svcmetrics.io.quality import Tally

_DEPARTMENT = re.compile(
    r"(部|部门|处|科|科室|中心|室|组|办|办公室|公司|厂|院|局)$|\b(dept|department|team|office|unit|division)\b",
    re.IGNORECASE,
)
# Questions that say who answers, whom they are about, or that are comments.
_ABOUT = {
    "plan.rater_unit_id": (
        r"(您|你|本人|填写人|评价人).{0,6}(所在|所属).{0,4}(部门|单位|科室)|^所(在|属)部门|"
        r"your (own )?(department|unit|team)"
    ),
    "plan.target_id": (
        r"(被评|评价的|要评价|评议|服务)(价)?.{0,6}(部门|单位|对象)|(选择|请选).{0,8}(被评|评价).{0,6}(部门|对象)|"
        r"(department|unit|team).{0,20}(rate|evaluat)"
    ),
    "plan.rater_role": r"(您|你)的?(身份|角色)|your role",
    "plan.rater_key": r"工号|员工编号|employee (id|number)|staff (id|number)",
    "rating.reason": r"意见|建议|留言|原因|理由|comment|suggest|why",
}
_ABOUT_RULES = {target: re.compile(pattern, re.IGNORECASE) for target, pattern in _ABOUT.items()}


@dataclass(frozen=True)
class Question:
    """One column: the number of its question, its wording, and the row of a matrix."""

    column: str
    number: str
    text: str
    row: str = ""


def propose_answers(
    questions: Sequence[Question], frame: pd.DataFrame
) -> tuple[dict[str, tuple[str, ...]], tuple[Answer, ...], tuple[str, ...]]:
    """Which questions are scores (as answers), which say who and whom (as columns), and what stays outside."""
    columns: dict[str, tuple[str, ...]] = {}
    answers: list[Answer] = []
    left: list[str] = []
    for q in questions:
        about = next(
            (
                t
                for t, rule in _ABOUT_RULES.items()
                if rule.search(q.text) and (t,) not in columns.values()
            ),
            None,
        )
        values = frame[q.column]
        if _are_scores(values):
            answers.append(_answer(q, questions))
        elif about is not None:
            columns[q.column] = (about,)
        elif kind := _list_kind(values):
            answers.append(Answer(q.column, f"Q{q.number}", kind=kind, text=q.text))
        else:
            left.append(q.column)
    return columns, tuple(answers), tuple(left)


def _are_scores(values: pd.Series) -> bool:
    words = guess_scores(values)
    read = to_numbers(values, words)
    return bool(
        read["score"].notna().any() and read["unread"].isna().all() and read["score"].max() <= 100
    )


def _list_kind(values: pd.Series) -> AnswerKind | None:
    text = values.dropna().astype("str")
    if text.str.contains(CHOICES, regex=False).any():
        return "choice"
    return "ranking" if text.str.contains(RANKING, regex=False).any() else None


def _answer(q: Question, questions: Sequence[Question]) -> Answer:
    """Matrix rows that are departments are targets; other rows are items of their own."""
    rows = [o.row for o in questions if o.number == q.number and o.row]
    if not q.row:
        return Answer(q.column, f"Q{q.number}", text=q.text)
    if all(_DEPARTMENT.search(r) for r in rows):
        return Answer(q.column, f"Q{q.number}", target=q.row, text=q.text)
    return Answer(
        q.column,
        f"Q{q.number}_{rows.index(q.row) + 1}",
        text=f"{q.text} · {q.row}" if q.text else q.row,
    )


def form_answers(
    frame: pd.DataFrame, mapping: Mapping, tally: Tally, *, from_1904: bool = False
) -> tuple[pd.DataFrame, dict[str, Answer]]:
    """Wide forms as answers in long form, and where each item came from."""
    forms = without_sums(form_columns(frame, mapping, tally, from_1904=from_1904), tally)
    forms = tally.leave_out(forms, forms["rater"].isna(), "no_rater")
    if not all(a.target for a in mapping.answers):
        forms = tally.leave_out(forms, forms["target"].isna(), "no_target")
    frame = frame.loc[forms.index]
    if len({a.target for a in mapping.answers}) > 1:
        # A comment under a list of departments says of none of them that it is meant.
        said = int(forms["reason"].notna().sum())
        if said:
            tally.say("comments_of_nobody", "warning", count=said)
        forms = forms.assign(reason=None)
    parts: list[pd.DataFrame] = []
    items: dict[str, Answer] = {}
    for answer in mapping.answers:
        rows = forms.assign(target=answer.target) if answer.target else forms
        for one, values in _expanded(answer, frame[answer.column], mapping, tally):
            # A comment is said once per form, not once per item.
            reason = rows["reason"] if not parts else None
            parts.append(rows.assign(item=one.item, reason=reason, **values))
            items.setdefault(one.item, one)
    return pd.concat(parts), items


def _expanded(
    answer: Answer, values: pd.Series, mapping: Mapping, tally: Tally
) -> Iterator[tuple[Answer, dict[str, pd.Series]]]:
    """A score column is one item; a list of choices or a ranking is one item per option."""
    if answer.kind == "score":
        yield answer, scored(values, mapping, tally)
        return
    split = split_choices(values) if answer.kind == "choice" else split_ranking(values)
    for k, option in enumerate(split.columns, 1):
        score = split[option].astype("float64")
        reason = pd.Series("blank", score.index, dtype="str").where(score.isna())
        text = f"{answer.text} · {option}"
        one = dataclasses.replace(answer, item=f"{answer.item}_{k}", text=text)
        yield one, {"score": score, "na_reason": reason}


def with_a_target(
    columns: dict[str, tuple[str, ...]], answers: tuple[Answer, ...]
) -> tuple[tuple[Answer, ...], tuple[str, ...]]:
    """Answers that are about a department, and the columns of those that are about none."""
    named = any("plan.target_id" in t for t in columns.values())
    if named or not any(a.target for a in answers):
        return tuple(a for a in answers if a.kind == "score"), _columns_but_scores(answers)
    kept = tuple(a for a in answers if a.target)
    return kept, tuple(a.column for a in answers if not a.target)


def _columns_but_scores(answers: tuple[Answer, ...]) -> tuple[str, ...]:
    return tuple(a.column for a in answers if a.kind != "score")

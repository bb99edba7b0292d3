"""Answers in words as scores, codes for "no answer", and lists of choices, as survey tools write them."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd

# From the best answer to the worst; scored 5 4 3 2 1 (or 4 3 2 1). The first scale that holds all words is taken.
SCALES = (
    ("非常满意", "满意", "一般", "不满意", "非常不满意"),
    ("非常满意", "比较满意", "一般", "不太满意", "非常不满意"),
    ("很满意", "满意", "一般", "不满意", "很不满意"),
    ("很满意", "较满意", "一般", "较不满意", "很不满意"),
    ("非常满意", "比较满意", "一般", "比较不满意", "非常不满意"),
    ("非常同意", "同意", "一般", "不同意", "非常不同意"),
    ("非常同意", "比较同意", "不确定", "不太同意", "非常不同意"),
    ("完全同意", "比较同意", "一般", "比较不同意", "完全不同意"),
    ("非常符合", "比较符合", "一般", "不太符合", "非常不符合"),
    ("完全符合", "比较符合", "不确定", "比较不符合", "完全不符合"),
    ("优秀", "良好", "中等", "较差", "很差"),
    ("很好", "较好", "一般", "较差", "很差"),
    ("非常好", "好", "一般", "差", "非常差"),
    ("总是", "经常", "有时", "很少", "从不"),
    ("strongly agree", "agree", "neither agree nor disagree", "disagree", "strongly disagree"),
    ("strongly agree", "somewhat agree", "neither agree nor disagree", "somewhat disagree", "strongly disagree"),
    ("strongly agree", "agree", "neutral", "disagree", "strongly disagree"),
    ("very satisfied", "satisfied", "neutral", "dissatisfied", "very dissatisfied"),
    ("extremely satisfied", "somewhat satisfied", "neither satisfied nor dissatisfied", "somewhat dissatisfied",
     "extremely dissatisfied"),
    ("excellent", "good", "average", "poor", "terrible"),
    ("always", "often", "sometimes", "rarely", "never"),
)  # fmt: skip
# 问卷星 writes -3 for a question that was skipped by logic and -2 for one left blank.
NO_ANSWER = {
    **dict.fromkeys(("-3", "(跳过)", "（跳过）", "跳过"), "skipped"),
    **dict.fromkeys(("-2", "(空)", "（空）", "空"), "blank"),
    **dict.fromkeys(
        ("不了解", "未接触", "不适用", "无法评价", "n/a", "not applicable", "don't know"),
        "no_contact",
    ),
    **dict.fromkeys(("弃权", "不评价", "不打分", "abstain", "abstained"), "abstained"),
}
CHOICES, RANKING = "┋", "→"
_SPENT = (
    r"^(?:(?P<h>\d+)\s*(?:小时|时|h))?\s*(?:(?P<m>\d+)\s*(?:分钟|分|min))?\s*"
    r"(?:(?P<s>\d+(?:\.\d+)?)\s*(?:秒|s)?)?$"
)
_NUMBER = re.compile(r"^[+-]?\d+(?:\.\d+)?$")
# A comma before one or two digits is a decimal comma; before three it may part thousands.
_COMMA = re.compile(r"^[+-]?\d+,\d{1,2}$")
_LETTER = re.compile(r"^[A-Ja-j]\s*[.、:]\s*")
_POINTS = re.compile(r"^(\d+(?:\.\d+)?)\s*(?:分|points?|星|stars?)$")


def cleaned(answer: object) -> str:
    """One answer without spaces, option letter ("A.满意") and the "分" of "4分"; full-width digits as digits."""
    text = unicodedata.normalize("NFKC", str(answer)).strip()
    text = _LETTER.sub("", text)
    return _POINTS.sub(r"\1", text)


def guess_scores(answers: pd.Series) -> dict[str, float]:
    """A score for each distinct word, when all words belong to one known scale; else nothing."""
    words = {cleaned(a) for a in answers.dropna().unique()} - {""}
    words = {w for w in words if not _NUMBER.match(w) and w.lower() not in NO_ANSWER}
    for scale in SCALES:
        points = {w: float(len(scale) - i) for i, w in enumerate(scale)}
        if words and all(w.lower() in points for w in words):
            return {w: points[w.lower()] for w in sorted(words, key=lambda v: -points[v.lower()])}
    return {}


def to_numbers(answers: pd.Series, words: dict[str, float]) -> pd.DataFrame:
    """Columns ``score``, ``na_reason`` and ``unread``: exactly one of them is filled for an answer."""
    listed = {str(k): float(v) for k, v in words.items()}
    distinct = answers.dropna().unique()
    found = {a: _scored(cleaned(a), listed) for a in distinct}
    codes, levels = pd.factorize(answers)
    columns = list(zip(*(found[level] for level in levels), (np.nan, "blank", None)))  # -1: blank
    score, reason, unread = (np.array(c, dtype=object)[codes] for c in columns)
    return pd.DataFrame(
        {
            "score": score.astype("float64"),
            "na_reason": pd.Series(reason, answers.index, dtype="str"),
            "unread": pd.Series(unread, answers.index, dtype="str"),
        },
        index=answers.index,
    )


def _scored(text: str, listed: dict[str, float]) -> tuple[float, str | None, str | None]:
    """Score, reason for none, or the word that says neither."""
    if text in listed:
        return listed[text], None, None
    if text == "" or text.lower() in NO_ANSWER:
        return np.nan, NO_ANSWER.get(text.lower(), "blank"), None
    if _COMMA.match(text):
        text = text.replace(",", ".")
    return (float(text), None, None) if _NUMBER.match(text) else (np.nan, None, text)


def decimal_commas(answers: pd.Series) -> np.ndarray:
    """Which answers are numbers with a decimal comma."""
    distinct = {a: bool(_COMMA.match(cleaned(a))) for a in answers.dropna().unique()}
    return answers.map(distinct).fillna(value=False).to_numpy(dtype=bool)


def seconds(values: pd.Series) -> pd.Series:
    """Time spent on a form: "125秒", "2分5秒", "125"."""
    text = values.astype("str").str.strip()
    parts = text.str.extract(_SPENT)
    number = parts.astype("float64")
    total = number["h"].fillna(0) * 3600 + number["m"].fillna(0) * 60 + number["s"].fillna(0)
    return total.where(number.notna().any(axis=1))


def _given(answers: pd.Series) -> pd.Series:
    """Answers that were given, as text."""
    text = answers.dropna().astype("str").str.strip()
    return text[~text.str.lower().isin(list(NO_ANSWER)) & (text != "")]


def split_choices(answers: pd.Series) -> pd.DataFrame:
    """A multi-choice column as one column of 0 and 1 per option; blank stays missing."""
    lists = _given(answers).str.split(CHOICES, regex=False)
    options = list(dict.fromkeys(o.strip() for row in lists for o in row if o.strip()))
    chosen = lists.map(lambda row: {o.strip() for o in row})
    return pd.DataFrame({o: chosen.map(lambda row, o=o: float(o in row)) for o in options}).reindex(
        answers.index
    )


def split_ranking(answers: pd.Series) -> pd.DataFrame:
    """A ranking column as the place (1 = first) of each option."""
    lists = _given(answers).str.split(RANKING, regex=False)
    options = list(dict.fromkeys(o.strip() for row in lists for o in row if o.strip()))
    places = lists.map(lambda row: {o.strip(): float(i) for i, o in enumerate(row, 1)})
    return pd.DataFrame({o: places.map(lambda row, o=o: row.get(o)) for o in options}).reindex(
        answers.index
    )

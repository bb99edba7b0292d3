"""The item table of ratings whose scale and wording only the answers tell."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary

import pandas as pd

from svcmetrics.io.mapping import Answer, Mapping
from svcmetrics.io.quality import Tally
from svcmetrics.problems import Problem, StudyError

_SCALES = ((1, 5), (1, 7), (1, 10), (0, 10), (0, 100))
# A few scores beyond a usual scale are typing errors, not a longer scale.
_WITHIN = 0.95


def item_table(
    answers: pd.DataFrame, items: Dictionary[str, Answer], mapping: Mapping, tally: Tally
) -> pd.DataFrame:
    """One row per item of ``answers``; the scale is declared in the mapping or the usual one that fits."""
    ids = pd.Series(answers["item"].unique(), dtype="str")
    known = [items.get(i, Answer("", i)) for i in ids]
    wording = pd.Series([a.text or a.item for a in known], dtype="str")
    chinese = wording.str.contains(r"[\u4e00-\u9fff]", regex=True)
    stated = {c: mapping.constant(f"item.{c}") for c in ("min", "max", "dimension", "aspect")}
    ranges = _ranges(answers, ids, known, stated)
    table = pd.DataFrame(
        {
            "form_version": mapping.constant("plan.form_version", "form"),
            "item_id": ids,
            "dimension": stated["dimension"] or "overall",
            "aspect": stated["aspect"] or "result",
            "text_zh": wording.where(chinese),
            "text_en": wording.where(~chinese),
            "min": [low for low, _ in ranges],
            "max": [high for _, high in ranges],
            "reversed": [a.kind == "ranking" for a in known],  # place 1 is the best
        }
    )
    _refuse_outside(answers, table, tally)
    if not all(stated.values()):
        low, high = ranges[0]
        columns = [c for c, v in stated.items() if not v]
        tally.say("assumed_items", "warning", low=low, high=high, columns=columns)
    return table


def _ranges(
    answers: pd.DataFrame, ids: pd.Series, known: list[Answer], stated: dict[str, str]
) -> list[tuple[float, float]]:
    """Choices are 0 or 1, places run from 1; all other items share one scale."""
    kinds = {i: a.kind for i, a in zip(ids, known)}
    of_kind = answers["item"].map(kinds)
    low, high = usual_scale(answers["score"][of_kind == "score"].dropna())
    places = answers["score"][of_kind == "ranking"].max()
    fixed = {"choice": (0.0, 1.0), "ranking": (1.0, float(places))}
    common = (float(stated["min"] or low), float(stated["max"] or high))
    return [fixed.get(kinds[i], common) for i in ids]


def usual_scale(scores: pd.Series) -> tuple[float, float]:
    """The shortest usual scale that holds nearly all scores; their own range when none does."""
    if not len(scores):
        return 1.0, 5.0
    if scores.isin([0, 1]).all() and (scores == 0).any():
        return 0.0, 1.0
    for low, high in _SCALES:
        if scores.between(low, high).mean() >= _WITHIN:
            return float(low), float(high)
    return float(scores.min()), float(scores.max())


def _refuse_outside(answers: pd.DataFrame, table: pd.DataFrame, tally: Tally) -> None:
    bounds = table.set_index("item_id")
    low, high = answers["item"].map(bounds["min"]), answers["item"].map(bounds["max"])
    outside = (answers["score"] < low) | (answers["score"] > high)
    if not outside.any():
        return
    rows = tuple(int(r) for r in answers.index[outside][:50])
    values = {
        "low": float(low[outside].iloc[0]),
        "high": float(high[outside].iloc[0]),
        "example": f"{answers['score'][outside].iloc[0]:g}",
    }
    count = int(outside.sum())
    raise StudyError(
        Problem("import_outside_scale", values, file=tally.source, rows=rows, count=count)
    )

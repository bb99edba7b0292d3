"""The item table of ratings whose scale and wording only the answers tell."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary

import pandas as pd

from svcmetrics.io.mapping import Mapping
from svcmetrics.io.quality import Tally
from svcmetrics.problems import Problem, StudyError

_SCALES = ((1, 5), (1, 7), (1, 10), (0, 10), (0, 100), (0, 1))


def item_table(
    answers: pd.DataFrame, texts: Dictionary[str, str], mapping: Mapping, tally: Tally
) -> pd.DataFrame:
    seen = answers.groupby("item", sort=False)["score"].agg(["min", "max"])
    ids = pd.Series(seen.index, dtype="str")
    wording = pd.Series([texts.get(i) or i for i in ids], dtype="str")
    chinese = wording.str.contains(r"[\u4e00-\u9fff]", regex=True)
    low, high = _scale(seen["min"].min(), seen["max"].max())
    stated = {c: mapping.constant(f"item.{c}") for c in ("min", "max", "dimension", "aspect")}
    table = pd.DataFrame({
        "form_version": mapping.constant("plan.form_version", "form"), "item_id": ids,
        "dimension": stated["dimension"] or "overall", "aspect": stated["aspect"] or "result",
        "text_zh": wording.where(chinese), "text_en": wording.where(~chinese),
        "min": float(stated["min"] or low), "max": float(stated["max"] or high), "reversed": False,
    })  # fmt: skip
    _refuse_outside(answers, table, tally)
    if not all(stated.values()):
        tally.say(
            "assumed_items",
            "warning",
            low=float(table["min"].iloc[0]),
            high=float(table["max"].iloc[0]),
            columns=[c for c, v in stated.items() if not v],
        )
    return table


def _scale(low: float, high: float) -> tuple[float, float]:
    """The shortest usual scale that holds all scores; their own range when none does."""
    fits = [
        s for s in _SCALES if s[0] <= low and high <= s[1] and high > (s[1] if s == (0, 1) else 1)
    ]
    return (
        fits[0]
        if fits
        else (0, 1)
        if (low, high) in ((0, 0), (0, 1))
        else (low, high)
        if low < high
        else (low - 1, high)
    )


def _refuse_outside(answers: pd.DataFrame, table: pd.DataFrame, tally: Tally) -> None:
    low, high = float(table["min"].iloc[0]), float(table["max"].iloc[0])
    outside = (answers["score"] < low) | (answers["score"] > high)
    if not outside.any():
        return
    example = f"{answers['score'][outside].iloc[0]:g}"
    rows = tuple(int(r) for r in answers.index[outside][:50])
    values = {"low": low, "high": high, "example": example}
    count = int(outside.sum())
    raise StudyError(
        Problem("import_outside_scale", values, file=tally.source, rows=rows, count=count)
    )

"""Judgements of a panel about items: one row per item and judge, read once."""

from __future__ import annotations

import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.tables import numbers, require, unique


def read_words(
    judgements: pd.DataFrame, *, item: str, judge: str, relevance: str
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows with an item, a judge and a judgement (as text), sorted; and how many were dropped."""
    require(judgements, item, judge, relevance)
    rows = judgements[[item, judge, relevance]].reset_index(drop=True)
    no_word = rows[relevance].isna()
    no_id = rows[[item, judge]].isna().any(axis=1) & ~no_word
    kept = rows[~(no_word | no_id)]
    unique(kept, item, judge)
    dropped = {"no_score": int(no_word.sum()), "no_id": int(no_id.sum())}
    return kept.sort_values([item, judge]), {k: v for k, v in dropped.items() if v}


def read_ratings(
    judgements: pd.DataFrame, *, item: str, judge: str, relevance: str, scale: tuple[float, float]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The same with judgements as numbers on a scale; digits written as text are numbers too."""
    require(judgements, relevance)
    low, high = scale
    column = judgements[relevance]
    if pd.api.types.is_string_dtype(column) or column.dtype == object:
        # The canonical column is text, because Lawshe's answers are words.
        column = column.where(
            pd.to_numeric(column, errors="coerce").isna(), pd.to_numeric(column, errors="coerce")
        )
    values = numbers(judgements.assign(**{relevance: column}), relevance)
    outside = values.notna() & ~values.between(low, high)
    if outside.any():
        raise table_error(
            "off_the_scale", column=relevance, rows=outside.to_numpy().nonzero()[0],
            bad=float(values[outside].iloc[0]), low=low, high=high,
        )  # fmt: skip
    return read_words(
        judgements.assign(**{relevance: values}), item=item, judge=judge, relevance=relevance
    )

"""Judgements of a panel about items: one row per item and judge, read once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.tables import numbers, require, unique

# Lawshe's three answers; one table may hold them beside ratings on a scale.
ESSENTIAL = ("essential", "必要", "必需")
OTHERWISE = ("useful", "有用", "not_necessary", "not necessary", "不必要")


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
    words = column.astype("object").isin([*ESSENTIAL, *OTHERWISE]).to_numpy()
    judgements = judgements[~words]
    column = in_digits(judgements[relevance])
    values = numbers(judgements.assign(**{relevance: column}), relevance)
    outside = values.notna() & ~values.between(low, high)
    if outside.any():
        raise table_error(
            "off_the_scale", column=relevance, rows=outside.to_numpy().nonzero()[0],
            bad=float(values[outside].iloc[0]), low=low, high=high,
        )  # fmt: skip
    kept, dropped = read_words(
        judgements.assign(**{relevance: values}), item=item, judge=judge, relevance=relevance
    )
    return kept, dropped | ({"in_words": int(words.sum())} if words.any() else {})


def in_digits(column: pd.Series) -> pd.Series:
    """Digits written as text become numbers; words stay, so that the reader can name them."""
    if pd.api.types.is_string_dtype(column) or column.dtype == object:
        values = _parsed(column)
        if values.isna().equals(column.isna()):
            return values
        return column.astype("object").where(values.isna(), values)
    return column


def without_ratings(
    judgements: pd.DataFrame, relevance: str, words: set[str]
) -> tuple[pd.DataFrame, int]:
    """The rows that are answers in words, where words are asked for; and how many were set aside."""
    require(judgements, relevance)
    if any(w.replace(".", "", 1).isdigit() for w in words):
        return judgements, 0
    rated = _parsed(judgements[relevance]).notna().to_numpy()
    return judgements[~rated], int(np.sum(rated))


def _parsed(column: pd.Series) -> pd.Series:
    """What is written as a number; anything else is missing.

    As Python objects: in columns that Arrow holds, a word would become NaN, which counts as given.
    """
    return pd.to_numeric(column.astype("object"), errors="coerce")

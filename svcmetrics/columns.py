"""Columns of a table as a statistic needs them: there, numeric, complete, unique; or a clear error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error


def require(table: pd.DataFrame, *columns: str | None) -> None:
    """Stop with one clear error when a named column is not there. None is skipped."""
    missing = [c for c in columns if c is not None and c not in table.columns]
    if missing:
        raise table_error(
            "missing_columns", missing=missing, present=[str(c) for c in table.columns][:20]
        )


def numbers(table: pd.DataFrame, column: str) -> pd.Series:
    """A column as float64, whatever numeric type it came in; missing stays missing.

    Text, infinities and dates in a number column are an error that names the rows: turning
    them into missing values would change the result in silence.
    """
    require(table, column)
    values = table[column]
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf":
        out = values.to_numpy(np.float64, copy=True)
        if not np.isinf(out).any():
            return pd.Series(out, index=table.index, name=column)
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values):
        raise table_error(
            "not_a_number",
            column=column,
            bad=str(values.iloc[0]) if len(values) else "",
            count=len(values),
        )
    out = (
        pd.to_numeric(values, errors="coerce")
        .astype("Float64")
        .to_numpy("float64", na_value=np.nan)
    )
    given = values.notna().to_numpy()
    bad = given & (np.isnan(out) & ~_is_nan(values) | np.isinf(out))
    if pd.api.types.is_string_dtype(values) or values.dtype == object:
        bad |= given & np.array([isinstance(v, str) for v in values])
    if bad.any():
        where = np.flatnonzero(bad)
        raise table_error("not_a_number", column=column, bad=_examples(values[bad]), rows=where)
    return pd.Series(out, index=table.index, name=column)


def _examples(bad: pd.Series) -> list[str]:
    """A few entries that are no numbers, words before digits that were stored as text."""
    words = list(dict.fromkeys(str(v) for v in bad))
    return sorted(words, key=lambda w: w.strip("0123456789.") == "")[:5]


def complete(
    table: pd.DataFrame, *, score: str, by: Sequence[str] = ()
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows with a score and all ids, the score as float64; and how many were dropped, by reason."""
    require(table, score, *by)
    kept = table[[*dict.fromkeys((*by, score))]].copy()
    kept[score] = numbers(table, score)
    no_score = kept[score].isna()
    no_id = kept[list(by)].isna().any(axis=1) if by else pd.Series(False, index=kept.index)
    dropped = {"no_score": int(no_score.sum()), "no_id": int((no_id & ~no_score).sum())}
    out = no_score | no_id
    return kept[~out] if out.any() else kept, {k: v for k, v in dropped.items() if v}


def unique(table: pd.DataFrame, *columns: str) -> None:
    """Stop when two rows share a key: averaging them in silence would give a wrong number."""
    double = table.duplicated(list(columns), keep=False).to_numpy()
    if double.any():
        where = np.flatnonzero(double)
        first = table.iloc[where[0]]
        raise table_error(
            "duplicate_rows",
            rows=where,
            key=list(columns),
            example=[str(first[c]) for c in columns],
        )


def once(table: pd.DataFrame, *key: str, score: str) -> tuple[pd.DataFrame, int]:
    """The rows without forms that were sent twice, and how many those were.

    Only where *every* repeat of the key is the same in all columns: ratings that differ are
    ratings of their own, and what to do with them the caller must say.
    """
    require(table, *key, score)
    whole = np.flatnonzero(table[[*dict.fromkeys((*key, score))]].notna().all(axis=1))
    rows = table.iloc[whole]
    again = rows.duplicated(list(key)).to_numpy()
    if not again.any() or not rows.duplicated().to_numpy()[again].all():
        return table, 0
    kept = np.ones(len(table), dtype=bool)
    kept[whole[again]] = False
    return table[kept], int(again.sum())


def to_scores(values: Iterable[object], words: dict[str, float]) -> pd.Series:
    """Answers in words as numbers: {"非常满意": 5, …}. A word that is not listed is an error."""
    series = pd.Series(list(values), dtype="object")
    unknown = sorted({str(v) for v in series.dropna()} - set(words))
    if unknown:
        raise table_error("unknown_word", unknown=unknown[:10], known=list(words))
    return series.map(lambda v: np.nan if pd.isna(v) else words[str(v)]).astype("float64")


def _is_nan(values: pd.Series) -> np.ndarray:
    return (
        np.array([isinstance(v, float) and np.isnan(v) for v in values])
        if values.dtype == object
        else np.zeros(len(values), bool)
    )

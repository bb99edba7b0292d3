"""What every table must be: columns there, required cells filled, words, bounds, keys, references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.checks.view import View, filled, nearest, some, within
from svcmetrics.tables import INLINE_PLAN, LITE, TABLES, Column, Table

# The persons of a study are pseudonyms: their columns are never shown in a problem.
PERSON_COLUMNS = ("rater_key", "actor_key", "judge_key")


def check(view: View) -> None:
    """All tables, one by one."""
    for name in LITE:
        if not view.study.has(name):
            view.say("missing_table", name, level="warning")
    for name, table in TABLES.items():
        frame = view.table(name)
        if frame is None:
            continue
        _columns(view, table, frame)
        for column in table.columns:
            if column.name in frame.columns:
                _cells(view, table, column, frame)
        _keys(view, table, frame)


def _columns(view: View, table: Table, frame: pd.DataFrame) -> None:
    missing = [c for c in table.required if c not in frame.columns]
    if missing:
        titles = [f"{table[c].header(table.name, 'zh')} {c}" for c in missing]
        view.say(
            "columns_missing",
            table.name,
            missing=titles,
            present=list(map(str, frame.columns))[:20],
        )
    if not len(frame):
        view.say("table_no_rows", table.name, level="warning")


def _cells(view: View, table: Table, column: Column, frame: pd.DataFrame) -> None:
    values = frame[column.name]
    if column.required:
        view.say("required_blank", table.name, values.isna(), column=column.name)
    if column.kind in ("int", "float"):
        _bounds(view, table, column, values)
    if column.words:
        unknown = values.notna() & ~values.isin(column.words)
        if unknown.any():
            bad = str(values[unknown].iloc[0])
            near = nearest(bad, column.words)
            view.say(
                "word_unknown",
                table.name,
                unknown,
                column=column.name,
                bad=bad,
                known=list(column.words),
                near=near,
            )
    if column.refers:
        _references(view, table, column, values)


def _bounds(view: View, table: Table, column: Column, values: pd.Series) -> None:
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        if values.notna().any():
            view.say(
                "not_number",
                table.name,
                values.notna(),
                column=column.name,
                bad=str(values.dropna().iloc[0])[:40],
            )
        return
    number = values.astype("Float64").to_numpy("float64", na_value=np.nan)
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    bad = (number < low) | (number > high) | np.isinf(number)
    if bad.any():
        first = float(number[bad][0])
        view.say(
            "out_of_bounds",
            table.name,
            bad,
            column=column.name,
            bad=f"{first:g}",
            allowed=_range(column),
        )


def _range(column: Column) -> str:
    above = column.low is not None and 0 < column.low < 1e-300
    low = "> 0" if above else f"≥ {column.low:g}" if column.low is not None else ""
    high = f"≤ {column.high:g}" if column.high is not None else ""
    return ", ".join(part for part in (low, high) if part)


def _references(view: View, table: Table, column: Column, values: pd.Series) -> None:
    target, _, key = column.refers.partition(".")
    known = view.table(target, key)
    if known is None:
        return
    unknown = values.notna() & ~within(values, known[key])
    if unknown.any():
        bad = some(values[unknown])
        near = nearest(bad[0], known[key].dropna().astype(str))
        view.say(
            "reference_unknown",
            table.name,
            unknown,
            column=column.name,
            bad=bad,
            target=target,
            near=near,
        )


def _keys(view: View, table: Table, frame: pd.DataFrame) -> None:
    """One row per key. The same row twice and two rows that contradict each other are told apart."""
    key = [c for c in table.key if c in frame.columns]
    if table.name == "rating":
        key += [c for c in INLINE_PLAN if c in frame.columns and _is_lite(frame)]
    if not key or set(table.key) - set(key) - set(table.names) or not len(frame):
        return
    if any(c in table.required and c not in frame.columns for c in table.key):
        return
    whole = (
        frame[key].notna().any(axis=1)
        if table.name == "rating"
        else frame[_needed(table, key)].notna().all(axis=1)
    )
    double = frame.duplicated(key, keep=False) & whole
    if not double.any():
        return
    rows = frame[double]
    same = pd.Series(data=False, index=frame.index)
    same[double] = rows.duplicated(keep=False)
    shown: dict[str, Any] = {"key": [c for c in key if c not in PERSON_COLUMNS]}
    view.say("row_twice", table.name, same, **shown)
    view.say("key_twice", table.name, double & ~same, **shown)


def _needed(table: Table, key: list[str]) -> list[str]:
    return [c for c in key if c in table.required] or key


def _is_lite(frame: pd.DataFrame) -> bool:
    return bool((~filled(frame, "plan_id") & ~filled(frame, "case_id")).any())

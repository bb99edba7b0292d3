"""Rows of a store: every cell as text, and what tells one question from another."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from svcmetrics.io.study_out import cell_text
from svcmetrics.io.table_cells import canonical
from svcmetrics.problems import Problem, StudyError
from svcmetrics.tables import INLINE_PLAN, TABLES

# What tells one question from another: plan or case and item; without a plan, who rated whom.
_QUESTION = (
    "plan_id",
    "case_id",
    "item_id",
    "wave",
    "rater_key",
    "target_id",
    "service_id",
    "mode",
)


def columns_of(table: str) -> list[str]:
    return list(TABLES[table].names)


def as_text(name: str, table: pd.DataFrame, timezone: str) -> pd.DataFrame:
    """Every cell checked and as text, blank cells as None, every column of the table there."""
    counted = table.set_axis(pd.RangeIndex(1, len(table) + 1), axis=0)
    clean, problems = canonical(name, counted, timezone)
    lacking = [c for c in TABLES[name].required if c not in clean.columns]
    errors = [p for p in problems if p.level == "error"]
    if lacking:
        errors.append(
            Problem("columns_missing", {"missing": lacking, "present": list(table)}, table=name)
        )
    if errors:
        raise StudyError(errors)
    out = {}
    for column in TABLES[name].columns:
        values = clean[column.name]
        text = values.astype("str") if column.kind in ("id", "text", "word") else cell_text(
            values, column.kind
        )  # fmt: skip
        out[column.name] = text.astype("object").where(values.notna(), None)
    return pd.DataFrame(out)


def from_text(name: str, rows: Sequence[tuple], timezone: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns_of(name), dtype="object")
    return canonical(name, frame, timezone)[0]


def questions(rows: pd.DataFrame) -> pd.Series:
    """What each row answers; a planned rating is told by its plan, whoever the row names beside it."""
    text = rows[list(_QUESTION)].astype("object").fillna("").astype("str")
    known = text["plan_id"].ne("") | (text["rater_key"].ne("") & text["target_id"].ne(""))
    if not known.all():
        places = tuple(int(i) + 1 for i in text.index[~known][:8])
        count = int((~known).sum())
        raise StudyError(Problem("rating_of_nobody", rows=places, count=count, table="rating"))
    asked = asked_by(rows)
    twice = asked.duplicated(keep="first")
    if twice.any():
        places = tuple(int(i) + 1 for i in text.index[twice][:8])
        raise StudyError(
            Problem("rating_twice", rows=places, count=int(twice.sum()), table="rating")
        )
    return asked


def asked_by(rows: pd.DataFrame) -> pd.Series:
    text = rows[list(_QUESTION)].astype("object").fillna("").astype("str")
    inline = [c for c in _QUESTION if c in INLINE_PLAN]
    text.loc[text["plan_id"].ne(""), inline] = ""
    return text[_QUESTION[0]].str.cat(text[list(_QUESTION[1:])], sep="\x1f")

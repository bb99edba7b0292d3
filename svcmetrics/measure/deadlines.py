"""Deadlines agreed case by case: the first one, and the last change that both sides accepted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.instants import NONE, ticks
from svcmetrics.problems import table_error
from svcmetrics.tables import numbers, require, unique


def deadlines(commitments: pd.DataFrame, timezone: str) -> Table:
    """Per case: agreed_us, due_us (first agreement) and due_revised_us (in force at the end).

    A change counts when neither side has refused it and it was agreed before the time then in
    force had run out: a deadline that is moved after it has passed is no deadline.
    """
    require(commitments, "case_id", "rev", "agreed_at", "due_at")
    unique(commitments, "case_id", "rev")
    table = commitments.reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "case_id": table["case_id"].astype("str"),
            "rev": numbers(table, "rev"),
            "agreed_us": ticks(table["agreed_at"], timezone),
            "due_us": ticks(table["due_at"], timezone),
            "accepted": _accepted(table, "requester_ok") & _accepted(table, "provider_ok"),
        }
    )
    wrong = (rows["due_us"] <= rows["agreed_us"]) | (rows["due_us"] == NONE)
    if wrong.any():
        raise table_error("due_before_agreed", rows=np.flatnonzero(wrong))
    rows = rows.sort_values(["case_id", "rev"], kind="stable")
    first = rows.groupby("case_id", as_index=False).first()
    # The deadline before a change; a chain of changes is judged link by link.
    before = rows.groupby("case_id")["due_us"].shift()
    valid = rows["accepted"] & (before.isna() | (rows["agreed_us"] <= before))
    last = rows.loc[valid, ["case_id", "due_us"]].groupby("case_id", as_index=False).last()
    out = first[["case_id", "agreed_us", "due_us"]].merge(
        last.rename(columns={"due_us": "due_revised_us"}), on="case_id", how="left"
    )
    out["due_revised_us"] = out["due_revised_us"].fillna(out["due_us"]).astype("int64")
    return engine.small(out)


def _accepted(table: pd.DataFrame, column: str) -> pd.Series:
    """No word from a side counts as consent; only a refusal does not."""
    if column not in table:
        return pd.Series(True, index=table.index)
    return table[column].astype("boolean").fillna(True).astype(bool)

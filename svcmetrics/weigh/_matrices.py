"""Rows of judgements as one matrix per judge: read once for the weights and for their consistency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.tables import numbers, require

# Two answers to one question count as one when they agree to this factor (0.33 for 1/3).
_SLACK = 0.02


@dataclass(frozen=True)
class Matrices:
    """``a[k, i, j]``: how many times node i counts more than node j for judge k; NaN: not asked."""

    nodes: list[str]
    judges: list[object]
    a: np.ndarray
    dropped: dict[str, int]


def read_matrices(
    judgements: pd.DataFrame, *, judge: str | None, of: str, over: str, value: str
) -> Matrices:
    """Check the rows and lay them out; a row without a value or an id is left out and counted."""
    require(judgements, judge, of, over, value)
    judgements = judgements.reset_index(drop=True)  # labels may repeat after a concat
    values = numbers(judgements, value)
    _stop(judgements, values <= 0, "not_above_zero", value)
    ids = [c for c in (judge, of, over) if c is not None]
    no_value = values.isna()
    no_id = judgements[ids].isna().any(axis=1) & ~no_value
    rows = judgements.loc[~(no_value | no_id), ids].assign(**{value: values})
    _stop(rows, rows[of].astype(str) == rows[over].astype(str), "compared_with_itself", over)
    dropped = {"no_value": int(no_value.sum()), "no_id": int(no_id.sum())}
    nodes = sorted({*rows[of].astype(str), *rows[over].astype(str)})
    if len(nodes) < 2:
        raise table_error("too_few_nodes", column=of, found=len(nodes))
    judges = [""] if judge is None else sorted(rows[judge].unique(), key=str)
    k = np.zeros(len(rows), int) if judge is None else pd.Categorical(rows[judge], judges).codes
    a = _laid_out(rows, (k, of, over, value), nodes, len(judges))
    return Matrices(nodes, judges, a, {r: c for r, c in dropped.items() if c})


def _laid_out(rows: pd.DataFrame, cells: tuple, nodes: list[str], judges: int) -> np.ndarray:
    k, of, over, value = cells
    i = pd.Categorical(rows[of].astype(str), nodes).codes
    j = pd.Categorical(rows[over].astype(str), nodes).codes
    x = rows[value].to_numpy()
    a = np.full((judges, len(nodes), len(nodes)), np.nan)
    a[:, np.arange(len(nodes)), np.arange(len(nodes))] = 1.0
    double = pd.DataFrame({"k": k, "i": i, "j": j}, index=rows.index).duplicated(keep=False)
    _stop(rows, double, "judged_twice", over)
    a[k, i, j] = x
    back = a[k, j, i]
    # Both directions were asked: they must agree, or one of the two would win in silence.
    _stop(rows, np.abs(np.log(back * x)) > _SLACK, "directions_differ", value)
    a[k, j, i] = 1 / x
    return a


def _stop(rows: pd.DataFrame, bad: object, key: str, column: str) -> None:
    where = np.flatnonzero(np.asarray(bad))
    if len(where):
        first = rows.iloc[where[0]]
        raise table_error(key, column=column, rows=where, example=[str(v) for v in first])

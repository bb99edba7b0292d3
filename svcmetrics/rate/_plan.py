"""A rating plan wave by wave: who is asked about whom, as codes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import sparse

from svcmetrics.numeric.links import count_table
from svcmetrics.problems import table_error
from svcmetrics.tables import require


def read_plan(
    plan: pd.DataFrame, *columns: str | None, wave: str | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows whose ids are all there; and how many were dropped."""
    named = [c for c in (wave, *columns) if c is not None]
    require(plan, *named)
    rows = plan[named].reset_index(drop=True)
    kept = rows.dropna()
    lost = len(rows) - len(kept)
    return kept, {"no_id": lost} if lost else {}


def waves(rows: pd.DataFrame, wave: str | None) -> Iterator[tuple[dict[str, object], pd.DataFrame]]:
    """Each wave with its grouping columns; all rows at once when there is no wave column."""
    if wave is None:
        yield {}, rows
        return
    for name, part in rows.groupby(wave):
        yield {wave: name}, part


def forms(part: pd.DataFrame, rater: str, target: str) -> tuple[sparse.csr_array, list[object]]:
    """Forms per rater and target, and the names of the targets."""
    who, raters = pd.factorize(part[rater], sort=True)
    whom, targets = pd.factorize(part[target], sort=True)
    table = count_table(who.astype(np.intp), whom.astype(np.intp), (len(raters), len(targets)))
    return table, list(targets)


def check_share(name: str, value: float) -> None:
    """A share of 0 would expect nothing at all, one above 1 more than is asked."""
    if not 0 < value <= 1:
        raise table_error("share_out_of_range", name=name, found=value)

"""What is odd about who rated whom, and how: said beside every coefficient of ratings.

Not a statistic. Flat raters, ratings of one's own department, blocks without a link.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.result import Finding
from svcmetrics.verify import grid as grids

# Fewer targets than this cannot show that a rater makes no difference between them.
_TARGETS = 3


def odd(ratings: pd.DataFrame, grid: grids.Grid, *, target: str, rater: str) -> list[Finding]:
    """Warnings about the ratings as they stand; none of them changes a number."""
    found = []
    flat = flat_raters(grid)
    if flat:
        found.append(Finding("oddities.flat", {"count": len(flat), "raters": flat[:5]}, "warning"))
    own = _own_unit(ratings, target, rater)
    if own:
        found.append(Finding("oddities.own_unit", own, "warning"))
    parts = blocks(grid)
    if parts > 1:
        found.append(Finding("oddities.disconnected", {"parts": parts}, "warning"))
    return found


def blocks(grid: grids.Grid) -> int:
    """Into how many parts without a link the ratings fall."""
    return 1 if grid.is_complete else int(grids.blocks(grid).max()) + 1


def flat_raters(grid: grids.Grid) -> list[str]:
    """Raters who gave one and the same score to three targets or more, while others did not."""
    size = len(grid.columns)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, grid.column, grid.score)
    np.maximum.at(high, grid.column, grid.score)
    flat = (low == high) & (np.bincount(grid.column, minlength=size) >= _TARGETS)
    return [] if flat.all() else [str(grid.columns[i]) for i in np.flatnonzero(flat)]


def _own_unit(ratings: pd.DataFrame, target: str, rater: str) -> dict[str, Any] | None:
    """A further column that names a department for each rater: are own departments rated?"""
    others = [c for c in ratings.columns if c not in (target, rater)]
    others = [c for c in others if not pd.api.types.is_numeric_dtype(ratings[c])]
    targets = set(ratings[target].dropna().unique().tolist()) if others else set()
    for name in others:
        units = ratings[[rater, name]].dropna().drop_duplicates().astype("object")
        one_each = not units[rater].duplicated().any()
        if len(units) and one_each and set(units[name]) <= targets:
            own = int((ratings[target].astype("object") == ratings[name].astype("object")).sum())
            if own:
                return {"column": str(name), "count": own}
    return None

"""Indicators as a matrix of departments by indicators; only complete departments are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.tables import numbers, require, unique


@dataclass(frozen=True)
class Grid:
    """``x[i, j]``: indicator j of department i."""

    targets: list[object]
    names: list[str]
    x: np.ndarray
    dropped: dict[str, int]


def read_grid(indicators: pd.DataFrame, *, target: str, indicator: str, value: str) -> Grid:
    """Check the rows and lay them out; departments that lack an indicator are left out, counted."""
    require(indicators, target, indicator, value)
    rows = indicators.assign(**{value: numbers(indicators, value)})
    no_id = rows[[target, indicator]].isna().any(axis=1)
    rows = rows[~no_id & rows[value].notna()]
    unique(rows, target, indicator)
    targets, names = (sorted(rows[c].unique(), key=str) for c in (target, indicator))
    x = np.full((len(targets), len(names)), np.nan)
    at = pd.Categorical(rows[target], targets).codes, pd.Categorical(rows[indicator], names).codes
    x[at] = rows[value].to_numpy()
    whole = ~np.isnan(x).any(axis=1)
    dropped = {"no_id": int(no_id.sum()), "incomplete_targets": int((~whole).sum())}
    kept = [t for t, ok in zip(targets, whole) if ok]
    found = {k: v for k, v in dropped.items() if v}
    return Grid(kept, [str(n) for n in names], x[whole], found)


def signs(better: Mapping[str, str], names: list[str]) -> np.ndarray:
    """+1 where more is better, -1 where less is; a missing direction is an error."""
    for name in names:
        if better.get(name) not in ("higher", "lower"):
            raise table_error("direction_missing", name=name)
    return np.array([1.0 if better[name] == "higher" else -1.0 for name in names])


def leave_one_out(
    x: np.ndarray, weights: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest weights when any one department is left out."""
    missing = np.full(x.shape[1], np.nan)
    if len(x) < 3:
        return missing, missing
    each = np.array([weights(np.delete(x, i, axis=0)) for i in range(len(x))])
    if np.isnan(each).any():
        return missing, missing
    whole = weights(x)
    return np.minimum(each.min(axis=0), whole), np.maximum(each.max(axis=0), whole)

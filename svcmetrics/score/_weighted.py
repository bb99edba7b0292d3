"""Indicators and their weights as arrays: read once for the composite and its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.result import Finding
from svcmetrics.tables import numbers, require, unique

VALUE = ("estimate", "low", "high")


@dataclass(frozen=True)
class Weighted:
    """``x[i, j]``: value of indicator j for target i, with limits; ``w``: weights that sum to 1."""

    targets: list[object]
    names: list[str]
    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
    w: np.ndarray
    w_low: np.ndarray
    w_high: np.ndarray
    dropped: dict[str, int]
    findings: list[Finding]


def read_weighted(
    indicators: pd.DataFrame,
    weights: pd.DataFrame | Mapping[str, float],
    *,
    target: str,
    indicator: str,
    value: str | Sequence[str],
) -> Weighted:
    """Check both tables and lay them out; a value that is not there stays missing."""
    columns = value_columns(indicators, value)
    require(indicators, target, indicator, *columns)
    rows = indicators.reset_index(drop=True)
    no_id = rows[[target, indicator]].isna().any(axis=1)
    rows = rows[~no_id]
    names, w, w_low, w_high = _weights(weights, indicator)
    rows = rows.assign(**{indicator: rows[indicator].astype(str)})
    unweighted = sorted(set(rows[indicator]) - set(names))
    absent = [n for n, v in zip(names, w) if n not in set(rows[indicator]) and v > 0]
    if absent:
        raise table_error("weights_unmatched", absent=absent, present=sorted(set(rows[indicator])))
    used = rows[rows[indicator].isin(names)]
    unique(used, target, indicator)
    targets = sorted(used[target].unique(), key=str)
    at = pd.Categorical(used[target], targets).codes, pd.Categorical(used[indicator], names).codes
    shape = (len(targets), len(names))
    x = _wide(numbers(used, columns[0]).to_numpy(), at, shape)
    limits = columns[1:] if len(columns) == 3 else ["", ""]
    low, high, n = (_optional(used, c, at, shape) for c in (*limits, "n"))
    dropped = {"no_id": int(no_id.sum()), "no_weight": len(rows) - len(used)}
    found = [Finding("weighted.unweighted", {"names": unweighted}, "warning")] if unweighted else []
    total = w.sum()
    if abs(total - 1) > 1e-6:
        found.append(Finding("weighted.rescaled", {"total": float(total)}, "warning"))
    return Weighted(
        targets, names, x, np.minimum(low, x), np.maximum(high, x), n,
        w / total, w_low / total, w_high / total, {k: v for k, v in dropped.items() if v}, found,
    )  # fmt: skip


def value_columns(table: pd.DataFrame, value: str | Sequence[str]) -> list[str]:
    """The column of the value, or of the value and its two limits.

    The limits of the usual names may be absent; those that the caller named may not.
    """
    columns = [value] if isinstance(value, str) else list(value)
    if len(columns) not in (1, 3):
        raise table_error("uncertainty_columns", found=columns)
    if columns == list(VALUE) and not set(VALUE) <= set(table.columns):
        return columns[:1]
    return columns


def _weights(
    weights: pd.DataFrame | Mapping[str, float], indicator: str
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Names, weights and their limits, from a mapping, a weight table or a result of ``weigh``."""
    if isinstance(weights, Mapping):
        weights = pd.DataFrame({"node": list(weights), "weight": list(weights.values())})
    value = "weight" if "weight" in weights.columns else "estimate"
    require(weights, value)
    name = _name_column(weights, indicator)
    unique(weights, name)
    rows = weights[weights[name].notna()].sort_values(name)
    w = numbers(rows, value).to_numpy()
    if not (w >= 0).all() or w.sum() <= 0:
        raise table_error("weights_unusable", column=value)
    limits = [
        numbers(rows, c).to_numpy() if c in rows.columns else np.full(len(w), np.nan)
        for c in ("low", "high")
    ]
    low, high = (np.where(np.isnan(limit), w, limit) for limit in limits)
    return rows[name].astype(str).tolist(), w, np.fmin(low, w), np.fmax(high, w)


def _name_column(weights: pd.DataFrame, indicator: str) -> str:
    """The column that names what is weighed: in a result, the one that stands before "metric"."""
    if {"metric", "estimate"} <= set(weights.columns):
        before = list(weights.columns[: list(weights.columns).index("metric")])
        if before:
            return str(before[-1])
    for name in (indicator, "node"):
        if name in weights.columns:
            return name
    raise table_error("missing_columns", missing=[indicator], present=list(weights.columns))


def _wide(
    values: np.ndarray, at: tuple[np.ndarray, np.ndarray], shape: tuple[int, int]
) -> np.ndarray:
    out = np.full(shape, np.nan)
    out[at] = values
    return out


def _optional(
    used: pd.DataFrame, column: str, at: tuple[np.ndarray, np.ndarray], shape: tuple[int, int]
) -> np.ndarray:
    if column not in used.columns:
        return np.full(shape, np.nan)
    return _wide(numbers(used, column).to_numpy(), at, shape)

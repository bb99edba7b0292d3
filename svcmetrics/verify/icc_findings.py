"""What an ICC says to a reader, and what a reader must know before using it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.result import Finding
from svcmetrics.verify import grid as grids

# Koo and Li 2016, p. 161: below 0.5 poor, 0.75 moderate, 0.9 good; read on the lower limit.
_GRADES = ((0.5, "poor"), (0.75, "moderate"), (0.9, "good"), (np.inf, "excellent"))
_FEW_TARGETS = 10


def refusal(grid: grids.Grid) -> Finding | None:
    """Why there can be no ICC, or None."""
    targets, raters = len(grid.rows), len(grid.columns)
    if not len(grid.score):
        return Finding("icc.no_scores", {}, "refused")
    if raters < 2:
        return Finding("icc.one_rater", {"rater": grid.columns[0]}, "refused")
    if targets < 2:
        return Finding("icc.one_target", {"target": grid.rows[0]}, "refused")
    if np.bincount(grid.row).max() < 2:
        return Finding("icc.never_two", {"targets": targets}, "refused")
    return _no_variation(grid)


def _no_variation(grid: grids.Grid) -> Finding | None:
    """All scores equal, or all scores of each rater."""
    if np.ptp(grid.score) == 0:
        return Finding("icc.no_variation", {"score": float(grid.score[0])}, "refused")
    if grid.is_complete and (np.ptp(grid.table(), axis=0) == 0).all():
        values = {"raters": len(grid.columns), "targets": len(grid.rows)}
        return Finding("icc.constant_raters", values, "refused")
    return None


def reading(table: pd.DataFrame, parts: int = 1) -> list[Finding]:
    """The sentences on agreement of one rater and of the mean; one-way for unlinked blocks."""
    row = table[table["metric"] == "icc"].set_index("notation").to_dict("index")
    two_way = parts == 1 and np.isfinite(row["ICC(A,1)"]["estimate"])
    first, last = ("ICC(A,1)", "ICC(A,k)") if two_way else ("ICC(1)", "ICC(k)")
    one, mean = row[first], row[last]
    if not np.isfinite(one["estimate"]):
        return [Finding("icc.undefined", {}, "refused")]
    values = {
        "single": one["estimate"], "low": one["low"], "high": one["high"], "form": first,
        "mean": mean["estimate"], "mean_low": mean["low"], "mean_high": mean["high"],
        "mean_form": last, "raters": float(one["raters"]), "targets": int(one["n"]),
    }  # fmt: skip
    if one["estimate"] >= 1:
        return [Finding("icc.perfect", values)]
    if one["estimate"] < 0:
        return [Finding("icc.negative", values, "warning")]
    found = [Finding("icc.reading", values)]
    found += [
        Finding(f"icc.at_least_{g}", {"low": mean["low"]}) for m, g in _GRADES if mean["low"] < m
    ][:1]
    needed = one["raters_for_0.8"]
    if np.isfinite(needed) and mean["estimate"] < 0.8:
        found.append(Finding("icc.needed", {"needed": int(needed)}))
    return found


def warnings(grid: grids.Grid, table: pd.DataFrame, about: dict[str, Any]) -> list[Finding]:
    """What must be seen before the number is used."""
    found = list(grid.findings)
    if len(grid.rows) < _FEW_TARGETS:
        found.append(Finding("icc.few_targets", {"targets": len(grid.rows)}, "warning"))
    if not grid.is_complete:
        found += _incomplete(grid, about)
    if table["raw"].dropna().lt(0).any() and about["method"] == "Henderson":
        found.append(Finding("icc.raw_negative", {}, "warning"))
    return found


def _incomplete(grid: grids.Grid, about: dict[str, Any]) -> list[Finding]:
    per_target = np.bincount(grid.row)
    cells = len(grid.rows) * len(grid.columns)
    values = {
        "missing": cells - len(grid.score), "cells": cells, "method": about["method"],
        "incomplete": int((per_target < len(grid.columns)).sum()), "targets": len(grid.rows),
    }  # fmt: skip
    found = [Finding("icc.incomplete", values, "warning")]
    if not np.isfinite(about["components"]["target"]):
        found.append(Finding("icc.nested", {}, "warning"))
    return found

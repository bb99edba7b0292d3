"""What agreement coefficients say to a reader, and when they contradict each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.result import Finding
from svcmetrics.verify import grid as grids

# Kappa far below raw agreement because one score prevails: the paradox of prevalence.
_RAW, _LOW, _PREVALENT = 0.9, 0.4, 0.8
_FEW = 10


def refusal(grid: grids.Grid) -> Finding | None:
    """Why there can be no coefficient, or None."""
    if not len(grid.score):
        return Finding("agreement.no_scores", {}, "refused")
    if len(grid.columns) < 2:
        return Finding("agreement.one_rater", {"rater": grid.columns[0]}, "refused")
    if np.bincount(grid.row).max() < 2:
        return Finding("agreement.never_two", {"targets": len(grid.rows)}, "refused")
    if len(grid.rows) < 2:
        return Finding("agreement.one_target", {"target": grid.rows[0]}, "refused")
    if np.ptp(grid.score) == 0:
        return Finding("agreement.no_variation", {"score": float(grid.score[0])}, "refused")
    return None


def reading(grid: grids.Grid, table: pd.DataFrame, categories: int) -> list[Finding]:
    """The sentences: how much agreement, the paradox, few targets, what was missing."""
    rows = table[table["metric"] == "agreement"].set_index("variant").to_dict("index")
    main = rows["krippendorff"] if "krippendorff" in rows else next(iter(rows.values()))
    values = {
        "alpha": main["estimate"], "low": main["low"], "high": main["high"],
        "targets": int(main["n"]), "raters": len(grid.columns),
    }  # fmt: skip
    if "raw_agreement" not in rows:
        found = [Finding("agreement.measurements", {**values, "count": categories})]
    else:
        key = "reading" if rows["raw_agreement"]["weights"] == "nominal" else "reading_weighted"
        found = [
            Finding(f"agreement.{key}", {**values, "raw": 100 * rows["raw_agreement"]["estimate"]})
        ]
        found += _paradox(rows, grid.score)
    if main["estimate"] < 0 and len(found) == 1:
        found.append(Finding("agreement.negative", values, "warning"))
    if len(grid.rows) < _FEW:
        found.append(Finding("agreement.few_targets", {"targets": len(grid.rows)}, "warning"))
    single = int((np.bincount(grid.row) < 2).sum())
    if single:
        found.append(Finding("agreement.single", {"count": single}, "warning"))
    missing = len(grid.rows) * len(grid.columns) - len(grid.score)
    if missing:
        cells = len(grid.rows) * len(grid.columns)
        found.append(Finding("agreement.incomplete", {"missing": missing, "cells": cells}))
    return found


def _paradox(rows: dict[Any, dict[Any, Any]], scores: np.ndarray) -> list[Finding]:
    raw, alpha = rows["raw_agreement"]["estimate"], rows["krippendorff"]["estimate"]
    gwet = next(row["estimate"] for name, row in rows.items() if name.startswith("gwet"))
    commonest = np.unique(scores, return_counts=True)[1].max() / len(scores)
    if raw < _RAW or commonest < _PREVALENT or not alpha < _LOW:
        return []
    values = {"raw": 100 * raw, "alpha": alpha, "gwet": gwet, "share": 100 * commonest}
    return [Finding("agreement.paradox", values, "warning")]

"""Repeats per 100 cases with their intervals: the steps with the most of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import header, phrase
from svcmetrics.plots.style import INK, headline, plain, row_height, several, title_of

# The steps that cost most; the others are in the table.
_ROWS = 20


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """Inches that keep the names apart."""
    return row_height(len(_shown(table, about)))


def _shown(table: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    rows = table[(table["variant"] == about.get("shown")) & table["estimate"].notna()]
    return rows.sort_values(["count", "n"], ascending=[False, True], kind="stable").head(_ROWS)


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One row per step, the one with the most repeats on top."""
    rows = _shown(table, about)
    place = np.arange(len(rows))[::-1]
    ax.hlines(place, rows["low"], rows["high"], color=INK, linewidth=2, alpha=0.55)
    ax.plot(rows["estimate"], place, "o", color=INK, markersize=6)
    ax.set_yticks(place, _labels(rows))
    ax.set_ylim(-0.7, max(len(rows), 1) - 0.3)
    ax.set_xlim(left=0)
    ax.set_xlabel(phrase(f"variant.{about.get('shown', '')}", header("estimate")))
    headline(ax, title_of(about))
    return plain(ax)


def _step(step: Any) -> str:
    """The name of a step, or its number."""
    return step if isinstance(step, str) else f"{step:.0f}"


def _labels(rows: pd.DataFrame) -> list[str]:
    """The groups of a row, and its step as a number; no name for what it does not have."""
    names = [c for c in several(rows) if rows[c].notna().any()]
    steps = rows["step_no"].map(_step) if "step_no" in names else None
    shown = rows[names] if steps is None else rows[names].assign(step_no=steps)
    return [" · ".join(str(v) for v in row) for row in shown.itertuples(index=False)]

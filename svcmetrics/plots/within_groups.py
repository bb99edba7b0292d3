"""Agreement inside each department: one row each, with the customary threshold of 0.70."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import GOOD, INK, POOR, plain, row_height

_ROWS, _CUSTOMARY = 40, 0.7


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """Inches that keep the names apart."""
    return max(row_height(min(table[table.columns[0]].nunique(), _ROWS)), 4.0)


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Points: rwg against the uniform null, uncut; below 0 a department is split into camps."""
    column = table.columns[0]
    rwg = table["metric"].isin(["rwg", "rwg_j"]) & (table["variant"] == "uniform")
    rows = table[rwg & (table[column] != "")].head(_ROWS)
    place = np.arange(len(rows))[::-1]
    ax.axvline(_CUSTOMARY, color=INK, linewidth=1, linestyle="--")
    ax.hlines(place, rows["low"], rows["high"], color=INK, linewidth=2, alpha=0.45)
    ax.scatter(rows["raw"], place, color=np.where(rows["raw"] < 0, POOR, GOOD), zorder=3)
    ax.set_yticks(place, rows[column].astype(str))
    ax.set_ylim(-0.7, max(len(rows), 1) - 0.3)
    name = rows["metric"].iloc[0] if len(rows) else "rwg"
    ax.set_xlabel(phrase(f"metric.{name}", name))
    return plain(ax)

"""Estimates as points with their intervals, one row each: the default drawing of a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import header, phrase
from svcmetrics.plots.style import INK, plain, row_height

# More rows than this are unreadable on one axis.
_ROWS = 40


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """Inches that keep the labels of all rows apart."""
    return row_height(len(_shown(table, about)))


def _shown(table: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of the result's own metric, where it has some: others have another unit."""
    rows = table.dropna(subset=["estimate"])
    own = rows[rows["metric"] == about.get("metric")]
    return (own if len(own) else rows).head(_ROWS)


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One row per estimate, the first on top; a missing interval is drawn as a bare point."""
    rows = _shown(table, about)
    place = np.arange(len(rows))[::-1]
    low, high = rows["low"].to_numpy(), rows["high"].to_numpy()
    ax.hlines(place, low, high, color=INK, linewidth=2, alpha=0.55)
    ax.plot(rows["estimate"], place, "o", color=INK, markersize=6)
    ax.set_yticks(place, labels(rows))
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.set_xlabel(phrase(f"metric.{about.get('metric', '')}", header("estimate")))
    return plain(ax)


def labels(rows: pd.DataFrame) -> list[str]:
    """A row's label: its groups, and its variant and metric where there are several."""
    before = list(rows.columns[: list(rows.columns).index("metric")])
    several = rows["metric"].nunique() > 1
    variants = rows["variant"].nunique() > 1
    out = []
    for row in rows.to_dict("records"):
        parts = [str(row[c]) for c in before]
        if several:
            parts.append(phrase(f"metric.{row['metric']}", row["metric"]))
        if row["variant"] and (variants or not before):
            parts.append(phrase(f"variant.{row['variant']}", row["variant"]))
        out.append(" · ".join(p for p in parts if p))
    return out

"""Criteria with the limit that each must pass: what holds, and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import FAIR, GOOD, INK, POOR, plain


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Points with intervals, green where passed; an upright tick marks the limit and which side passes."""
    name = str(about.get("metric", ""))
    rows = table[table["metric"] == name]
    place = np.arange(len(rows))[::-1]
    limit = rows["least"].fillna(rows["most"]).to_numpy()
    colour = np.where(np.isnan(limit), FAIR, np.where(rows["passed"].eq(True), GOOD, POOR))
    low, high = rows["low"].clip(lower=-1), rows["high"].clip(upper=1)
    ax.hlines(place, low, high, color=list(colour), linewidth=2.5, alpha=0.6)
    ax.scatter(rows["estimate"].clip(lower=-1), place, color=list(colour), zorder=3)
    ax.plot(limit, place, "|", color=INK, markersize=18, markeredgewidth=2)
    for value, at, least in zip(limit, place, rows["least"], strict=True):
        if np.isfinite(value):
            sign = "≥" if np.isfinite(least) else "<"
            ax.annotate(
                f"{sign} {value:g}", (value, at), (5, 9), textcoords="offset points", color=INK
            )
    ax.set_yticks(place, [phrase(f"variant.{v}", str(v)) for v in rows["variant"]])
    ax.set_ylim(-0.7, max(len(rows), 1) - 0.3)
    ax.set_xlim(min(0.0, float(np.nanmin([*low, 0.0])) - 0.03), 1.03)
    ax.set_xlabel(phrase(f"metric.{name}", name))
    return plain(ax)

"""The whole scale as a band, and each item left out as a point: which item hurts it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import header, phrase
from svcmetrics.plots.style import GOOD, INK, POOR, QUIET, plain

_ROWS = 40


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Band and line: the coefficient of all items. Points: the same without the item named."""
    name = str(about.get("metric", "alpha"))
    whole = table[table["metric"] == name].iloc[0]
    items = table[table["metric"] == f"{name}_without"].dropna(subset=["estimate"]).head(_ROWS)
    if np.isfinite(whole["low"]) and np.isfinite(whole["high"]):
        ax.axvspan(whole["low"], whole["high"], color=QUIET, alpha=0.35, linewidth=0)
    ax.axvline(whole["estimate"], color=INK, linewidth=2, label=phrase(f"metric.{name}", name))
    place = np.arange(len(items))[::-1]
    # An item without which the scale holds together better is the one to look at.
    better = items["estimate"].to_numpy() > whole["estimate"]
    ax.scatter(items["estimate"], place, color=np.where(better, POOR, GOOD), zorder=3)
    ax.set_yticks(place, [str(v) for v in items.iloc[:, 0]])
    ax.set_ylim(-0.7, max(len(items), 1) - 0.3)
    ax.set_xlabel(phrase(f"metric.{name}_without", header("estimate")))
    ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1))
    return plain(ax)

"""Shares with their intervals, and beside each a tick for what chance alone would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import header, phrase
from svcmetrics.plots.intervals import labels
from svcmetrics.plots.style import INK, POOR, plain


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Point and line: the share with its interval. Upright tick: the share by chance."""
    name = str(about.get("metric", ""))
    rows = table[(table["metric"] == name) & table["estimate"].notna()]
    place = np.arange(len(rows))[::-1]
    ax.hlines(place, rows["low"], rows["high"], color=INK, linewidth=2, alpha=0.55)
    ax.plot(rows["estimate"], place, "o", color=INK, label=header("estimate"))
    ax.plot(
        rows["chance"],
        place,
        "|",
        color=POOR,
        markersize=16,
        markeredgewidth=2.5,
        label=header("chance"),
    )
    ax.set_yticks(place, labels(rows))
    ax.set_ylim(-0.7, max(len(rows), 1) - 0.3)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    ax.set_xlabel(phrase(f"metric.{name}", header("estimate")))
    ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return plain(ax)

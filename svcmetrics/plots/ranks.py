"""The ranks that cannot be excluded, one bar per department, the bare rank as a dot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import INK, QUIET, plain

_NAMED = 40


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Simultaneous sets as wide bars, marginal ones as narrow ones; rank 1 on the left."""
    rows = table.dropna(subset=["estimate"])
    joint = rows[rows["variant"] == "simultaneous"].sort_values("estimate", kind="stable")
    own = rows[rows["variant"] == "marginal"].sort_values("estimate", kind="stable")
    place = np.arange(len(joint))[::-1]
    for part, width, colour in ((joint, 9, QUIET), (own, 3, INK)):
        label = phrase(f"variant.{part['variant'].iloc[0]}", "") if len(part) else ""
        left, right = part["low"] - 0.25, part["high"] + 0.25
        ax.hlines(place[: len(part)], left, right, color=colour, linewidth=width, label=label)
    ax.plot(joint["estimate"], place, "o", color=INK, ms=7, markerfacecolor="white")
    named = len(joint) <= _NAMED
    ax.set_yticks(place if named else [], joint.iloc[:, 0].astype(str) if named else [])
    if named:
        ax.set_xticks(range(1, max(len(joint), 1) + 1))
    ax.set_ylim(-0.7, max(len(joint), 1) - 0.3)
    ax.set_xlabel(phrase("metric.ranks", "rank"))
    if len(joint):
        ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2)
    return plain(ax)

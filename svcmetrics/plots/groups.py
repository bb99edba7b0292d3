"""Distances from the mean with their intervals, coloured by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.plots.style import FAIR, GOOD, INK, POOR, plain, row_height

_COLOURS = {"above": GOOD, "unclear": FAIR, "below": POOR}
# With more rows the names are left out; the picture of the whole remains.
_NAMED = 40


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """Inches that keep the names apart."""
    return row_height(min(len(table), _NAMED)) + 0.4


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One row per department; the line at 0 is the mean of all.

    Groups from top to bottom, and names within a group: an order by estimate would read as a rank.
    """
    rows = table.dropna(subset=["estimate"])
    if len(rows) <= _NAMED:
        order = rows["group"].map({word: i for i, word in enumerate(_COLOURS)})
        rows = rows.assign(_order=order).sort_values(["_order", rows.columns[0]])[::-1]
    else:
        rows = rows.sort_values("estimate", kind="stable")
    place = np.arange(len(rows))
    for word, colour in _COLOURS.items():
        own = (rows["group"] == word).to_numpy()
        if own.any():
            ax.hlines(place[own], rows["low"][own], rows["high"][own], color=colour, linewidth=2)
            label = lang.say(f"groups.label_{word}")
            ax.plot(rows["estimate"][own], place[own], "o", color=colour, markersize=6, label=label)
    ax.axvline(0, color=INK, linewidth=1)
    named = len(rows) <= _NAMED
    ax.set_yticks(place if named else [], rows.iloc[:, 0].astype(str) if named else [])
    ax.set_ylim(-0.7, max(len(rows), 1) - 0.3)
    ax.set_xlabel(lang.say("metric.groups"))
    if len(rows):
        ax.legend(
            frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, fontsize=9,
            columnspacing=1.2, handletextpad=0.2,
        )  # fmt: skip
    return plain(ax)

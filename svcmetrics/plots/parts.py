"""Parts of a whole: one bar per group, one segment per part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import (
    FAIR,
    GOOD,
    INK,
    POOR,
    QUIET,
    headline,
    plain,
    row_height,
    title_of,
)

_COLOURS = (POOR, GOOD, FAIR, QUIET, "#c9a227", "#e3e7ee")
_DARK = (POOR, GOOD, FAIR)
_ROWS = 25
# A smaller segment has no room for its number.
_ROOM = 0.07


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """A line per group, and two for the legend."""
    names = list(table.columns[: list(table.columns).index("metric")])
    return row_height(min(len(table[names].drop_duplicates()), _ROWS) if names else 1) + 0.8


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """The segments in the order of the table; parts that nobody has are left out of the legend."""
    names = list(table.columns[: list(table.columns).index("metric")])
    label = (
        table[names].astype("str").agg(" · ".join, axis=1) if names else pd.Series("", table.index)
    )
    rows = table.assign(label=label).fillna({"estimate": 0.0})
    order = list(dict.fromkeys(rows["label"]))[:_ROWS]
    place, start = np.arange(len(order))[::-1], np.zeros(len(order))
    for variant, colour in zip(dict.fromkeys(rows["variant"]), _COLOURS, strict=False):
        own = rows[rows["variant"] == variant].set_index("label")["estimate"].reindex(order)
        share = own.fillna(0.0).to_numpy()
        if not share.any():
            continue
        name = phrase(f"variant.{variant}", variant)
        ax.barh(place, share, left=start, color=colour, height=0.7, label=name)
        for y, x, part in zip(place, start, share, strict=True):
            if part >= _ROOM:
                ink = "white" if colour in _DARK else INK
                ax.text(
                    x + part / 2, y, f"{part:.0%}", ha="center", va="center", color=ink, fontsize=9
                )
        start = start + share
    ax.set_yticks(place, order)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    headline(ax, title_of(about), legend=True)
    return plain(ax)

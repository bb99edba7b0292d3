"""Each criterion's margin with its interval; right of the line it is met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from svcmetrics.display import header, phrase
from svcmetrics.plots.style import FAIR, GOOD, INK, POOR, plain

_COLOURS = {"pass": GOOD, "fail": POOR, "not_yet": FAIR}


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One row per criterion, coloured and named by its verdict."""
    rows = table[table["metric"] == about.get("metric", "gate")]
    name = table.columns[0]
    place = np.arange(len(rows))[::-1]
    colours = [_COLOURS.get(v, INK) for v in rows["variant"]]
    ax.axvline(0, color=INK, linewidth=1)
    ax.hlines(
        place, 100 * rows["margin_low"], 100 * rows["margin_high"], color=colours, linewidth=3
    )
    ax.scatter(100 * rows["margin"], place, color=colours, zorder=3)
    words = [
        f"{phrase(f'metric.{m}', m)} · {phrase(f'variant.{v}', v)}"
        for m, v in zip(rows[name], rows["variant"])
    ]
    ax.set_yticks(place, words)
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:+.0f}%" if x else "0%")
    ax.set_xlabel(header("margin"))
    return plain(ax)

"""Shares of a whole as bars with their counts, the whole on top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import INK, plain


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One bar per stage, labelled with its count."""
    rows = table[table["metric"] == about.get("metric", "scope")].dropna(subset=["estimate"])
    place = np.arange(len(rows))[::-1]
    ax.barh(place, 100 * rows["estimate"], color=INK, height=0.65)
    for y, share, count in zip(place, rows["estimate"], rows["count"]):
        ax.text(100 * share + 1, y, f"{int(count)}", va="center")
    ax.set_yticks(place, [phrase(f"variant.{v}", v) for v in rows["variant"]])
    ax.set_xlim(0, 110)
    ax.xaxis.set_major_formatter("{x:.0f}%")
    ax.set_xlabel(phrase(f"metric.{about.get('metric', '')}", "%"))
    return plain(ax)

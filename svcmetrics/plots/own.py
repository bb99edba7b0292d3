"""The rows of the metric itself, without its by-products, as points with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.plots import intervals
from svcmetrics.plots.style import POOR


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """``about["shown"]`` names the variant to draw; ``about["limit"]`` draws a line at a limit, and
    ``about["axis"]`` gives the ends of the axis, so that small differences are not blown up.
    """
    rows = table[table["metric"] == about.get("metric", "")]
    if "shown" in about:
        rows = rows[rows["variant"] == about["shown"]]
    before = list(rows.columns[: list(rows.columns).index("metric")])
    empty = [c for c in before if rows[c].isna().all()]
    intervals.draw(rows.drop(columns=empty), ax, about)
    if "limit" in about:
        ax.axvline(about["limit"], color=POOR, linewidth=1, linestyle="--")
    if "axis" in about:
        ax.set_xlim(*about["axis"])
    return ax

"""Share of weights that give each department each place, stacked to one bar per department."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes

from svcmetrics.display import header, phrase
from svcmetrics.plots.style import plain


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Dark is the first place, light the last."""
    name = about.get("metric", "")
    rows = table[table["metric"] == name]
    wide = rows.pivot(index=table.columns[0], columns="place", values="estimate").fillna(0.0)
    place, start = np.arange(len(wide))[::-1], np.zeros(len(wide))
    shades = colormaps["viridis"](np.linspace(0.05, 0.95, len(wide.columns)))
    for shade, column in zip(shades, wide.columns):
        share = 100 * wide[column].to_numpy()
        ax.barh(place, share, left=start, color=shade, label=f"{column:g}", height=0.7)
        start = start + share
    ax.set_yticks(place, [str(v) for v in wide.index])
    ax.xaxis.set_major_formatter("{x:.0f}%")
    ax.set_xlabel(phrase(f"metric.{name}", name))
    ax.figure.legend(loc="outside right upper", title=header("place"), frameon=False)
    return plain(ax)

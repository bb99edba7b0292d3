"""Points per indicator, stacked to the composite of each department."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import FAIR, GOOD, INK, POOR, QUIET, plain

_COLOURS = (INK, GOOD, POOR, FAIR, QUIET, "#6b4c9a", "#c9a227", "#2f8fb5")


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One bar per department, one segment per indicator, in the order of the table."""
    target, name = table.columns[:2]
    wide = table.pivot(index=target, columns=name, values="estimate").fillna(0.0)
    place = np.arange(len(wide))[::-1]
    start = np.zeros(len(wide))
    for k, column in enumerate(wide.columns):
        points = wide[column].to_numpy()
        label = phrase(f"metric.{column}", str(column))
        ax.barh(
            place, points, left=start, color=_COLOURS[k % len(_COLOURS)], label=label, height=0.7
        )
        start = start + points
    ax.set_yticks(place, [str(v) for v in wide.index])
    ax.set_xlabel(phrase(f"metric.{about.get('metric', '')}", "points"))
    ax.figure.legend(loc="outside upper right", ncols=min(len(wide.columns), 4), frameon=False)
    return plain(ax)

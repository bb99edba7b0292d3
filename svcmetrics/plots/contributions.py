"""Points per indicator, stacked to the composite of each department."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.plots.style import FAIR, GOOD, INK, POOR, QUIET, plain, row_height

_COLOURS = (INK, GOOD, POOR, FAIR, QUIET, "#6b4c9a", "#c9a227", "#2f8fb5")
# More bars than this are unreadable on one axis: the first of the table are drawn, and told.
_ROWS = 40


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """A line per department."""
    return max(4.0, row_height(min(table.iloc[:, 0].nunique(), _ROWS)) + 0.4)


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One bar per department, one segment per indicator, in the order of the table."""
    target, name = table.columns[:2]
    targets = table[target].drop_duplicates()
    shown = table[table[target].isin(targets.iloc[:_ROWS])]
    wide = shown.pivot(index=target, columns=name, values="estimate").fillna(0.0)
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
    if len(targets) > len(wide):
        ax.set_title(lang.say("axis.first_rows", rows=len(wide), of=len(targets)), loc="left")
    ax.figure.legend(loc="outside upper right", ncols=min(len(wide.columns), 4), frameon=False)
    return plain(ax)

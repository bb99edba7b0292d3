"""A rater effect on top, and below it what it does to the score of each department."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import INK, POOR, QUIET, plain

_ROWS = 40


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Points with limits around zero; the effect itself stands apart."""
    name = str(about.get("metric", ""))
    own = table[(table["metric"] == name) & table["estimate"].notna()]
    shifts = table[(table["metric"] == "score_shift") & table["estimate"].notna()].head(_ROWS)
    rows = pd.concat([own, shifts])
    place = np.arange(len(rows))[::-1] + np.where(np.arange(len(rows)) < len(own), 0.4, 0.0)
    colours = [POOR] * len(own) + [INK] * len(shifts)
    ax.axvline(0, color=QUIET, linewidth=1)
    ax.hlines(place, rows["low"], rows["high"], colors=colours, linewidth=2, alpha=0.55)
    ax.scatter(rows["estimate"], place, color=colours, zorder=3)
    first = str(table.columns[0])
    effect = fill(phrase(f"metric.{name}", name), 26)
    shift = phrase("metric.score_shift", "score_shift")
    names = [effect] * len(own) + (
        [str(v) for v in shifts[first]] if first != "metric" else [""] * len(shifts)
    )
    ax.set_yticks(place, names)
    ax.set_ylim(-0.7, max(len(rows), 1))
    ax.set_xlabel(shift if len(shifts) else effect)
    return plain(ax)

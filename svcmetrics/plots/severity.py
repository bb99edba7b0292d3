"""Severity of raters in order, without names: the spread is the message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.plots.style import INK, QUIET, plain


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One dot and interval per rater, from the most lenient to the most severe."""
    rows = table[table["metric"] == "severity"].sort_values("estimate", kind="stable")
    place = np.arange(len(rows))
    ax.hlines(place, rows["low"], rows["high"], color=QUIET, linewidth=1.5)
    ax.plot(rows["estimate"], place, "o", color=INK, ms=4 if len(rows) < 100 else 2)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks([])
    ax.set_xlabel(lang.say("severity.axis"))
    return plain(ax)

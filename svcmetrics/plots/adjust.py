"""Raw means and adjusted means side by side: who moved, and how sure the new value is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.plots.style import FAIR, INK, plain

_NAMED = 40


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One row per department, the highest adjusted mean on top."""
    key = table.columns[0]
    old = table[table["variant"] == "raw mean"].set_index(key)
    new = table[table["variant"] == "adjusted"].set_index(key).reindex(old.index)
    order = new["estimate"].fillna(old["estimate"]).argsort(kind="stable")
    old, new = old.iloc[order], new.iloc[order]
    place = np.arange(len(old))
    ax.hlines(place, new["low"], new["high"], color=INK, linewidth=2, alpha=0.55)
    ax.plot(new["estimate"], place, "o", color=INK, ms=6, label=lang.say("adjust.line_adjusted"))
    ax.plot(old["estimate"], place, "D", color=FAIR, ms=5, label=lang.say("adjust.line_raw"))
    named = len(old) <= _NAMED
    ax.set_yticks(place if named else [], old.index.astype(str) if named else [])
    ax.set_ylim(-0.7, max(len(old), 1) - 0.3)
    ax.set_xlabel(lang.say("metric.adjust"))
    ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2)
    return plain(ax)

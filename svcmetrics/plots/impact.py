"""What each rater effect does to the departments: the largest shift, and how many change group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.plots.style import INK, POOR, QUIET, plain

_COLOURS = {"matters": POOR, "small": INK}


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """A row per effect; what is not clear is grey, what was not looked at has no point."""
    rows = table[table["metric"] == "impact"]
    place = np.arange(len(rows))[::-1]
    words = rows["verdict"] if "verdict" in rows else pd.Series("", index=rows.index)
    colours = [_COLOURS.get(w, QUIET) for w in words]
    ax.axvline(0, color=QUIET, linewidth=1)
    ax.hlines(place, rows["low"], rows["high"], colors=colours, linewidth=2, alpha=0.6)
    ax.scatter(rows["estimate"], place, color=colours, zorder=3)
    ax.set_yticks(place, [phrase(f"variant.{v}", v) for v in rows["variant"]])
    changed = rows["changed"] if "changed" in rows else pd.Series(np.nan, index=rows.index)
    for y, word, count in zip(place, words, changed, strict=True):
        text = phrase(f"verdict.{word}", word) if word else ""
        if count > 0 and word == "matters":
            text = lang.say("impact.changed", count=int(count))
        ax.text(1.02, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize="small")
    ax.set_ylim(-0.7, max(len(rows) - 0.3, 1))
    ax.set_xlabel(phrase("metric.impact", "impact"))
    return plain(ax)

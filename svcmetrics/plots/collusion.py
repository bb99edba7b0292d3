"""Groups of departments: how much they give each other, and how often their forms are equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.plots.style import INK, POOR, QUIET, plain


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """A row per group and kind of sign; groups that do not stand out are grey and have no name."""
    rows = table[(table["metric"] == "collusion") & table["estimate"].notna()]
    place = np.arange(len(rows))[::-1]
    sure = (rows["cluster"] != "").to_numpy()
    colours = [POOR if s else QUIET for s in sure]
    ax.axvline(0, color=INK, linewidth=1)
    ax.hlines(place, rows["low"], rows["high"], colors=colours, linewidth=2, alpha=0.6)
    ax.scatter(rows["estimate"], place, color=colours, zorder=3)
    none = lang.say("collusion.unnamed")
    names = [
        f"{phrase(f'variant.{kind}', kind)}\n{units or none}"
        for kind, units in zip(rows["variant"], rows["cluster"], strict=True)
    ]
    ax.set_yticks(place, names)
    ax.set_ylim(-0.7, max(len(rows) - 0.3, 1))
    ax.set_xlabel(lang.say("collusion.axis"))
    return plain(ax)

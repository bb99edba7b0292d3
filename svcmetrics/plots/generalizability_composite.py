"""How much each dimension weighs in name, in the true differences and in the error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.plots.style import FAIR, GOOD, POOR, plain

_HEIGHT = 0.26


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Three bars per dimension: its weight, its share of the true variance and of the error."""
    rows = table[table["metric"] == "effective_weight"]
    names = [str(n) for n in rows["stratum"].drop_duplicates()]
    place = np.arange(len(names), dtype="float64")[::-1]
    parts = [(1, FAIR, "weight", rows[rows["variant"] == "universe"]["weight"])] if names else []
    for shift, colour, variant in ((0, GOOD, "universe"), (-1, POOR, "error")):
        parts.append((shift, colour, variant, rows[rows["variant"] == variant]["estimate"]))
    for shift, colour, word, values in parts:
        if names:
            label = lang.say(f"generalizability_composite.label_{word}")
            share = 100 * values.to_numpy()
            ax.barh(place + shift * _HEIGHT, share, _HEIGHT, color=colour, label=label)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks(place, names)
    ax.set_xlabel("%")
    if names:
        ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, fontsize=8)
    return plain(ax)

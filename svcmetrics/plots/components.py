"""Variance components as shares of the total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import header, phrase
from svcmetrics.plots.style import FAIR, GOOD, plain


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One bar per source, the object of measurement in its own colour, the residual last."""
    parts = table[(table["metric"] == "component") & (table["variant"] == "truncated")]
    measured = table.loc[table["metric"] == "phi", "term"]
    place = np.arange(len(parts))[::-1]
    own = parts["term"].isin(measured).to_numpy()
    ax.barh(place, parts["share"] * 100, color=np.where(own, GOOD, FAIR), height=0.6)
    for y, share in zip(place, parts["share"], strict=True):
        ax.annotate(
            f"{share:.0%}", (share * 100, y), xytext=(4, 0), textcoords="offset points", va="center"
        )
    ax.set_yticks(place, [phrase(f"generalizability.term_{t}", t) for t in parts["term"]])
    ax.set_xlim(0, max(100 * parts["share"].max() * 1.15, 1) if len(parts) else 1)
    ax.set_xlabel(f"{header('share')} (%)")
    return plain(ax)

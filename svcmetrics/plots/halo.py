"""What the answers on a form are made of: bars of variance, the overall impression in its own colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import header, phrase
from svcmetrics.plots.style import FAIR, POOR, plain

# The parts that all items of one form have in common beyond department and rater.
_IMPRESSION = ("pair", "form")


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One bar per part, as a share of the sum of all."""
    rows = table[(table["metric"] == "halo_variance") & table["estimate"].notna()]
    share = 100 * rows["estimate"].clip(lower=0) / max(rows["estimate"].clip(lower=0).sum(), 1e-12)
    place = np.arange(len(rows))[::-1]
    halo = rows["variant"].isin(_IMPRESSION).to_numpy()
    ax.barh(place, share, color=np.where(halo, POOR, FAIR), height=0.6)
    for y, part in zip(place, share, strict=True):
        ax.annotate(
            f"{part:.0f}%", (part, y), xytext=(4, 0), textcoords="offset points", va="center"
        )
    ax.set_yticks(place, [phrase(f"variant.{v}", v) for v in rows["variant"]])
    ax.set_xlim(0, max(1.15 * share.max(), 1) if len(share) else 1)
    ax.set_xlabel(f"{header('share')} (%)")
    return plain(ax)

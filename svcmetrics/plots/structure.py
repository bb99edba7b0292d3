"""Eigenvalues beside what chance gives: how many dimensions stand out?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.plots.style import FAIR, GOOD, INK, POOR, plain

_MOST = 20


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Line: what was seen, filled where it lies above chance; dashes: the 95% limit of chance."""
    own = table[(table["metric"] == "eigenvalue") & (table["variant"] == "component")].head(_MOST)
    counts = table[table["metric"] == "structure"].set_index("variant")["estimate"]
    if len(own):
        place, seen, limit = (
            own[c].to_numpy(float) for c in ("component", "estimate", "chance_limit")
        )
        above = np.logical_and.accumulate(seen > limit)
        ax.plot(
            place, seen, color=INK, linewidth=1.5, zorder=2, label=lang.say("structure.plot_seen")
        )
        ax.scatter(place[~above], seen[~above], color=FAIR, s=42, zorder=3)
        ax.scatter(
            place[above],
            seen[above],
            color=GOOD,
            s=42,
            zorder=3,
            label=lang.say("structure.plot_above"),
        )
        ax.plot(place, limit, "--", color=POOR, label=lang.say("structure.plot_chance"))
        claimed = float(counts.get("claimed", np.nan))
        if np.isfinite(claimed):
            ax.axvline(claimed + 0.5, color=FAIR, linewidth=1, linestyle=":",
                       label=lang.say("structure.plot_claimed", count=int(claimed)))  # fmt: skip
        ax.set_xticks(place[:: max(1, len(place) // 10)].astype(int))
        ax.legend(loc="upper right", facecolor="white", edgecolor="none", framealpha=0.9)
    ax.set_xlabel(lang.say("structure.plot_place"))
    ax.set_ylabel(phrase("metric.eigenvalue", ""))
    ax.set_ylim(bottom=0)
    return plain(ax)

"""Shares over waves: how much lies between departments, and how much was copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import INK, POOR, plain

_SERIES = (("formality", "targets", INK, "o"), ("copying", "", POOR, "s"))


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Two lines with their intervals; the waves in the order of the table."""
    waves = [str(w) for w in about.get("waves", [""])]
    column = table.columns[0] if table.columns[0] != "metric" else None
    for offset, (metric, variant, colour, mark) in zip((-0.06, 0.06), _SERIES, strict=True):
        rows = table[(table["metric"] == metric) & (table["variant"] == variant)]
        rows = rows[rows["estimate"].notna()]
        names = rows[column].astype(str) if column else [""] * len(rows)
        place = np.array([waves.index(n) for n in names]) + offset
        ax.vlines(place, rows["low"], rows["high"], color=colour, linewidth=2, alpha=0.55)
        label = phrase(f"metric.{metric}", metric)
        ax.plot(place, rows["estimate"], marker=mark, color=colour, linewidth=1, label=label)
    ax.set_xticks(range(len(waves)), waves, rotation=30 if len(waves) > 6 else 0)
    ax.set_ylim(0, 1.3 * ax.get_ylim()[1])
    ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    ax.legend(frameon=False, loc="upper left", fontsize="small")
    plain(ax).grid(visible=False, axis="x")
    return ax

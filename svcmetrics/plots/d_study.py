"""Coefficients against the number of ratings, one line per combination of the other facets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.display import header
from svcmetrics.plots.style import QUIET, plain

_LINES = 8


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Φ over the first facet; the other facets tell the lines apart; the goal is a dashed line."""
    rows = table[table["variant"] == "phi"]
    facets = list(rows.columns[: list(rows.columns).index("metric")])
    first, others = facets[0], facets[1:]
    groups = [((), rows)] if not others else list(rows.groupby(others, sort=True))
    for _, own in groups[:_LINES]:
        part = own.sort_values(first)
        label = ", ".join(f"{header(f)} {part[f].iloc[0]}" for f in others)
        label = f" {label}" if label.startswith("_") else label  # or no legend has it
        line = ax.plot(part[first], part["estimate"], "o-", ms=5, label=label or None)[0]
        if len(groups) == 1:
            ax.fill_between(
                part[first], part["low"], part["high"], color=line.get_color(), alpha=0.15
            )
    ax.axhline(float(about.get("reach", 0.8)), color=QUIET, linestyle="--")
    ax.set_ylim(0, 1)
    ax.set_xlabel(header(first))
    ax.set_ylabel(lang.say("metric.phi"))
    if others:
        ax.legend(frameon=False, loc="lower right")
    return plain(ax)

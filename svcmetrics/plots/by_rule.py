"""Numbers under several rules side by side: one line per group, one mark per rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import (
    FAIR,
    GOOD,
    INK,
    POOR,
    QUIET,
    headline,
    plain,
    row_height,
    title_of,
)

_MARKS = ((INK, "o", 0.15), (GOOD, "s", 0.05), (POOR, "D", -0.05), (FAIR, "^", -0.15))
# More rows than this are unreadable on one axis.
_ROWS = 25


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """A line per group."""
    names = list(table.columns[: list(table.columns).index("metric")])
    return row_height(min(len(table[names].drop_duplicates()), _ROWS) if names else 1) + 1.0


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """The longer the line, the more the rule decides; groups as in the table, since no rank is meant."""
    names = list(table.columns[: list(table.columns).index("metric")])
    rows = table[~table["variant"].astype("str").str.startswith("emergency_")]
    rules = list(dict.fromkeys(rows["variant"]))[: len(_MARKS)]
    label = (
        rows[names].astype("str").agg(" · ".join, axis=1) if names else pd.Series("", rows.index)
    )
    wide = rows.assign(label=label).pivot_table(index="label", columns="variant", values="estimate")
    kept = set(wide.max(axis=1).nlargest(_ROWS).index)
    wide = wide.loc[[g for g in dict.fromkeys(label) if g in kept][::-1]]
    if wide.empty:
        return plain(ax)
    place = np.arange(len(wide))
    ax.hlines(place, wide.min(axis=1), wide.max(axis=1), color=QUIET, linewidth=5)
    for rule, (colour, mark, lift) in zip(rules, _MARKS, strict=False):
        name = phrase(f"variant.{rule}", rule)
        ax.plot(wide[rule], place + lift, mark, color=colour, markersize=7, alpha=0.85, label=name)
    ax.set_yticks(place, list(wide.index))
    ax.set_ylim(-0.7, len(wide) - 0.3)
    if about.get("metric") == "responsibility":
        ax.set_xlim(left=0)
        ax.xaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    ax.set_xlabel(phrase(f"metric.{about.get('of') or about.get('metric', '')}", ""))
    headline(ax, title_of(about), legend=True)
    return plain(ax)

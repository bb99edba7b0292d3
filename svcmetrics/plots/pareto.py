"""Shares by frequency as bars, and what they add up to as a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import header, phrase
from svcmetrics.plots.style import INK, POOR, QUIET, headline, plain, row_height, title_of

# More bars than this are unreadable on one axis.
_ROWS = 20


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """Inches that keep the labels apart."""
    return row_height(len(_shown(table))) + 0.4


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[~table["variant"].astype("str").str.startswith("emergency_")]
    return (rows if len(rows) else table).dropna(subset=["estimate"]).head(_ROWS)


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One bar per row, the most frequent on top; a line per group for the sum so far."""
    rows = _shown(table)
    place = np.arange(len(rows))[::-1]
    ax.barh(place, rows["estimate"], color=QUIET, height=0.72)
    ax.hlines(place, rows["low"], rows["high"], color=INK, linewidth=1.5)
    names = list(rows.columns[: list(rows.columns).index("metric")])[:-1]
    lined = rows.assign(_at=place)
    groups = [own for _, own in lined.groupby(names, sort=False)] if names else [lined]
    for k, own in enumerate(groups):
        line = ax.plot(own["cumulative"], own["_at"], "o-", color=POOR, markersize=4, linewidth=1.2)
        line[0].set_label("" if k else header("cumulative"))
    ax.set_yticks(place, _labels(rows, names))
    ax.set_ylim(-0.7, max(len(rows), 1) - 0.3)
    ax.set_xlim(0, 1.02)
    ax.xaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    ax.set_xlabel(phrase(f"metric.{about.get('metric', '')}", header("estimate")))
    headline(ax, title_of(about), legend=True)
    return plain(ax)


def _labels(rows: pd.DataFrame, names: list[str]) -> list[str]:
    """The groups and the last of the names; a row without one says what it holds."""
    own = rows.columns[len(names)]
    last = [
        phrase(f"variant.{v}", v) if pd.isna(code) else str(code)
        for code, v in zip(rows[own], rows["variant"], strict=True)
    ]
    before = rows[names].astype("str").agg(" · ".join, axis=1) if names else [""] * len(rows)
    return [" · ".join(p for p in pair if p) for pair in zip(before, last, strict=True)]

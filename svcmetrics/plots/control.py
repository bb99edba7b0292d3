"""Control charts: one run with its limits, or a board of many runs by their distance from the usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from svcmetrics.display import header, phrase
from svcmetrics.plots.style import FAIR, INK, POOR, QUIET, plain

# Beyond this many standard errors a cell is no darker.
_DEEPEST = 5.0
_FALSE_SHARE = 0.05
_ROW, _LEAST = 0.34, 4.0


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """A board needs a line per group."""
    names = _names(table, about)
    return max(_LEAST, 1.6 + _ROW * len(table[names].drop_duplicates())) if names else _LEAST


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """A chart for one group, a board for several."""
    points = table[(table["metric"] == "control") & table["estimate"].notna()]
    names, at = _names(table, about), str(about.get("at", "month"))
    if points.empty:
        return plain(ax)
    several = bool(names) and len(points[names].drop_duplicates()) > 1
    return _board(points, names, at, ax) if several else _chart(points, at, ax)


def _names(table: pd.DataFrame, about: Mapping[str, Any]) -> list[str]:
    before = list(table.columns[: list(table.columns).index("metric")])
    return [c for c in before if c != str(about.get("at", "month"))]


def _chart(points: pd.DataFrame, at: str, ax: Axes) -> Axes:
    place = np.arange(len(points))
    ax.plot(place, points["center"], color=FAIR, linewidth=1.2)
    for side in ("lower", "upper"):
        ax.step(place, points[side], where="mid", color=FAIR, linewidth=1, linestyle="--")
    ax.plot(place, points["estimate"], "o-", color=INK, markersize=5, linewidth=1)
    out = (points["outside"] != "").to_numpy()
    ax.plot(
        place[out], points.loc[out, "estimate"], "o", color=POOR, markersize=10, fillstyle="none"
    )
    run = points["rules"].str.split().map(lambda r: bool(set(r) & {"2", "3"})).to_numpy() & ~out
    ax.plot(
        place[run], points.loc[run, "estimate"], "s", color=POOR, markersize=9, fillstyle="none"
    )
    step = max(1, len(points) // 12)
    ax.set_xticks(place[::step], points[at].astype("str").iloc[::step])
    ax.tick_params(axis="x", rotation=30 if len(points) > 6 else 0)
    ax.set_ylabel(phrase(f"variant.{points['variant'].iloc[0]}", "") if len(points) else "")
    plain(ax).grid(visible=False, axis="x")
    return ax


def _board(points: pd.DataFrame, names: list[str], at: str, ax: Axes) -> Axes:
    label = points[names].astype("str").agg(" · ".join, axis=1)
    wide = points.assign(label=label).pivot_table(index="label", columns=at, values="z", sort=True)
    shades = LinearSegmentedColormap.from_list("svc", ["#2f6f9f", "#ffffff", POOR]).with_extremes(
        bad=QUIET
    )
    image = ax.imshow(wide, cmap=shades, vmin=-_DEEPEST, vmax=_DEEPEST, aspect="auto")
    outside = points["outside"] != ""
    kept = points["p_adjusted"] < _FALSE_SHARE
    for rows, fill in ((points[outside & ~kept], "none"), (points[outside & kept], "full")):
        x, y = (
            wide.columns.get_indexer(pd.Index(rows[at])),
            wide.index.get_indexer(pd.Index(label[rows.index])),
        )
        ax.plot(x, y, "o", color=INK, markersize=7, linestyle="", fillstyle=fill)
    ax.set_yticks(range(len(wide)), list(wide.index))
    step = max(1, wide.shape[1] // 12)
    ax.set_xticks(
        range(0, wide.shape[1], step), [str(c) for c in wide.columns[::step]], rotation=30
    )
    ax.spines[:].set_visible(False)
    ax.figure.colorbar(image, ax=ax, label=header("z"), shrink=0.8)
    ax.set_title(phrase("control.marks", ""), fontsize="small", loc="left")
    return ax

"""One look for all drawings: fonts with Chinese, colours that print, and a figure of its own."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from importlib import resources
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib import font_manager, rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from svcmetrics.display import phrase

_COLUMNS = 4  # entries of a legend in one line
_WIDTH = (48, 28)  # characters of a headline in one line: Latin, Chinese
_CHINESE = "\u2e80"
FAMILY = ["DejaVu Sans", "Noto Sans CJK SC"]
# Legible on white and on dark, in print and for colour-blind readers.
INK, GOOD, FAIR, POOR, QUIET = "#33415c", "#1b7f5c", "#7a869a", "#b3541e", "#c3cad6"


@cache
def use_fonts() -> None:
    """Register the shipped fonts once; DejaVu stays first, so that Latin text looks as before."""
    folder = resources.files("svcmetrics") / "fonts"
    for path in folder.iterdir():
        if path.name.endswith((".otf", ".ttf")):
            font_manager.fontManager.addfont(str(path))
    rcParams["font.family"] = FAMILY
    rcParams["axes.unicode_minus"] = False
    rcParams["svg.hashsalt"] = "svcmetrics"  # the same drawing, the same bytes
    rcParams["svg.fonttype"] = "path"  # a reader without the font sees the same figure


class Drawing(Figure):
    """A figure that a notebook shows as a picture without pyplot and its current figure."""

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png", dpi=110)
        return out.getvalue()


def new_axes(width: float = 7.0, height: float = 4.0) -> Axes:
    """Axes on a figure of its own, not on pyplot's current one."""
    return Drawing(figsize=(width, height), layout="constrained").add_subplot()


def row_height(rows: int) -> float:
    """Inches for a drawing with this many labelled rows."""
    return max(2.2, 0.27 * rows + 1.1)


def tick(value: float, _: object = None) -> str:
    """A number on an axis: never in powers of ten."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def several(table: pd.DataFrame) -> list[str]:
    """The grouping columns that tell rows apart; at least one of them, where there is one."""
    before = list(table.columns[: list(table.columns).index("metric")])
    telling = [c for c in before if table[c].nunique(dropna=False) > 1]
    return telling or before[:1]


def plain(ax: Axes) -> Axes:
    """Remove the frame that carries no information."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color=QUIET, linewidth=0.6, alpha=0.6)
    ax.set_axisbelow(True)
    return ax


def title_of(about: Mapping[str, Any]) -> str:
    """What a result shows, as its reader asks it; else the name of the metric."""
    name = str(about.get("metric", ""))
    return phrase(f"title.{name}", phrase(f"metric.{name}", ""))


def headline(ax: Axes, title: str, *, legend: bool = False) -> Axes:
    """What the drawing shows, top left; beneath it, where asked, a legend in one line."""
    lines = 0
    if legend:
        count = len(ax.get_legend_handles_labels()[1])
        lines = -(-count // _COLUMNS)
        ax.legend(
            frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(count, _COLUMNS),
            fontsize="small", borderaxespad=0.1, handletextpad=0.3, columnspacing=1.4,
        )  # fmt: skip
    wide = any(c >= _CHINESE for c in title)
    title = "\n".join(fill(line, _WIDTH[wide]) for line in title.split("\n"))
    ax.set_title(title, loc="left", fontweight="bold", fontsize=11, pad=8 + 18 * lines)
    return ax

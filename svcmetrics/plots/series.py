"""A few variants of one number per group, side by side with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from svcmetrics import lang
from svcmetrics.display import header, phrase
from svcmetrics.plots.intervals import labels
from svcmetrics.plots.style import (
    FAIR,
    GOOD,
    INK,
    headline,
    plain,
    row_height,
    several,
    tick,
    title_of,
)

# More groups than this are unreadable on one axis: those with most cases are drawn.
_ROWS = 20
_LOOKS = ((INK, "o", "full"), (FAIR, "s", "none"), (GOOD, "D", "none"))
_DAYS = 72.0  # from here on hours are read as days
_SPREAD = 8.0  # ratios that lie further apart than this need a logarithmic axis


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """A line per group, wider where several marks share it."""
    rows, variants = _rows(table, about)
    return row_height(int(rows["label"].nunique() * max(1.0, 0.75 * len(variants)))) + 0.5


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """``about["drawn"]``: the variants to draw; ``["unit"]``: what the axis says; ``["line"]``: a
    value that all are compared with.
    """
    rows, variants = _rows(table, about)
    unit = str(about.get("unit", ""))
    if unit == "hours" and len(rows) and rows["estimate"].max() > _DAYS:
        numbers = ["estimate", "low", "high"]
        rows, unit = rows.assign(**{c: rows[c] / 24 for c in numbers}), "days"
    names = list(dict.fromkeys(rows["label"]))
    steps = np.linspace(0.2, -0.2, len(variants)) if len(variants) > 1 else [0.0]
    for variant, step, (colour, mark, fill) in zip(variants, steps, _LOOKS, strict=False):
        own = rows[rows["variant"] == variant] if variants != [""] else rows
        place = np.array([len(names) - 1 - names.index(n) for n in own["label"]]) + step
        ax.hlines(place, own["low"], own["high"], color=colour, linewidth=2, alpha=0.5)
        ax.plot(
            own["estimate"], place, mark, color=colour, fillstyle=fill, markersize=6,
            label=phrase(f"variant.{variant}", variant), clip_on=False,
        )  # fmt: skip
    ax.set_yticks(range(len(names)), names[::-1])
    ax.set_ylim(-0.6, max(len(names), 1) - 0.4)
    if about.get("line") is not None:
        ax.axvline(float(about["line"]), color=INK, linewidth=1, linestyle="--", alpha=0.7)
    _axis(ax, rows, unit)
    headline(ax, _title(table, about, len(names)), legend=len(variants) > 1)
    return plain(ax)


def _rows(table: pd.DataFrame, about: Mapping[str, Any]) -> tuple[pd.DataFrame, list[str]]:
    """The rows to draw with their labels, and the variants that share a line."""
    own = table[(table["metric"] == about.get("metric")) & table["estimate"].notna()]
    named = [v for v in about.get("drawn", ()) if (own["variant"] == v).any()]
    rows = own[own["variant"].isin(named)] if named else own
    before = list(rows.columns[: list(rows.columns).index("metric")])
    if not before or not named:  # nothing but variants to tell apart
        return rows.assign(label=labels(rows)), [""]
    rows = rows.assign(label=rows[several(rows)].astype("str").agg(" · ".join, axis=1))
    size = rows.groupby("label", sort=False)["n"].max()
    kept = size.nlargest(_ROWS, keep="first").index
    return rows[rows["label"].isin(kept)], named


def _title(table: pd.DataFrame, about: Mapping[str, Any], drawn: int) -> str:
    title = title_of(about) or header("estimate")
    there = set(table.loc[table["estimate"].notna(), "variant"])
    shown = [v for v in about.get("drawn", ()) if v and v in there]
    if len(shown) == 1:
        title += f" · {phrase(f'variant.{shown[0]}', shown[0])}"
    before = list(table.columns[: list(table.columns).index("metric")])
    groups = len(table[before].drop_duplicates()) if before else drawn
    if drawn >= groups or drawn < _ROWS:
        return title
    return f"{title}\n{lang.say('axis.largest', rows=drawn, of=groups)}"


def _axis(ax: Axes, rows: pd.DataFrame, unit: str) -> None:
    """Ends and ticks that fit the unit; an interval of a tiny group may leave the picture."""
    if rows.empty:
        return
    said = phrase(f"axis.{unit}", "")
    ax.set_xlabel(lang.say("axis.interval", unit=said) if rows["low"].notna().any() else said)
    least = float(np.nanmin([rows["low"].min(), rows["estimate"].min()]))
    most = _end(rows)
    if unit.startswith("ratio"):
        _ratio_axis(ax, least, most)
    elif unit == "share":
        margin = max(0.03 * (most - least), 0.005)
        ax.set_xlim(0.0 if least < 0.5 else least - margin, min(most + margin, 1.01))
        ax.xaxis.set_major_formatter(lambda v, _: f"{100 * v:.4g}%")
    else:
        ax.set_xlim(0.0, most * 1.04 if most > 0 else 1.0)
        ax.xaxis.set_major_formatter(tick)


def _end(rows: pd.DataFrame) -> float:
    """The right end: all estimates, and the intervals of all but tiny groups."""
    high = rows["high"].fillna(rows["estimate"])
    return float(max(1.3 * rows["estimate"].max(), high.quantile(0.8), rows["estimate"].max()) if
                 high.max() > 3 * rows["estimate"].max() else high.max())  # fmt: skip


def _ratio_axis(ax: Axes, least: float, most: float) -> None:
    if least > 0 and most / least > _SPREAD:
        ax.set_xscale("log")
        ax.set_xticks(
            [t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if least / 2 < t < most * 2]
        )
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        least, most = min(least, 1.0), max(most, 1.0)
        margin = 0.04 * (most - least)
        ax.set_xlim(max(least - margin, 0.0), most + margin)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.4g}"))

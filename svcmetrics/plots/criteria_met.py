"""A board of criteria: one line per candidate, one field per criterion, with its number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import cell, phrase
from svcmetrics.plots.style import GOOD, INK, QUIET, headline, title_of

_MAYBE = "#b5dccb"
_ROW, _LEAST = 0.42, 2.6
_SHARES = ("months", "path", "common_steps")


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """A line per candidate."""
    return max(_LEAST, 1.4 + _ROW * table[table.columns[0]].nunique())


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Dark fields are met, light ones may be met by chance; those that meet most stand on top."""
    name = table.columns[0]
    rows = table[table["variant"] != "criteria"]
    if rows.empty:
        return ax
    order = table[table["variant"] == "criteria"].sort_values("estimate", kind="stable")[name]
    place = {kind: i for i, kind in enumerate(order)}
    columns = list(dict.fromkeys(rows["variant"]))
    for kind, variant, value, met in zip(
        rows[name], rows["variant"], rows["estimate"], rows["met"], strict=True
    ):
        x, y = columns.index(variant), place[kind]
        maybe = not met and _passes(variant, float(value), about)
        colour = GOOD if met else _MAYBE if maybe else QUIET
        ax.barh(y, 0.94, left=x - 0.47, height=0.84, color=colour, alpha=0.85)
        text = _value(variant, float(value)) + (" ?" if maybe else "")
        ax.text(x, y, text, ha="center", va="center", color="white" if met else INK)
    ax.set_xticks(range(len(columns)), [_label(c, about) for c in columns], fontsize="small")
    ax.xaxis.tick_top()
    ax.set_yticks(range(len(place)), [str(k) for k in place])
    ax.set_xlim(-0.55, len(columns) - 0.45)
    ax.set_ylim(-0.6, len(place) - 0.4)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return headline(ax, title_of(about))


def _passes(variant: str, value: float, about: Mapping[str, Any]) -> bool:
    """Whether the number passes although chance may have made it so: it was not held to be met."""
    needed = about.get("needed", {}).get(variant)
    if needed is None or math.isnan(value):
        return False
    return bool(value <= needed if variant == "quartile_ratio" else value >= needed)


def _label(variant: str, about: Mapping[str, Any]) -> str:
    needed = about.get("needed", {}).get(variant)
    sign = "≤" if variant == "quartile_ratio" else "≥"
    limit = cell(needed) if needed is None else _value(variant, float(needed))
    name = fill(phrase(f"variant.{variant}", variant), 14)
    return f"{name}\n{sign} {limit}"


def _value(variant: str, value: float) -> str:
    return f"{value:.0%}" if variant in _SHARES and not math.isnan(value) else cell(value)

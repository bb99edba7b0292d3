"""A matrix of departments: how likely the one in the row is truly above the one in the column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.plots.style import INK, row_height

# With more departments numbers in the cells are not read; with more still, the matrix is a carpet.
_NUMBERED, _DRAWN = 14, 40

# Beyond this a whole percentage would read as certainty.
_SURE = 0.995


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """Inches that keep the names apart."""
    targets = int(about.get("targets", 5))
    return 1.0 if targets > _DRAWN else max(row_height(targets) + 1.0, 3.6)


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Names in alphabetical order, not by score: an order would read as a rank.

    Bold with a frame: the difference is clear for all pairs together.
    """
    rows = table[(table["metric"] == "superiority") & table["estimate"].notna()]
    first, second = rows.iloc[:, 0], rows["other"]
    names = list(dict.fromkeys([*first, *second]))
    if len(names) > _DRAWN:
        return _too_many(ax, len(names))
    at = {name: i for i, name in enumerate(names)}
    chance, clear = np.full((len(names),) * 2, np.nan), np.zeros((len(names),) * 2, dtype=bool)
    for a, b, p, sure in zip(first, second, rows["estimate"], rows["clear"], strict=True):
        chance[at[a], at[b]], chance[at[b], at[a]] = p, 1 - p
        clear[at[a], at[b]] = clear[at[b], at[a]] = bool(sure)
    if names:
        ax.imshow(np.ma.masked_invalid(chance), cmap="PuOr", vmin=0, vmax=1, aspect="auto")
    if len(names) <= _NUMBERED:
        for i, j in np.argwhere(np.isfinite(chance)):
            p = chance[i, j]
            ax.annotate(
                _percent(p), (j, i), ha="center", va="center", fontsize=9,
                color="white" if abs(p - 0.5) > 0.35 else INK,
                fontweight="bold" if clear[i, j] else "normal",
            )  # fmt: skip
    for i, j in np.argwhere(clear):
        ax.plot(
            [j - 0.45, j + 0.45, j + 0.45, j - 0.45, j - 0.45],
            [i - 0.45, i - 0.45, i + 0.45, i + 0.45, i - 0.45], color=INK, linewidth=1.2,
        )  # fmt: skip
    places = range(len(names))
    ax.set_yticks(places, [str(n) for n in names])
    ax.set_xticks(places, [str(n) for n in names], rotation=45, ha="right")
    ax.set_xlabel(lang.say("superiority.axis"))
    ax.spines[:].set_visible(False)
    return ax


def _too_many(ax: Axes, targets: int) -> Axes:
    """The sentence that stands for a picture that nobody could read."""
    ax.set_axis_off()
    said = lang.say("superiority.not_drawn", targets=targets, most=_DRAWN)
    ax.text(0.5, 0.5, said, ha="center", va="center", wrap=True, transform=ax.transAxes)
    return ax


def _percent(chance: float) -> str:
    """Whole percentages; never certainty."""
    if chance > _SURE:
        return ">99"
    return f"{100 * chance:.0f}" if chance >= 1 - _SURE else "<1"

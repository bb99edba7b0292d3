"""Wright map: facets side by side on one scale; single raters are dots without a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import INK, POOR, QUIET, plain

# More names than this in one column overlap.
_NAMES = 25
# Share of the height that a label needs, and letters after which a word goes on two lines.
_ROOM, _WIDE = 0.05, 20
_STEPS = "threshold"
# Up to so many names stand apart, moved from their points if need be; more share a label.
_APART = 12
# Columns of room for the names of the first facet.
_LEFT = 1.1


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One column per facet: points with limits, names beside all but raters; then the thresholds."""
    rows = table[table["metric"].isin(["facets", "threshold"]) & table["estimate"].notna()]
    rows = rows.assign(variant=rows["variant"].mask(rows["metric"] == "threshold", _STEPS))
    kinds = list(dict.fromkeys(rows["variant"]))
    span = float(rows["estimate"].max() - rows["estimate"].min()) or 1.0
    for k, kind in enumerate(kinds):
        own = rows[rows["variant"] == kind]
        named = kind != "rater" and len(own) <= _NAMES
        place = pd.Series(float(k), own.index) if named else k + _beside(own["estimate"], span)
        ax.vlines(place, own["low"], own["high"], color=QUIET, linewidth=1)
        colour = POOR if kind == "rater" else INK
        marker = "_" if kind == _STEPS else "o"
        ax.plot(place, own["estimate"], marker, color=colour, markersize=5, alpha=0.7)
        if named:
            left = k == 0  # the first column has all the room to its left
            for names, height, place_of in _labels(own, _ROOM * span):
                ax.annotate(
                    names, (k, place_of), xytext=(k - 0.12 if left else k + 0.12, height),
                    fontsize=8, ha="right" if left else "left", va="center",
                    arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.6},
                )  # fmt: skip
    words = [
        phrase("metric.threshold", _STEPS) if v == _STEPS else phrase(f"variant.{v}", v)
        for v in kinds
    ]
    ax.set_xticks(range(len(kinds)), [w if len(w) < _WIDE else w.replace(" ", "\n") for w in words])
    has_names = (
        bool(kinds) and kinds[0] != "rater" and (rows["variant"] == kinds[0]).sum() <= _NAMES
    )
    ax.set_xlim(-_LEFT if has_names else -0.5, max(len(kinds), 1) - 0.3)
    if len(rows):  # limits of elements at an extreme run far out: they may leave the picture
        edge = 0.06 * span
        ax.set_ylim(rows["estimate"].min() - edge, rows["estimate"].max() + edge)
    ax.set_ylabel(phrase("metric.facets", "logit"))
    plain(ax).grid(visible=False, axis="x")
    return ax


def _beside(values: pd.Series, span: float) -> pd.Series:
    """Many points without names: those at about the same height stand side by side."""
    same = (values / (span * _ROOM / 2)).round()
    rank = values.groupby(same).cumcount()
    size = values.groupby(same).transform("size")
    return (rank - (size - 1) / 2) * np.minimum(0.06, 0.7 / size)


def _labels(own: pd.DataFrame, room: float) -> list[tuple[str, float, float]]:
    """Names with their height, moved apart where few; else those too close share one label."""
    if len(own) <= _APART:
        rows = own.sort_values("estimate")
        steps = room * np.arange(len(rows))
        raised = np.maximum.accumulate(rows["estimate"].to_numpy() - steps) + steps
        raised -= (raised - rows["estimate"]).mean()
        return list(zip(rows["element"].astype("str"), raised, rows["estimate"], strict=True))
    out: list[tuple[list[str], list[float]]] = []
    for name, place in own.sort_values("estimate")[["element", "estimate"]].itertuples(index=False):
        if out and place - sum(out[-1][1]) / len(out[-1][1]) < room:
            out[-1][0].append(str(name))
            out[-1][1].append(place)
        else:
            out.append(([str(name)], [place]))
    heights = [sum(places) / len(places) for _, places in out]
    return [(" ".join(names), h, h) for (names, _), h in zip(out, heights, strict=True)]

"""Wright map: all facets side by side on one scale; single raters are dots without a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import INK, POOR, QUIET, plain

# More names than this in one column overlap.
_NAMES = 25


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One column per facet: points with limits; names beside all but raters."""
    rows = table[(table["metric"] == "facets") & table["estimate"].notna()]
    kinds = list(dict.fromkeys(rows["variant"]))
    for k, kind in enumerate(kinds):
        own = rows[rows["variant"] == kind]
        colour = POOR if kind == "rater" else INK
        ax.vlines([k] * len(own), own["low"], own["high"], color=QUIET, linewidth=1)
        ax.plot([k] * len(own), own["estimate"], "o", color=colour, markersize=5, alpha=0.7)
        if kind != "rater" and len(own) <= _NAMES:
            for names, place in _labels(
                own, 0.045 * float(rows["estimate"].max() - rows["estimate"].min())
            ):
                ax.annotate(
                    names, (k, place), xytext=(8, -3), textcoords="offset points", fontsize=8
                )
    ax.set_xticks(range(len(kinds)), [phrase(f"variant.{v}", v) for v in kinds])
    ax.set_xlim(-0.5, max(len(kinds), 1) - 0.3)
    ax.set_ylabel(phrase("metric.facets", "logit"))
    plain(ax).grid(visible=False, axis="x")
    return ax


def _labels(own: pd.DataFrame, room: float) -> list[tuple[str, float]]:
    """Names with their height; those too close to tell apart share one label."""
    out: list[tuple[list[str], list[float]]] = []
    for name, place in own.sort_values("estimate")[["element", "estimate"]].itertuples(index=False):
        if out and place - out[-1][1][0] < room:
            out[-1][0].append(str(name))
            out[-1][1].append(place)
        else:
            out.append(([str(name)], [place]))
    return [(" ".join(names), sum(places) / len(places)) for names, places in out]

"""Shares under several rules side by side: one line per group, one mark per rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import FAIR, GOOD, INK, POOR, QUIET, plain

_MARKS = (("own", INK, "o"), ("role", GOOD, "s"), ("equal", POOR, "D"), ("shapley", FAIR, "^"))
# More rows than this are unreadable on one axis.
_ROWS = 25


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """The longer the line, the more the rule decides; the largest share on top."""
    names = list(table.columns[: list(table.columns).index("metric")])
    rows = table[table["variant"].isin([m[0] for m in _MARKS])]
    label = (
        rows[names].astype("str").agg(" · ".join, axis=1) if names else pd.Series("", rows.index)
    )
    wide = rows.assign(label=label).pivot_table(index="label", columns="variant", values="estimate")
    wide = wide.loc[wide.max(axis=1).sort_values(kind="stable").index].tail(_ROWS)
    place = np.arange(len(wide))
    ax.hlines(place, wide.min(axis=1), wide.max(axis=1), color=QUIET, linewidth=5)
    for lift, (rule, colour, mark) in zip((0.15, 0.05, -0.05, -0.15), _MARKS, strict=True):
        if rule in wide:
            name = phrase(f"variant.{rule}", rule)
            ax.plot(
                wide[rule], place + lift, mark, color=colour, markersize=7, alpha=0.85, label=name
            )
    ax.set_yticks(place, list(wide.index))
    ax.set_ylim(-0.7, len(wide) - 0.3)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    ax.set_xlabel(phrase(f"metric.{about.get('metric', '')}", ""))
    ax.legend(frameon=False, loc="lower right", fontsize="small")
    return plain(ax)

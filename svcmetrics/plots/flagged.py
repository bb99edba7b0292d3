"""How far each department stands out from the others on each check; the flagged ones by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics.display import phrase
from svcmetrics.plots.style import POOR, QUIET, plain, row_height


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """Inches that keep the checks apart."""
    return row_height(table["metric"].nunique()) + 0.8


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """One line per check, a dot per department: 0 is what the other departments let expect."""
    rows = table[table["t"].notna()] if "t" in table else table.iloc[:0].assign(t=0.0)
    checks = list(dict.fromkeys(rows["metric"]))
    place = rows["metric"].map({c: len(checks) - 1 - k for k, c in enumerate(checks)})
    flagged = rows["flagged"].to_numpy(bool) if len(rows) else np.zeros(0, bool)
    ax.axvline(0, color=QUIET, linewidth=1)
    ax.plot(rows["t"][~flagged], place[~flagged], "o", color=QUIET, markersize=6)
    ax.plot(rows["t"][flagged], place[flagged], "o", color=POOR, markersize=8)
    told = rows[flagged].sort_values("t", kind="stable")
    # By turns above and below, so that neighbours on one line do not cover one another's names.
    below = (told.groupby("metric").cumcount() % 2 == 1).to_numpy()
    for (_, row), y, under in zip(told.iterrows(), place[told.index], below, strict=True):
        name = " ↔ ".join(str(row[c]) for c in ("unit", "other") if row[c])
        ax.annotate(name, (row["t"], y), xytext=(0, -8 if under else 8), ha="center",
                    va="top" if under else "baseline", textcoords="offset points")  # fmt: skip
    ax.set_yticks(range(len(checks)), [phrase(f"metric.{c}", c) for c in reversed(checks)])
    ax.set_ylim(-0.6, max(len(checks), 1) - 0.2)
    ax.set_xlabel(phrase("gaming.axis", "t"))
    return plain(ax)

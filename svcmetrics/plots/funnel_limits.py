"""Groups against their size, between the limits that chance and size allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.plots.style import INK, POOR, QUIET, plain

# Names only where a group stands out: a page of names says nothing.
_NAMED = ("clear", "notable")


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """Points with the two pairs of limits; clear ones in colour and with their names."""
    rows = table.dropna(subset=["estimate"]).sort_values("n", kind="stable")
    curve = pd.DataFrame(about["curve"]) if about.get("curve") else rows
    for name, width in (("998", 0.8), ("95", 1.4)):
        label = lang.say(f"funnel_limits.limits_{name}")
        style = "--" if name == "998" else "-"
        for side, text in (("lower", label), ("upper", "_")):
            limit = curve[f"{side}_{name}"]
            ax.plot(curve["n"], limit, style, color=QUIET, linewidth=width, label=text, zorder=1)
    ax.plot(
        rows["n"], rows["target"], color=INK, linewidth=1, label=lang.say("funnel_limits.whole")
    )
    colours = [POOR if v == "clear" else INK for v in rows["verdict"]]
    ax.scatter(rows["n"], rows["estimate"], c=colours, s=34, zorder=3)
    for row in rows[rows["verdict"].isin(_NAMED)].to_dict("records"):
        place = (row["n"], row["estimate"])
        text = str(row[table.columns[0]])
        ax.annotate(text, place, xytext=(5, 4), textcoords="offset points", fontsize="small")
    ax.set_xlabel(lang.say("funnel_limits.size"))
    kind = str(table["variant"].iloc[0]) if len(table) else ""
    ax.set_ylabel(phrase(f"variant.{kind}", kind))
    if kind == "share":
        ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    ax.legend(frameon=False, fontsize="small")
    return plain(ax)

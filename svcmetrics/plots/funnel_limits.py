"""Groups against their size, between the limits that chance and size allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullFormatter

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.plots.style import INK, POOR, QUIET, headline, plain, tick, title_of

# Names only where a group stands out: a page of names says nothing.
_NAMED = ("clear", "notable")
_LETTER = 0.025  # of the width, for a letter of a name
_CLOUD = 200  # so many points would hide each other, were they not small and pale
_WIDE = 30  # sizes further apart than this need a logarithmic axis
_FEW = 12  # so many groups can have their names; of more, those that stand out most


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
    size, shade = (34, 1.0) if len(rows) <= _CLOUD else (9, 0.5)
    ax.scatter(rows["n"], rows["estimate"], c=colours, s=size, alpha=shade, zorder=3)
    ax.set_xlabel(lang.say("funnel_limits.size"))
    kind = str(table["variant"].iloc[0]) if len(table) else ""
    if kind == "share":
        ax.set_ylabel(phrase(f"variant.{kind}", kind))
        ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.3g}%")
    else:
        ax.set_ylabel(lang.say("axis.per_100_any"))
        ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.3g}")
    ax.xaxis.set_major_formatter(tick)
    ax.set_ylim(bottom=0)
    if len(rows) and rows["n"].max() > _WIDE * rows["n"].min():
        ax.set_xscale("log")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.set_major_formatter(tick)
    named = rows if len(rows) <= _FEW else rows[rows["verdict"].isin(_NAMED)]
    title, out = title_of(about), len(named)
    if out > _FEW:
        named = _furthest(named, ax)
        title += "\n" + lang.say("axis.furthest_names", rows=len(named), of=out)
    _name(named, table.columns[0], ax)
    headline(ax, title, legend=True)
    return plain(ax)


def _furthest(rows: pd.DataFrame, ax: Axes) -> pd.DataFrame:
    """The clear ones before the notable ones, the furthest from the whole first; a name that would lie
    on one of these is left out."""
    rows = rows.assign(far=rows["z"].abs(), clear=rows["verdict"] == "clear")
    rows = rows.sort_values(["clear", "far"], ascending=False, kind="stable")
    ax.get_xlim()  # settles the limits
    places = ax.transAxes.inverted().transform(
        ax.transData.transform(rows[["n", "estimate"]].to_numpy(dtype=float))
    )
    wide = _LETTER * rows[rows.columns[0]].astype("str").map(len).max()
    taken: list[int] = []
    for i, (x, y) in enumerate(places):
        apart = (np.abs(places[taken] - (x, y)) > (2 * wide, 0.08)).any(axis=1)
        if len(taken) < _FEW and apart.all():
            taken.append(i)
    return rows.iloc[taken].sort_values("n", kind="stable")


def _name(rows: pd.DataFrame, group: str, ax: Axes) -> None:
    """Names beside their points; one that would lie on another goes below its point."""
    scale = ax.transAxes.inverted()
    taken: list[tuple[float, float]] = []
    for row in rows.to_dict("records"):
        place = (row["n"], row["estimate"])
        x, y = scale.transform(ax.transData.transform(place))
        lift = 4 if not any(abs(x - a) < 0.2 and abs(y - b) < 0.06 for a, b in taken) else -13
        taken.append((x, y))
        right = x < 0.8
        ax.annotate(
            str(row[group]), place, xytext=(6 if right else -6, lift), ha="left" if right else "right",
            textcoords="offset points", fontsize="small", color=POOR if row["verdict"] == "clear" else INK,
            zorder=4, path_effects=[withStroke(linewidth=2, foreground="white")],
        )  # fmt: skip

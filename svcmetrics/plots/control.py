"""Control charts: one run with its limits, or a board of many runs by their distance from the usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.plots.style import FAIR, INK, POOR, QUIET, headline, plain

# Beyond this many standard errors a cell is no darker.
_DEEPEST = 5.0
_FALSE_SHARE = 0.05
_ROW, _LEAST = 0.34, 4.0
_ROWS = 40  # groups on a board: more names are no longer read


def height(table: pd.DataFrame, about: Mapping[str, Any]) -> float:
    """A board needs a line per group."""
    names = _names(table, about)
    rows = min(len(table[names].drop_duplicates()), _ROWS) if names else 0
    return max(_LEAST, 1.6 + _ROW * rows)


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """A chart for one group, a board for several."""
    points = table[(table["metric"] == "control") & table["estimate"].notna()]
    names, at = _names(table, about), str(about.get("at", "month"))
    if points.empty:
        return plain(ax)
    several = bool(names) and len(points[names].drop_duplicates()) > 1
    return _board(points, names, at, ax) if several else _chart(points, at, ax, about)


def _names(table: pd.DataFrame, about: Mapping[str, Any]) -> list[str]:
    before = list(table.columns[: list(table.columns).index("metric")])
    return [c for c in before if c != str(about.get("at", "month"))]


def _chart(points: pd.DataFrame, at: str, ax: Axes, about: Mapping[str, Any]) -> Axes:
    place = np.arange(len(points))
    for _, own in _phases(points):
        x = place[own]
        ax.plot(x, points.loc[own, "center"], color=FAIR, linewidth=1.4)
        for side in ("lower", "upper"):
            ax.step(x, points.loc[own, side], where="mid", color=FAIR, linewidth=1, linestyle="--")
    ax.plot(place, points["estimate"], "o-", color=INK, markersize=5, linewidth=1)
    out = (points["outside"] != "").to_numpy()
    ax.plot(
        place[out], points.loc[out, "estimate"], "o", color=POOR, markersize=10, fillstyle="none"
    )
    run = points["rules"].str.split().map(lambda r: bool(set(r) & {"2", "3"})).to_numpy() & ~out
    ax.plot(
        place[run], points.loc[run, "estimate"], "s", color=POOR, markersize=9, fillstyle="none"
    )
    step = max(1, len(points) // 12)
    ax.set_xticks(place[::step], points[at].astype("str").iloc[::step])
    ax.tick_params(axis="x", rotation=30 if len(points) > 6 else 0)
    _explain(points, out, run, ax)
    _name_phases(points, place, ax)
    variant = str(points["variant"].iloc[0])
    chart = phrase(f"variant.{variant}", "")
    of = phrase(f"metric.{about['of']}", "") if about.get("of") else ""
    ax.set_ylabel(f"{of} · {chart}" if of else chart)
    if variant in ("p", "laney_p"):
        ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.3g}%")
    headline(ax, lang.say("title.run"), legend=True)
    plain(ax).grid(visible=False, axis="x")
    return ax


def _phases(points: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    """Which points belong to which phase: each has limits of its own."""
    if "phase" not in points:
        return [("", np.ones(len(points), bool))]
    label = points["phase"].astype("str")
    return [(name, (label == name).to_numpy()) for name in dict.fromkeys(label)]


def _name_phases(points: pd.DataFrame, place: np.ndarray, ax: Axes) -> None:
    phases = _phases(points)
    if len(phases) < 2:
        return
    for i, (name, own) in enumerate(phases):
        if i:
            ax.axvline(place[own][0] - 0.5, color=INK, linewidth=1, linestyle=":")
        ax.text(
            place[own][0] - 0.4, 0.98, name, transform=ax.get_xaxis_transform(), va="top",
            fontsize="small", color=INK,
        )  # fmt: skip


def _explain(points: pd.DataFrame, out: np.ndarray, run: np.ndarray, ax: Axes) -> None:
    """A legend of what there is to see, and nothing else."""
    ax.plot([], [], color=FAIR, linewidth=1.4, label=lang.say("axis.center"))
    ax.plot([], [], color=FAIR, linewidth=1, linestyle="--", label=lang.say("axis.limits"))
    for there, mark, key in ((out, "o", "outside"), (run, "s", "run")):
        if there.any():
            ax.plot(
                [],
                [],
                mark,
                color=POOR,
                markersize=9,
                fillstyle="none",
                label=lang.say(f"axis.{key}"),
            )


def _board(points: pd.DataFrame, names: list[str], at: str, ax: Axes) -> Axes:
    label = points[names].astype("str").agg(" · ".join, axis=1)
    points, label, title = _furthest(points, label)
    wide = points.assign(label=label).pivot_table(index="label", columns=at, values="z", sort=True)
    shades = LinearSegmentedColormap.from_list("svc", ["#2f6f9f", "#ffffff", POOR]).with_extremes(
        bad=QUIET
    )
    image = ax.imshow(wide, cmap=shades, vmin=-_DEEPEST, vmax=_DEEPEST, aspect="auto")
    outside = points["outside"] != ""
    kept = points["p_adjusted"] < _FALSE_SHARE
    marks = ((outside & ~kept, "none", "outside"), (outside & kept, "full", "outside_kept"))
    for some, fill, key in marks:
        rows = points[some]
        if rows.empty:
            continue
        x, y = (
            wide.columns.get_indexer(pd.Index(rows[at])),
            wide.index.get_indexer(pd.Index(label[rows.index])),
        )
        ax.plot(
            x, y, "o", color=INK, markersize=7, linestyle="", fillstyle=fill,
            label=lang.say(f"axis.{key}"),
        )  # fmt: skip
    ax.set_yticks(range(len(wide)), list(wide.index))
    step = max(1, wide.shape[1] // 12)
    ax.set_xticks(
        range(0, wide.shape[1], step), [str(c) for c in wide.columns[::step]], rotation=30
    )
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.figure.colorbar(image, ax=ax, label=lang.say("axis.z"), shrink=0.8)
    return headline(ax, title, legend=bool((points["outside"] != "").any()))


def _furthest(points: pd.DataFrame, label: pd.Series) -> tuple[pd.DataFrame, pd.Series, str]:
    """The groups that went furthest from their usual level, and a title that counts the others."""
    title, far = lang.say("title.board"), points["z"].abs().groupby(label).max()
    shown = label.isin(far.nlargest(_ROWS).index)
    if len(far) <= _ROWS or not shown.any():
        return points, label, title
    left = int((points.loc[~shown, "outside"] != "").sum())
    more = lang.say("axis.furthest_groups", rows=_ROWS, of=len(far), left=left)
    return points[shown], label[shown], f"{title}\n{more}"

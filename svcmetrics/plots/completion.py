"""What has become of cases as time goes on: done, withdrawn, still under way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.plots.style import FAIR, GOOD, INK, QUIET, headline, plain


def draw(table: pd.DataFrame, ax: Axes, about: Mapping[str, Any]) -> Axes:
    """``about["curve"]``: time in promises, and the shares done and withdrawn by then."""
    curve = about.get("curve") or {"time": [0.0], "done": [0.0], "withdrawn": [0.0]}
    time, done, gone = (np.array(curve[k]) for k in ("time", "done", "withdrawn"))
    words = [lang.say(f"completion.{k}") for k in ("done", "open", "withdrawn")]
    ax.stackplot(time, done, 1 - done - gone, gone, colors=[GOOD, QUIET, FAIR], labels=words)
    hours = about.get("unit") in ("hours", "natural_hours")
    if time[-1] >= 1 and not hours:
        at = float(np.interp(1.0, time, done))
        ax.axvline(1.0, color=INK, linewidth=1, linestyle="--")
        ax.annotate(
            lang.say("completion.by_promise", share=at), (1.0, at), xytext=(8, -16),
            textcoords="offset points", color="white" if at > 0.15 else INK, fontweight="bold",
        )  # fmt: skip
    ax.set_xlim(0, float(time[-1]) or 1.0)
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
    ax.set_xlabel(lang.say("completion.hours" if hours else "completion.axis"))
    ax.set_ylabel(phrase("completion.share", ""))
    headline(ax, lang.say("completion.title"), legend=True)
    return plain(ax)

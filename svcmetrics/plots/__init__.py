"""Drawings of results. They draw and never compute: a table in, an ``ax`` out.

One file per kind of drawing; a metric names the kind. Chinese text is drawn with the font that
ships with the package, so that no machine needs one of its own.
"""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# Characters of a name beside a drawing.
_LONGEST = 40


def picture(ax: Axes, kind: str = "png") -> bytes:
    """A drawing as the bytes of a file: "png" or "svg"; the same drawing gives the same bytes."""
    from matplotlib.figure import Figure

    figure = ax.figure
    if not isinstance(figure, Figure):  # part of a larger figure: that one is saved
        figure = figure.figure.get_figure(root=True)
    out = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    figure.savefig(out, format=kind, dpi=110, metadata=metadata)
    return out.getvalue()


def draw(
    kind: str,
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    about: Mapping[str, Any] | None = None,
) -> Axes:
    """Draw a result's table with the drawing of this name; a new figure when no ``ax`` is given."""
    from svcmetrics.plots.style import new_axes, use_fonts

    use_fonts()
    about = about or {}
    drawing = importlib.import_module(f"svcmetrics.plots.{kind}")
    if ax is None:
        # A drawing with a row per estimate says how tall it has to be to stay legible.
        height = getattr(drawing, "height", None)
        ax = new_axes(height=height(table, about)) if height else new_axes()
    drawn: Axes = drawing.draw(_drawable(table), ax, about)
    _without_formulas(drawn)
    return drawn


def _drawable(table: pd.DataFrame) -> pd.DataFrame:
    """The table with names as a drawing can carry them: no formulas, no line ends, not too long."""
    out = table.copy()
    for column in out.columns[[not pd.api.types.is_numeric_dtype(t) for t in out.dtypes]]:
        # Each name once: a table of pairs repeats few names very often.
        out[column] = out[column].map({n: _name(n) for n in out[column].dropna().unique()})
    return out


def _without_formulas(ax: Axes) -> None:
    """Names of columns and options as typed, too: they stand in labels of axes and in legends."""
    from matplotlib.text import Text

    for text in (*ax.findobj(Text), *(t for g in ax.figure.legends for t in g.findobj(Text))):
        if "$" in text.get_text():
            text.set_text(re.sub(r"(?<!\\)\$", r"\\$", text.get_text()))


def _name(value: Any) -> Any:
    """A name as typed; what cannot be seen becomes a blank, what is too long loses its middle."""
    if not isinstance(value, str):
        return value
    plain = "".join(c if c.isprintable() else " " for c in value)
    if len(plain) > _LONGEST:
        plain = f"{plain[: _LONGEST - 13]}…{plain[-12:]}"
    # An underscore first would keep a name out of a legend.
    plain = f" {plain}" if plain.startswith("_") else plain
    return plain.replace("$", r"\$")  # or Matplotlib reads a formula between two of them

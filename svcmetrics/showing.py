"""Results as a reader takes them in: the reading first, then the table, then the figure."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

from svcmetrics import lang
from svcmetrics.display import STYLE, table_html
from svcmetrics.result import Result
from svcmetrics.tables import TABLES

if TYPE_CHECKING:
    from svcmetrics.study import Study

# A longer table is folded: the figure says it at a glance, and one click shows the numbers.
_OPEN_ROWS = 12
_FIGURE = "max-width:100%;height:auto;margin:.4em 0 1em"


class Shown:
    """Results one after another, for the last line of a cell.

    A result without any number has neither table nor figure: its sentences say why.
    """

    def __init__(self, results: Iterable[Result], *, figure: bool = True):
        self.results = tuple(results)
        self.figure = figure

    def __repr__(self) -> str:
        return "\n\n".join(r.text if _is_empty(r) else repr(r) for r in self.results)

    def _repr_html_(self) -> str:
        told: set[str] = set()  # what several results have to say is said once
        return STYLE + "".join(_one(r, told, figure=self.figure) for r in self.results)


def _one(result: Result, told: set[str], *, figure: bool) -> str:
    fresh = [(f.level, f.say()) for f in result.findings]
    fresh = [(level, text) for level, text in fresh if text not in told]
    told |= {text for _, text in fresh}
    said = "".join(f'<p class="svc-{level}">{html.escape(text)}</p>' for level, text in fresh)
    if not _is_empty(result):
        said += _table(result)
    if figure and result.table["estimate"].fillna(0).ne(0).any():  # of nothing there is no picture
        said += _figure(result)
    return f'<div class="svc-result">{said}</div>'


def _is_empty(result: Result) -> bool:
    return bool(result.table["estimate"].isna().all())


def _table(result: Result) -> str:
    table = result.table
    title = html.escape(lang.say("showing.table", rows=len(table)))
    state = " open" if len(table) <= _OPEN_ROWS else ""
    return f"<details{state}><summary>{title}</summary>{table_html(table)}</details>"


def _figure(result: Result) -> str:
    """The figure as a picture inside the page; who cannot see it reads the sentences."""
    from svcmetrics.plots import picture

    data = base64.b64encode(picture(result.plot())).decode("ascii")
    text = html.escape(result.text, quote=True)
    return f'<img style="{_FIGURE}" alt="{text}" src="data:image/png;base64,{data}">'


def study_html(study: Study) -> str:
    """The tables of a study with their sizes, and what each that is missing would be needed for."""
    heads = [lang.say(f"showing.{k}") for k in ("name", "rows", "why")]
    out = "".join(f"<th>{html.escape(h)}</th>" for h in heads)
    lines = [f"<tr>{out}</tr>"]
    for name in TABLES:
        size = f"{len(study.tables[name]):,}" if _has_length(study, name) else lang.MISSING
        kind = "" if study.has(name) else ' style="opacity:.55"'
        said = (lang.say(f"table.{name}"), size, lang.say(f"why.{name}"))
        cells = zip(said, ("", " class=num", " class=long"), strict=True)
        lines.append(f"<tr{kind}>{''.join(f'<td{c}>{html.escape(t)}</td>' for t, c in cells)}</tr>")
    title = f"<p><b>{html.escape(study.settings.name)}</b></p>"
    table = f'<table class="svc-table">{"".join(lines)}</table>'
    return f'{STYLE}<div class="svc-result">{title}{table}</div>'


def _has_length(study: Study, name: str) -> bool:
    """A log in an engine is not counted for a title page."""
    return study.has(name) and hasattr(study.tables[name], "__len__")

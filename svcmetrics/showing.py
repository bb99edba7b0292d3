"""Results as a reader takes them in: the reading first, then the table, then the figure."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from svcmetrics import lang
from svcmetrics.display import STYLE, phrase, table_html
from svcmetrics.result import Result
from svcmetrics.tables import TABLES

if TYPE_CHECKING:
    from svcmetrics.study import Study

# A longer table is folded: the figure says it at a glance, and one click shows the numbers.
_OPEN_ROWS = 12
_FIGURE = "max-width:100%;height:auto;margin:.4em 0 1em"
_CALL = "white-space:pre-wrap;opacity:.6;font-size:.75em;margin:0 0 1.5em"
# Rows of single raters are for the result's own table, not for a page.
_PERSON = "rater_key"
# A page gives these persons labels of its own; a picture would keep what names them in the study.
_NAMED_IN_PICTURES = ("judge_key", "actor_key")


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
    if figure and _is_drawn(result):
        said += _figure(result)
    if "call" in result.about:
        said += f'<pre style="{_CALL}">{html.escape(result.about["call"])}</pre>'
    return f'<div class="svc-result">{said}</div>'


def _is_empty(result: Result) -> bool:
    return bool(result.table["estimate"].isna().all())


def _is_drawn(result: Result) -> bool:
    """Of nothing there is no picture, nor of one bare number that the sentence has said, nor of persons."""
    table = result.table
    if not table.columns.intersection([*_NAMED_IN_PICTURES]).empty:
        return False
    own = table[table["metric"] == result.about["metric"]]
    if result._drawing in ("", "intervals", "pareto") and len(own) <= 1:
        return bool(len(own) == 0 and table["estimate"].fillna(0).ne(0).sum() > 1) and (
            "figure" not in result.about
        )
    return bool(table["estimate"].fillna(0).ne(0).any())


def _table(result: Result) -> str:
    """What was asked first, each metric under its name; the rest behind it, folded."""
    table = _without_persons(result.table)
    is_own = table["metric"] == result.about["metric"]
    if is_own.all() or not is_own.any():
        return _folded(table)
    return _folded(table[is_own]) + _folded(table[~is_own], more=True)


def _folded(table: pd.DataFrame, *, more: bool = False) -> str:
    kinds = table["metric"].unique()
    name = phrase(f"metric.{kinds[0]}", "") if len(kinds) == 1 else ""
    if name:
        table = table.drop(columns="metric")
    key = "showing.more" if more else "showing.table"
    title = html.escape(" · ".join(t for t in (lang.say(key, rows=len(table)), name) if t))
    state = " open" if len(table) <= _OPEN_ROWS and not more else ""
    return f"<details{state}><summary>{title}</summary>{table_html(table)}</details>"


def _without_persons(table: pd.DataFrame) -> pd.DataFrame:
    """The table without rows that speak of one rater; the figure shows them as points without names."""
    single = table["variant"] == "rater" if "element" in table else pd.Series(False, table.index)
    if _PERSON in table:
        single |= table[_PERSON].notna() & table[_PERSON].ne("")
    kept = table[~single]
    return kept.drop(columns=_PERSON) if _PERSON in kept and single.any() else kept


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

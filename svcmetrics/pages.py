"""Pages of a run: executed notebooks and the index as HTML that needs no network, in one language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.manifest import without_home, write_whole
from svcmetrics.problems import Problem
from svcmetrics.study import why
from svcmetrics.typeface import FACE, FAMILY

# A markdown cell carries both languages; this finds the half of one of them.
_HALF = r'<div lang="{}">\s*\n(.*?)\n\s*</div>'
_FOOTER = (
    f"footer{{font:13px/1.5 {FAMILY};color:#5b6779;border-top:1px solid #d5dbe5;"
    "margin:2em 0 1em;padding-top:.5em}"
)
_STYLE = (
    f"{FACE}body{{font:16px/1.6 {FAMILY};max-width:48em;margin:2em auto;padding:0 1em}}"
    f".failed{{color:#a40000}}.skipped{{color:#8a4b00}}{_FOOTER}"
)
# In a notebook's page the reading comes first and the code stays quiet.
_NOTEBOOK_STYLE = (
    f"<style>{FACE}:root{{--jp-content-font-family:{FAMILY};--jp-ui-font-family:{FAMILY}}}"
    "body{max-width:62em;margin:0 auto}.jp-InputArea-editor{opacity:.75;font-size:.85em}"
    f"{_FOOTER}</style>"
)
_WIDGET = "application/vnd.jupyter.widget-view+json"
# Nothing is fetched from a network: formulas and live widgets are not drawn in a page.
_OFFLINE = dict.fromkeys(
    ("mathjax_url", "require_js_url", "mermaid_js_url", "jquery_url", "widget_renderer_url"), ""
)


def page(path: Path, language: str) -> str:
    """An executed notebook as one HTML file that needs no network, its prose in one language."""
    import nbformat
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = one_language(cell.source, language)
    kept = [c for c in notebook.cells if "injected-parameters" not in c.metadata.get("tags", ())]
    notebook.cells = [c for c in kept if "parameters" not in c.metadata.get("tags", ())]
    exporter = HTMLExporter(config=Config(HTMLExporter=_OFFLINE), template_name="lab")
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    body, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": path.stem}})
    body = body.replace("</head>", f"{_NOTEBOOK_STYLE}</head>", 1)
    body = body.replace("</body>", f"{person_decides(language)}</body>", 1)
    return re.sub(r"<html lang=\"[a-z]*\"", f'<html lang="{language}"', body, count=1)


def settle(path: Path) -> None:
    """Rid an executed notebook of what differs from run to run and of what names the user.

    Times, the states of widgets (they hold rows) and the home folder in tracebacks go; the same
    study then gives the same bytes.
    """
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    for key in ("papermill", "widgets"):
        notebook.metadata.pop(key, None)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.id = "parameters"
        if cell.cell_type == "code":
            cell.outputs = [_settled(o) for o in cell.outputs if not _only_a_widget(o)]
    write_whole(path, nbformat.writes(notebook).encode())


def _only_a_widget(output: Any) -> bool:
    """A live control that has no picture of itself to show in a page."""
    kinds = set(output.get("data", {}))
    return _WIDGET in kinds and kinds <= {_WIDGET, "text/plain"}


def _settled(output: Any) -> Any:
    output.get("data", {}).pop(_WIDGET, None)
    if output.output_type == "error":
        output.evalue = without_home(output.evalue)
        output.traceback = [without_home(line) for line in output.traceback]
    elif output.output_type == "stream":
        output.text = without_home(output.text)
    return output


def one_language(source: str, language: str) -> str:
    """The half of a bilingual markdown cell that is written in this language."""
    half = re.search(_HALF.format(language), source, flags=re.DOTALL)
    return half.group(1).strip() if half else source


def table_name(table: str) -> str:
    """What a reader calls a table, with its machine name."""
    said = phrase(f"table.{table}", table)
    return said if said == table else f"{said} {table}"


def missing_page(name: str, missing: tuple[str, ...], language: str) -> str:
    with lang.speaking(language):
        problems = [Problem("missing_table", {"why": why(t)}, table=t) for t in missing]
        items = "".join(f"<li>{escape(p.say())}</li>" for p in problems)
        title = escape(lang.say(f"notebook.{name}"))
        note = escape(lang.say("run.page_skipped"))
    return simple_page(title, f"<p>{note}</p><ul>{items}</ul>", language)


def index_page(title: str, rows: Iterable[tuple[str, str, str]], language: str) -> str:
    """The list of a run's pages: name of the notebook, how it went, and that in words."""
    with lang.speaking(language):
        items = "".join(
            f'<li><a href="{name}.html">{escape(lang.say(f"notebook.{name}"))}</a>'
            f' <small class="{state}">{escape(said)}</small></li>'
            for name, state, said in rows
        )
    return simple_page(escape(title), f"<ol start=0>{items}</ol>", language)


def person_decides(language: str) -> str:
    """The last line of every page of results."""
    return f"<footer>{escape(lang.say('page.person_decides', language))}</footer>"


def simple_page(title: str, body: str, language: str) -> str:
    """A page of our own: a title, a body, and the last line of every page."""
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="{language}">{head}<h1>{title}</h1>{body}{person_decides(language)}</html>\n'

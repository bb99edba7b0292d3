"""The record for the impact assessment: what was processed for which purpose, and who gets to see what.

Asked for by the Personal Information Protection Law of China (articles 55 and 56, kept for three
years) and by the GDPR (articles 30 and 35). It holds counts, never a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.io.persons import PERSONS
from svcmetrics.manifest import write_manifest, write_whole
from svcmetrics.pages import simple_page, table_name
from svcmetrics.study import Study

# What is seen by whom: pages of a run are for analysts, reports are published tables.
_SEEN_BY = {"run": "analysts", "report": "leadership", "comments": "leadership"}


def record(
    study: Study, *, kind: str, inputs: Mapping[str, str], made: Sequence[str],
    tables: Mapping[str, int] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What a run or a report did with the data of persons, as data.

    ``kind``: "run", "report" or "comments". ``made``: what it wrote. ``tables``: the least number of persons
    behind a shown row, by published table.
    """
    return {
        "purpose": {code: lang.say("record.purpose_told", code) for code in lang.LANGUAGES},
        "retention": {code: lang.say("record.retention_told", code) for code in lang.LANGUAGES},
        "decides": {code: lang.say("page.person_decides", code) for code in lang.LANGUAGES},
        "study": study.settings.name,
        "kind": kind,
        "seen_by": _SEEN_BY[kind],
        "made": list(made),
        "least_persons": study.settings.min_raters,
        "least_persons_comments": study.settings.min_comments,
        "least_persons_by_table": dict(tables or {}),
        "tables": {name: _used(name, table) for name, table in study.tables.items()},
        "inputs": dict(inputs),
    }


def write_record(study: Study, out: Path, **about: Any) -> list[Path]:
    """Write the record beside the manifest: as data, and as a page in each language."""
    content = record(study, **about)
    stem = "impact" if content["kind"] == "run" else f"{content['kind']}.impact"
    paths = [write_manifest(out, content, name=f"{stem}.json")]
    for code in lang.LANGUAGES:
        with lang.speaking(code):
            page = _page(content, code)
        paths.append(write_whole(out / f"{stem}_{code}.html", page.encode()))
    return paths


def _used(name: str, table: Any) -> dict[str, Any]:
    """The fields of a table that hold anything, its rows, and how many persons are in it."""
    person = PERSONS.get(name, "")
    if isinstance(table, pd.DataFrame):
        fields = [str(c) for c in table.columns if table[c].notna().any()]
        rows = len(table)
        persons = int(table[person].nunique()) if person in fields else 0
    else:
        fields, rows = list(table.columns), int(table.count().execute())
        persons = int(table[person].nunique().execute()) if person in fields else 0
    return {"fields": fields, "rows": rows, "persons": persons}


def _page(content: Mapping[str, Any], code: str) -> str:
    shown = {
        "study": content["study"],
        "purpose": content["purpose"][code],
        "seen_by": lang.say(f"record.{content['seen_by']}"),
        "made": "、".join(content["made"]) if code == "zh" else ", ".join(content["made"]),
        "least": lang.say("record.least_told", raters=content["least_persons"],
                          comments=content["least_persons_comments"]),
        "retention": content["retention"][code],
    }  # fmt: skip
    lines = [
        f"<dt>{escape(lang.say(f'record.{k}'))}</dt><dd>{escape(str(v))}</dd>"
        for k, v in shown.items()
    ]
    heads = "".join(
        f"<th>{escape(lang.say(f'record.{k}'))}</th>"
        for k in ("table", "fields", "rows", "persons")
    )
    rows = [
        f"<tr><td>{escape(table_name(name))}</td><td>{escape(_fields(name, used['fields']))}</td>"
        f"<td>{used['rows']:,}</td><td>{used['persons']:,}</td></tr>"
        for name, used in content["tables"].items()
    ]
    files = "".join(
        f"<li>{escape(k)} <code>{v[:16]}</code></li>" for k, v in content["inputs"].items()
    )
    body = f"<dl>{''.join(lines)}</dl><table><tr>{heads}</tr>{''.join(rows)}</table>"
    inputs = f"<h2>{escape(lang.say('record.inputs'))}</h2><ul>{files}</ul>" if files else ""
    return simple_page(escape(lang.say("record.title")), body + inputs, code)


def _fields(table: str, fields: Sequence[str]) -> str:
    said = [phrase(f"column.{table}.{f}", phrase(f"column.any.{f}", f)) for f in fields]
    return "、".join(said) if lang.language() == "zh" else ", ".join(said)

"""The files of ``svcmetrics report``: a workbook and a one-page brief, each in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics import lang
from svcmetrics.assessment import assess
from svcmetrics.criteria import keep_or_refuse
from svcmetrics.display import phrase
from svcmetrics.impact_record import write_record
from svcmetrics.manifest import digest, digests, versions, write_manifest, write_whole
from svcmetrics.privacy import Published
from svcmetrics.problems import Problem, StudyError
from svcmetrics.publication import published, published_comments
from svcmetrics.report.brief import brief
from svcmetrics.report.workbook import workbook
from svcmetrics.study import Study
from svcmetrics.typeface import copy_typeface


def write_reports(study: Study, out: Path, *, command: str = "") -> list[Path]:
    """Write ``brief_zh.html``, ``brief_en.html``, ``workbook_zh.xlsx``, ``workbook_en.xlsx``.

    All of them from published tables only; each is written whole. Gives back the paths.
    """
    paths: list[Path] = []
    keep_or_refuse(study)
    for code in lang.LANGUAGES:
        with lang.speaking(code):
            tables = published(study, assess(study))
            if not tables:
                raise StudyError(Problem("nothing_to_report", {}))
            notes = _notes(study, command)
            title = lang.say("brief.title", study=study.settings.name)
            page = leadership_brief(study, tables, notes)
            book = workbook(tables, title=title, language=code, notes=notes)
        copy_typeface(out)
        paths.append(write_whole(out / f"brief_{code}.html", page.encode()))
        paths.append(write_whole(out / f"workbook_{code}.xlsx", book))
    _record(study, out, paths, command)
    least = {name: table.min_n for name, table in tables.items()}
    write_record(
        study, out, kind="report", inputs=_inputs(study, out), made=[p.name for p in paths],
        tables=least,
    )  # fmt: skip
    return paths


def write_comments(
    study: Study, out: Path, *, mask: Sequence[str] = (), command: str = ""
) -> tuple[list[Path], str]:
    """Write ``comments_zh.xlsx`` and ``comments_en.xlsx``; gives back the paths and what to say.

    ``mask``: names of staff to make unreadable. No file is written where nothing may be shown.
    """
    paths: list[Path] = []
    keep_or_refuse(study)
    said = ""
    for code in lang.LANGUAGES:
        with lang.speaking(code):
            shown = published_comments(study, mask=mask)
            title = f"{study.settings.name} · {lang.say('sheet.comments')}"
            book = workbook(
                {"comments": shown}, title=title, language=code, notes=_notes(study, command)
            )
        said = said or shown.say()
        if len(shown.table):
            paths.append(write_whole(out / f"comments_{code}.xlsx", book))
    if paths:
        _record(study, out, paths, command, name="comments.manifest.json")
        write_record(
            study, out, kind="comments", inputs=_inputs(study, out), made=[p.name for p in paths],
            tables={"comments": study.settings.min_comments},
        )  # fmt: skip
    return paths, said


def overview(tables: Mapping[str, Published]) -> pd.DataFrame:
    """What may be published, in the reader's words: each table, its rows, and how many are hidden."""
    names = [phrase(f"sheet.{k}", phrase(f"metric.{k}", k)) for k in tables]
    sizes = {
        lang.say("showing.name"): names,
        lang.say("showing.rows"): [len(t.table) for t in tables.values()],
        lang.say("showing.hidden"): [t.hidden for t in tables.values()],
    }
    return pd.DataFrame(sizes).set_index(lang.say("showing.name"))


def leadership_brief(
    study: Study, tables: Mapping[str, Published], notes: Mapping[str, Any]
) -> str:
    """The brief in the current language, with the parts that the study allows."""
    return brief(
        tables,
        title=lang.say("brief.title", study=study.settings.name),
        subtitle=_subtitle(study),
        banners=["brief.pilot"] if study.settings.pilot_units else [],
        language=lang.language(),
        notes=notes,
    )


def _subtitle(study: Study) -> str:
    waves = [w.id for w in study.settings.waves]
    if study.has("rating"):
        answered = sorted(study.long_ratings()["wave"].dropna().astype("str").unique())
        # A wave that nobody has answered yet is no part of the report.
        waves = [w for w in waves if w in answered] or answered
    units = int(study.unit["is_service_unit"].sum()) if study.has("unit") else 0
    if not waves:
        return lang.say("brief.subtitle_log", units=units)
    if len(waves) == 1:
        return lang.say("brief.subtitle_one", units=units, wave=waves[0])
    return lang.say("brief.subtitle", units=units, waves=len(waves), first=waves[0], last=waves[-1])


def _notes(study: Study, command: str) -> dict[str, Any]:
    made = ", ".join(f"{k} {v}" for k, v in versions().items())
    return {"command": command, "versions": made, "seed": study.settings.seed}


def _inputs(study: Study, out: Path) -> dict[str, str]:
    source = study.path or Path()
    return digests(source, skip=[out]) if source.is_dir() else {}


def _record(
    study: Study, out: Path, paths: list[Path], command: str, name: str = "report.manifest.json"
) -> None:
    content = {
        "command": command,
        "versions": versions(),
        "inputs": _inputs(study, out),
        "outputs": {p.name: digest(p) for p in paths},
    }
    write_manifest(out, content, name=name)

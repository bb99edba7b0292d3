"""The front door for foreign files: guess a mapping, show it, import, and say what was done."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd

from svcmetrics.io import guess
from svcmetrics.io.foreign_source import ForeignSource, guess_source, open_source, tell_about
from svcmetrics.io.import_tables import tables_of_log, tables_of_ratings, time_range
from svcmetrics.io.mapping import LOGS, WORKFLOWS, Mapping, load_mapping
from svcmetrics.io.merge_study import known_tables, merged, open_study, save_tables
from svcmetrics.io.quality import ImportReport, Tally
from svcmetrics.io.times import read_times, zone
from svcmetrics.study import Settings, Study, Wave

_TIMES = ("event.at", "event.start", "rating.submitted_at")


def propose(
    source: str | Path,
    *,
    format: str = "auto",  # noqa: A002
    mapping: str | Path | Mapping | None = None,
) -> Mapping:
    """How would this file be read? The saved mapping, or the one that its headers and entries suggest.

    ``source``: CSV, Excel, Parquet, JSON, .xes or .xes.gz. ``format``: "auto", "flat" (event log),
    "xes", "dingtalk" (钉钉), "feishu" (飞书), "wecom" (企业微信), "weaver" (泛微), "servicenow",
    "jira", "wjx" (问卷星), "qualtrics" or "ratings". ``mapping``: a saved mapping file.

    Comes back: a ``Mapping``; print its ``describe()`` and let somebody confirm it. A column that
    must be known and is not is a StudyError that lists the headers.
    Misleads: a header is a name, not a promise; look at the action words above all.
    """
    given = _given(mapping)
    opened = open_source(source, given.format if given else format)
    chosen = _settled(opened, given)
    kinds = _time_kinds(chosen, opened).drop_duplicates()
    named = kinds.isin(("offset", "unix", "missing"))
    return chosen.but(all_zoned=bool(named.all() and (kinds != "missing").any()))


def import_file(
    source: str | Path, study_dir: str | Path, *, format: str = "auto", mapping: str | Path | Mapping | None = None,  # noqa: A002
    cases: str | Path | None = None,
) -> ImportReport:  # fmt: skip
    """Bring a foreign file into a study: all of it, or nothing and the reason.

    ``study_dir``: the study's folder or workbook; made when it is not there. ``mapping``: from
    ``propose`` or a file; guessed when missing. ``cases``: a second file with one row per case
    (deadline, start, end). Persons become keyed pseudonyms unless the mapping says they are.

    Comes back: an ``ImportReport``: rows in, kept and left out by rule, what was assumed, files.
    Misleads: what a file cannot know (kind of output, scope, who leads) gets a default; confirm it.
    """
    given = _given(mapping)
    opened = open_source(source, given.format if given else format)
    chosen = _settled(opened, given)
    path = Path(study_dir)
    study, exists = open_study(path, timezone=chosen.timezone)
    tally = Tally(opened.table.file, len(opened.frame))
    tell_about(opened, tally)
    chosen = _with_zone(chosen, opened, study if exists else None, tally)
    known = known_tables(study)
    tables = (
        tables_of_log(opened, chosen, cases, tally, study, known)
        if chosen.format in LOGS
        else tables_of_ratings(opened, chosen, tally, study)
    )
    changed = merged(known, tables, tally)
    for table, key in (("service", "assumed_service"), ("item", "assumed_items")):
        if table not in changed:  # the study has its own, confirmed or not
            tally.unsay(key)
    study = _with_waves(study, tables, tally, exists=exists)
    files = save_tables(study, changed, path, exists=exists) if changed else []
    added = {n: len(t) - len(known.get(n, ())) for n, t in changed.items()}
    about = {
        "mapping": dataclasses.asdict(chosen),
        "timezone": study.settings.timezone,
        "range": time_range(tables),
    }
    return tally.report(chosen.format, added, files, about)


def _given(mapping: str | Path | Mapping | None) -> Mapping | None:
    return load_mapping(mapping) if isinstance(mapping, (str, Path)) else mapping


def _settled(opened: ForeignSource, given: Mapping | None) -> Mapping:
    """The given mapping with its gaps in words filled, or a guess; complete, or an error."""
    mapping = guess_source(opened) if given is None else given
    if given is not None and given.format in LOGS and not given.values.get("event.action"):
        guessed = guess_source(opened) if given.format in WORKFLOWS else None
        mapping = (
            given.but(values={**given.values, **guessed.values})
            if guessed
            else guess.with_words(given, opened.frame)
        )
    if mapping.timezone:
        zone(mapping.timezone)
    return guess.need(mapping, [str(c) for c in opened.frame.columns], opened.table.file)


def _with_zone(
    mapping: Mapping, opened: ForeignSource, study: Study | None, tally: Tally
) -> Mapping:
    """The zone of bare times: declared, the study's, or (when no time has one) assumed and told.

    Beside times with an offset, a bare time is ambiguous: it stays out until a zone is declared.
    """
    if mapping.timezone:
        return mapping
    kinds = _time_kinds(mapping, opened)
    bare = int((kinds == "no_zone").sum())
    if study is not None:
        return mapping.but(timezone=study.settings.timezone)
    if bare and (kinds == "offset").any():
        return mapping
    if bare:
        tally.say("zone_assumed", "warning", zone=Settings.timezone, count=bare)
    return mapping.but(timezone=Settings.timezone)


def _time_kinds(mapping: Mapping, opened: ForeignSource) -> pd.Series:
    """How each time of the file is written, read without a zone of our own."""
    sources = [s for t in _TIMES if (s := mapping.source(t)) is not None]
    return pd.concat(
        [read_times(opened.frame[s], day_first=mapping.day_first or "day")["kind"] for s in sources]
        or [pd.Series(dtype=object)]
    )


def _with_waves(
    study: Study, tables: dict[str, pd.DataFrame], tally: Tally, *, exists: bool
) -> Study:
    """Waves that study.toml does not name run from their first to their last form.

    A new study gets them; in one that is there, study.toml stays as its owner wrote it.
    """
    if "plan" not in tables:
        return study
    named = {w.id for w in study.settings.waves}
    at = tables["rating"].merge(tables["plan"][["plan_id", "wave"]], on="plan_id")
    spans = at.dropna(subset=["submitted_at"]).groupby("wave")["submitted_at"].agg(["min", "max"])
    day = pd.Timedelta(days=1)
    fresh = tuple(
        Wave(str(w), low.normalize(), high.normalize() + day)
        for w, low, high in spans.itertuples(name=None)
        if w not in named
    )
    if exists and fresh:
        tally.say("waves_unlisted", "warning", names=[w.id for w in fresh])
    if exists or not fresh:
        return study
    waves = (*study.settings.waves, *fresh)
    return dataclasses.replace(study, settings=dataclasses.replace(study.settings, waves=waves))

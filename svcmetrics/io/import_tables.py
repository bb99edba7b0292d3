"""From the rows of a foreign file to the tables of a study: logs on one side, ratings on the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics.io import guess
from svcmetrics.io.case_tables import case_tables
from svcmetrics.io.flat_log import clean_events
from svcmetrics.io.flat_ratings import flat_answers
from svcmetrics.io.foreign_source import ForeignSource
from svcmetrics.io.foreign_table import ForeignTable, read_table
from svcmetrics.io.log_tables import log_tables
from svcmetrics.io.mapping import Answer, Mapping
from svcmetrics.io.quality import Tally
from svcmetrics.io.qualtrics import without_previews
from svcmetrics.io.questionnaire import form_answers
from svcmetrics.io.rating_tables import rating_tables
from svcmetrics.privacy import load_key
from svcmetrics.problems import Problem, StudyError
from svcmetrics.study import Study

# Columns that number the forms; they are no person.
FORM_NUMBERS = ("序号", "ResponseId")


def tables_of_log(
    opened: ForeignSource,
    mapping: Mapping,
    cases: str | Path | None,
    tally: Tally,
    study: Study,
    known: dict[str, pd.DataFrame],
) -> dict[str, pd.DataFrame]:
    vague = guess.not_understood(mapping)
    events = clean_events(opened.frame, mapping, tally, from_1904=opened.table.from_1904)
    if vague:
        tally.say(
            "vague_actions",
            "warning",
            count=len(vague),
            names=vague[:12],
            events=int(events["word"].fillna(events["activity"]).isin(vague).sum()),
        )
    table, columns = (opened.table, mapping) if cases is None else _case_file(cases, mapping)
    more = case_tables(table.frame, columns, tally, from_1904=table.from_1904)
    key = load_key(study.settings.name)
    tables = log_tables(
        events, more, mapping, tally, key=key, known=known, timezone=study.settings.timezone
    )
    low, high = time_range(tables)
    tally.say(
        "time_range",
        low=low,
        high=high,
        zone=study.settings.timezone,
        cases=int(tables["event"]["case_id"].nunique()),
    )
    return tables


def _case_file(path: str | Path, mapping: Mapping) -> tuple[ForeignTable, Mapping]:
    """The case file with its own columns: those of the mapping that it has, else a guess."""
    table = read_table(path)
    headers = [str(c) for c in table.frame.columns]
    guessed = guess.match_headers(
        headers, {"event.case_id": guess.LOG_HEADERS["event.case_id"], **guess.CASE_HEADERS}
    )
    wanted = {s: t for s, t in mapping.columns.items() if s in headers}
    own = {**guessed, **wanted}
    columns = mapping.but(columns=own)
    if columns.source("event.case_id") is None:
        raise StudyError(
            Problem(
                "mapping_incomplete",
                {"missing": ["event.case_id"], "present": headers[:30]},
                file=table.file,
            )
        )
    return table, columns


def tables_of_ratings(
    opened: ForeignSource, mapping: Mapping, tally: Tally, study: Study
) -> dict[str, pd.DataFrame]:
    """unit, service, item, plan and rating of a rating table or a questionnaire export."""
    answers, items = _answers(opened, mapping, tally)
    if not len(answers):
        reasons = {"reasons": [f"{k}: {v}" for k, v in tally.left_out.items()]}
        raise StudyError(Problem("import_nothing_left", reasons, file=tally.source))
    if mapping.source("plan.rater_key") in FORM_NUMBERS:
        # A form number is nobody: with the file's name it stays one of its kind.
        answers = answers.assign(rater=opened.table.file + " " + answers["rater"])
    key, timezone = load_key(study.settings.name), study.settings.timezone
    tables = rating_tables(answers, items, mapping, tally, key=key, timezone=timezone)
    tally.say(
        "ratings_read",
        raters=int(answers["rater"].nunique()),
        targets=int(answers["target"].nunique()),
        answers=len(tables["rating"]),
        blank=int(tables["rating"]["score"].isna().sum()),
    )
    return tables


def _answers(
    opened: ForeignSource, mapping: Mapping, tally: Tally
) -> tuple[pd.DataFrame, dict[str, Answer]]:
    frame, from_1904 = opened.frame, opened.table.from_1904
    if mapping.format == "ratings" and not any(a.target for a in mapping.answers):
        return flat_answers(frame, mapping, tally, from_1904=from_1904)
    if mapping.format == "qualtrics":
        frame = without_previews(frame, tally)
    return form_answers(frame, mapping, tally, from_1904=from_1904)


def time_range(tables: dict[str, Any]) -> tuple[str, str]:
    at = tables["event"]["at"] if "event" in tables else tables["rating"]["submitted_at"].dropna()
    return (at.min().isoformat(), at.max().isoformat()) if len(at) else ("", "")

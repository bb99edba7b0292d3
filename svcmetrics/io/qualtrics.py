"""Qualtrics CSV exports: three header rows (ids, wording, JSON with the time zone), labels or numbers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from svcmetrics.io.answer_words import guess_scores
from svcmetrics.io.foreign_table import ForeignTable, read_table
from svcmetrics.io.mapping import Mapping
from svcmetrics.io.quality import Tally
from svcmetrics.io.questionnaire import Question, propose_answers, with_a_target
from svcmetrics.problems import Problem, StudyError

_FIXED = {"RecordedDate": "rating.submitted_at", "Duration (in seconds)": "rating.seconds"}
_PREVIEW = {"survey preview", "1", "survey test", "2", "spam", "8", "preview spam", "9"}
# Read by nobody: they tell persons and places.
_NEVER = re.compile(
    r"^(IPAddress|Recipient\w*|Location\w*|StartDate|EndDate|Progress|UserLanguage|DistributionChannel)$"
)
_QUESTION = re.compile(
    r"^(?:(\d+)_)?(Q[\w.]*?\d+)(?:_(\d+))?(?:_TEXT)?$|^([A-Za-z]\w*?)(?:_(\d+))?$"
)


@dataclass(frozen=True)
class QualtricsTable(ForeignTable):
    """The table below its three header rows, with the wording of each column and the zone of its times."""

    wording: tuple[tuple[str, str], ...] = ()
    timezone: str = ""


def is_qualtrics(headers: list[str]) -> bool:
    """Whether the headers are those of a Qualtrics export."""
    return "ResponseId" in headers and "RecordedDate" in headers


def read_qualtrics(path: str | Path) -> QualtricsTable:
    """The table without the columns that tell persons or places; StudyError without its header rows."""
    table = read_table(path)
    frame = table.frame
    if len(frame) < 2 or "ImportId" not in str(frame.iloc[1, 0]):
        raise StudyError(Problem("qualtrics_headers", file=table.file))
    wording = tuple((str(c), "" if pd.isna(v) else str(v)) for c, v in frame.iloc[0].items())
    zone = _zone(frame.iloc[1])
    kept = [c for c in frame.columns if not _NEVER.match(str(c))]
    return QualtricsTable(
        frame.iloc[2:][kept], table.file, table.problems, table.from_1904, wording, zone
    )


def _zone(row: pd.Series) -> str:
    for cell in row.dropna():
        try:
            found = json.loads(str(cell))
        except (json.JSONDecodeError, RecursionError):
            continue
        if isinstance(found, dict) and "timeZone" in found:
            return "UTC" if found["timeZone"] == "Z" else str(found["timeZone"])
    return ""


def propose_qualtrics(table: QualtricsTable) -> Mapping:
    """The mapping of an export; an external reference, where there is one, says who answered."""
    frame, wording = table.frame, dict(table.wording)
    columns = {h: (t,) for h, t in _FIXED.items() if h in frame}
    reference = "ExternalReference" in frame and frame["ExternalReference"].notna().mean() > 0.5
    columns["ExternalReference" if reference else "ResponseId"] = ("plan.rater_key",)
    fixed = {*columns, "Status", "Finished", "ResponseId", "ExternalReference"}
    asked, answers, left = propose_answers(
        _questions([c for c in frame.columns if c not in fixed], wording), frame
    )
    answers, pointless = with_a_target(asked, answers)
    words = (
        guess_scores(pd.concat([frame[a.column] for a in answers if a.kind == "score"]))
        if answers
        else {}
    )
    constants = {
        "plan.mode": "confidential" if reference else "anonymous",
        "plan.wave": "W1",
        "plan.form_version": Path(table.file).stem,
    }
    return Mapping(
        "qualtrics",
        {**columns, **asked},
        {"rating.score": words} if words else {},
        constants,
        answers,
        table.timezone,
        left_out=(*left, *pointless),
    )


def _questions(headers: list[str], wording: dict[str, str]) -> list[Question]:
    found = []
    for header in headers:
        match = _QUESTION.match(header)
        text = re.sub(r"\s+", " ", wording.get(header, "")).strip()
        number = (match[2] or match[4] or header).removeprefix("Q") if match else header
        is_row = bool(match and (match[3] or match[5])) and not header.endswith("_TEXT")
        stem, _, row = text.rpartition(" - ")
        found.append(
            Question(header, number, stem, row.strip())
            if is_row and stem
            else Question(header, number, text)
        )
    return found


def without_previews(frame: pd.DataFrame, tally: Tally) -> pd.DataFrame:
    """Real responses; previews, tests and spam are counted out, unfinished ones are kept and told."""
    if "Status" in frame:
        bad = frame["Status"].astype("str").str.strip().str.lower().isin(_PREVIEW)
        frame = tally.leave_out(frame, bad, "preview")
    if "Finished" in frame:
        unfinished = frame["Finished"].astype("str").str.strip().str.lower().isin({"false", "0"})
        if unfinished.any():
            tally.say("unfinished", "warning", count=int(unfinished.sum()))
    return frame

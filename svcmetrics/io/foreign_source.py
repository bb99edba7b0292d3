"""Which layout a foreign file has, and its rows, ready for a mapping."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics.io import guess, qualtrics, wenjuanxing
from svcmetrics.io.dingtalk_excel import is_dingtalk_excel, read_dingtalk_excel
from svcmetrics.io.foreign_table import ForeignTable, read_table
from svcmetrics.io.json_file import is_json
from svcmetrics.io.mapping import FORMATS, WORKFLOWS, Mapping
from svcmetrics.io.quality import Tally
from svcmetrics.io.safe_files import file_problem
from svcmetrics.io.workflow_files import read_workflow_json, read_workflow_table, workflow_of
from svcmetrics.io.workflow_log import WorkflowLog, propose_workflow, tell_workflow
from svcmetrics.io.xes import XesLog, is_xes, read_xes
from svcmetrics.problems import StudyError

# "2025年4月", "2025-04", "202504"
_MONTH = re.compile(r"(?<!\d)(20\d\d)\s*(?:年|[-_.])?\s*(0?[1-9]|1[0-2])(?:\s*月份?)?(?!\d)")


@dataclass(frozen=True)
class ForeignSource:
    """The rows of a file in a known layout; ``detail`` is what its reader knows beyond them."""

    format: str
    table: ForeignTable
    detail: Any = field(default=None, repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        return self.table.frame


def open_source(path: str | Path, format: str = "auto") -> ForeignSource:  # noqa: A002
    """Read a file as one of ``FORMATS``; "auto" tells by its name and headers."""
    path = Path(path)
    if format not in ("auto", *FORMATS):
        raise StudyError(
            file_problem("import_format", path, found=format, known=["auto", *FORMATS])
        )
    if format == "xes" or (format == "auto" and is_xes(path)):
        log = read_xes(path)
        return ForeignSource("xes", ForeignTable(log.events, path.name), log)
    if format in ("wjx", "qualtrics"):
        return _survey(path, format)
    if is_json(path) and format in ("auto", *WORKFLOWS):
        return _workflow(read_workflow_json(path, format), path)
    return _table(path, format)


def _table(path: Path, format: str) -> ForeignSource:  # noqa: A002
    try:
        return _first_sheet(path, format)
    except StudyError as error:
        if format in ("auto", "dingtalk") and _other_headers(error, path):
            return _workflow(read_dingtalk_excel(path), path)
        if error.problems[0].key != "import_blank_header":
            raise
        return _first_sheet(path, format, titled=True)


def _first_sheet(path: Path, format: str, *, titled: bool = False) -> ForeignSource:  # noqa: A002
    table = read_table(path, titled=titled)
    headers = [str(c) for c in table.frame.columns]
    kind = _known_kind(headers) if format == "auto" else format
    if kind in WORKFLOWS:
        return _workflow(read_workflow_table(path, table, kind), path, table)
    if kind in ("wjx", "qualtrics"):
        return _survey(path, kind)
    return ForeignSource(kind or _kind_of_table(table, headers), table)


def _known_kind(headers: list[str]) -> str:
    """The system whose own headers these are; "" when the table could be anybody's."""
    if wenjuanxing.is_wenjuanxing(headers):
        return "wjx"
    return "qualtrics" if qualtrics.is_qualtrics(headers) else workflow_of(headers)


def _workflow(log: WorkflowLog, path: Path, table: ForeignTable | None = None) -> ForeignSource:
    problems = [*(table.problems if table and not log.problems else ()), *log.problems]
    epoch = table is not None and table.from_1904
    return ForeignSource(
        log.layout.format, ForeignTable(log.frame, path.name, problems, epoch), log
    )


def _other_headers(error: StudyError, path: Path) -> bool:
    """Whether a workbook that does not begin with one plain header row is an approval export."""
    odd = ("import_blank_header", "import_double_header", "import_layout", "workflow_headers")
    if path.suffix.lower() not in (".xlsx", ".xlsm") or error.problems[0].key not in odd:
        return False
    return is_dingtalk_excel(path)


def _survey(path: Path, format: str) -> ForeignSource:  # noqa: A002
    table = (
        wenjuanxing.read_wenjuanxing(path) if format == "wjx" else qualtrics.read_qualtrics(path)
    )
    return ForeignSource(format, table, table)


def _kind_of_table(table: ForeignTable, headers: list[str]) -> str:
    """An event log has cases, steps and times; a rating table has raters, targets and scores."""
    log = guess.match_headers(headers, guess.LOG_HEADERS)
    found = {t for targets in log.values() for t in targets}
    if {"event.case_id", "step.name"} <= found and found & {"event.at", "event.start"}:
        return "flat"
    ratings = guess.guess_mapping(headers, table.frame, format="ratings")
    about = ratings.source("plan.target_id") or any(a.target for a in ratings.answers)
    if about and (ratings.source("rating.score") or ratings.answers):
        return "ratings"
    raise StudyError(
        file_problem("import_layout", Path(table.file), present=headers[:30], known=list(FORMATS))
    )


def _of_name(stem: str, mapping: Mapping) -> dict[str, str]:
    """Form and month from the name of a file such as "2025年4月评分"; the same form comes every month."""
    month = _MONTH.search(stem)
    if month is None or mapping.source("plan.wave") or mapping.source("rating.submitted_at"):
        return {"plan.form_version": stem}
    form = _MONTH.sub("", stem).strip(" _-—.") or "form"
    return {"plan.form_version": form, "plan.wave": f"{month[1]}-{int(month[2]):02d}"}


def guess_source(source: ForeignSource) -> Mapping:
    """The mapping that the headers and entries of a file suggest."""
    stem = source.table.file.split(".")[0]
    if source.format == "wjx":
        return wenjuanxing.propose_wenjuanxing(source.table)
    if source.format == "qualtrics":
        return qualtrics.propose_qualtrics(source.detail)
    if isinstance(source.detail, WorkflowLog):
        return propose_workflow(source.detail, stem)
    mapping = guess.guess_mapping(
        [str(c) for c in source.frame.columns], source.frame, format=source.format
    )
    if source.format == "ratings":
        return mapping.but(constants={**mapping.constants, **_of_name(stem, mapping)})
    if not mapping.source("event.service_id"):
        mapping = mapping.but(constants={**mapping.constants, "event.service_id": stem})
    return mapping


def tell_about(source: ForeignSource, tally: Tally) -> None:
    """What the reader of the file noticed."""
    tally.problems += source.table.problems
    if isinstance(source.detail, WorkflowLog):
        tell_workflow(source.detail, tally)
    if not isinstance(source.detail, XesLog):
        return
    log = source.detail
    if log.empty_traces:
        tally.say("xes_empty_traces", "warning", count=log.empty_traces)
    if log.traces_without_id:
        tally.say("xes_no_case_name", "warning", count=log.traces_without_id)
    if log.repeated_keys:
        tally.say(
            "xes_repeated_keys",
            "warning",
            count=log.repeated_keys,
            names=list(log.repeated_names[:8]),
        )

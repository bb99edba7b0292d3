"""A working calendar put into a study, so that nobody types 365 rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from svcmetrics.io.calendars import OFFICE_HOURS, working_calendar
from svcmetrics.io.merge_study import open_study, save_tables
from svcmetrics.io.safe_files import file_problem
from svcmetrics.problems import Problem, StudyError
from svcmetrics.study import Settings, Study


class CalendarAdded(NamedTuple):
    """Which days came in, how many of them are worked, and how many are not announced yet."""

    first: str
    last: str
    days: int
    worked: int
    provisional: int
    kept: int
    files: list[str]


def add_calendar(
    study_dir: str | Path,
    *,
    first: str | None = None,
    last: str | None = None,
    hours: Sequence[tuple[str, str]] = OFFICE_HOURS,
    country: str = "CN",
) -> CalendarAdded:
    """Put the office hours of every day, with public holidays and make-up days, into a study.

    ``study_dir``: the study's folder or workbook. ``first``, ``last``: days to cover, both included;
    left out, the whole years of the log, its deadlines and the waves. ``hours``, ``country``: as in
    ``working_calendar``. Days that the study's calendar holds already stay as they are.

    Comes back: what was added, and the files that were written.
    Misleads: days of a year whose make-up days are not announced yet are provisional; run it again
    on a study without them once they are.
    """
    path = Path(study_dir)
    study, exists = open_study(path, timezone=Settings.timezone)
    if not exists:
        raise StudyError(file_problem("file_missing", path))
    ends = _years(study)
    if (first is None or last is None) and not ends:
        raise StudyError(Problem("calendar_no_range", file=path.name))
    table = working_calendar(
        first or f"{min(ends)}-01-01", last or f"{max(ends)}-12-31", hours=hours,
        calendar_id=study.settings.calendar, country=country,
    )  # fmt: skip
    table = table.assign(date=pd.to_datetime(table["date"]))
    old = study.get("calendar")
    there = pd.Series(False, table.index)
    if old is not None:
        own = old.loc[old["calendar_id"].astype("str") == study.settings.calendar, "date"]
        there = table["date"].isin(pd.to_datetime(own))
    new = table[~there]
    whole = new if old is None else pd.concat([old, new], ignore_index=True)
    days = new.drop_duplicates("date")
    files = save_tables(study, {"calendar": whole}, path, exists=True) if len(new) else []
    return CalendarAdded(
        f"{table['date'].min():%Y-%m-%d}", f"{table['date'].max():%Y-%m-%d}", len(days),
        int(days["is_workday"].sum()), int((days["status"] == "provisional").sum()),
        int(table.loc[there, "date"].nunique()), files,
    )  # fmt: skip


def _years(study: Study) -> set[int]:
    """The years in which something was done, or falls due."""
    found = {d.year for wave in study.settings.waves for d in (wave.start, wave.end)}
    for name, column in (("event", "at"), ("commitment", "due_at")):
        table = study.get(name)
        if table is not None:
            found |= {_of(table[column].min()).year, _of(table[column].max()).year}
    return {int(year) for year in found if year == year}  # noqa: PLR0124 - a missing time has no year


def _of(value: Any) -> Any:
    """A number of a frame, or of a table that the engine still holds."""
    return pd.Timestamp(value.execute() if hasattr(value, "execute") else value)

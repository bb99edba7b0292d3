"""A study on disk: one folder (study.toml and a file per table) or one workbook.

``read_study`` gives a study that can be computed with, or every problem at once. ``inspect_study``
gives both: what could be read, and all that is wrong. ``write_study`` writes whole or not at all.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from svcmetrics.io import headers
from svcmetrics.io.cells import csv_grid, xlsx_grids
from svcmetrics.io.grid import Grid
from svcmetrics.io.parquet_tables import read_parquet
from svcmetrics.io.rating_store import with_store
from svcmetrics.io.safe_files import file_problem
from svcmetrics.io.settings import FILE, read_settings
from svcmetrics.io.study_out import write_study
from svcmetrics.io.table_cells import ReadTable, from_grid
from svcmetrics.problems import Problem, StudyError
from svcmetrics.study import Settings, Source, Study
from svcmetrics.tables import TABLES

CHECKS_FILE = "checks.csv"
_TABLE_FILES = (".csv", ".parquet", ".xlsx", ".xlsm")
# Files that somebody may take for a table, but that cannot be read as one.
_OTHER_FILES = (
    ".xls",
    ".xlsb",
    ".ods",
    ".et",
    ".tsv",
    ".txt",
    ".json",
    ".feather",
    ".dta",
    ".sav",
    ".numbers",
)


def read_study(path: str | Path) -> Study:
    """What does the company know? A study from its folder or workbook.

    ``path``: a folder with ``study.toml`` and one CSV, Parquet or Excel file per table (or one
    workbook), or the workbook itself.

    Comes back: a ``Study``; or a StudyError with every cell, column and file that cannot be read.
    Rules between tables are not tried here: see ``study.check()`` and ``inspect_study``.
    Misleads: nothing is guessed, but times without an offset are taken in the study's time zone.
    Source: the tables of a study, ``svcmetrics.tables``.
    """
    return _whole(*_read(Path(path)))


def read_files(path: str | Path) -> Study:
    """The same without what the store of the study holds: only its files."""
    return _whole(*_read(Path(path), stored=False))


def _whole(study: Study | None, problems: list[Problem]) -> Study:
    errors = [p for p in problems if p.level == "error"]
    if study is None or errors:
        raise StudyError(errors or problems)
    return study


def inspect_study(path: str | Path) -> tuple[Study | None, list[Problem]]:
    """What could be read of a study, and every problem of its files, cells and rules, errors first."""
    study, problems = _read(Path(path))
    if study is not None:
        problems += _not_told_yet(study.check(), problems)
    return study, sorted(
        problems, key=lambda p: (p.level != "error", p.file, p.sheet, p.table, p.column, p.rows)
    )


def _read(path: Path, *, stored: bool = True) -> tuple[Study | None, list[Problem]]:
    try:
        folder, files, problems = _files(path)
    except StudyError as error:
        return None, list(error.problems)
    settings, more = _settings(folder, path)
    found: dict[str, ReadTable] = {}
    problems += more
    for file in files:
        try:
            tables, more = _tables_of(file, settings)
        except StudyError as error:
            problems += error.problems
            continue
        problems += more
        for name, read in tables.items():
            if name not in found or found[name].table is None:
                found[name] = read  # an empty sheet of the template gives way to a file
            elif read.table is not None:
                problems.append(
                    Problem(
                        "table_twice",
                        {"other": found[name].source.file},
                        table=name,
                        file=file.name,
                    )
                )
    more = with_store(folder, found, settings.timezone) if stored else []
    problems += [*more, *(p for read in found.values() for p in read.problems)]
    tables_read = {
        name: found[name].table
        for name in TABLES
        if name in found and found[name].table is not None
    }
    if not tables_read:
        return None, [*problems, *_nothing(path, files, found, problems)]
    return Study(tables_read, settings, {n: found[n].source for n in tables_read}, path), problems


def _nothing(
    path: Path, files: list[Path], found: dict[str, ReadTable], problems: list[Problem]
) -> list[Problem]:
    """Why there is no table, if nothing said so: none was filled in yet, or none is there."""
    if any(p.level == "error" for p in problems):
        return []
    books = [f for f in files if f.suffix.lower() in (".xlsx", ".xlsm")]
    if found or books:
        return [file_problem("tables_empty", books[0] if books else path)]
    return [file_problem("no_tables", path)]


def _files(path: Path) -> tuple[Path, list[Path], list[Problem]]:
    """The folder of a study, the files that may hold tables, and files that nobody will read."""
    if path.is_file() and path.suffix.lower() in (".xlsx", ".xlsm"):
        return path.parent, [path], _locks(path.parent, path)
    if not path.is_dir():
        raise StudyError(file_problem("not_a_study" if path.exists() else "file_missing", path))
    try:
        inside = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    except PermissionError as error:
        raise StudyError(file_problem("file_locked", path)) from error
    problems = _locks(path, None)
    inside = [
        p for p in inside if not p.name.startswith("~$") and p.name not in (FILE, CHECKS_FILE)
    ]
    files = []
    for file in inside:
        kind, named = file.suffix.lower(), headers.table_of(file.stem)
        if kind in (".xlsx", ".xlsm") or (kind in _TABLE_FILES and named):
            files.append(file)
        elif kind in _TABLE_FILES:
            near = headers.suggestion(file.stem, TABLES)
            problems.append(replace(file_problem("file_unknown", file, near=near), level="warning"))
        elif kind in _OTHER_FILES and named:
            problems.append(file_problem("extension_wrong", file, extension=kind))
    return path, files, problems


def _locks(folder: Path, only: Path | None) -> list[Problem]:
    """Workbooks that somebody has open: what is not saved is not read."""
    locks = [p.name[2:] for p in folder.glob("~$*.xls*")]
    return [
        Problem("workbook_open", file=n, level="warning")
        for n in sorted(locks)
        if only is None or n == only.name
    ]


def _settings(folder: Path, path: Path) -> tuple[Settings, list[Problem]]:
    file = folder / FILE
    if file.exists():
        return read_settings(file)
    settings = Settings(name=path.stem)
    values = {"timezone": settings.timezone, "raters": settings.min_raters}
    return settings, [Problem("settings_missing", values, file=FILE, level="warning")]


def _tables_of(file: Path, settings: Settings) -> tuple[dict[str, ReadTable], list[Problem]]:
    named = headers.table_of(file.stem)
    if file.suffix.lower() == ".parquet" and named:
        return {named: read_parquet(named, file, settings.timezone)}, []
    if file.suffix.lower() == ".csv" and named:
        read = from_grid(named, csv_grid(file), settings.timezone)
        if read.table is None and not read.problems:
            read.problems.append(
                Problem("table_no_rows", table=named, file=file.name, level="warning")
            )
        return {named: read}, []
    return _sheets(file, named, settings)


def _sheets(
    file: Path, named: str | None, settings: Settings
) -> tuple[dict[str, ReadTable], list[Problem]]:
    """The tables of a workbook; a sheet with a header only is a table not used."""
    no_table = {headers.normal(n) for n in headers.NO_TABLE}
    grids = {n: g for n, g in xlsx_grids(file).items() if headers.normal(n) not in no_table}
    found: dict[str, ReadTable] = {}
    problems: list[Problem] = []
    for sheet, grid in grids.items():
        name = headers.table_of(sheet) or (named if len(grids) == 1 else None)
        if name is None:
            problems += _unknown_sheet(grid)
        elif name in found:
            problems.append(
                Problem("table_twice", {"other": found[name].source.sheet}, name, file.name, sheet)
            )
        elif len(grid.cells):
            found[name] = from_grid(name, grid, settings.timezone)
    return found, problems


def _unknown_sheet(grid: Grid) -> list[Problem]:
    if not len(grid.cells):
        return []
    near = headers.suggestion(grid.sheet, TABLES)
    return [
        Problem("sheet_unknown", {"near": near}, file=grid.file, sheet=grid.sheet, level="warning")
    ]


def _not_told_yet(checks: list[Problem], told: list[Problem]) -> list[Problem]:
    """Problems of rules, without the rows whose cells could not be read in the first place."""
    errors = [p for p in told if p.level == "error"]
    unread = {(p.table, p.column, row) for p in errors for row in p.rows}
    there = {headers.table_of(Path(p.file).stem) for p in errors} | {p.table for p in errors}
    out: list[Any] = []
    for problem in checks:
        if problem.key == "missing_table" and problem.table in there:
            continue  # it is not missing, it cannot be read: said already
        left = tuple(r for r in problem.rows if (problem.table, problem.column, r) not in unread)
        hidden = len(problem.rows) - len(left)
        if left or not problem.rows:
            out.append(replace(problem, rows=left, count=problem.count - hidden))
    return out


__all__ = ["Source", "inspect_study", "read_study", "write_study"]

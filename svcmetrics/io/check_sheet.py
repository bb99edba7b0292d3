"""The list of problems, written back beside the data: into the workbook's own sheet or as checks.csv.

Only the one sheet is replaced; every other part of the workbook stays byte for byte as it was. A
workbook that somebody has open is left alone, with a clear error.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pandas as pd

from svcmetrics import lang
from svcmetrics.io import headers
from svcmetrics.io.cells import MAX_XLSX_BYTES
from svcmetrics.io.safe_files import file_problem
from svcmetrics.io.study_files import CHECKS_FILE
from svcmetrics.io.table_cells import GUARDED
from svcmetrics.io.whole import write_whole
from svcmetrics.io.xlsx_cells import Workbook
from svcmetrics.problems import OutputError, Problem, StudyError

_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_WIDTHS = (10, 34, 44, 44, 52)
_PARTS = ("found", "expected", "remedy")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def write_checks(path: str | Path, problems: Sequence[Problem]) -> Path:
    """Write the problems where the user looks: the sheet `检查 Checks`, else ``checks.csv``.

    ``path``: the study's folder or workbook. Comes back: the file written.
    """
    path = Path(path)
    rows = list(_rows(problems))
    book = _workbook(path)
    if book is not None:
        part = _part_of_checks(book)
        if part:
            _replace_part(book, part, rows)
            return book
    folder = path if path.is_dir() else path.parent
    return _as_csv(folder / CHECKS_FILE, rows)


def _rows(problems: Sequence[Problem]) -> Iterable[list[str]]:
    yield [lang.say(f"checks.{name}") for name in ("level", "place", *_PARTS)]
    for problem in problems:
        yield [
            lang.say(f"checks.{problem.level}"),
            problem.where(),
            *(problem.part(p) for p in _PARTS),
        ]
    if not problems:
        yield [lang.say("checks.none"), "", "", "", ""]


def _workbook(path: Path) -> Path | None:
    """The one workbook of the study, if there is one."""
    if path.is_file():
        return path
    books = [p for p in sorted(path.glob("*.xlsx")) if not p.name.startswith("~$")]
    return books[0] if len(books) == 1 else None


def _part_of_checks(book: Path) -> str:
    wanted = headers.normal(headers.CHECKS_SHEET)
    try:
        with Workbook(book, MAX_XLSX_BYTES) as opened:
            return next((opened.part(n) for n in opened.sheets if headers.normal(n) == wanted), "")
    except StudyError:
        return ""


def _replace_part(book: Path, part: str, rows: list[list[str]]) -> None:
    if book.with_name(f"~${book.name}").exists():
        raise OutputError(file_problem("workbook_busy", book))
    try:
        handle, draft = tempfile.mkstemp(prefix=".checks-", suffix=".xlsx", dir=book.parent)
    except OSError as error:
        raise OutputError(file_problem("folder_locked", book.parent)) from error
    try:
        with os.fdopen(handle, "wb") as file:
            with (
                zipfile.ZipFile(book) as old,
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
            ):
                for info in old.infolist():
                    data = old.read(info)
                    new.writestr(info, _sheet(data, rows) if info.filename == part else data)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(book, draft)
        os.replace(draft, book)
    except (OSError, zipfile.BadZipFile) as error:
        Path(draft).unlink(missing_ok=True)
        raise OutputError(file_problem("file_locked", book)) from error


def _sheet(old: bytes, rows: list[list[str]]) -> bytes:
    """The new sheet, in the cell formats that the old one has in its first two rows."""
    text = old.decode("utf-8", "replace")
    found = {row: re.search(rf'<c [^>]*r="A{row}"[^>]*?s="(\d+)"', text) for row in (1, 2)}
    head, body = (f' s="{m[1]}"' if (m := found[row]) else "" for row in (1, 2))
    widths = "".join(
        f'<col min="{i}" max="{i}" width="{w}" customWidth="1"/>' for i, w in enumerate(_WIDTHS, 1)
    )
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    lines = "".join(_row(r, row, head if r == 1 else body) for r, row in enumerate(rows, 1))
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{_NAMESPACE}">'
        '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        f"<cols>{widths}</cols><sheetData>{lines}</sheetData>"
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
    ).encode()


def _row(number: int, row: list[str], style: str) -> str:
    cells = "".join(_cell(f"{'ABCDE'[i]}{number}", text, style) for i, text in enumerate(row))
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, text: str, style: str) -> str:
    clean = escape(_CONTROL.sub("�", text)[:32_000])
    return f'<c r="{place}"{style} t="inlineStr"><is><t xml:space="preserve">{clean}</t></is></c>'


def _as_csv(file: Path, rows: list[list[str]]) -> Path:
    """For studies of CSV files; no cell can start a formula."""
    table = pd.DataFrame(rows[1:], columns=rows[0]).map(
        lambda t: f"'{t}" if re.match(GUARDED, t) else t
    )
    try:
        write_whole(file, table.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig"))
    except OSError as error:
        raise OutputError(file_problem("file_locked", file)) from error
    return file

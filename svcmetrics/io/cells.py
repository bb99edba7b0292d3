"""Cells as they stand in a file: nothing guessed, nothing converted, every row with its number.

These readers are the one door to CSV, Excel and Parquet files; study files and foreign exports
are both read through them. A frame has columns 0, 1, 2 … (header rows are ordinary rows) and, as
its index, the row numbers that the user's program shows. Rows without any entry are left out.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from svcmetrics.io.grid import Grid
from svcmetrics.io.safe_files import file_problem, open_file
from svcmetrics.problems import StudyError

# A file may not take the machine's memory: larger tables come as Parquet.
MAX_CSV_BYTES = 300_000_000
MAX_XLSX_BYTES = 200_000_000


def read_csv(path: str | Path) -> pd.DataFrame:
    """Every cell of a CSV file as text; a cell without an entry is missing.

    UTF-8 (with or without mark), UTF-16 and GB18030 are told apart; comma, semicolon and tab too.
    A file that cannot be read for certain is a StudyError: never a shifted column, never a guess.
    """
    return csv_grid(path).cells


def read_xlsx(path: str | Path, sheet: str | None = None) -> pd.DataFrame:
    """The cells of a sheet (the first by default) as Excel holds them.

    text, int, float, bool, datetime, time; a ``CellError`` where Excel has no value; None where
    there is no entry.
    """
    return xlsx_grid(path, sheet).cells


def csv_grid(path: str | Path) -> Grid:
    """Like ``read_csv``, with its file name and warnings."""
    from svcmetrics.io.csv_cells import cells_of

    path = Path(path)
    with open_file(path, MAX_CSV_BYTES) as file:
        cells = cells_of(file.read(), path.name)
    return Grid(cells, path.name)


def xlsx_grid(path: str | Path, sheet: str | None = None) -> Grid:
    """Like ``read_xlsx``, with warnings: hidden rows, merged cells, cells far outside."""
    names = sheet_names(path)
    if sheet is not None and sheet not in names:
        raise StudyError(file_problem("sheet_missing", path, sheet=sheet, present=names))
    chosen = sheet if sheet is not None else names[0]
    return xlsx_grids(path, [chosen])[chosen]


def xlsx_grids(path: str | Path, sheets: list[str] | None = None) -> dict[str, Grid]:
    """Several sheets of a workbook (all by default), opened once."""
    from svcmetrics.io.xlsx_cells import Workbook

    with Workbook(Path(path), MAX_XLSX_BYTES) as book:
        return {name: book.grid(name) for name in (sheets or book.sheets)}


def sheet_names(path: str | Path) -> list[str]:
    """The names of the sheets of a workbook, in order."""
    from svcmetrics.io.xlsx_cells import Workbook

    with Workbook(Path(path), MAX_XLSX_BYTES) as book:
        return list(book.sheets)

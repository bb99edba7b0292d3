"""One foreign table with its headers and row numbers, from CSV, Excel or Parquet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from svcmetrics.io.cells import csv_grid, sheet_names, xlsx_grid, xlsx_grids
from svcmetrics.io.grid import CellError
from svcmetrics.io.mapping import Mapping
from svcmetrics.io.safe_files import file_problem, open_file
from svcmetrics.problems import Problem, StudyError

MAX_PARQUET_BYTES = 4_000_000_000
# Headings stand in the first rows, not further down.
_TITLES = 5
_KNOWN = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".parquet")
# Beyond this a float has lost digits: two persons may have become one.
_EXACT = 2.0**53
_MANGLED = r"^\d(?:\.\d+)?[eE]\+?(?:1[5-9]|[2-9]\d)$"


@dataclass(frozen=True)
class ForeignTable:
    """``frame``: entries as they stand, headers as columns, the file's row numbers as index."""

    frame: pd.DataFrame
    file: str
    problems: list[Problem] = field(default_factory=list)
    from_1904: bool = False


def read_table(path: str | Path, *, sheet: str | None = None, titled: bool = False) -> ForeignTable:
    """A CSV, Excel or Parquet file whose first row holds the headers.

    ``titled``: rows above the headers that hold one entry only, such as a heading, are passed over and
    told. Further sheets of a workbook are not read, and told.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in _KNOWN:
        with open_file(path, MAX_PARQUET_BYTES):
            raise StudyError(file_problem("import_ending", path, ending=ending, known=list(_KNOWN)))
    if ending == ".parquet":
        return ForeignTable(_parquet(path), path.name)
    excel = ending.startswith(".xls")
    grid = xlsx_grid(path, sheet) if excel else csv_grid(path)
    problems = [*grid.problems, *(_other_sheets(path, grid.sheet) if excel and not sheet else [])]
    cells = grid.cells
    if titled:
        titles = _titles(cells)
        cells = cells.iloc[titles:]
        told = (
            {"rows": titles, "example": str(grid.cells.iloc[0].dropna().iloc[0])} if titles else {}
        )
        problems += [Problem("import_title", told, file=path.name, level="warning")] if told else []
    frame = _headed(cells, path)
    refuse_cell_errors(frame, path, grid.sheet)
    return ForeignTable(frame, path.name, problems, grid.epoch_1904)


def _titles(cells: pd.DataFrame) -> int:
    """How many rows with one entry stand above the first row with several."""
    filled = (cells.head(_TITLES + 1).notna()).sum(axis=1).to_numpy()
    several = np.flatnonzero(filled > 1)
    return int(several[0]) if len(several) and (filled[: several[0]] <= 1).all() else 0


def _other_sheets(path: Path, read: str) -> list[Problem]:
    """A warning when a workbook has further sheets with entries: months often stand side by side."""
    names = [name for name in sheet_names(path) if name != read]
    full = (
        [name for name, grid in xlsx_grids(path, names).items() if len(grid.cells)] if names else []
    )
    values = {"read": read, "names": full[:12], "count": len(full)}
    return [Problem("import_other_sheets", values, file=path.name, level="warning")] if full else []


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with open_file(path, MAX_PARQUET_BYTES) as file:
        try:
            frame = pq.read_table(pa.PythonFile(file)).to_pandas(ignore_metadata=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise StudyError(file_problem("file_damaged", path)) from error
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _headed(cells: pd.DataFrame, path: Path) -> pd.DataFrame:
    if not len(cells):
        raise StudyError(file_problem("file_empty", path))
    names = ["" if pd.isna(v) else _clean(str(v)) for v in cells.iloc[0]]
    frame = cells.iloc[1:]
    used = [
        bool(n) or bool(frame[c].notna().any()) for n, c in zip(names, frame.columns, strict=True)
    ]
    frame = frame.loc[:, used]
    names = [n for n, u in zip(names, used, strict=True) if u]
    blank = [i + 1 for i, n in enumerate(names) if not n]
    if blank:
        raise StudyError(file_problem("import_blank_header", path, places=blank[:10]))
    double = sorted({n for n in names if names.count(n) > 1})
    if double:
        raise StudyError(file_problem("import_double_header", path, names=double[:10]))
    frame.columns = pd.Index(names, dtype=object)
    return frame


def _clean(header: str) -> str:
    """A header without byte-order mark, no-break spaces and line breaks."""
    return re.sub(r"\s+", " ", header.replace("\ufeff", "").replace("\u00a0", " ")).strip()


def refuse_cell_errors(frame: pd.DataFrame, path: Path, sheet: str) -> None:
    """A formula without a value or an #N/A is no blank."""
    problems = []
    for column in (c for c in frame.columns if frame[c].dtype == object):
        bad = frame.index[[isinstance(v, CellError) for v in frame[column]]]
        if len(bad):
            values = {"found": str(frame.loc[bad[0], column])}
            rows = tuple(int(r) for r in bad)
            problems.append(
                Problem(
                    "import_cell_error",
                    values,
                    file=path.name,
                    sheet=sheet,
                    column=str(column),
                    rows=rows,
                    count=len(bad),
                )
            )
    if problems:
        raise StudyError(problems)


def ids(values: pd.Series, *, file: str = "") -> pd.Series:
    """Entries as ids: text, no ".0", no spaces around; an id that lost digits is refused."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    text = (
        values.map(_whole)
        if values.dtype == object or pd.api.types.is_float_dtype(values)
        else values
    )
    text = text.astype("str").str.strip().str.strip("\u3000\ufeff")
    lost = text.str.match(_MANGLED, na=False).to_numpy(dtype=bool) | _too_long(values)
    if lost.any():
        rows = tuple(int(r) for r in values.index[lost])
        example = {"example": str(values[lost].iloc[0])}
        raise StudyError(
            Problem(
                "import_digits_lost",
                example,
                file=file,
                column=str(values.name),
                rows=rows,
                count=len(rows),
            )
        )
    return text.mask(text == "")


def mapped_ids(frame: pd.DataFrame, mapping: Mapping, target: str, *, file: str) -> pd.Series:
    """The ids of a canonical column, in the mapping's words ("" makes a filler missing); or its constant."""
    source, constant = mapping.source(target), mapping.constant(target)
    if source is None:
        return pd.Series(constant or None, frame.index, dtype="str")
    found = ids(frame[source], file=file)
    words = mapping.values.get(target, {})
    if not words or target == "event.action":
        return found
    known = {str(k): None if v == "" else str(v) for k, v in words.items()}
    return found.astype("object").map(lambda v: known.get(v, v)).astype("str")


def _whole(value: object) -> object:
    if isinstance(value, (float, np.floating)):
        return (
            None
            if np.isnan(value)
            else str(int(value))
            if np.isfinite(value) and value == int(value)
            else repr(float(value))
        )
    return None if value is None or value is pd.NaT or value is pd.NA else str(value)


def _too_long(values: pd.Series) -> np.ndarray:
    """Numbers that a float, or an Excel cell, cannot have held exactly."""
    if pd.api.types.is_float_dtype(values):
        return (values.abs() > _EXACT).to_numpy(dtype=bool, na_value=False)
    if values.dtype != object:
        return np.zeros(len(values), dtype=bool)
    return np.array(
        [
            isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) > _EXACT
            for v in values
        ],
        dtype=bool,
    )

"""A sheet or file as one table of a study: headers recognised, columns converted, doubts named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io import headers, moments, values
from svcmetrics.io.grid import Grid
from svcmetrics.problems import Problem
from svcmetrics.study import Source
from svcmetrics.tables import TABLES, Column

# A text that a spreadsheet would take for a formula is written with an apostrophe before it.
GUARDED = r"^'*[=+\-@\t\r\n＝＋－＠]"
_LOOK = 12  # rows in which the header is sought
_READERS = {
    "id": values.read_id,
    "text": values.read_text,
    "word": values.read_word,
    "bool": values.read_bool,
    "float": values.read_number,
    "int": values.read_whole,
    "clock": values.read_clock,
}
# Headers by which a raw export of a questionnaire tool is known.
_EXPORTS = {
    "responseid",
    "提交答卷时间",
    "submitdate",
    "lastpage",
    "completiontime",
    "开始答题时间",
}


@dataclass(frozen=True)
class ReadTable:
    """One table as read: None when there is nothing to read; where it stood; what was wrong."""

    table: pd.DataFrame | None
    source: Source
    problems: list[Problem]


def from_grid(name: str, grid: Grid, timezone: str) -> ReadTable:
    """The table that a sheet or CSV file holds."""
    place: dict[str, Any] = {"table": name, "file": grid.file, "sheet": grid.sheet}
    cells = grid.cells if grid.sheet else _unguarded(grid.cells)
    at, after = _header_rows(name, cells)
    source = Source(grid.file, grid.sheet, int(cells.index[after]) if after < len(cells) else 2)
    if at < 0 or _is_export(cells):
        key = (
            "foreign_export"
            if _is_export(cells)
            else "header_missing"
            if len(cells)
            else "file_empty"
        )
        known = [f"{c.header(name, 'zh')} {c.name}" for c in TABLES[name].columns if c.required]
        return ReadTable(None, source, [*grid.problems, Problem(key, {"known": known}, **place)])
    found = list(grid.problems)
    if at > 0:
        rows = tuple(int(r) for r in cells.index[:at])
        found.append(Problem("title_rows", rows=rows, count=at, level="warning", **place))
    data = cells.iloc[after:]
    picked, odd = pick_columns(name, list(cells.iloc[at]), data)
    frame = pd.DataFrame({c: data[p] for c, p in picked.items()}, index=data.index)
    table, wrong = canonical(name, frame, timezone, from_1904=grid.epoch_1904)
    source = replace(source, rows=data.index.to_numpy())
    placed = [replace(p, **place) for p in odd + wrong]
    return ReadTable(table if len(table) else None, source, found + placed)


def _unguarded(cells: pd.DataFrame) -> pd.DataFrame:
    """CSV cells without the apostrophe that keeps a spreadsheet from calculating them."""
    out = {}
    for place in cells.columns:
        text = cells[place]
        guarded = text.str.startswith("'", na=False)
        if guarded.any():
            guarded &= text.str.match(GUARDED, na=False)
            text = text.mask(guarded, text.str.slice(1))
        out[place] = text
    return pd.DataFrame(out, index=cells.index)


def canonical(
    name: str, frame: pd.DataFrame, timezone: str, *, from_1904: bool = False
) -> tuple[pd.DataFrame, list[Problem]]:
    """Columns with machine names as values of their kinds, in the order of the table.

    Every optional column is there afterwards, blank if need be: nobody downstream has to ask.
    """
    out: dict[str, pd.Series] = {}
    found: list[Problem] = []
    for column in TABLES[name].columns:
        if column.name not in frame.columns:
            if not column.required:
                out[column.name] = _blank(column, frame.index, timezone)
            continue
        cells, errors = values.without_errors(frame[column.name])
        out[column.name], more = _read(cells, column, timezone, from_1904)
        found += [replace(p, column=column.name) for p in errors + more]
    table = pd.DataFrame(out, index=frame.index).reset_index(drop=True)
    return table, found


def pick_columns(
    name: str, header: Sequence[Any], data: pd.DataFrame
) -> tuple[dict[str, int], list[Problem]]:
    """Which position holds which column, and what is odd: unknown, double, personal, nameless."""
    known = headers.columns_of(name)
    picked: dict[str, int] = {}
    found: list[Problem] = []
    for place, title in enumerate(header):
        blank = pd.isna(title) or not str(title).strip()
        column = None if blank else meaning(known, title)
        if blank:
            filled = data.iloc[:, place].notna() if len(data) else pd.Series(dtype=bool)
            if filled.any():
                values_ = {"letter": letter(place)}
                rows = tuple(int(r) for r in data.index[filled][: values.ROWS_TOLD])
                found.append(
                    Problem(
                        "column_nameless",
                        values_,
                        rows=rows,
                        count=int(filled.sum()),
                        level="warning",
                    )
                )
        elif column is None:
            found.append(_unknown(name, str(title)))
        elif column in picked:
            found.append(Problem("column_twice", {"title": str(title)}, column=column))
        else:
            picked[column] = place
    return picked, found


def meaning(known: dict[str, str], title: Any) -> str | None:
    """The column that a header names: as a whole, or by one side of "中文 / English"."""
    if (whole := known.get(headers.normal(title))) is not None:
        return whole
    sides = {known.get(headers.normal(s)) for s in re.split(r"[/|\n]", str(title)) if s.strip()}
    return sides.pop() if len(sides) == 1 else None


def letter(place: int) -> str:
    """The letters over a column in Excel."""
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(65 + rest) + text
    return text


def _read(cells: pd.Series, column: Column, timezone: str, from_1904: bool) -> values.Read:
    if column.kind == "time":
        return moments.read_time(cells, timezone, from_1904=from_1904)
    if column.kind == "date":
        return moments.read_date(cells, from_1904=from_1904)
    return _READERS[column.kind](cells, column)


def _blank(column: Column, index: pd.Index, timezone: str) -> pd.Series:
    """A column without entries, of the type that entries would have."""
    empty = pd.Series(np.nan, index=index[:0], dtype="str")
    return _read(empty, column, timezone, False)[0].reindex(index)


def _unknown(name: str, title: str) -> Problem:
    if headers.is_personal(title):
        return Problem("column_personal", {"title": title}, column=title)
    near = headers.suggestion(
        title, [*TABLES[name].names, *(c.header(name, "zh") for c in TABLES[name].columns)]
    )
    return Problem("column_unknown", {"title": title, "near": near}, column=title, level="warning")


def _header_rows(name: str, cells: pd.DataFrame) -> tuple[int, int]:
    """Positions of the header and of the first data row; -1 when no row is a header."""
    known = headers.columns_of(name)
    named = [
        [meaning(known, c) if pd.notna(c) else None for c in row]
        for row in cells.head(_LOOK).to_numpy()
    ]
    hits = [len({c for c in row if c}) for row in named]
    if not hits or max(hits) == 0:
        return -1, 0
    at = hits.index(max(hits))
    # The template names its columns in two rows: the upper of them is the header.
    after = at + 1
    while after < len(named) and _repeats(named[at], named[after], cells.iloc[after]):
        after += 1
    return at, after


def _repeats(above: list[str | None], row: list[str | None], cells: pd.Series) -> bool:
    same = sum(a is not None and a == b for a, b in zip(above, row))
    return same > 0 and same >= 0.6 * cells.notna().sum()


def _is_export(cells: pd.DataFrame) -> bool:
    top = [str(c) for row in cells.head(4).to_numpy() for c in row if isinstance(c, str)]
    return any('"ImportId"' in c or headers.normal(c) in _EXPORTS for c in top)

"""One sheet of a workbook: its cells as Excel holds them, and what is odd about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any

from svcmetrics.io.grid import CellError
from svcmetrics.problems import Problem, StudyError

# No table of a study or survey export is wider; what lies beyond is a stray cell.
MAX_COLUMNS = 2000
# About 15 seconds and 700 MB; larger tables come as CSV or Parquet.
MAX_CELLS = 5_000_000
EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class SheetReader:
    """Rows of one sheet, and what is odd about them."""

    def __init__(self, strings: list[str], dates: frozenset[str], epoch: datetime):
        self._strings, self._dates, self._epoch = strings, dates, epoch
        self._hidden: list[int] = []
        self._far: list[int] = []
        self._merged: list[str] = []
        self._count = 0

    def rows(self, elements: Iterator[Any]) -> list[tuple[int, dict[int, Any]]]:
        """Row number and its cells by column, for every row with an entry."""
        out: list[tuple[int, dict[int, Any]]] = []
        number = 0
        for element in elements:
            name = local_name(element)
            if name == "row":
                number = int(element.get("r") or number + 1)
                cells = self._cells(element, number)
                if cells:
                    out.append((number, cells))
                    if element.get("hidden") in ("1", "true"):
                        self._hidden.append(number)
            elif name == "mergeCell":
                self._merged.append(element.get("ref", ""))
        return out

    def _cells(self, row: Any, number: int) -> dict[int, Any]:
        found: dict[int, Any] = {}
        column = -1
        for cell in row:
            place = cell.get("r")
            column = _column(place.rstrip("0123456789")) if place else column + 1
            value = self._value(cell)
            if value is None:
                continue
            if column >= MAX_COLUMNS:
                self._far.append(number)
            else:
                found[column] = value
        self._count += len(found)
        if self._count > MAX_CELLS:
            raise StudyError(Problem("too_many_cells", {"limit": MAX_CELLS}))
        return found

    def _value(self, cell: Any) -> Any:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return text_of(cell) or None
        text, formula = None, False
        for child in cell:
            if child.tag.endswith("}v"):
                text = child.text
            elif child.tag.endswith("}f"):
                formula = True
        if not text:
            return CellError("=") if formula and kind != "str" else None
        if kind == "n":
            return self._number(text, cell.get("s"))
        return self._other(kind, text)

    def _other(self, kind: str, text: str) -> Any:
        if kind == "s":
            return self._strings[int(text)] or None
        if kind == "b":
            return text == "1"
        if kind == "e":
            return CellError(text)
        return datetime.fromisoformat(text) if kind == "d" else _unescaped(text)

    def _number(self, text: str, style: str | None) -> Any:
        if style not in self._dates:
            return int(text) if text.isdecimal() else float(text)
        return moment(float(text), self._epoch)

    def problems(self, where: dict[str, str]) -> list[Problem]:
        """Warnings on hidden rows, merged cells and cells far outside the table."""
        merged = [m for m in self._merged if re.search(r"\d", m)]
        rows = [int(re.findall(r"\d+", m)[0]) for m in merged]
        odd = {"hidden_rows": self._hidden, "merged_cells": rows, "stray_cells": self._far}
        values = {"merged_cells": {"ranges": merged[:8]}}
        return [
            Problem(
                key,
                values.get(key, {}),
                **where,
                rows=tuple(found[:50]),
                count=len(found),
                level="warning",
            )
            for key, found in odd.items()
            if found
        ]


def moment(serial: float, epoch: datetime = EPOCH) -> datetime | time | float:
    """An Excel serial number as date and time, or as a time of day when it is below one.

    Excel counts a 29 February 1900 that never was: earlier serials are left as numbers.
    """
    if not 0 <= serial < 2_958_466:
        return serial
    at = epoch + timedelta(milliseconds=round(serial * 86_400_000))
    if serial < 1:
        return at.time()
    return serial if epoch == EPOCH and serial < 61 else at


@cache
def _column(letters: str) -> int:
    """The column of a cell's address: "A" is 0, "AB" is 27."""
    number = 0
    for letter in letters[:4].upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def text_of(element: Any) -> str:
    """The text of a string with its runs, without the readings printed above characters."""
    texts = [t.text or "" for t in element.iter("{*}t") if local_name(t.getparent()) != "rPh"]
    return _unescaped("".join(texts))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text) if "_x" in text else text


def local_name(element: Any) -> str:
    return element.tag.rpartition("}")[2]

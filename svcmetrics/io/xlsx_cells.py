"""The cells of an Excel workbook, streamed: no macros, no links, no entities, no formulas run.

Written here because the usual readers pad a stray far cell to a billion cells, show a formula
without a value as a blank, and do not say which rows are hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile
from zlib import error as ZlibError  # noqa: N812

import pandas as pd

from svcmetrics.io.cells import CellError, Grid
from svcmetrics.io.safe_files import file_problem, open_file, open_zip
from svcmetrics.problems import Problem, StudyError

# No table of a study or survey export is wider; what lies beyond is a stray cell.
MAX_COLUMNS = 2000
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_LINK_STRICT = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
# Literal text, escapes, colours and conditions of a number format say nothing about dates.
_FORMAT_NOISE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)


class Workbook:
    """An open workbook: its sheets by name, each read on demand."""

    def __init__(self, path: Path, max_bytes: int):
        self._path = path
        with ExitStack() as stack:
            file = stack.enter_context(open_file(path, max_bytes))
            self._zip = stack.enter_context(open_zip(file, path))
            self._read_outline()
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def sheets(self) -> list[str]:
        """The names of the sheets, in order."""
        return list(self._parts)

    def grid(self, sheet: str) -> Grid:
        """The cells of one sheet, with warnings on what a reader would not expect."""
        reader = _Sheet(self._strings, self._dates, _EPOCH_1904 if self._is_1904 else _EPOCH)
        rows = reader.rows(self._elements(self._parts[sheet], ("row", "mergeCell")))
        where = {"file": self._path.name, "sheet": sheet}
        return Grid(
            _frame(rows), **where, problems=reader.problems(where), epoch_1904=self._is_1904
        )

    def _read_outline(self) -> None:
        links = self._links()
        self._is_1904 = False
        self._parts: dict[str, str] = {}
        for element in self._elements("xl/workbook.xml", ("workbookPr", "sheet")):
            if _local(element) == "workbookPr":
                self._is_1904 = element.get("date1904") in ("1", "true")
            elif target := links.get(element.get(_LINK) or element.get(_LINK_STRICT), ""):
                self._parts[element.get("name", "")] = target
        if not self._parts:
            raise StudyError(file_problem("file_damaged", self._path))
        self._strings = [
            _text_of(e) for e in self._elements("xl/sharedStrings.xml", ("si",), optional=True)
        ]
        self._dates = self._date_styles()

    def _links(self) -> dict[str, str]:
        """Relationship id to the part of each worksheet inside the container."""
        found = {}
        for link in self._elements("xl/_rels/workbook.xml.rels", ("Relationship",)):
            if link.get("Type", "").endswith("/worksheet") and link.get("TargetMode") != "External":
                target = link.get("Target", "")
                found[link.get("Id")] = (
                    target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                )
        return found

    def _date_styles(self) -> frozenset[str]:
        """The style numbers whose number format shows a date or a time."""
        custom: dict[int, bool] = {}
        kinds: list[int] = []
        for element in self._elements("xl/styles.xml", ("numFmt", "cellXfs"), optional=True):
            if _local(element) == "numFmt":
                code = _FORMAT_NOISE.sub("", element.get("formatCode", "")).split(";")[0]
                custom[int(element.get("numFmtId", 0))] = bool(
                    re.search(r"[ymdhs年月日]", code, re.IGNORECASE)
                )
            else:
                kinds = [int(xf.get("numFmtId") or 0) for xf in element]
        return frozenset(str(i) for i, k in enumerate(kinds) if custom.get(k, k in _DATE_FORMATS))

    def _elements(self, part: str, names: tuple[str, ...], optional: bool = False) -> Iterator[Any]:  # noqa: FBT002
        """The elements of a part, one by one, each forgotten after use."""
        from lxml import etree

        if part not in self._zip.namelist():
            if optional:
                return
            raise StudyError(file_problem("file_damaged", self._path))
        tags = tuple(space + name for name in names for space in (_MAIN, _STRICT)) + tuple(
            f"{{*}}{n}" for n in names if n == "Relationship"
        )
        try:
            with self._zip.open(part) as stream:
                self._refuse_dtd(stream.read(100_000))
            with self._zip.open(part) as stream:
                for _, element in etree.iterparse(
                    stream,
                    tag=tags,
                    resolve_entities=False,
                    load_dtd=False,
                    no_network=True,
                    huge_tree=False,
                ):
                    if element.getroottree().docinfo.internalDTD is not None:
                        raise StudyError(file_problem("xml_dtd", self._path))
                    yield element
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]
        except StudyError:
            raise
        except (
            etree.XMLSyntaxError,
            BadZipFile,
            ZlibError,
            EOFError,
            NotImplementedError,
            ValueError,
        ) as error:
            raise StudyError(file_problem("file_damaged", self._path)) from error

    def _refuse_dtd(self, start: bytes) -> None:
        if b"<!DOCTYPE" in start or b"<!\0D\0O\0C\0T" in start or b"<!ENTITY" in start:
            raise StudyError(file_problem("xml_dtd", self._path))


class _Sheet:
    """Rows of one sheet, and what is odd about them."""

    def __init__(self, strings: list[str], dates: frozenset[str], epoch: datetime):
        self._strings, self._dates, self._epoch = strings, dates, epoch
        self._hidden: list[int] = []
        self._far: list[int] = []
        self._merged: list[str] = []

    def rows(self, elements: Iterator[Any]) -> list[tuple[int, dict[int, Any]]]:
        """Row number and its cells by column, for every row with an entry."""
        out: list[tuple[int, dict[int, Any]]] = []
        number = 0
        for element in elements:
            name = _local(element)
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
            column = _column(place) if place else column + 1
            value = self._value(cell)
            if value is None:
                continue
            if column >= MAX_COLUMNS:
                self._far.append(number)
            else:
                found[column] = value
        return found

    def _value(self, cell: Any) -> Any:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return _text_of(cell) or None
        text, formula = None, False
        for child in cell:
            name = _local(child)
            text = child.text if name == "v" else text
            formula |= name == "f"
        if not text:
            return CellError("=") if formula and kind != "str" else None
        if kind == "n":
            return self._number(text, cell.get("s") in self._dates)
        return self._other(kind, text)

    def _other(self, kind: str, text: str) -> Any:
        if kind == "s":
            return self._strings[int(text)] or None
        if kind == "b":
            return text == "1"
        if kind == "e":
            return CellError(text)
        return datetime.fromisoformat(text) if kind == "d" else _unescaped(text)

    def _number(self, text: str, dated: bool) -> Any:
        if not dated:
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


def moment(serial: float, epoch: datetime = _EPOCH) -> datetime | time | float:
    """An Excel serial number as date and time, or as a time of day when it is below one.

    Excel counts a 29 February 1900 that never was: earlier serials are left as numbers.
    """
    if not 0 <= serial < 2_958_466:
        return serial
    at = epoch + timedelta(milliseconds=round(serial * 86_400_000))
    if serial < 1:
        return at.time()
    return serial if epoch == _EPOCH and serial < 61 else at


def _frame(rows: list[tuple[int, dict[int, Any]]]) -> pd.DataFrame:
    width = max((max(cells) for _, cells in rows), default=-1) + 1
    columns = [[cells.get(i) for _, cells in rows] for i in range(width)]
    index = pd.Index([n for n, _ in rows], dtype="int64")
    return pd.DataFrame(
        {i: pd.Series(c, index=index, dtype=object) for i, c in enumerate(columns)}, index=index
    )


def _column(place: str) -> int:
    """The column of a cell's address: "A1" is 0, "AB7" is 27."""
    number = 0
    for letter in place:
        if letter.isdigit():
            break
        number = number * 26 + ord(letter) - 64
    return number - 1


def _text_of(element: Any) -> str:
    """The text of a string with its runs, without the readings printed above characters."""
    texts = [t.text or "" for t in element.iter("{*}t") if _local(t.getparent()) != "rPh"]
    return _unescaped("".join(texts))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text) if "_x" in text else text


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2]

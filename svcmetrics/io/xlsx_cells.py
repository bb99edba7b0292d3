"""The cells of an Excel workbook, streamed: no macros, no links, no entities, no formulas run.

Written here because the usual readers pad a stray far cell to a billion cells, show a formula
without a value as a blank, and do not say which rows are hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile
from zlib import error as ZlibError  # noqa: N812

import pandas as pd

from svcmetrics.io.grid import Grid
from svcmetrics.io.safe_files import file_problem, open_file, open_zip
from svcmetrics.io.xlsx_sheet import EPOCH, EPOCH_1904, SheetReader, local_name, text_of
from svcmetrics.problems import StudyError

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_LINK_STRICT = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
# Literal text, escapes, colours and conditions of a number format say nothing about dates.
_FORMAT_NOISE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)


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

    def part(self, sheet: str) -> str:
        """The part of the container that holds a sheet."""
        return self._parts[sheet]

    def grid(self, sheet: str) -> Grid:
        """The cells of one sheet, with warnings on what a reader would not expect."""
        reader = SheetReader(self._strings, self._dates, EPOCH_1904 if self._is_1904 else EPOCH)
        try:
            rows = reader.rows(self._elements(self._parts[sheet], ("row", "mergeCell")))
        except (IndexError, OverflowError) as error:
            raise StudyError(file_problem("file_damaged", self._path)) from error
        except ValueError as error:
            raise _placed(error, self._path, sheet) from error
        where = {"file": self._path.name, "sheet": sheet}
        return Grid(
            _frame(rows), **where, problems=reader.problems(where), epoch_1904=self._is_1904
        )

    def _read_outline(self) -> None:
        links = self._links()
        self._is_1904 = False
        self._parts: dict[str, str] = {}
        for element in self._elements("xl/workbook.xml", ("workbookPr", "sheet")):
            if local_name(element) == "workbookPr":
                self._is_1904 = element.get("date1904") in ("1", "true")
            elif target := links.get(element.get(_LINK) or element.get(_LINK_STRICT), ""):
                self._parts[element.get("name", "")] = target
        if not self._parts:
            raise StudyError(file_problem("file_damaged", self._path))
        self._strings = [
            text_of(e) for e in self._elements("xl/sharedStrings.xml", ("si",), optional=True)
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
            if local_name(element) == "numFmt":
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


def _frame(rows: list[tuple[int, dict[int, Any]]]) -> pd.DataFrame:
    width = max((max(cells) for _, cells in rows), default=-1) + 1
    columns = [[cells.get(i) for _, cells in rows] for i in range(width)]
    index = pd.Index([n for n, _ in rows], dtype="int64")
    return pd.DataFrame(
        {i: pd.Series(c, index=index, dtype=object) for i, c in enumerate(columns)}, index=index
    )


def _placed(error: ValueError, path: Path, sheet: str) -> StudyError:
    """The problem of a sheet with its place; a number that is none means a damaged file."""
    if not isinstance(error, StudyError):
        return StudyError(file_problem("file_damaged", path))
    return StudyError(replace(p, file=path.name, sheet=p.sheet or sheet) for p in error.problems)

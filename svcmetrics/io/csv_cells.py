"""The cells of a CSV file: encoding, delimiter and shape made certain, or refused by name."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.problems import Problem, StudyError

_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'(?:(?<=[,;\t|\r\n])|\A)"(?:[^"]|"")*"(?=[,;\t|\r\n]|\Z)')
_FULL_WIDTH = "，；"
_WRITTEN = re.compile(r"[^\ufeff \t\r\n,;]")
_HEAD = 200_000  # characters looked at to find delimiter and width
_LONGEST_ROW = 1 << 23
_ROWS_TOLD = 50
# Chinese text in GB18030 lies almost wholly in the rows of GB2312; text of another encoding
# that happens to decode does not.
_GB2312_SHARE = 0.8
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def cells_of(data: bytes, file: str) -> pd.DataFrame:
    """All cells as text, indexed by row number; StudyError for what cannot be read for certain."""
    text = decode(data, file)
    if not _WRITTEN.search(text):
        raise StudyError(Problem("file_empty", file=file))
    if "\0" in text:
        raise StudyError(
            Problem("csv_nul", {"place": text.count("\n", 0, text.index("\0")) + 1}, file=file)
        )
    delimiter, width, titles = _shape(text, file)
    return _table(text, delimiter, width, titles, file)


def decode(data: bytes, file: str) -> str:
    """Bytes as text in the encoding that they certainly have."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _strictly(data, name, file)
    half = _looks_utf16(data)
    if half:
        return _strictly(data, half, file)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _gb18030(data, file, error.start)


def _strictly(data: bytes, name: str, file: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        raise StudyError(_unsure(data, file, error.start)) from error


def _looks_utf16(data: bytes) -> str:
    """UTF-16 without its mark: every second byte of the delimiters and digits is zero."""
    head = np.frombuffer(data[:4000], dtype=np.uint8)
    if len(head) < 8 or len(data) % 2:
        return ""
    even, odd = (head[k::2] == 0 for k in (0, 1))
    if odd.mean() > 0.3 and not even.any():
        return "utf-16-le"
    return "utf-16-be" if even.mean() > 0.3 and not odd.any() else ""


def _gb18030(data: bytes, file: str, start: int) -> str:
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise StudyError(_unsure(data, file, error.start)) from error
    beyond = [c for c in text[: 20 * _HEAD] if ord(c) > 127][:100_000]
    common = sum(
        len(b) == 2 and b[0] <= 0xF7 and b[1] >= 0xA1 for b in (c.encode("gb18030") for c in beyond)
    )
    if common < _GB2312_SHARE * len(beyond):
        raise StudyError(_unsure(data, file, start))
    return text


def _unsure(data: bytes, file: str, start: int) -> Problem:
    return Problem("encoding_unknown", {"place": data.count(b"\n", 0, start) + 1}, file=file)


def _shape(text: str, file: str) -> tuple[str, int, list[tuple[int, list[str]]]]:
    """Delimiter, number of columns, and the title rows (row number, cells) before the table."""
    head = text[:_HEAD]
    first = next((line for line in head.splitlines() if line.strip()), "")
    # Signs inside quoted cells delimit nothing: a cell may hold a history of lines with bars.
    bare = _QUOTED.sub('""', head)
    ranked = {d: _regularity(bare, d, len(text) > _HEAD) for d in _DELIMITERS}
    best = max(ranked, key=lambda d: ranked[d])
    if ranked[best] == (0, 0):
        if any(sign in first for sign in _FULL_WIDTH):
            raise StudyError(
                Problem("csv_full_width_comma", {"header": first[:60]}, file=file, rows=(1,))
            )
        return ",", 1, []
    records = _records(head, best, len(text) > _HEAD)
    width = Counter(len(r) for _, r in records if len(r) > 1).most_common(1)[0][0]
    titles = []
    for number, record in records:
        if len(record) == width:
            break
        if sum(bool(c.strip()) for c in record) > 1 or len(record) > width:
            values = {"found": len(record), "expected": width}
            raise StudyError(Problem("csv_ragged", values, file=file, rows=(number,)))
        titles.append((number, record))
    return best, width, titles


def _regularity(head: str, delimiter: str, cut: bool) -> tuple[int, int]:
    """How many rows agree on a number of columns above one, and that number."""
    if delimiter not in head:
        return 0, 0
    widths = Counter(len(r) for _, r in _records(head, delimiter, cut) if len(r) > 1)
    return (widths.most_common(1)[0][1], widths.most_common(1)[0][0]) if widths else (0, 0)


def _records(head: str, delimiter: str, cut: bool) -> list[tuple[int, list[str]]]:
    """The first rows with their numbers; blank ones and a cut-off last one are left out."""
    out: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        for number, record in enumerate(reader, 1):
            out.append((number, record))
    except csv.Error:
        pass
    if cut and len(out) > 1:
        out.pop()
    return [(n, r) for n, r in out if any(c.strip() for c in r)]


def _table(
    text: str, delimiter: str, width: int, titles: list[tuple[int, list[str]]], file: str
) -> pd.DataFrame:
    skipped = titles[-1][0] if titles else 0
    bad: list[Any] = []
    blank: list[int] = []

    def odd(row: Any) -> str:
        (bad if row.text.strip() else blank).append(row if row.text.strip() else row.number)
        return "skip"

    table = _parse(text, delimiter, width, skipped, odd, file)
    if bad:
        where = tuple(r.number for r in bad[:_ROWS_TOLD])
        values = {"found": bad[0].actual_columns, "expected": width}
        raise StudyError(Problem("csv_ragged", values, file=file, rows=where, count=len(bad)))
    frame = table.to_pandas(types_mapper=_text_type().get)
    present = np.ones(len(frame) + len(blank), dtype=bool)
    present[np.asarray(blank, dtype=int) - skipped - 1] = False
    frame.index = pd.Index(np.flatnonzero(present) + skipped + 1)
    frame.columns = range(width)
    if '"' in text:  # without one no cell holds a line break
        _refuse_stray_quotes(frame, delimiter, file)
    frame = frame.dropna(how="all")
    if not titles:
        return frame
    padded = [(cells + [""] * width)[:width] for _, cells in titles]
    top = pd.DataFrame(padded, index=[n for n, _ in titles], dtype=frame.dtypes[0])
    return pd.concat([top.mask(top == ""), frame])


def _parse(text: str, delimiter: str, width: int, skip: int, odd: Any, file: str) -> Any:
    import pyarrow as pa
    import pyarrow.csv as pc

    names = [str(i) for i in range(width)]
    try:
        return pc.read_csv(
            pa.BufferReader(text.removeprefix("\ufeff").encode()),
            pc.ReadOptions(
                use_threads=False, column_names=names, skip_rows=skip, block_size=_LONGEST_ROW
            ),
            pc.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=odd,
            ),
            pc.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as error:
        raise StudyError(Problem("csv_broken", file=file)) from error


def _text_type() -> dict[Any, Any]:
    import pyarrow as pa

    return {pa.large_string(): pd.StringDtype("pyarrow", na_value=np.nan)}


def _refuse_stray_quotes(frame: pd.DataFrame, delimiter: str, file: str) -> None:
    """A quote that opens and closes in different rows swallows rows: each piece tells by its commas."""
    width = frame.shape[1]
    for place in range(width):
        column = frame[place]
        for number, cell in column[column.str.contains("\n", regex=False, na=False)].items():
            first, *middle, last = (line.count(delimiter) for line in str(cell).split("\n"))
            whole = all(count == width - 1 for count in middle)
            if width > 1 and whole and first == width - 1 - place and last == place:
                where = int(str(number))
                raise StudyError(
                    Problem("csv_stray_quote", {"lines": len(middle) + 2}, file=file, rows=(where,))
                )

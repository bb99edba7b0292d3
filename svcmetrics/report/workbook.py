"""The workbook: one sheet per published table, numbers kept as numbers, names kept as names."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from svcmetrics import lang
from svcmetrics.display import header, phrase, word
from svcmetrics.privacy import Published

# Excel allows no more in the name of a sheet, and in a cell.
_SHEET_NAME, _CELL = 31, 32_767
_WIDEST = 42
# A fixed creation date: the same tables give the same bytes.
_CREATED = datetime(2000, 1, 1)


def workbook(
    tables: Mapping[str, Published],
    *,
    title: str,
    language: str,
    notes: Mapping[str, Any] | None = None,
) -> bytes:
    """The workbook with every published table, as bytes of an ``.xlsx`` file.

    ``tables``: sheet name to published table. ``title``: the first line. ``language``: "zh" or "en".
    ``notes``: what the last sheet lists (command, versions, seed). Cells are written as text or
    number, never as a formula, so a department called ``=1+1`` stays a name.
    """
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "nan_inf_to_errors": False,
        },
    )
    book.set_properties({"title": title, "created": _CREATED})
    with lang.speaking(language):
        styles = _styles(book)
        sheets = _by_sheet(tables)
        _read_me(book, styles, sheets, title)
        for name, published in sheets.items():
            _sheet(book, styles, name, published)
        _notes(book, styles, notes or {})
    book.close()
    return out.getvalue()


def _styles(book: Any) -> dict[str, Any]:
    base = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}
    return {
        "title": book.add_format({**base, "bold": True, "font_size": 14}),
        "head": book.add_format(
            {**base, "bold": True, "bg_color": "#E8ECF3", "bottom": 1, "text_wrap": True}
        ),
        "text": book.add_format({**base, "text_wrap": True}),
        "whole": book.add_format({**base, "num_format": "#,##0"}),
        "real": book.add_format({**base, "num_format": "0.000"}),
        "share": book.add_format({**base, "num_format": "0%"}),
        "quiet": book.add_format({**base, "font_color": "#7A869A", "italic": True}),
    }


def _worksheet(book: Any, name: str) -> Any:
    """A sheet that prints on A4 across, as wide as one page."""
    sheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_row(0, 24)
    return sheet


def _read_me(
    book: Any, styles: dict[str, Any], tables: Mapping[str, Published], title: str
) -> None:
    sheet = _worksheet(book, lang.say("workbook.read_me"))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 110)
    sheet.write_string(0, 0, title[:_CELL], styles["title"])
    row = 2
    for line in (
        "workbook.how_intervals",
        "workbook.how_groups",
        "workbook.how_hidden",
        "workbook.person_decides",
    ):
        sheet.merge_range(row, 0, row, 1, "", styles["text"])
        sheet.write_string(row, 0, lang.say(line), styles["text"])
        row += 1
    row += 1
    for name, published in tables.items():
        sheet.write_url(row, 0, f"internal:'{name}'!A1", styles["head"], name)
        sheet.write_string(row, 1, published.say()[:_CELL], styles["text"])
        row += 1


def _sheet(book: Any, styles: dict[str, Any], name: str, published: Published) -> None:
    table = published.table
    sheet = _worksheet(book, name)
    sheet.write_string(0, 0, name, styles["title"])
    for offset, finding in enumerate(published.findings):
        sheet.write_string(1 + offset, 0, finding.say()[:_CELL])
    top = len(published.findings) + 2
    columns = [
        c for c in table.columns if c != "shown" and not (c == "variant" and (table[c] == "").all())
    ]
    for place, column in enumerate(columns):
        values = [_readable(column, v) for v in table[column]]
        sheet.write_string(top, place, header(column)[:_CELL], styles["head"])
        _column(sheet, styles, top + 1, place, values, table["shown"].tolist())
        sheet.set_column(place, place, _width(header(column), values))
    sheet.freeze_panes(top + 1, 1)
    if len(table):
        sheet.autofilter(top, 0, top + len(table), len(columns) - 1)


def _column(
    sheet: Any,
    styles: dict[str, Any],
    top: int,
    place: int,
    values: list[object],
    shown: list[bool],
) -> None:
    for row, (value, visible) in enumerate(zip(values, shown, strict=True), start=top):
        if isinstance(value, bool):
            sheet.write_string(
                row, place, lang.say("display.yes" if value else "display.no"), styles["text"]
            )
        elif isinstance(value, int):
            sheet.write_number(row, place, value, styles["whole"])
        elif isinstance(value, float) and not pd.isna(value) and abs(value) != float("inf"):
            sheet.write_number(
                row, place, value, styles["whole" if value == int(value) else "real"]
            )
        elif value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)):
            sheet.write_string(
                row,
                place,
                lang.MISSING if visible else lang.say("publish.hidden_short"),
                styles["quiet"],
            )
        else:
            sheet.write_string(row, place, str(value)[:_CELL], styles["text"])


def _readable(column: str, value: object) -> object:
    """Machine words of the metric and variant columns as the reader's words; the rest as it is."""
    if isinstance(value, str):
        return word(column, value)
    return value.item() if hasattr(value, "item") else value


def _width(title: str, values: list[object]) -> float:
    longest = max(
        [_units(title), *(_units(str(v)) for v in values[:200] if not isinstance(v, float))],
        default=8,
    )
    return min(max(9, longest + 2), _WIDEST)


def _units(text: str) -> int:
    """Columns that a text takes: a Chinese character is two wide."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def _by_sheet(tables: Mapping[str, Published]) -> dict[str, Published]:
    """The tables by the names of their sheets: as Excel allows them, no two alike."""
    # Excel keeps "History" for itself.
    taken = {lang.say("workbook.read_me").lower(), lang.say("workbook.notes").lower(), "history"}
    out = {}
    for name, published in tables.items():
        said = phrase(f"sheet.{name}", phrase(f"metric.{name}", name))
        said = "".join(c if c.isprintable() and c not in "[]:*?/\\'" else "_" for c in said)
        said = sheet = said[:_SHEET_NAME].strip() or "_"
        again = 1
        while sheet.lower() in taken:
            again += 1
            sheet = f"{said[: _SHEET_NAME - 1 - len(str(again))]} {again}"
        taken.add(sheet.lower())
        out[sheet] = published
    return out


def _notes(book: Any, styles: dict[str, Any], notes: Mapping[str, Any]) -> None:
    sheet = _worksheet(book, lang.say("workbook.notes"))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90)
    for row, (key, value) in enumerate(notes.items()):
        sheet.write_string(row, 0, phrase(f"note.{key}", key)[:_CELL], styles["head"])
        sheet.write_string(row, 1, str(value)[:_CELL], styles["text"])

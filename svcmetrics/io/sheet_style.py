"""How the workbook of a study looks: formats, the page that explains it, the lists behind drop-downs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from svcmetrics import lang
from svcmetrics.io import headers

_FONT = {"font_name": "Microsoft YaHei", "font_size": 10}
_NUMBER_FORMATS = {
    "id": "@", "text": "@", "word": "General", "bool": "General", "int": "0", "float": "General",
    "time": "yyyy-mm-dd hh:mm", "date": "yyyy-mm-dd", "clock": "hh:mm",
}  # fmt: skip
_PARTS = ("title", "begin", "rows", "words", "ids", "times", "persons", "check")


class Styles:
    """The cell formats of one workbook, each made once."""

    def __init__(self, book: Any):
        edge = {"bottom": 1, "bottom_color": "#9AA7AF"}
        head = {**_FONT, **edge, "bold": True, "text_wrap": True, "valign": "vcenter"}
        self.machine = book.add_format({**_FONT, "font_size": 8, "font_color": "#6B7780"})
        self.required = book.add_format({**head, "bg_color": "#D6ECE3"})
        self.optional = book.add_format({**head, "bg_color": "#EEF1F3"})
        self.title = book.add_format(head)
        soft = {"bottom": 1, "bottom_color": "#DDE3E6", "valign": "top"}
        self.label = book.add_format({**_FONT, **soft, "bold": True})
        self.link = book.add_format({**_FONT, **soft, "bold": True, "font_color": "#1F5F8B"})
        self.line = book.add_format({**_FONT, **soft, "text_wrap": True})
        self.note = book.add_format({**_FONT, "text_wrap": True, "valign": "top"})
        self.large = book.add_format({**_FONT, "font_size": 14, "bold": True, "valign": "vcenter"})
        self._columns = {
            k: book.add_format({**_FONT, "num_format": f}) for k, f in _NUMBER_FORMATS.items()
        }

    def column(self, kind: str) -> Any:
        """The format of a column's cells: ids and text stay text."""
        return self._columns[kind]


def read_me(sheet: Any, styles: Styles, language: str, sheets: Mapping[str, str]) -> None:
    """What to fill in and how, in both languages side by side, and the twelve tables with their sheets."""
    from svcmetrics.tables import LITE

    first, second = language, next(code for code in lang.LANGUAGES if code != language)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 2, 62)
    sheet.write_string(0, 0, "svcmetrics", styles.large)
    sheet.set_row(0, 26)
    for place, code in ((1, first), (2, second)):
        sheet.write_string(0, place, lang.say("template.title", code), styles.large)
    row = 1
    for part in _PARTS[1:]:
        texts = [lang.say(f"template.{part}", code) for code in (first, second)]
        sheet.write_string(row, 0, lang.say(f"template.{part}_head", first), styles.label)
        _pair(sheet, row, texts, (first, second), styles)
        row += 1
    row += 1
    for name, own in sheets.items():
        star = " *" if name in LITE else ""
        sheet.write_url(row, 0, f"internal:'{own}'!A3", styles.link, f"{own}{star}")
        _pair(
            sheet,
            row,
            [lang.say(f"why.{name}", code) for code in (first, second)],
            (first, second),
            styles,
        )
        row += 1
    sheet.activate()
    fit_to_page(sheet, pages=1)


def fit_to_page(sheet: Any, *, pages: int = 0) -> None:
    """Printed, a sheet is one A4 page wide, landscape; 0 pages means as many as it takes."""
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, pages)


def word_lists(book: Any, lists: Mapping[str, list[str]]) -> dict[str, str]:
    """A hidden sheet with the entries of every drop-down; for each its address."""
    sheet = book.add_worksheet(headers.WORDS_SHEET)
    sheet.hide()
    found = {}
    for place, (name, entries) in enumerate(lists.items()):
        sheet.write_string(0, place, name)
        for row, entry in enumerate(entries, 1):
            sheet.write_string(row, place, entry)
        column = _letters(place)
        found[name] = f"='{headers.WORDS_SHEET}'!${column}$2:${column}${1 + len(entries)}"
    return found


def _pair(sheet: Any, row: int, texts: list[str], codes: tuple[str, str], styles: Styles) -> None:
    lines = 1
    for place, (text, code) in enumerate(zip(texts, codes), 1):
        sheet.write_string(row, place, text, styles.line)
        width = 30 if code == "zh" else 62  # characters in one line of the column
        lines = max(lines, sum(-(-max(len(part), 1) // width) for part in text.split("\n")))
    sheet.set_row(row, 15.5 * lines + 4)


def _letters(place: int) -> str:
    from svcmetrics.io.table_cells import letter

    return letter(place)

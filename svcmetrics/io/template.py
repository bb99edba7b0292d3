"""The bilingual workbook of a study, empty to fill in or full of a study's tables; and study.toml.

Row 1 holds machine names, row 2 Chinese and English headers, data start in row 3. Words come from
drop-downs in both languages, ids are text, and nothing in a cell is ever a formula.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import shutil
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics import lang
from svcmetrics.io import headers
from svcmetrics.io.safe_files import file_problem
from svcmetrics.io.settings import FILE
from svcmetrics.io.sheet_style import Styles, fit_to_page, read_me, word_lists
from svcmetrics.io.whole import sync
from svcmetrics.problems import OutputError, StudyError
from svcmetrics.tables import LITE, TABLES, Column

WORKBOOK = "study.xlsx"
_ROWS = 5000  # rows with drop-downs
_MAX_ROWS = 1_048_574
_MAX_TEXT = 32_000
# Lite tables first: three sheets are enough to begin.
ORDER = (*LITE, *(n for n in TABLES if n not in LITE))


def new_study(directory: str | Path, *, language: str = "zh") -> list[Path]:
    """Where do I begin? A folder with an empty workbook and its settings, explained in two languages.

    ``directory``: made if it is not there; existing files are never overwritten. ``language``: "zh"
    or "en", the language of the study's results. Comes back: the files written.
    """
    folder = Path(directory)
    book, settings = folder / WORKBOOK, folder / FILE
    there = [p.name for p in (book, settings) if p.exists()]
    if there:
        raise OutputError(file_problem("already_there", folder, files=there))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    except OSError as error:
        raise OutputError(file_problem("folder_locked", folder)) from error
    try:
        write_workbook(draft / WORKBOOK, {}, language=language)
        text = _settings(folder.resolve().name, language)
        (draft / FILE).write_text(text, "utf-8", newline="\n")
        sync(draft)
        for file in (settings, book):
            os.replace(draft / file.name, file)
    except OSError as error:
        raise OutputError(file_problem("folder_locked", folder)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [book, settings]


def _settings(name: str, language: str) -> str:
    """The text of study.toml with its explanations; a name that TOML cannot quote is left out."""
    text = (resources.files("svcmetrics.io") / "study_template.toml").read_text("utf-8")
    plain = "".join(c for c in name if c.isprintable() and c not in '"\\')
    return text.replace("{name}", plain).replace("{language}", language)


def sheet_name(table: str) -> str:
    """The name of a table's sheet, e.g. "部门 unit"."""
    return f"{lang.say(f'table.{table}', 'zh')} {table}"


def full_header(column: Column, table: str) -> str:
    """A column's header in both languages with its unit; a star marks what must be filled."""
    unit = f" ({column.unit})" if column.unit else ""
    star = " *" if column.required else ""
    return f"{column.header(table, 'zh')} / {column.header(table, 'en')}{unit}{star}"


def choices(column: Column) -> list[str]:
    """The entries of a column's drop-down, in both languages."""
    if column.kind == "bool":
        return [_word("bool", word) for word in ("true", "false")]
    return [_word(column.name, word) for word in column.words]


def write_workbook(path: Path, tables: Mapping[str, Any], *, language: str) -> None:
    """All twelve sheets, the explanation first and the checks last; equal input, equal bytes."""
    import xlsxwriter

    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {**safe, "in_memory": True}) as book:
        book.set_properties({"created": dt.datetime(2025, 1, 1), "title": "svcmetrics"})
        styles = Styles(book)
        own = {name: sheet_name(name) for name in ORDER}
        read_me(book.add_worksheet(headers.README_SHEET), styles, language, own)
        sheets = {name: book.add_worksheet(title) for name, title in own.items()}
        checks = book.add_worksheet(headers.CHECKS_SHEET)
        lists = word_lists(
            book, {c.name if c.words else "bool": choices(c) for c in _with_choices()}
        )
        for name, sheet in sheets.items():
            frame = tables.get(name)
            frame = frame if frame is None or isinstance(frame, pd.DataFrame) else frame.execute()
            _sheet(sheet, name, styles, lists, frame)
        for place, part in enumerate(("level", "place", "found", "expected", "remedy")):
            checks.write_string(0, place, lang.say(f"checks.{part}", language), styles.title)
            checks.set_column(place, place, (10, 34, 44, 44, 52)[place])
        checks.write_string(1, 0, lang.say("checks.never", language), styles.note)
        checks.freeze_panes(1, 0)
        fit_to_page(checks)
    path.write_bytes(out.getvalue())


def _with_choices() -> list[Column]:
    return [c for t in TABLES.values() for c in t.columns if c.words or c.kind == "bool"]


def _word(column: str, word: str) -> str:
    zh, en = (lang.say(f"word.{column}.{word}", code) for code in lang.LANGUAGES)
    if zh.startswith(word):  # "1 不相关"
        return zh
    return f"{zh} {en if column == 'bool' else word}"


def _sheet(
    sheet: Any, name: str, styles: Styles, lists: Mapping[str, str], frame: pd.DataFrame | None
) -> None:
    sheet.set_tab_color("#2A7F62" if name in LITE else "#B8C4CC")
    fit_to_page(sheet)
    sheet.set_row(0, 15)
    sheet.set_row(1, 34)
    for place, column in enumerate(TABLES[name].columns):
        title = full_header(column, name)
        zh, _, en = title.partition(" / ")
        width = min(max(9, 1.9 * len(zh) + 2, 1.05 * len(en) + 2, len(column.name) + 2), 30)
        sheet.set_column(place, place, width, styles.column(column.kind))
        sheet.write_string(0, place, column.name, styles.machine)
        sheet.write_string(1, place, title, styles.required if column.required else styles.optional)
        _validate(sheet, place, column, lists)
    sheet.freeze_panes(2, len(TABLES[name].key) if name not in ("rating", "judgement") else 1)
    if frame is not None:
        _fill(sheet, name, styles, frame)


def _validate(sheet: Any, place: int, column: Column, lists: Mapping[str, str]) -> None:
    area = (2, place, 1 + _ROWS, place)
    list_name = "bool" if column.kind == "bool" else column.name if column.words else ""
    source = lists.get(list_name)
    target = column.refers.partition(".")[0]
    if source:
        sheet.data_validation(*area, _rule("list", source=source))
    elif target in ("unit", "service"):
        ids = f"='{sheet_name(target)}'!$A$3:$A${2 + _ROWS}"
        sheet.data_validation(*area, _rule("list", source=ids, error_type="warning"))
    elif column.kind in ("float", "int"):
        kind = "integer" if column.kind == "int" else "decimal"
        low, high = (
            column.low if column.low is not None else -1e9,
            column.high if column.high is not None else 1e9,
        )
        criteria = {"criteria": "between", "minimum": low, "maximum": high}
        if 0 < low < 1e-300:
            criteria = {"criteria": ">", "value": 0}
        sheet.data_validation(*area, _rule(kind, **criteria))


def _rule(kind: str, **more: Any) -> dict[str, Any]:
    title = lang.say("template.wrong_title", "zh")
    message = "\n".join(lang.say("template.wrong", code) for code in lang.LANGUAGES)
    return {
        "validate": kind,
        "error_title": title,
        "error_message": message,
        "ignore_blank": True,
        **more,
    }


def _fill(sheet: Any, name: str, styles: Styles, frame: pd.DataFrame) -> None:
    """Data as the reader turns them back: words in both languages, times with their offset."""
    if len(frame) > _MAX_ROWS:
        raise StudyError(file_problem("too_many_rows", WORKBOOK, found=len(frame), limit=_MAX_ROWS))
    for place, column in enumerate(TABLES[name].columns):
        if column.name not in frame.columns:
            continue
        words = {w: _word(column.name, w) for w in column.words}
        for row, value in enumerate(frame[column.name].astype(object), 2):
            if not pd.isna(value):
                _put(sheet, (row, place), value, column.kind, words, styles)


def _put(
    sheet: Any, at: tuple[int, int], value: Any, kind: str, words: Mapping[str, str], styles: Styles
) -> None:
    if kind == "bool":
        sheet.write_string(*at, _word("bool", "true" if value else "false"))
    elif kind == "date":
        sheet.write_datetime(*at, value.to_pydatetime(), styles.column(kind))
    elif kind == "time":
        sheet.write_string(*at, value.isoformat())
    elif kind in ("float", "int") and float(f"{value:.16G}") == value:
        sheet.write_number(*at, value)
    else:
        text = words.get(value, repr(float(value)) if kind == "float" else str(value))
        if len(text) > _MAX_TEXT:
            raise StudyError(file_problem("text_too_long", WORKBOOK, limit=_MAX_TEXT))
        sheet.write_string(*at, text)

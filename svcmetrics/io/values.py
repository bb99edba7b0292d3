"""Cells of one column as values of its kind; every cell that cannot be read is a named problem.

Each function takes a column as it stands in the file (index: row numbers) and gives the values
and the problems. Work is done once per distinct cell, so that a million rows cost little.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io import headers
from svcmetrics.io.grid import CellError
from svcmetrics.problems import Problem
from svcmetrics.tables import Column

Read = tuple[pd.Series, list[Problem]]

ROWS_TOLD = 50
# Excel keeps 15 digits; from here on a number no longer tells neighbouring ids apart.
_DIGITS = 10.0**15
# What Excel writes for a long number: 3.10102E+17. An id like 3E5 is not of that form.
_EXCEL_NUMBER = r"^\d(?:\.\d+)?E\+\d{2,3}$"
_EDGES = " \t\r\n\u3000\u00a0\ufeff\u200b"


def trouble(
    key: str, bad: Any, values: pd.Series, *, level: str = "error", **more: Any
) -> list[Problem]:
    """One problem for all bad cells of a column: their rows, how many, and the first of them."""
    where = np.flatnonzero(np.asarray(bad, dtype=bool))
    if not len(where):
        return []
    rows = tuple(int(r) for r in values.index[where[:ROWS_TOLD]])
    return [
        Problem(
            key,
            {"bad": str(values.iloc[where[0]])[:60], **more},
            rows=rows,
            count=len(where),
            level=level,
        )
    ]


def without_errors(values: pd.Series) -> Read:
    """The cells without #N/A and the like, which are told apart from blanks."""
    if values.dtype != object:
        return values, []
    wrong = values.map(lambda v: isinstance(v, CellError)).to_numpy(dtype=bool)
    if not wrong.any():
        return values, []
    never = wrong & (values == "=").to_numpy(dtype=bool)
    found = trouble("formula_empty", never, values) + trouble("cell_error", wrong & ~never, values)
    return values.mask(wrong), found


def texts(values: pd.Series) -> pd.Series:
    """Cells as text, without spaces at the edges; blank is missing."""
    if values.dtype == object:
        values = values.map(_text)
    elif isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype).map(_text)
    elif not isinstance(values.dtype, pd.StringDtype):
        values = per_distinct(values, lambda v: v.astype(object).map(_text))
    # A NUL can stand in a workbook but in no CSV file: it would make the study unreadable.
    text = values.astype("str").str.replace("\0", "", regex=False).str.strip(_EDGES)
    return text.mask(text == "")


def coded(values: pd.Series) -> tuple[pd.Series, np.ndarray, pd.Series]:
    """Cells as text, which of the distinct texts each one is (-1: blank), and the distinct ones."""
    if isinstance(values.dtype, pd.StringDtype):
        code, found = pd.factorize(values, use_na_sentinel=True)
        distinct = pd.Series(found)
        if values.dtype == "str" and texts(distinct).equals(distinct):
            return values, code, distinct
    text = texts(values)
    code, found = pd.factorize(text, use_na_sentinel=True)
    return text, code, pd.Series(found)


def spread(flags: Any, code: np.ndarray) -> np.ndarray:
    """What is known of the distinct texts, for every cell; not for blank ones."""
    return np.append(np.asarray(flags, dtype=bool), False)[code]


def read_text(values: pd.Series, _: Column) -> Read:
    """Free text, as typed."""
    return texts(values), []


def read_id(values: pd.Series, _: Column) -> Read:
    """An id, as text: digits that Excel has lost and dates that it has made are named."""
    found: list[Problem] = []
    if isinstance(values.dtype, pd.StringDtype):
        out, code, distinct = coded(values)
        lost = spread(distinct.str.match(_EXCEL_NUMBER, na=False), code)
        if out is not values:
            trimmed = (out.notna() & (out != values)).to_numpy(dtype=bool)
            found += trouble("spaces_trimmed", trimmed, values, level="warning")
    else:
        out = texts(values)
        lost = _long_number(values)
        dated = values.map(lambda v: isinstance(v, (dt.datetime, dt.date, dt.time))).to_numpy(
            dtype=bool
        )
        padded = values.map(lambda v: isinstance(v, str) and v != v.strip(_EDGES)).to_numpy(
            dtype=bool
        )
        found += trouble("id_is_date", dated, values)
        found += trouble("spaces_trimmed", padded & out.notna().to_numpy(), values, level="warning")
    return out, found + trouble("digits_lost", lost, values)


def read_word(values: pd.Series, column: Column) -> Read:
    """A word of a fixed list, in machine form, Chinese or English."""
    known = headers.words_of(column.name, column.words)
    return _mapped(values, known.get, "str", "word_unknown", headers_of=column)


def read_bool(values: pd.Series, _: Column) -> Read:
    """Yes or no, in any of the accepted forms."""
    if pd.api.types.is_bool_dtype(values):
        return values.astype("boolean"), []
    return _mapped(values, headers.yes_no().get, "boolean", "not_yes_no")


def read_clock(values: pd.Series, _: Column) -> Read:
    """A time of day as text "HH:MM" or "HH:MM:SS"."""
    return _mapped(values, _clock, "str", "not_a_clock", form=lambda v: v)


def read_number(values: pd.Series, _: Column) -> Read:
    """A number as float64; a decimal comma is read and said, words are problems."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        out = pd.Series(
            values.astype("Float64").to_numpy("float64", na_value=np.nan), index=values.index
        )
        return out, trouble("not_number", np.isinf(out), values)
    text, code, distinct = coded(values)
    plain = _plain_digits(distinct)
    comma = plain.str.match(r"^[+-]?\d+,\d+$", na=False).to_numpy(dtype=bool)
    thousand = comma & plain.str.match(r"^[+-]?[1-9]\d{0,2},\d{3}$", na=False).to_numpy(dtype=bool)
    number = _to_float(plain.str.replace(",", ".", regex=False)).to_numpy()
    bad = ~np.isfinite(number) | thousand
    # The last entry is that of blank cells, whose code is -1.
    number = np.append(np.where(bad, np.nan, number), np.nan)
    out = pd.Series(number[code], index=text.index)
    found: list[Problem] = []
    if bad.any() or comma.any():
        unclear, decimal, wrong = (
            spread(b, code) for b in (thousand, comma & ~thousand, bad & ~thousand)
        )
        found += trouble("comma_unclear", unclear, text)
        found += trouble("decimal_comma", decimal, text, level="warning")
        found += trouble("not_number", wrong, text)
    return out, found


def read_whole(values: pd.Series, column: Column) -> Read:
    """A whole number as Int64."""
    out, found = read_number(values, column)
    part = (out.notna() & (out != out.round())).to_numpy(dtype=bool)
    return out.mask(part).astype("Int64"), found + trouble("not_whole", part, values)


def per_distinct(values: pd.Series, function: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """A function of cells, called once with the distinct ones."""
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    return _for_each(function(pd.Series(distinct).reset_index(drop=True)), codes, values.index)


def _for_each(distinct: pd.Series, codes: np.ndarray, index: pd.Index) -> pd.Series:
    if not len(distinct):
        return pd.Series(np.nan, index=index, dtype=distinct.dtype)
    return pd.Series(distinct.array.take(codes, allow_fill=True), index=index)


def _mapped(
    values: pd.Series,
    lookup: Callable[[str], Any],
    dtype: str,
    key: str,
    *,
    headers_of: Column | None = None,
    form: Callable[[Any], str] = headers.normal,
) -> Read:
    text, code, distinct = coded(values)
    meant = _typed(distinct.map(lambda v: lookup(form(v))), dtype)
    out, bad = _for_each(meant, code, values.index), spread(meant.isna(), code)
    more: dict[str, Any] = {}
    if headers_of is not None and bad.any():
        more = {
            "known": list(headers_of.words),
            "near": headers.suggestion(text[bad].iloc[0], headers_of.words),
        }
    return out, trouble(key, bad, text, **more)


def _typed(values: pd.Series, dtype: str) -> pd.Series:
    return values.astype("boolean") if dtype == "boolean" else values.astype("str")


def _text(value: Any) -> str | None:
    if (
        value is None
        or value is pd.NaT
        or value is pd.NA
        or (isinstance(value, float) and np.isnan(value))
    ):
        return None
    if isinstance(value, (bool, np.bool_)):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (float, np.floating)):
        number = float(value)
        whole = number.is_integer() and abs(number) < _DIGITS
        return str(int(number)) if whole else repr(number)
    return value.isoformat() if isinstance(value, (dt.datetime, dt.date, dt.time)) else str(value)


def _long_number(values: pd.Series) -> np.ndarray:
    """Numbers that Excel or a float column can no longer hold exactly."""
    if values.dtype == object:
        return values.map(_is_long).to_numpy(dtype=bool)
    if pd.api.types.is_float_dtype(values):
        return (values.abs() >= _DIGITS).to_numpy(dtype=bool, na_value=False)
    return np.zeros(len(values), dtype=bool)


def _is_long(value: Any) -> bool:
    if isinstance(value, float):
        return abs(value) >= _DIGITS
    # A program may have stored all digits; Excel puts zeros after the fifteenth.
    return isinstance(value, int) and abs(value) >= _DIGITS and not int(str(abs(value))[15:])


def _plain_digits(distinct: pd.Series) -> pd.Series:
    """Full-width digits and signs as ordinary ones."""
    return distinct.map(lambda v: unicodedata.normalize("NFKC", v).strip()).astype("str")


def _to_float(distinct: pd.Series) -> pd.Series:
    return pd.to_numeric(distinct.astype(object), errors="coerce").astype("float64")


def _clock(text: str) -> str | None:
    """ "9:00" as "09:00"; None when it is no time of day."""
    parts = unicodedata.normalize("NFKC", text).split(":")
    if not 2 <= len(parts) <= 3 or not all(p.isdecimal() and len(p) <= 2 for p in parts):
        return None
    hour, minute, second = (int(p) for p in [*parts, "0"][:3])
    if (hour, minute, second) > (24, 0, 0) or minute > 59 or second > 59:
        return None
    return f"{hour:02d}:{minute:02d}" + (f":{second:02d}" if second else "")

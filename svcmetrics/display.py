"""How tables look to a reader: rounded, with bilingual headers, and with every datum escaped."""

from __future__ import annotations

import html
import math
from numbers import Integral

import numpy as np
import pandas as pd

from svcmetrics import lang

STYLE = (
    "<style>.svc-result p{margin:.2em 0}.svc-warning{color:#8a4b00}.svc-refused{color:#a40000}"
    ".svc-result table.svc-table{border-collapse:collapse;margin:.5em 0}"
    ".svc-result table.svc-table :is(td,th){padding:.15em .7em;border-bottom:1px solid #8884;"
    "text-align:left;white-space:nowrap}"
    ".svc-result table.svc-table td.long{white-space:normal;min-width:16em}"
    ".svc-result table.svc-table :is(td,th).num"
    "{text-align:right;font-variant-numeric:tabular-nums}.svc-result{overflow-x:auto}</style>"
)
# Columns whose values are words of the toolkit, not data of the user.
# Below this a float is an error of rounding.
_NOTHING = 1e-12
_THOUSANDTH = 0.001
# A probability of error is never nothing.
_CHANCES = ("p", "p_adjusted")
# Texts beyond this many characters are wrapped.
_LONG = 24
_USUAL = ("metric", "estimate", "low", "high", "n")
_WORDS = ("metric", "variant", "verdict", "group")
# Columns that speak with the words of another one.
_LIKE = {"wave_verdict": "verdict", "formality_verdict": "verdict"}


def header(column: str, code: str | None = None) -> str:
    """The reader's name of a column; a caller's own column keeps its own name."""
    own = phrase(f"column.any.{column}", str(column), code)
    return phrase(f"header.{column}", own, code)


def word(column: str, value: object, code: str | None = None) -> str:
    """A word of the toolkit in the reader's language; a datum as it is."""
    column = _LIKE.get(column, column)
    key = f"{column}.{value}" if column in _WORDS else f"word.{column}.{value}"
    return phrase(key, str(value), code)


def cell(value: object) -> str:
    """One value as shown: three digits at most, a dash for missing."""
    if value is None or value is pd.NaT or value is pd.NA:
        return lang.MISSING
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M")
    return str(value)


def _number(value: float) -> str:
    """Three digits; what rounds to nothing is said to be below a thousandth."""
    if math.isnan(value):
        return lang.MISSING
    if math.isinf(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    if value == int(value) or abs(value) < _NOTHING:
        return f"{value:.0f}".replace("-0", "0")
    if abs(value) < _THOUSANDTH:
        return "<0.001" if value > 0 else ">−0.001"
    return f"{value:.3g}"


def shown(table: pd.DataFrame, code: str | None = None) -> pd.DataFrame:
    """A table as a reader sees it: headers in their language, numbers rounded; text only."""
    kept = [c for c in table.columns if not _is_empty(table[c])]
    out = table[kept].map(cell)
    for name in _counted(kept):
        out[name] = [_whole(v) for v in table[name]]
    for name in set(_CHANCES) & set(kept):
        out[name] = out[name].mask(table[name] < _THOUSANDTH, "<0.001")
    for column in out:
        if not pd.api.types.is_numeric_dtype(table[column]):
            out[column] = [word(str(column), v, code) for v in out[column]]
    out.columns = [header(c, code) for c in kept]
    return out


def _counted(columns: list[str]) -> list[str]:
    """The columns whose whole numbers were counted: those of a result behind its groups."""
    own = columns[columns.index("estimate") + 1 :] if "estimate" in columns else []
    return own + [c for c in ("n", "count") if c in columns and c not in own]


def _whole(value: object) -> str:
    is_count = isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))
    return f"{value:,}" if is_count else cell(value)


def phrase(key: str, fallback: str, code: str | None = None) -> str:
    """The sentence of a key, or the fallback where the language files have none."""
    return lang.say(key, code) if lang.has(key) else fallback


def table_html(table: pd.DataFrame, limit: int = 60) -> str:
    """A table as HTML: headers, cells and captions escaped, so that a name is only a name."""
    top = table.head(limit)
    text = shown(top)
    numeric = [pd.api.types.is_numeric_dtype(top[c]) for c in top if not _is_empty(top[c])]
    head = "".join(_cell("th", str(c), num) for c, num in zip(text.columns, numeric, strict=True))
    body = "".join(
        "<tr>" + "".join(_cell("td", v, num) for v, num in zip(row, numeric, strict=True)) + "</tr>"
        for row in text.itertuples(index=False, name=None)
    )
    more = len(table) - limit
    tail = f"<p>{html.escape(lang.say('display.more_rows', count=more))}</p>" if more > 0 else ""
    return f'{STYLE}<table class="svc-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{tail}'


def _cell(tag: str, text: str, numeric: bool) -> str:
    kind = " class=num" if numeric else " class=long" if len(text) > _LONG else ""
    return f"<{tag}{kind}>{html.escape(text)}</{tag}>"


def _is_empty(column: pd.Series) -> bool:
    """A column that tells nothing here: no variants, or nothing but missing beyond the usual ones."""
    if column.name == "variant":
        return bool((column.astype(str) == "").all())
    if column.name in _USUAL:
        return False
    return bool((column.isna() | column.astype(str).eq("")).all())

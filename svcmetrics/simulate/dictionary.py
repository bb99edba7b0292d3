"""The data dictionary: every table and column of a study, in both languages, as one page."""

from __future__ import annotations

from svcmetrics import lang
from svcmetrics.tables import TABLES, Column, Table

_NOTES = ("requester", "return", "reject", "auto", "window", "case_close", "commitment")
_HEAD = "| column | 中文 | English | 类型 kind | 说明 notes |\n|---|---|---|---|---|"
# Bounds below this are "above zero".
_TINY = 1e-300


def data_dictionary() -> str:
    """The text of data/README.md, made from ``tables.TABLES`` and the language files.

    >>> data_dictionary().splitlines()[0]
    '# 数据字典 Data dictionary'
    """
    parts = [f"# {_both('title')}", *(_paragraph(name) for name in ("intro", "pilot", "made"))]
    parts += [_section(table) for table in TABLES.values()]
    notes = "\n".join(f"- {_say(f'how_{n}', 'zh')}  \n  {_say(f'how_{n}', 'en')}" for n in _NOTES)
    return "\n\n".join([*parts, f"## {_both('how')}", notes]) + "\n"


def _say(key: str, code: str, **values: object) -> str:
    return lang.say(f"dictionary.{key}", code, **values)


def _both(key: str, **values: object) -> str:
    """Chinese, then English; once where they are the same."""
    zh, en = (_say(key, code, **values) for code in lang.LANGUAGES)
    return zh if zh == en else f"{zh} {en}"


def _paragraph(key: str) -> str:
    return f"{_say(key, 'zh')}\n\n{_say(key, 'en')}"


def _section(table: Table) -> str:
    zh, en = (lang.say(f"table.{table.name}", code) for code in lang.LANGUAGES)
    rows = [_row(table, column) for column in table.columns]
    return "\n".join([f"## `{table.name}` {zh} {en}", "", _HEAD, *rows])


def _row(table: Table, column: Column) -> str:
    zh, en = (column.header(table.name, code) for code in lang.LANGUAGES)
    kind = _both(f"kind_{column.kind}") + (f" ({column.unit})" if column.unit else "")
    return f"| `{column.name}` | {zh} | {en} | {kind} | {'; '.join(_notes(table, column))} |"


def _notes(table: Table, column: Column) -> list[str]:
    notes = [_both("key")] if column.name in table.key else []
    notes += [_both("required")] if column.required else []
    notes += (
        [_both("one_of", words=", ".join(f"`{w}`" for w in column.words))] if column.words else []
    )
    notes += [_both("refers", column=f"`{column.refers}`")] if column.refers else []
    return notes + _bounds(column)


def _bounds(column: Column) -> list[str]:
    if column.low is None:
        return []
    if 0 < column.low < _TINY:
        return [_both("above_zero")]
    if column.high is None:
        return [_both("at_least", low=f"{column.low:g}")]
    return [_both("within", low=f"{column.low:g}", high=f"{column.high:g}")]

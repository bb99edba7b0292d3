"""What is wrong with an input: found, where, expected, what to do. In both languages, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from svcmetrics import lang

# How many rows one problem lists before it says "and k more".
ROWS_SHOWN = 8


@dataclass(frozen=True)
class Problem:
    """One kind of trouble in one place of one table.

    ``key`` names three sentences in the language files: ``problem.<key>.found``,
    ``problem.<key>.expected`` and ``problem.<key>.remedy``; ``values`` fill their blanks.
    ``rows`` are row numbers as the user's program shows them (Excel row, line of a CSV).
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    table: str = ""
    file: str = ""
    sheet: str = ""
    column: str = ""
    rows: tuple[int, ...] = ()
    count: int = 1
    level: str = "error"  # "error" stops a run, "warning" does not

    def part(self, part: str, code: str | None = None) -> str:
        """The sentence "found", "expected" or "remedy"."""
        key = f"problem.{self.key}.{part}"
        if self.values.get("near") == lang.MISSING and lang.has(f"{key}_far"):
            key = f"{key}_far"  # nothing is near what was typed: do not point to a dash
        return lang.say(key, code, **self._blanks(code))

    def where(self, code: str | None = None) -> str:
        """File, sheet, column and rows, as far as they are known."""
        shown = [str(r) for r in self.rows[:ROWS_SHOWN]]
        more = max(self.count, len(self.rows)) - len(shown)
        parts = [
            (self.file, "file"),
            (self.sheet, "sheet"),
            ("" if self.file or self.sheet else self._table(code), "table"),
            (self._column(code), "column"),
            (", ".join(shown), "rows" if len(shown) > 1 else "row"),
        ]
        text = [lang.say(f"where.{name}", code, value=value) for value, name in parts if value]
        if shown and more > 0:
            text.append(lang.say("where.more", code, count=more))
        return " · ".join(text)

    def say(self, code: str | None = None) -> str:
        """Where, what was found, what was expected and what to do, in one line."""
        where = self.where(code)
        found, expected, remedy = (self.part(p, code) for p in ("found", "expected", "remedy"))
        return f"{f'[{where}] ' if where else ''}{found} {expected} {remedy}"

    def _table(self, code: str | None) -> str:
        """A table as its sheet is called: "部门 unit"."""
        return _both(f"table.{self.table}", self.table, code)

    def _column(self, code: str | None) -> str:
        """A column by the header in the template and by its machine name."""
        if not self.table:  # a caller's own table has the caller's own names
            return self.column
        own = f"column.{self.table}.{self.column}"
        return _both(own if lang.has(own) else f"column.any.{self.column}", self.column, code)

    def _blanks(self, code: str | None) -> dict[str, Any]:
        own: dict[str, Any] = {
            "table": self._table(code), "column": self._column(code),
            "count": self.count, "file": self.file,
        }  # fmt: skip
        values = dict(self.values)
        if isinstance(values.get("known"), list):
            known = values["known"]
            values["known"] = [_both(f"word.{self.column}.{w}", str(w), code) for w in known]
        reason = f"why.{self.table}"
        if lang.has(reason):
            own["why"] = lang.say(reason, code)
        return {**own, **values}


def _both(key: str, name: str, code: str | None) -> str:
    """A machine name with its Chinese name before it; in English it speaks for itself."""
    if (code or lang.language()) != "zh" or not lang.has(key):
        return name
    said = lang.say(key, "zh")
    return said if name in said else f"{said} {name}"


class InputError(ValueError):
    """Bad input: carries every problem that was found, and says them in both languages."""

    def __init__(self, problems: Problem | Iterable[Problem]):
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(self.problems)

    def say(self, code: str | None = None) -> str:
        return "\n".join(p.say(code) for p in self.problems)

    def __str__(self) -> str:
        first = lang.language()
        other = "en" if first == "zh" else "zh"
        return f"{self.say(first)}\n{self.say(other)}"


class TableError(InputError):
    """A table that a function was given cannot be used as it is."""


class StudyError(InputError):
    """A study, its settings or one of its files cannot be used as it is."""


class OutputError(StudyError):
    """A file or folder cannot be written; what stood there before is still there."""


def table_error(
    key: str,
    /,
    *,
    column: str = "",
    rows: Iterable[int] = (),
    count: int | None = None,
    **values: Any,
) -> TableError:
    """A TableError with one problem; the short form for metric functions."""
    rows = tuple(int(r) for r in rows)
    n = count if count is not None else max(len(rows), 1)
    return TableError(Problem(key, values, column=column, rows=rows, count=n))

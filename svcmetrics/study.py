"""A study: everything that a company knows about its internal service, as tables and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from svcmetrics.long_ratings import long_ratings
from svcmetrics.problems import Problem, StudyError
from svcmetrics.result import Result
from svcmetrics.tables import TABLES

if TYPE_CHECKING:
    from svcmetrics.showing import Shown

# Floors of the published group size; a study may raise them, never lower them.
MIN_RATERS = 5
MIN_COMMENTS = 10


@dataclass(frozen=True)
class Wave:
    """One round of ratings."""

    id: str
    start: pd.Timestamp
    end: pd.Timestamp


@dataclass(frozen=True)
class Settings:
    """What study.toml says beside the tables."""

    name: str = "study"
    language: str = "zh"
    timezone: str = "Asia/Shanghai"
    calendar: str = "cn"
    waves: tuple[Wave, ...] = ()
    pilot_units: tuple[str, ...] = ()
    pilot_from: pd.Timestamp | None = None
    min_raters: int = MIN_RATERS
    min_comments: int = MIN_COMMENTS
    # Written before the pilot: {"on_time": {"at_least": 0.8}, …}
    criteria: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class Source:
    """Where a table was read: file, sheet, and the row numbers of its data there.

    ``rows`` are the numbers that the user's program shows; None means one after another from
    ``first_row``.
    """

    file: str
    sheet: str = ""
    first_row: int = 2
    rows: np.ndarray | None = field(default=None, compare=False, repr=False)

    def row_numbers(self, positions: np.ndarray) -> np.ndarray:
        """The row numbers of rows counted from zero."""
        return self.rows[positions] if self.rows is not None else positions + self.first_row


@dataclass(frozen=True)
class Study:
    """Tables and settings of one study. ``study.rating`` gives a table or says which is missing.

    A table is a pandas frame; a large event log may be an Ibis table over its Parquet file.
    """

    tables: Mapping[str, Any]
    settings: Settings = field(default_factory=Settings)
    sources: Mapping[str, Source] = field(default_factory=dict)
    path: Path | None = None

    def has(self, *names: str) -> bool:
        """Whether the study holds all these tables."""
        return all(name in self.tables for name in names)

    def need(self, *names: str) -> None:
        """Stop when a table is missing: say which, why it matters and where its template is."""
        problems = [Problem("missing_table", table=n) for n in names if n not in self.tables]
        if problems:
            raise StudyError(problems)

    def __getattr__(self, name: str) -> Any:
        if name not in TABLES:
            raise AttributeError(
                f"a study has no table {name!r}; its tables are {', '.join(TABLES)}"
            )
        self.need(name)
        return self.tables[name]

    def get(self, name: str) -> Any:
        """A table, or None when the study does not hold it."""
        return self.tables.get(name)

    def named(self, result: Result) -> Result:
        """The result with names for the ids of units and services, in the current language."""
        from svcmetrics.naming import named

        return named(result, self.tables)

    def show(self, *results: Result, figure: bool = True) -> Shown:
        """The results as a reader takes them in: reading, table, figure; names in place of ids."""
        from svcmetrics.showing import Shown

        return Shown([self.named(r) for r in results], figure=figure)

    def _repr_html_(self) -> str:
        from svcmetrics.showing import study_html

        return study_html(self)

    def long_ratings(self) -> pd.DataFrame:
        """Who rated whom on which item with which score: ratings, plan and items as one long frame."""
        return long_ratings(self)

    def with_tables(self, **tables: Any) -> Study:
        """The same study with these tables put in or replaced."""
        sources = {n: s for n, s in self.sources.items() if n not in tables}
        return Study({**self.tables, **tables}, self.settings, sources, self.path)

    def check(self) -> list[Problem]:
        """Every problem of the study at once; nothing is changed."""
        from svcmetrics.checks import check_study

        return check_study(self)


def why(table: str) -> str:
    """One sentence on what a table is needed for, in the current language."""
    from svcmetrics import lang

    return lang.say(f"why.{table}")


__all__ = [
    "MIN_COMMENTS",
    "MIN_RATERS",
    "Settings",
    "Source",
    "Study",
    "Wave",
    "long_ratings",
    "why",
]

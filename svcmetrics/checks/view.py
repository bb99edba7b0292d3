"""A study as the rules see it: tables at hand, and one way to say what is wrong where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics import lang
from svcmetrics.problems import Problem
from svcmetrics.study import Source, Study

_ROWS_TOLD = 50


class View:
    """Collects problems while the rules look at one study."""

    def __init__(self, study: Study):
        self.study = study
        self.problems: list[Problem] = []

    def table(self, name: str, *columns: str) -> pd.DataFrame | None:
        """A table in memory that has these columns; None otherwise."""
        table = self.study.tables.get(name)
        if not isinstance(table, pd.DataFrame) or not set(columns) <= set(table.columns):
            return None
        return table

    def say(
        self,
        key: str,
        table: str,
        where: Any = None,
        /,
        *,
        column: str = "",
        level: str = "error",
        **values: Any,
    ) -> None:
        """A problem of the rows where ``where`` is true; of the whole table when it is not given."""
        source = self.study.sources.get(table, Source(""))
        rows: tuple[int, ...] = ()
        count = 1
        if where is not None:
            hit = pd.array(where, dtype="boolean").to_numpy(dtype=bool, na_value=False)
            found = np.flatnonzero(hit)
            rows, count = tuple(int(r) for r in source.row_numbers(found[:_ROWS_TOLD])), len(found)
        if count:
            place = (table, source.file, source.sheet, column)
            self.problems.append(Problem(key, values, *place, rows=rows, count=count, level=level))


def within(values: pd.Series, known: pd.Series) -> pd.Series:
    """Which values are among the known ones; for text at the speed of the engine."""
    if not (isinstance(values.dtype, pd.StringDtype) and isinstance(known.dtype, pd.StringDtype)):
        return values.isin(known.dropna())
    import pyarrow as pa
    import pyarrow.compute as pc

    text = [pa.array(v, type=pa.large_string()) for v in (values, known.dropna())]
    return pd.Series(
        pc.is_in(text[0], value_set=text[1]).to_numpy(zero_copy_only=False), index=values.index
    )


def filled(table: pd.DataFrame, column: str) -> pd.Series:
    """Which cells of a column have an entry; none where there is no such column."""
    if column not in table.columns:
        return pd.Series(data=False, index=table.index)
    return table[column].notna()


def nearest(word: object, known: Iterable[str]) -> str:
    """The known word most like this one; a dash when none is near."""
    near = difflib.get_close_matches(str(word), list(known)[:5000], n=1, cutoff=0.6)
    return near[0] if near else lang.MISSING


def some(values: pd.Series, limit: int = 6) -> list[str]:
    """The first distinct values, as text."""
    return [str(v) for v in values.dropna().unique()[:limit]]

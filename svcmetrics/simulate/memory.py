"""The invented study as a Study in memory, with the column types that reading its files gives."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from svcmetrics.simulate.clock import TIMEZONE
from svcmetrics.study import Settings, Study
from svcmetrics.tables import TABLES


def study_of(
    long: dict[str, pa.Table], small: dict[str, pd.DataFrame], settings: Settings
) -> Study:
    """Tables in the order of the schema, and the settings."""
    frames = {**small, **{name: table.to_pandas() for name, table in long.items()}}
    return Study({name: typed(frames[name], name) for name in TABLES}, settings)


# What reading a file makes of a column of each kind.
_TYPES: dict[str, Any] = {
    "id": "str", "text": "str", "word": "str", "clock": "str",
    "int": "Int64", "float": "float64", "bool": "boolean",
}  # fmt: skip


def typed(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Columns of the schema with its types: ids and words as text, numbers nullable, times zoned."""
    return pd.DataFrame(
        {c.name: _column(table[c.name], c.kind) for c in TABLES[name].columns if c.name in table}
    )


def _column(values: pd.Series, kind: str) -> pd.Series:
    if kind in _TYPES:
        return values.astype(_TYPES[kind])
    if kind == "date":
        return pd.to_datetime(values).astype("datetime64[us]")
    return _zoned(values)


def _zoned(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values, utc=True).dt.tz_convert(TIMEZONE).dt.as_unit("us")

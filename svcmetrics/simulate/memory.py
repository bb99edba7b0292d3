"""The invented study as a Study in memory, with the column types that reading its files gives."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from svcmetrics.simulate.clock import TIMEZONE
from svcmetrics.study import Settings, Study, Wave
from svcmetrics.tables import TABLES


def study_of(
    long: dict[str, pa.Table], small: dict[str, pd.DataFrame], settings: dict[str, Any]
) -> Study:
    """Tables in the order of the schema, and the settings."""
    frames = {**small, **{name: table.to_pandas() for name, table in long.items()}}
    return Study({name: typed(frames[name], name) for name in TABLES}, _settings(settings))


def typed(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Columns of the schema with its types: ids and words as text, numbers nullable, times zoned."""
    out = {}
    for column in (c for c in TABLES[name].columns if c.name in table):
        values = table[column.name]
        if column.kind in {"id", "text", "word", "clock"}:
            out[column.name] = values.astype("str")
        elif column.kind == "int":
            out[column.name] = values.astype("Int64")
        elif column.kind == "float":
            out[column.name] = values.astype("float64")
        elif column.kind == "bool":
            out[column.name] = values.astype("boolean")
        elif column.kind == "date":
            out[column.name] = pd.to_datetime(values).astype("datetime64[us]")
        else:
            out[column.name] = _zoned(values)
    return pd.DataFrame(out)


def _zoned(values: pd.Series) -> pd.Series:
    return (
        pd.to_datetime(values, utc=True)
        .dt.tz_convert(TIMEZONE)
        .astype(f"datetime64[us, {TIMEZONE}]")
    )


def _settings(document: dict[str, Any]) -> Settings:
    pilot, groups = document["pilot"], document["groups"]
    waves = tuple(
        Wave(w["id"], pd.Timestamp(w["from"]), pd.Timestamp(w["to"])) for w in document["waves"]
    )
    return Settings(
        name=document["name"], language=document["language"], timezone=document["timezone"],
        calendar=document["calendar"], waves=waves, pilot_units=tuple(pilot["units"]),
        pilot_from=pd.Timestamp(pilot["from"]), min_raters=groups["raters"], min_comments=groups["comments"],
        criteria=document["criteria"], seed=document["seed"],
    )  # fmt: skip

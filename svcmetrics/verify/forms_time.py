"""Moments of forms, and the order of waves that they give.

Not a statistic; part of how forms are read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error


def moments(ratings: pd.DataFrame, time: str) -> pd.Series:
    """A column of moments as hours; text is an error that names the rows."""
    values = ratings[time]
    if pd.api.types.is_datetime64_any_dtype(values):
        naive = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz else values
        hours = (naive - pd.Timestamp("2000-01-01")) / pd.Timedelta(hours=1)
        return hours.astype("float64")
    if values.notna().any():
        first = values.dropna()
        raise table_error(
            "not_a_time", column=time, bad=str(first.iloc[0]), rows=first.index[:20], count=len(first)
        )  # fmt: skip
    return pd.Series(np.nan, index=values.index)


def by_time(wave: np.ndarray, labels: list[Any], hours: np.ndarray) -> tuple[np.ndarray, list[Any]]:
    """Waves in the order of their median moment; where none is known, by name."""
    middle = pd.Series(hours).groupby(wave).median().reindex(range(len(labels))).to_numpy()
    if np.isnan(middle).any():
        return wave, labels
    order = np.argsort(middle, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place[wave], [labels[k] for k in order]

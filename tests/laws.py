"""What a law needs to know of a metric: some data and a call. Each folder of tests lists its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Sample:
    """Data and keyword arguments for one metric.

    ``arguments``: values that are column names of ``data`` are renamed by the law of names.
    ``score``: a numeric column; a row without it must count as a deleted row (None: no such column).
    ``fixed_names``: the metric reads canonical tables whose columns the caller does not name.
    """

    data: pd.DataFrame
    arguments: Mapping[str, Any] = field(default_factory=dict)
    score: str | None = None
    fixed_names: bool = False

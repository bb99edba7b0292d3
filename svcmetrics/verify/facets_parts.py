"""The rows of many-facet Rasch as columns of numbers, made into one table at the end.

A table each, stuck together, took longer than the fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.result import estimates

# Words; all other columns are numbers.
_WORDS = ("variant", "note")


@dataclass(frozen=True)
class Part:
    """Rows of one metric: as many as there are elements."""

    metric: str
    element: list[str]
    columns: dict[str, Any]


def part(metric: str, element: Sequence[str] = ("",), **columns: Any) -> Part:
    """``columns``: one value for all rows, or as many as there are elements."""
    return Part(metric, list(element), columns)


def table(parts: Sequence[Part]) -> pd.DataFrame:
    """All rows; what a part does not give is missing."""
    sizes = [len(p.element) for p in parts]
    names = dict.fromkeys(name for p in parts for name in p.columns)
    columns = {k: _words(parts, k) if k in _WORDS else _numbers(parts, k, sizes) for k in names}
    element = [e for p in parts for e in p.element]
    metric = [p.metric for p in parts for _ in p.element]
    out = estimates("facets", groups={"element": element}, **columns)
    out["metric"] = metric
    return out


def _words(parts: Sequence[Part], name: str) -> list[str]:
    out: list[str] = []
    for p in parts:
        value = p.columns.get(name, "")
        out += [value] * len(p.element) if isinstance(value, str) else list(value)
    return out


def _numbers(parts: Sequence[Part], name: str, sizes: list[int]) -> np.ndarray:
    whole = name == "n"
    out = np.full(sum(sizes), 0 if whole else np.nan, dtype=np.int64 if whole else np.float64)
    ends = np.cumsum(sizes)
    for p, end, size in zip(parts, ends, sizes):
        if name in p.columns:
            out[end - size : end] = p.columns[name]
    return out

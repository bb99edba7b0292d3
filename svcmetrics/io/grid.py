"""The cells of one sheet as a reader hands them on."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from svcmetrics.problems import Problem


class CellError(str):
    """An Excel cell without a value: "#DIV/0!", "#N/A" …, or "=" for a formula never calculated."""

    __slots__ = ()


@dataclass(frozen=True)
class Grid:
    """The cells of one sheet or CSV file, and what a reader must be told about them (warnings)."""

    cells: pd.DataFrame
    file: str
    sheet: str = ""
    problems: list[Problem] = field(default_factory=list)
    epoch_1904: bool = False

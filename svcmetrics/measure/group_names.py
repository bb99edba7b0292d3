"""Groups as sentences name them."""

from __future__ import annotations

import pandas as pd


def group_names(rows: pd.DataFrame, by: list[str]) -> list[str]:
    """One name for each row of ``by``; what the data leave open is a dash, as in a table."""
    named = [rows[column].astype("object").where(rows[column].notna(), "—") for column in by]
    return [" · ".join(map(str, row)) for row in zip(*named)]

"""Columns that belong to a form as a whole: time, facts, groups. One value per form.

Not a statistic; part of how forms are read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.result import Finding
from svcmetrics.verify.forms_time import moments


def told(
    ratings: pd.DataFrame, columns: tuple[str | None, ...], rows: tuple[Any, np.ndarray], forms: int
) -> list[Finding]:
    """Of each column, whether forms have several values of it. ``rows``: usable ones, their forms."""
    used, form = rows
    out = []
    for c in dict.fromkeys(c for c in columns if c):
        if count := _differing(ratings[c].iloc[used], form, forms):
            out.append(Finding("forms.differ", {"column": c, "count": count}, "warning"))
    return out


def _differing(values: pd.Series, form: np.ndarray, forms: int) -> int:
    """Forms with more than one known value."""
    codes, _ = pd.factorize(values)
    known = np.flatnonzero(codes >= 0)
    code, own = codes[known], form[known]
    one = np.zeros(forms, codes.dtype)
    one[own] = code
    return len(np.unique(own[code != one[own]]))


def first(values: pd.Series, form: np.ndarray, forms: int) -> np.ndarray:
    """The smallest known value of each form, which does not depend on the order of rows."""
    if pd.api.types.is_datetime64_any_dtype(values):
        values = moments(values.to_frame("t"), "t")
    values = pd.Series(values.to_numpy())  # words, where they came as categories
    if values.dtype == object:  # may hold both numbers and words
        order = sorted(values.dropna().unique(), key=lambda v: (str(v), str(type(v))))
        values = values.astype(pd.CategoricalDtype(order, ordered=True))
    codes = values.groupby(form).min()
    return codes.reindex(range(forms)).to_numpy()

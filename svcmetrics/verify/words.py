"""Two columns that name the same things in other types: 7 in one, "7" in the other.

Not a statistic. Files that were read apart often differ so; within one column they stay two ids.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pandas as pd

from svcmetrics.verify.forms import Forms


def alike(own: pd.Series, others: Collection[Any]) -> pd.Series:
    """Own values as the others write them, where not one is equal but their texts are."""
    known = own.dropna().unique().tolist()
    if set(known) & set(others):
        return own
    by_text = {_text(v): v for v in others}
    told = {v: by_text[_text(v)] for v in known if _text(v) in by_text}
    return own.map(lambda v: told.get(v, v), na_action="ignore") if told else own


def as_targets(forms: Forms, column: str | None) -> Forms:
    """Forms whose column of departments speaks as the targets do."""
    if column is None:
        return forms
    own = alike(pd.Series(forms.extra[column], dtype="object"), forms.targets)
    return replace(forms, extra=forms.extra | {column: own.to_numpy(dtype=object)})


def _text(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value).strip()

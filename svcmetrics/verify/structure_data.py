"""What a form claims to measure, and its answers with the differences between departments taken out.

Not a statistic; called by ``structure``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.columns import require
from svcmetrics.problems import table_error
from svcmetrics.verify.answers import Answers


@dataclass(frozen=True)
class Claim:
    """The dimensions, and the position of each item's among them (None: some item has none)."""

    names: list[str]
    factor: np.ndarray | None
    items: int
    alone: list[str]  # dimensions of one item
    without: list[str]  # items without a dimension
    each_alone: bool = False  # every item is a dimension of its own: nothing is claimed

    @property
    def many(self) -> int:
        return len(self.names)


def claimed(ratings: pd.DataFrame, items: list[Any], item: str, dimension: str | None) -> Claim:
    """The claim of the form for these items, in this order; without a column: one thing."""
    one = Claim([""], np.zeros(len(items), dtype=np.int64), len(items), [], [])
    if dimension is None:
        return one
    require(ratings, item, dimension)
    known = ratings[[item, dimension]].dropna().drop_duplicates()
    twice = known[known[item].duplicated(keep=False)]
    if len(twice):
        first = twice[item].iloc[0]
        names = sorted(map(str, twice.loc[twice[item] == first, dimension]))
        raise table_error("two_dimensions", column=dimension, item=str(first), names=names)
    of = dict(zip(known[item], known[dimension].astype("str")))
    own = [of.get(i) for i in items]
    without = [str(i) for i, d in zip(items, own) if d is None]
    names = sorted({d for d in own if d is not None})
    if without:
        return Claim(names, None, len(items), [], without)
    factor = np.array([names.index(str(d)) for d in own], dtype=np.int64)
    size = np.bincount(factor, minlength=len(names))
    if len(items) > 1 and (size == 1).all():
        return Claim([""], one.factor, len(items), [], [], each_alone=True)
    alone = [name for name, n in zip(names, size) if n == 1]
    return Claim(names, factor, len(items), alone, [])


def pooled(
    form: Answers, ratings: pd.DataFrame, person: str, target: str | None
) -> tuple[np.ndarray, int]:
    """Answers less the mean of their department, and how many means were taken off beyond one."""
    if target is None or not form.persons:
        return form.table, 0
    require(ratings, person, target)
    known = ratings[[person, target]].dropna().drop_duplicates()
    twice = known[known[person].duplicated(keep=False)]
    if len(twice):
        first = twice[person].iloc[0]
        raise table_error("two_targets", column=person, other=target, example=str(first))
    of = dict(zip(known[person], known[target]))
    codes = pd.factorize(pd.Series([of.get(p) for p in form.rows], dtype="object"))[0]
    codes = np.where(codes < 0, codes.max(initial=-1) + 1, codes)
    there = np.isfinite(form.table)
    size = int(codes.max()) + 1
    start = np.nanmin(np.where(there, form.table, np.nan), axis=0) if there.any() else 0.0
    moved = np.where(there, form.table - start, 0.0)  # exact for an offset that all scores share
    total = np.stack([np.bincount(codes, c, size) for c in moved.T], axis=1)
    count = np.stack([np.bincount(codes, k, size) for k in there.T], axis=1)
    means = total / np.maximum(count, 1)
    return np.where(there, moved - means[codes], np.nan), size - 1

"""How many-facet Rasch reads its table: categories in order, elements without information set aside.

Not a statistic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.numeric import blocks, rasch
from svcmetrics.result import Finding
from svcmetrics.verify import grid

# Categories with fewer ratings than this leave thresholds without hold.
PER_CATEGORY = 10


@dataclass(frozen=True)
class Trimmed:
    """What is estimated, and the whole: codes and labels of every element, extremes included."""

    data: rasch.Data  # without elements of extreme scores
    anchors: tuple[np.ndarray, ...]
    codes: tuple[np.ndarray, ...]  # of all ratings
    labels: list[list[Any]]
    used: list[np.ndarray]  # elements that are estimated, by facet
    x: np.ndarray  # categories of all ratings
    group: np.ndarray
    keep: np.ndarray  # ratings that are estimated from
    categories: list[float]  # the score of each category
    skipped: list[float]  # scores between them that nobody gave
    blocks: int
    step_labels: list[Any]  # of each set of thresholds; [""] when there is one


def prepared(
    kept: pd.DataFrame, names: list[str], values: np.ndarray, steps: str | None,
    anchors: Mapping[str, Mapping[Any, float]],
) -> Trimmed | Finding:  # fmt: skip
    """The table as codes; or why nothing can be estimated."""
    if not len(values):
        return Finding("facets.nothing", {}, "refused")
    categories, x = np.unique(values, return_inverse=True)
    if len(categories) < 2:
        return Finding("facets.one_category", {"score": float(categories[0])}, "refused")
    pairs = [grid.positions(kept[n]) for n in names]
    codes, labels = tuple(c for c, _ in pairs), [list(v) for _, v in pairs]
    group = codes[names.index(steps)] if steps else np.zeros(len(x), np.int64)
    if steps:
        seen = np.bincount(
            group * len(categories) + x, minlength=(group.max() + 1) * len(categories)
        )
        if (seen == 0).any():
            thin = int((seen.reshape(-1, len(categories)) == 0).any(axis=1).sum())
            return Finding("facets.thin_steps", {"count": thin, "facet": steps}, "refused")
    keep = _informative(x, codes, len(categories) - 1)
    if keep.sum() < 2 or len(np.unique(x[keep])) < len(categories):
        return Finding("facets.all_extreme", {"ratings": len(x)}, "refused")
    used = [np.unique(c[keep]) for c in codes]
    inner = [np.searchsorted(u, c[keep]) for u, c in zip(used, codes, strict=True)]
    data = rasch.Data(
        x[keep], inner[0], tuple(inner[1:]), tuple(len(u) for u in used), group[keep], len(categories) - 1
    )  # fmt: skip
    whole = np.arange(categories.min(), categories.max() + 1)
    return Trimmed(
        data, _anchored(names, labels, used, anchors), codes, labels, used, x, group, keep,
        [float(c) for c in categories], [float(c) for c in np.setdiff1d(whole, categories)][:10],
        blocks.count(inner[0], inner[1]),
        labels[names.index(steps)] if steps else [""],
    )  # fmt: skip


def _informative(x: np.ndarray, codes: tuple[np.ndarray, ...], top: int) -> np.ndarray:
    """Ratings of elements that are neither all lowest nor all highest, again until none is left."""
    keep = np.ones(len(x), bool)
    while True:
        out = np.zeros(len(x), bool)
        for c in codes:
            size = int(c.max()) + 1
            n = np.bincount(c[keep], minlength=size)
            total = np.bincount(c[keep], x[keep], minlength=size)
            out |= ((total == 0) | (total == top * n))[c]
        after = keep & ~out
        if after.sum() == keep.sum():
            return keep
        keep = after


def _anchored(
    names: list[str],
    labels: list[list[Any]],
    used: list[np.ndarray],
    anchors: Mapping[str, Mapping[Any, float]],
) -> tuple[np.ndarray, ...]:
    return tuple(
        np.array([anchors.get(n, {}).get(own[k], np.nan) for k in u], dtype=np.float64)
        for n, own, u in zip(names, labels, used, strict=True)
    )

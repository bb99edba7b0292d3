"""How many-facet Rasch reads its table: categories in order, elements without information set aside.

Not a statistic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.columns import complete, numbers
from svcmetrics.numeric import blocks, rasch
from svcmetrics.numeric.codes import distinct, numbered
from svcmetrics.problems import table_error
from svcmetrics.result import Finding
from svcmetrics.verify import grid

# Categories with fewer ratings than this leave thresholds without hold.
PER_CATEGORY = 10
# A scale from 0 to 10 has eleven points; a finer one is rather a measure.
MOST_POINTS = 11


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
    weight: np.ndarray
    categories: list[float]  # the score of each category
    skipped: list[float]  # scores between them that nobody gave
    blocks: tuple[np.ndarray, np.ndarray]  # of each estimated target, of each estimated rater
    step_labels: list[Any]  # of each set of thresholds; [""] when there is one
    repeated: int  # ratings beyond the first of the same rater on the same thing


def read(
    ratings: pd.DataFrame, names: Sequence[str], score: str, weight: str | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Complete rows; scores are whole numbers, weights not negative."""
    by = [*names, *([weight] if weight else [])]
    kept, dropped = complete(ratings, score=score, by=by)
    values = kept[score].to_numpy()
    odd = values != np.round(values)
    if odd.any():
        raise table_error("categories_not_whole", column=score, bad=float(values[odd][0]))
    if weight:
        kept[weight] = numbers(kept, weight)
        below = kept[weight].to_numpy() < 0
        if below.any():
            raise table_error("negative_weight", column=weight, rows=np.flatnonzero(below))
        idle = kept[weight].to_numpy() == 0
        kept, dropped = (
            kept[~idle],
            dropped | ({"no_weight": int(idle.sum())} if idle.any() else {}),
        )
    return kept, dropped


def no_copies(ratings: pd.DataFrame, names: Sequence[str]) -> None:
    """A row that is there twice in every column is an error; ratings that differ are not."""
    if (double := ratings.duplicated(keep=False)).any():
        where = np.flatnonzero(double.to_numpy())
        example = [str(ratings[n].iloc[where[0]]) for n in names]
        raise table_error("duplicate_rows", rows=where, key=list(names), example=example)


def prepared(
    kept: pd.DataFrame, names: list[str], columns: tuple[str, str | None], *, steps: str | None,
    anchors: Mapping[str, Mapping[Any, float]], sample: bool,
) -> Trimmed | Finding:  # fmt: skip
    """The table as codes; or why nothing can be estimated.

    ``columns``: score and weight. ``sample``: targets are a sample, and may be extreme.
    """
    score, times = columns
    values = kept[score].to_numpy()
    weight = kept[times].to_numpy("float64") if times else np.ones(len(kept))
    if not len(values):
        return Finding("facets.nothing", {}, "refused")
    low = int(values.min())
    whole, x = numbered(values.astype(np.int64) - low, int(values.max()) - low + 1)
    categories, x = (whole + low).astype(np.float64), x.astype(np.int64)
    if len(categories) < 2:
        return Finding("facets.one_category", {"score": float(categories[0])}, "refused")
    if few := _too_fine(x, len(categories)):
        told = {"points": len(categories), "count": few, "least": PER_CATEGORY}
        return Finding("facets.too_fine", told, "refused")
    pairs = [grid.positions(kept[n]) for n in names]
    codes, labels = tuple(c for c, _ in pairs), [list(v) for _, v in pairs]
    fixed = [_known(own, anchors.get(n, {})) for n, own in zip(names, labels)]
    group = codes[names.index(steps)] if steps else np.zeros(len(x), np.int64)
    if steps and (thin := _thin(group, x, len(categories))):
        return Finding("facets.thin_steps", {"count": thin, "facet": steps}, "refused")
    fixed[0] |= sample
    keep = _informative(x, codes, len(categories) - 1, fixed)
    if keep.sum() < 2 or len(distinct(x[keep], len(categories))) < len(categories):
        return Finding("facets.all_extreme", {"ratings": len(x)}, "refused")
    parts = [numbered(c[keep], len(v)) for c, v in zip(codes, labels)]
    used, inner = [u for u, _ in parts], [c.astype(np.int64) for _, c in parts]
    data = rasch.Data(
        x[keep], inner[0], tuple(inner[1:]), tuple(len(u) for u in used), group[keep],
        len(categories) - 1, weight[keep],
    )  # fmt: skip
    return Trimmed(
        data, _anchored(names, labels, used, anchors), codes, labels, used, x, group, weight,
        [float(c) for c in categories], _skipped(categories),
        blocks.members(inner[0], inner[1]), labels[names.index(steps)] if steps else [""],
        _repeated(codes, labels),
    )  # fmt: skip


def _repeated(codes: tuple[np.ndarray, ...], labels: list[list[Any]]) -> int:
    """Ratings beyond the first of the same combination of elements."""
    cell, size = codes[0], len(labels[0])
    for c, own in zip(codes[1:], labels[1:]):
        found, cell = numbered(cell.astype(np.int64) * len(own) + c, size * len(own))
        size = len(found)
    return len(cell) - size


def _skipped(categories: np.ndarray) -> list[float]:
    """Scores between the lowest and the highest that nobody gave; ten at most."""
    top = min(categories.max(), categories.min() + 1000)
    whole = np.arange(categories.min(), top + 1)
    return [float(c) for c in np.setdiff1d(whole, categories)][:10]


def _known(own: list[Any], anchors: Mapping[Any, float]) -> np.ndarray:
    """Which elements are anchored; an anchor for one that is not there is an error."""
    unknown = [str(v) for v in anchors if v not in set(own)]
    if unknown:
        raise table_error("unknown_word", unknown=unknown[:10], known=[str(v) for v in own[:20]])
    bad = [str(v) for v in anchors.values() if not np.isfinite(float(v))]
    if bad:
        raise table_error("not_a_number", column="anchors", bad=bad[0], count=len(bad))
    return np.array([v in anchors for v in own], dtype=bool)


def _too_fine(x: np.ndarray, kinds: int) -> int:
    """Scarcely used categories of a scale such as 0 to 100, where they are most: no rating scale."""
    few = int((np.bincount(x, minlength=kinds) < PER_CATEGORY).sum())
    return few if kinds > MOST_POINTS and 2 * few > kinds else 0


def _thin(group: np.ndarray, x: np.ndarray, kinds: int) -> int:
    """Elements with thresholds of their own that lack ratings in some category."""
    seen = np.bincount(group * kinds + x, minlength=(group.max() + 1) * kinds)
    return int((seen.reshape(-1, kinds) == 0).any(axis=1).sum())


def _informative(
    x: np.ndarray, codes: tuple[np.ndarray, ...], top: int, fixed: list[np.ndarray]
) -> np.ndarray:
    """Ratings of elements that are neither all lowest nor all highest, again until none is left."""
    keep, sizes = np.ones(len(x), bool), [len(known) for known in fixed]
    while True:
        here = slice(None) if keep.all() else keep
        seen, own = x[here], [c[here] for c in codes]
        n = [np.bincount(c, minlength=size) for c, size in zip(own, sizes)]
        total = [np.bincount(c, seen, size) for c, size in zip(own, sizes)]
        extreme = [
            ((sum_ == 0) | (sum_ == top * count)) & (count > 0) & ~known
            for sum_, count, known in zip(total, n, fixed)
        ]
        if not any(e.any() for e in extreme):
            return keep
        for e, c in zip(extreme, codes):
            keep &= ~e[c]


def _anchored(
    names: list[str], labels: list[list[Any]], used: list[np.ndarray],
    anchors: Mapping[str, Mapping[Any, float]],
) -> tuple[np.ndarray, ...]:  # fmt: skip
    return tuple(
        np.array([anchors[n].get(own[k], np.nan) for k in u], dtype=np.float64)
        if n in anchors
        else np.full(len(u), np.nan)
        for n, own, u in zip(names, labels, used)
    )

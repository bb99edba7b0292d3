"""Ratings of departments read once for the adjusted means and for their joint draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcmetrics.numeric.raters import Ratings, subsets
from svcmetrics.problems import table_error
from svcmetrics.tables import complete, numbers, once, require, unique


@dataclass(frozen=True)
class Rated:
    """Names and coded ratings; ``part``: the subset of each target; what was left out."""

    names: pd.Index
    data: Ratings
    part: np.ndarray
    dropped: dict[str, int]
    copies: int

    def main(self) -> tuple[np.ndarray, np.ndarray]:
        """Subsets numbered from the largest (targets, then ratings); and who lies in the first."""
        part, count = self.part, np.bincount(self.data.target, minlength=len(self.part))
        targets = np.bincount(part)
        ratings = np.bincount(part, weights=count, minlength=0)
        order = np.lexsort((-ratings[: len(targets)], -targets))
        order = order[targets[order] > 0]
        rank = np.zeros(len(targets), dtype=int)
        rank[order] = np.arange(1, len(order) + 1)
        return rank[part], rank[part] == 1


def read_rated(
    ratings: pd.DataFrame,
    *,
    target: str,
    rater: str,
    score: str,
    extra: list[str],
    severity: pd.DataFrame | None,
) -> Rated:
    """Check and code the table; ``severity`` known from earlier is taken off first."""
    ratings, copies = once(ratings, target, rater, *extra, score=score)
    rows, dropped = complete(ratings, score=score, by=(target, rater, *extra))
    dropped |= {"duplicate": copies} if copies else {}
    if rows.empty:
        raise table_error("too_few_values", found=0, needed=2, what=score)
    if severity is not None:
        rows = _without_severity(rows, severity, rater, score)
    code, names = pd.factorize(rows[target], sort=True)
    others = [pd.factorize(rows[c], sort=True)[0] for c in extra]
    used = tuple(c.astype(np.intp) for c in others if c.max() > 0)
    who = pd.factorize(rows[rater], sort=True)[0].astype(np.intp)
    data = Ratings(rows[score].to_numpy(), code.astype(np.intp), who, used)
    return Rated(pd.Index(names), data, subsets(data.target, data.rater), dropped, copies)


def _without_severity(
    rows: pd.DataFrame, severity: pd.DataFrame, rater: str, score: str
) -> pd.DataFrame:
    """Ratings with each rater's known severity added back; raters without one stay as they are."""
    require(severity, rater, "estimate")
    if "metric" in severity:
        severity = severity[severity["metric"] == "severity"]
    unique(severity, rater)
    known = pd.Series(numbers(severity, "estimate").to_numpy(), index=severity[rater].to_numpy())
    return rows.assign(
        **{score: rows[score] + rows[rater].map(known).fillna(0.0).astype("float64")}
    )

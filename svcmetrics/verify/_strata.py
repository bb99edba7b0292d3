"""Dimensions (strata) of a composite: one study each, and the study of their weighted score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.tables import complete
from svcmetrics.verify._components import RESIDUAL, Study, read_study
from svcmetrics.verify._formula import Formula, read_formula


@dataclass(frozen=True)
class Strata:
    """The studies of the dimensions, and one mean per linked cell (rows) and dimension (columns).

    A cell is a combination of the object and the linked facets: what the dimensions share.
    """

    names: list[Any]
    studies: list[Study]
    cells: pd.DataFrame
    shared: tuple[str, ...]  # columns of the object and the linked facets
    formula: Formula
    dropped: dict[str, int]
    added: str  # a term that the formula lacked, or ""

    def collapsed(self, weights: np.ndarray, measured: str) -> Study:
        """The study of the weighted score of each cell; its residual is the cell itself."""
        facets = {
            c: pd.factorize(self.cells.index.get_level_values(c), sort=True)[0].astype(np.intp)
            for c in self.shared
        }
        terms, codes = [], []
        for term in self.formula.terms:
            if set(term) < set(self.shared):
                own = pd.MultiIndex.from_arrays([facets[c] for c in term])
                code = pd.factorize(own, sort=True)[0].astype(np.intp)
                if 1 < code.max() + 1 < len(self.cells):
                    terms.append(":".join(term))
                    codes.append(code)
        names = (*terms, RESIDUAL)
        place = names.index(measured) if measured in names else len(codes)
        sizes = tuple(int(c.max()) + 1 for c in codes)
        y = self.cells.to_numpy() @ weights
        return Study(y, place, measured, names, tuple(codes), sizes, facets, {}, {})


def read_strata(
    ratings: pd.DataFrame, formula: str, *, measured: str, strata: str, linked: Sequence[str]
) -> Strata:
    """Check the table and split it; rows without score, facet or dimension are left out."""
    parsed = read_formula(formula)
    wrong = [c for c in linked if c not in parsed.columns]
    if wrong:
        raise table_error("missing_columns", missing=wrong, present=list(parsed.columns))
    own = tuple(measured.split(":"))
    shared = tuple(dict.fromkeys((*own, *(c for c in parsed.columns if c in linked))))
    rows, dropped = complete(ratings, score=parsed.score, by=(*parsed.columns, strata))
    if rows.empty:
        raise table_error("too_few_values", found=0, needed=2, what=parsed.score)
    whole, added = _with_cell(formula, parsed, shared)
    names = sorted(rows[strata].unique().tolist(), key=str)
    studies = [
        read_study(rows[rows[strata] == name], whole, measured, repeats="kept") for name in names
    ]
    mean = rows.groupby([*shared, strata], observed=True)[parsed.score].mean()
    wide = mean.unstack(strata)[names]
    kept = wide.dropna()
    if len(kept) < len(wide):
        dropped = {**dropped, "incomplete_cell": len(wide) - len(kept)}
    return Strata(names, studies, kept, shared, read_formula(whole), dropped, added)


def _with_cell(formula: str, parsed: Formula, shared: tuple[str, ...]) -> tuple[str, str]:
    """The formula with a term for the linked cell, which the dimensions' errors may share."""
    free = set(parsed.columns) - set(shared)
    if not free or any(set(t) == set(shared) for t in parsed.terms):
        return formula, ""
    return f"{formula} + {':'.join(f'`{c}`' for c in shared)}", ":".join(shared)


def read_weights(weights: Mapping[Any, float] | None, names: list[Any], strata: str) -> np.ndarray:
    """One weight per dimension, summing to 1; equal ones when none are given."""
    if weights is None:
        return np.full(len(names), 1 / len(names))
    missing = [str(n) for n in names if n not in weights]
    unknown = [str(k) for k in weights if k not in names]
    total = float(sum(weights.values()))
    if missing or unknown or not np.isfinite(total) or total <= 0:
        raise table_error(
            "composite_weights", column=strata, missing=missing, unknown=unknown, total=total
        )
    return np.array([weights[n] for n in names], dtype="float64") / total

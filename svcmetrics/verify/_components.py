"""Variance components of a facet formula: mean squares where balanced, REML otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from svcmetrics.numeric.anova import Anova, anova, is_balanced
from svcmetrics.numeric.gtheory import Shares, spread_of_means
from svcmetrics.numeric.mixed import Mixed, NotIdentified, reml
from svcmetrics.problems import table_error
from svcmetrics.result import Finding
from svcmetrics.tables import complete, once, unique
from svcmetrics.verify._formula import read_formula

RESIDUAL = "residual"


@dataclass(frozen=True)
class Study:
    """The rows of a generalizability study, coded; the residual is the last term."""

    y: np.ndarray
    object: int  # the term that is measured; -1 when it was left out
    measured: str
    terms: tuple[str, ...]
    codes: tuple[np.ndarray, ...]  # one per term but the residual
    sizes: tuple[int, ...]
    facets: dict[str, np.ndarray]  # codes of every column of the formula
    dropped: dict[str, int]
    left_out: dict[str, list[str]]  # terms with one level, or that are the residual

    def index(self, term: int) -> set[str]:
        """The columns whose levels a term tells apart; the residual tells all apart."""
        if term == len(self.codes):
            return set(self.facets)
        own = self.codes[term]
        first = np.zeros(self.sizes[term], dtype=np.intp)
        out = set()
        for name, codes in self.facets.items():
            first[own] = codes
            if np.array_equal(first[own], codes):
                out.add(name)
        return out


@dataclass(frozen=True)
class Components:
    """Raw components (may be negative), their covariance, and the fit behind them."""

    raw: np.ndarray
    covariance: np.ndarray
    balanced: Anova | None
    model: Mixed | None
    findings: list[Finding] = field(default_factory=list)

    @property
    def truncated(self) -> np.ndarray:
        return np.maximum(self.raw, 0.0)


def read_study(
    ratings: pd.DataFrame, formula: str, measured: str, *, repeats: str = "refused"
) -> Study:
    """Check and code the table; terms of one level or of one rating each are left out and named.

    ``repeats``: "kept" where several ratings of a cell are meant, as the items of one stratum are.
    """
    parsed = read_formula(formula)
    names = [":".join(t) for t in parsed.terms]
    if measured not in names:
        raise table_error("object_missing", column=measured, terms=names)
    copies = 0
    if repeats == "refused":
        ratings, copies = once(ratings, *parsed.columns, score=parsed.score)
    rows, dropped = complete(ratings, score=parsed.score, by=parsed.columns)
    dropped |= {"duplicate": copies} if copies else {}
    if rows.empty:
        raise table_error("too_few_values", found=0, needed=2, what=parsed.score)
    facets = {c: pd.factorize(rows[c], sort=True)[0].astype(np.intp) for c in parsed.columns}
    codes = [_joined(facets, t) for t in parsed.terms]
    sizes = [int(c.max()) + 1 for c in codes]
    left: dict[str, list[str]] = {"one_level": [], "residual": []}
    keep: list[int] = []
    for i, size in enumerate(sizes):
        if size < 2:
            left["one_level"].append(names[i])
        elif size == len(rows):
            left["residual"].append(names[i])
        else:
            keep.append(i)
    if repeats == "refused":
        _check_repeats(rows, parsed.columns, sizes)
    terms = (*(names[i] for i in keep), RESIDUAL)
    return Study(
        rows[parsed.score].to_numpy(),
        terms.index(measured) if measured in terms else -1,
        measured,
        terms,
        tuple(codes[i] for i in keep),
        tuple(sizes[i] for i in keep),
        facets,
        dropped,
        {k: v for k, v in left.items() if v},
    )


def _check_repeats(rows: pd.DataFrame, facets: tuple[str, ...], sizes: list[int]) -> None:
    """Two ratings of one cell need a term for the cell, or they would count as two opinions."""
    if max(sizes) < len(rows) - int(rows.duplicated(list(facets)).sum()):
        unique(rows, *facets)


def _joined(facets: dict[str, np.ndarray], columns: tuple[str, ...]) -> np.ndarray:
    out = facets[columns[0]]
    for c in columns[1:]:
        whole = out * (int(facets[c].max()) + 1) + facets[c]
        out = np.unique(whole, return_inverse=True)[1].astype(np.intp)
    return out


def refusal(study: Study) -> Finding | None:
    """Why this study cannot be computed, if so."""
    if study.object < 0:
        flat = study.left_out.get("one_level", [])
        if flat and study.measured not in flat:
            return Finding("generalizability.one_level_only", {"names": flat}, "refused")
        key = "one_target" if flat else "once"
        return Finding(f"generalizability.{key}", {"n": len(study.y)}, "refused")
    if np.ptp(study.y) <= 4 * np.spacing(np.abs(study.y).max()):
        return Finding("generalizability.no_spread", {}, "refused")
    if len(study.codes) < 2 and "one_level" in study.left_out:
        values = {"names": study.left_out["one_level"]}
        return Finding("generalizability.one_level", values, "refused")
    return None


def estimate(study: Study) -> Components | Finding:
    """The components, or why there are none."""
    n = len(study.y)
    if is_balanced(study.codes, study.sizes, n):
        table = anova(study.y, study.codes, study.sizes)
        if (table.df > 0).all():
            none = table.mean_squares[-1] <= 1e-12 * study.y.var()
            found = [Finding("generalizability.perfect", {}, "warning")] if none else []
            rounding = np.abs(table.components) <= 1e-12 * study.y.var()
            components = np.where(rounding, 0.0, table.components)
            return Components(components, table.covariance, table, None, found)
    try:
        model = reml(study.y, study.codes)
    except NotIdentified as error:
        pair = [
            study.terms[error.factor],
            *([study.terms[error.other]] if error.other is not None else []),
        ]
        return Finding("generalizability.same", {"names": pair}, "refused")
    found = [Finding("generalizability.perfect", {}, "warning")] if model.perfect else []
    return Components(model.variances, np.nan_to_num(model.covariance), None, model, found)


def observed_shares(study: Study, fixed: tuple[str, ...]) -> Shares:
    """Weights of the components in the means of these very ratings, incomplete as they are."""
    target = study.codes[study.object]
    rows = np.arange(len(study.y))
    pairs = [spread_of_means(target, c) for c in (*study.codes, rows)]
    return _shares(study, fixed, np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]))


def planned_shares(study: Study, fixed: tuple[str, ...], sizes: dict[str, float]) -> Shares:
    """Weights in a complete design with these numbers of levels (nested: within one parent)."""
    own = study.index(study.object)
    indexes = [study.index(i) for i in range(len(study.terms))]
    weight = np.array([1 / np.prod([sizes[f] for f in ix - own]) for ix in indexes])
    weight[-1] /= len(study.y) / cells(study)  # repeated ratings of a cell stay as they were
    shared = np.array([own <= ix for ix in indexes])
    return _shares(study, fixed, weight, weight * shared)


def _shares(
    study: Study, fixed: tuple[str, ...], absolute: np.ndarray, relative: np.ndarray
) -> Shares:
    """Brennan (2001), ch. 4: what only the object and fixed facets index is universe, or constant.

    The residual stays error whatever is fixed: nothing tells it from an interaction.
    """
    own = study.index(study.object)
    universe = np.zeros(len(study.terms))
    for i in range(len(study.codes)):
        if study.index(i) - own <= set(fixed):
            has_object = own <= study.index(i)
            universe[i] = absolute[i] if has_object else 0.0
            absolute[i] = relative[i] = 0.0
    return Shares(universe, absolute, relative)


def cells(study: Study) -> int:
    """How many combinations of all facets occur."""
    return int(_joined(study.facets, tuple(study.facets)).max()) + 1

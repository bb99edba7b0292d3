"""Components of a weighted score of dimensions, as a linear function of what was estimated.

The score of a linked cell (object × linked facets) is C = Σ w·(mean of dimension v in the cell).
Its components hold those of C and, on top, what the free facets of each dimension leave in its
mean; taking that away leaves Σ Σ w w' σ(v, v'), Brennan's (2001, ch. 9-10) composite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from svcmetrics.numeric.gtheory import Shares, spread_of_means
from svcmetrics.result import Finding
from svcmetrics.verify._components import Components, Study, estimate, refusal
from svcmetrics.verify._strata import Strata


@dataclass(frozen=True)
class Source:
    """One component of the composite: what it indexes, and the study that tells its means."""

    index: frozenset[str]
    study: Study
    term: int
    weight: float  # of its variance in the composite
    stratum: int  # -1: shared by the dimensions


@dataclass(frozen=True)
class Composite:
    """Raw components (one per source), their covariance, and draws of them where balanced."""

    sources: list[Source]
    raw: np.ndarray
    covariance: np.ndarray
    draws: np.ndarray | None
    strata: list[Components]

    def shares(self, sizes: Mapping[str, float] | None) -> Shares:
        """Weights of the components in the composite's mean: as observed, or as planned."""
        universe, absolute, relative = (np.zeros(len(self.sources)) for _ in range(3))
        for i, s in enumerate(self.sources):
            own = s.study.index(s.study.object)
            if s.index == own:
                universe[i] = s.weight
                continue
            if sizes is None:
                parts = spread_of_means(_codes(s.study, s.study.object), _codes(s.study, s.term))
            else:
                whole = 1 / float(np.prod([sizes[f] for f in s.index - own]))
                parts = whole, whole * (own <= s.index)
            absolute[i], relative[i] = s.weight * parts[0], s.weight * parts[1]
        return Shares(universe, absolute, relative)


def composite(
    strata: Strata, weights: np.ndarray, measured: str, rng: np.random.Generator, count: int
) -> Composite | list[Finding]:
    """The components of the weighted score, or why there are none."""
    each: list[Components] = []
    for name, study in zip(strata.names, strata.studies):
        parts = refusal(study) or estimate(study)
        if isinstance(parts, Finding):
            named = Finding("generalizability_composite.stratum", {"stratum": str(name)}, "refused")
            return [named, parts]
        each.append(parts)
    whole = strata.collapsed(weights, measured)
    if len(whole.y) < 2 or np.ptp(whole.y) <= 1e-12 * np.abs(whole.y).max():
        return [Finding("generalizability_composite.no_spread", {}, "refused")]
    joint = estimate(whole)
    if isinstance(joint, Finding):
        return [joint]
    return _joined(strata, weights, whole, joint, each, rng, count)


def _joined(
    strata: Strata, weights: np.ndarray, whole: Study, joint: Components,
    each: list[Components], rng: np.random.Generator, count: int,
) -> Composite:  # fmt: skip
    """Sources and the matrix that turns all estimates, one below another, into components."""
    sources = [
        Source(frozenset(whole.index(t)), whole, t, 1.0, -1) for t in range(len(whole.terms))
    ]
    size = len(whole.terms) + sum(len(s.terms) for s in strata.studies)
    rows = list(np.eye(len(whole.terms), size))
    place = len(whole.terms)
    for v, study in enumerate(strata.studies):
        for term in range(len(study.terms)):
            index = frozenset(study.index(term))
            if index - set(strata.shared):
                sources.append(Source(index, study, term, float(weights[v]) ** 2, v))
                rows.append(np.eye(1, size, place + term)[0])
                home = _home(sources[: len(whole.terms)], index & set(strata.shared))
                if home is not None:
                    level = _cells(study, sources[home].index)
                    left = spread_of_means(level, _codes(study, term))[0]
                    rows[home][place + term] -= weights[v] ** 2 * left
        place += len(study.terms)
    change = np.array(rows)
    parts = [joint, *each]
    draws = None
    if all(p.balanced for p in parts):
        drawn = [p.balanced.draws(rng, count) for p in parts if p.balanced]
        draws = np.concatenate(drawn, axis=1) @ change.T
    covariance = np.zeros((size, size))
    at = np.cumsum([0, *(len(p.raw) for p in parts)])
    for p, a, b in zip(parts, at[:-1], at[1:]):
        covariance[a:b, a:b] = p.covariance
    raw = change @ np.concatenate([p.raw for p in parts])
    return Composite(sources, raw, change @ covariance @ change.T, draws, each)


def _home(sources: list[Source], index: frozenset[str]) -> int | None:
    """The component of the score into which a free facet's means run: the least that holds it."""
    if not index:
        return None
    fitting = [i for i, s in enumerate(sources) if index <= s.index]
    return min(fitting, key=lambda i: len(sources[i].index))


def _cells(study: Study, index: frozenset[str]) -> np.ndarray:
    """Codes of the combinations of these columns."""
    whole = np.zeros(len(study.y), dtype=np.intp)
    for column in sorted(index):
        codes = study.facets[column]
        wide = int(codes.max()) + 1
        whole = np.unique(whole * wide + codes, return_inverse=True)[1]
    return np.ravel(whole).astype(np.intp)


def _codes(study: Study, term: int) -> np.ndarray:
    """The levels of a term; the residual, and an object that is its own cell, have one per row."""
    return study.codes[term] if term < len(study.codes) else np.arange(len(study.y))

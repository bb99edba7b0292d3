"""The rows and the reading of a composite: components, coefficients, effective weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtri

from svcmetrics.numeric.gtheory import Shares
from svcmetrics.result import Finding, estimates
from svcmetrics.verify._components import Components, Study, estimate, observed_shares
from svcmetrics.verify._components import planned_shares as planned
from svcmetrics.verify._composite_parts import Composite
from svcmetrics.verify._generalizability_rows import coefficient_rows, component_rows
from svcmetrics.verify._strata import Strata

_LEVEL = 0.95
_GOOD, _POOR, _FEW = 0.8, 0.5, 8
_ALIKE = 0.95


def rows(
    data: Strata, parts: Composite, weights: np.ndarray, plan: Mapping[str, float] | None
) -> pd.DataFrame:
    """One long table; an empty ``stratum`` is the composite."""
    names = [str(n) for n in data.names]
    shared = _covariances(data, parts)
    shares = parts.shares(plan)
    tables = [_components(data, parts, shared, names)]
    whole = Components(parts.raw, parts.covariance, None, None)
    tables.append(_coefficients(data.studies[0], whole, shares, parts.draws, "", plan))
    for name, own, part in zip(names, data.studies, parts.strata):
        used = observed_shares(own, ()) if plan is None else planned(own, (), dict(plan))
        draws = part.balanced.draws(np.random.default_rng(0), 5_000) if part.balanced else None
        tables.append(_coefficients(own, part, used, draws, name, plan))
    tables.append(_effective(parts, shared, shares, weights, names))
    out = pd.concat(tables)
    return out.assign(n=out["n"].fillna(len(np.unique(data.studies[0].codes[0]))).astype(int))


Shared = dict[int, tuple[np.ndarray, np.ndarray]]


def _covariances(data: Strata, parts: Composite) -> Shared:
    """Per shared source the matrices (dimensions × dimensions) of covariances and their errors.

    The covariance of a and b is a quarter of the component of a + b less that of a − b.
    """
    k = len(data.names)
    joint = [i for i, s in enumerate(parts.sources) if s.stratum < 0]
    value = {i: np.full((k, k), np.nan) for i in joint}
    error = {i: np.full((k, k), np.nan) for i in joint}
    measured = data.studies[0].measured
    for i in joint:
        for v, (study, part) in enumerate(zip(data.studies, parts.strata)):
            own = _term(study, parts.sources[i].index)
            if own is not None:
                value[i][v, v] = part.raw[own]
                error[i][v, v] = np.sqrt(part.covariance[own, own])
    for a in range(k):
        for b in range(a):
            one, two = np.zeros((2, k))
            one[[a, b]], two[a], two[b] = 1, 1, -1
            sums = [estimate(data.collapsed(w, measured)) for w in (one, two)]
            if not isinstance(sums[0], Finding) and not isinstance(sums[1], Finding):
                cov = (sums[0].raw - sums[1].raw) / 4
                var = np.diag(sums[0].covariance + sums[1].covariance) / 16
                for i in joint:
                    term = parts.sources[i].term
                    value[i][a, b] = value[i][b, a] = cov[term]
                    error[i][a, b] = error[i][b, a] = np.sqrt(var[term])
    return {i: (value[i], error[i]) for i in joint}


def _term(study: Study, index: frozenset[str]) -> int | None:
    """The term of a dimension's study with these columns, if it has one."""
    found = [t for t in range(len(study.terms)) if frozenset(study.index(t)) == index]
    return found[0] if found else None


def _components(data: Strata, parts: Composite, shared: Shared, names: list[str]) -> pd.DataFrame:
    """Each dimension's own components, then the covariances of what dimensions share."""
    frames = []
    for name, study, part in zip(names, data.studies, parts.strata):
        draws = part.balanced.draws(np.random.default_rng(0), 5_000) if part.balanced else None
        own = component_rows(study, part, draws, _LEVEL)
        own = own[own["variant"] == "raw"]
        groups = {"term": own["term"], "stratum": name, "with_stratum": name}
        frames.append(
            estimates(
                "component", groups=groups, variant="variance", estimate=own["estimate"],
                low=own["low"], high=own["high"], correlation=np.nan,
            )
        )  # fmt: skip
    pairs = [(a, b) for a in range(len(names)) for b in range(a)]
    half = float(ndtri((1 + _LEVEL) / 2))
    for i, (value, error) in shared.items():
        source = parts.sources[i]
        measured = source.index == source.study.index(source.study.object)
        now = np.array([value[p] for p in pairs])
        wide = half * np.array([error[p] for p in pairs])
        scale = np.array([max(value[a, a], 0) * max(value[b, b], 0) for a, b in pairs])
        r = now / np.sqrt(np.where((scale > 0) & measured, scale, np.nan))
        groups = {
            "term": _label(data, source.index), "stratum": [names[b] for _, b in pairs],
            "with_stratum": [names[a] for a, _ in pairs],
        }  # fmt: skip
        frames.append(
            estimates(
                "component", groups=groups, variant="covariance", estimate=now, low=now - wide,
                high=now + wide, correlation=r,
            )
        )  # fmt: skip
    return pd.concat(frames)


def _label(data: Strata, index: frozenset[str]) -> str:
    """The name of a shared source, as the dimensions' own studies call it."""
    study = data.studies[0]
    term = _term(study, index)
    return ":".join(sorted(index)) if term is None else study.terms[term]


def _coefficients(
    study: Study, parts: Components, shares: Shares, draws: np.ndarray | None, stratum: str,
    plan: Mapping[str, float] | None,
) -> pd.DataFrame:  # fmt: skip
    table = coefficient_rows(study, parts, shares, draws, _LEVEL)
    table = table.assign(stratum=stratum, with_stratum="", term=study.measured, n=np.nan)
    table["variant"] = "as observed" if plan is None else "planned"
    first = ["term", "stratum", "with_stratum"]
    return table[[*first, *(c for c in table.columns if c not in first)]]


def _effective(
    parts: Composite, shared: Shared, shares: Shares, weights: np.ndarray, names: list[str]
) -> pd.DataFrame:
    """What each dimension adds to the composite's true variance and to its absolute error."""
    universe, error = np.zeros(len(names)), np.zeros(len(names))
    for i, (value, _) in shared.items():
        own = weights * (np.nan_to_num(value) @ weights)
        universe += shares.universe[i] * own
        error += shares.absolute[i] * own
    for source, share, raw in zip(parts.sources, shares.absolute, parts.raw):
        if source.stratum >= 0:  # the weight of the dimension is in the share already
            error[source.stratum] += share * raw
    frames = []
    for variant, amount in (("universe", universe), ("error", error)):
        part = amount / amount.sum() if amount.sum() > 0 else np.full(len(names), np.nan)
        frames.append(
            estimates(
                "effective_weight", groups={"term": "", "stratum": names, "with_stratum": ""},
                variant=variant, estimate=part, correlation=np.nan, weight=weights,
            )
        )  # fmt: skip
    return pd.concat(frames)


def findings(table: pd.DataFrame, data: Strata, parts: Composite) -> list[Finding]:
    """Φ of the composite, the dimensions that cannot be told apart, and what to be careful with."""
    whole = table[table["stratum"] == ""]
    phi = whole[whole["metric"] == "phi"].iloc[0]
    erho2 = whole[whole["metric"] == "erho2"].iloc[0]
    values = {
        "phi": float(phi["estimate"]), "low": float(phi["low"]), "high": float(phi["high"]),
        "erho2": float(erho2["estimate"]), "targets": int(phi["n"]), "strata": len(data.names),
    }  # fmt: skip
    key = "good" if values["low"] >= _GOOD else "poor" if not values["phi"] >= _POOR else "fair"
    found = [Finding(f"generalizability_composite.{key}", values)]
    close = table[(table["metric"] == "component") & (table["correlation"] >= _ALIKE)]
    if len(close):
        pairs = [f"{a} – {b}" for a, b in zip(close["stratum"], close["with_stratum"])]
        alike = {"pairs": pairs[:5], "count": len(pairs)}
        found.append(Finding("generalizability_composite.alike", alike, "warning"))
    if values["targets"] < _FEW:
        few = {"targets": values["targets"]}
        found.append(Finding("generalizability.few_targets", few, "warning"))
    if data.dropped.get("incomplete_cell"):
        left = {"count": data.dropped["incomplete_cell"], "kept": len(data.cells)}
        found.append(Finding("generalizability_composite.incomplete", left, "warning"))
    return [*found, *dict.fromkeys(f for p in parts.strata for f in p.findings if not f.values)]

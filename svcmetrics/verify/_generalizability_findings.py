"""The reading of a generalizability study."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.numeric.gtheory import Shares
from svcmetrics.numeric.raters import subsets
from svcmetrics.result import Finding
from svcmetrics.verify._components import Components, Study

# Brennan (2001, p. 108) and the field ask 0.8 of decisions; below 0.5 error outweighs the object.
_GOOD, _POOR = 0.8, 0.5
_FEW = 8


def findings(table: pd.DataFrame, study: Study, parts: Components, shares: Shares) -> list[Finding]:
    """Φ and its verdict, the largest source of error, and what to be careful about."""
    phi = table[table["metric"] == "phi"].iloc[0]
    erho2 = table[table["metric"] == "erho2"].iloc[0]
    values = {
        "phi": float(phi["estimate"]),
        "low": float(phi["low"]),
        "high": float(phi["high"]),
        "erho2": float(erho2["estimate"]),
        "targets": study.sizes[study.object],
    }
    found = [
        Finding(f"generalizability.{_verdict(values)}", values),
        *_source(study, parts, shares),
    ]
    found += parts.findings
    if study.sizes[study.object] < _FEW:
        few = {"targets": study.sizes[study.object]}
        found.append(Finding("generalizability.few_targets", few, "warning"))
    negative = [t for t, v in zip(study.terms, parts.raw) if v < 0]
    if negative:
        found.append(Finding("generalizability.negative", {"names": negative}))
    zero = [] if parts.model is None else np.array(study.terms[:-1])[parts.model.zero].tolist()
    if zero:
        found.append(Finding("generalizability.zero", {"names": zero}))
    found += _warnings(study)
    if parts.model is not None and parts.model.drawn:
        found.append(Finding("generalizability.drawn", _simulation(parts)))
    if study.left_out.get("one_level"):
        names = {"names": study.left_out["one_level"]}
        found.append(Finding("generalizability.one_level", names, "warning"))
    return found


def _simulation(parts: Components) -> dict[str, float]:
    """What random signs add to the errors of the components, at most; and to the criterion."""
    model = parts.model
    if model is None:
        return {}
    with np.errstate(invalid="ignore"):
        share = np.nanmax(model.simulation_errors / model.errors)
    return {"share": float(share), "criterion": model.criterion_error}


def _verdict(values: dict[str, float]) -> str:
    if not values["phi"] > 0:
        return "none"
    if values["low"] >= _GOOD:
        return "good"
    return "poor" if values["phi"] < _POOR else "fair"


def _source(study: Study, parts: Components, shares: Shares) -> list[Finding]:
    """The component that adds most to the error of a department's mean."""
    error = parts.truncated * shares.absolute
    if error.sum() <= 0:
        return []
    worst = int(error.argmax())
    values = {"name": study.terms[worst], "share": float(error[worst] / error.sum())}
    key = "residual" if worst == len(study.codes) else "source"
    return [Finding(f"generalizability.{key}", values)]


def _warnings(study: Study) -> list[Finding]:
    """Forms sent twice, and sources that fall apart into subsets without a shared level."""
    found = []
    copies = study.dropped.get("duplicate")
    if copies:
        found.append(Finding("generalizability.twice", {"count": copies}, "warning"))
    own = study.index(study.object)
    for i, codes in enumerate(study.codes):
        if own & study.index(i):
            continue
        parts = int(subsets(study.codes[study.object], codes).max()) + 1
        if parts > 1:
            values = {"name": study.terms[i], "subsets": parts}
            found.append(Finding("generalizability.disconnected", values, "warning"))
    return found

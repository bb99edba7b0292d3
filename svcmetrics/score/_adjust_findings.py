"""The reading of adjusted scores: how far they moved, what cannot be compared, who is rated by few."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.numeric.mixed import NoSpread, Singular, TooLarge
from svcmetrics.numeric.raters import SMALL, Fitted, Ratings, shares_pairs
from svcmetrics.result import Finding
from svcmetrics.study import MIN_RATERS

# Of the largest score: an error of rounding.
_NOTHING = 1e-9


def refusal(error: Exception, extra: list[str]) -> Finding:
    if isinstance(error, NoSpread):
        return Finding("adjust.no_spread", {}, "refused")
    if isinstance(error, Singular):
        return Finding("adjust.aliased", {"columns": extra}, "refused")
    levels = error.levels if isinstance(error, TooLarge) else None
    return Finding("adjust.too_large", {"levels": levels}, "refused")


def findings(
    table: pd.DataFrame, data: Ratings, fit: Fitted, main: np.ndarray, target: str
) -> list[Finding]:
    found = []
    if data.raters == 1:
        return [Finding("adjust.one_rater", {"targets": data.targets}, "refused")]
    if data.targets == 1:
        found.append(Finding("adjust.one_target", {}, "refused"))
    if not main.all():
        found.append(_apart(table, main, target))
    moved = table[table["variant"] == "adjusted"].dropna(subset=["shift"])
    if len(moved) > 1:
        worst = moved.iloc[int(moved["shift"].abs().to_numpy().argmax())]
        values = {
            "typical": float(moved["shift"].abs().median()),
            "largest": float(worst["shift"]),
            "name": str(worst[target]),
            "spread": float(np.sqrt(fit.variances["rater"])),
            "targets": len(moved),
        }
        key = "adjust.moved" if fit.variances["rater"] > 0 else "adjust.no_severity"
        if key == "adjust.moved" and abs(worst["shift"]) < _NOTHING * table["estimate"].abs().max():
            key = "adjust.unmoved"  # the same raters rated every department
        found.insert(0, Finding(key, values))
    found += _of_model(fit)
    repeats = data.repeats()
    if repeats:
        key = "adjust.repeats" if shares_pairs(data) else "adjust.repeats_apart"
        found.append(Finding(key, {"count": repeats, "rows": SMALL}, "warning"))
    few = table[(table["variant"] == "raw mean") & (table["n"] < MIN_RATERS)]
    if len(few):
        values = {"names": [str(v) for v in few[target][:8]], "count": len(few)}
        found.append(Finding("adjust.few_raters", values, "warning"))
    return found


def _of_model(fit: Fitted) -> list[Finding]:
    """A model without remainder; one whose errors were drawn."""
    found = []
    if fit.model is not None and fit.model.perfect:
        found.append(Finding("adjust.perfect", {}, "warning"))
    if fit.model is not None and fit.model.drawn:
        # of a standard error: half of what it is for a variance
        found.append(Finding("adjust.drawn", {"share": fit.model.spread_error / 2}))
    return found


def _apart(table: pd.DataFrame, main: np.ndarray, target: str) -> Finding:
    own = table[table["variant"] == "raw mean"]
    groups = own.groupby("subset")[target].apply(lambda s: "+".join(map(str, s[:6])))
    values = {
        "subsets": len(groups),
        "names": [str(g) for g in groups[:6]],
        "kept": int(main.sum()),
    }
    key = "adjust.nested" if main.sum() <= 1 else "adjust.disconnected"
    return Finding(key, values, "refused")

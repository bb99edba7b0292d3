"""What many-facet Rasch says, and when its numbers should not be used.

Not a statistic.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.numeric import rasch
from svcmetrics.result import Finding
from svcmetrics.verify.facets_data import PER_CATEGORY, Trimmed

# Mean squares outside these limits are noisy or muted (Wright and Linacre 1994).
FIT = (0.5, 1.5)


def findings(
    t: Trimmed, found: rasch.Fitted, table: pd.DataFrame, names: list[str]
) -> list[Finding]:
    """The reading first, then warnings."""
    own = table[(table["metric"] == "facets")]
    reliability = table[(table["metric"] == "reliability")].set_index("variant")["estimate"]
    targets, raters = own[own["variant"] == names[0]], own[own["variant"] == names[1]]
    values = {
        "targets": len(targets), "raters": len(raters), "reliability": float(reliability[names[0]]),
        "severity": float(raters["estimate"].std()), "spread": float(targets["estimate"].std()),
        "ratings": len(t.x),
    }  # fmt: skip
    out = [Finding("facets.reading", values)]
    out += _categories(t, found, table)
    noisy = raters[(raters["infit"] > FIT[1])]
    muted = raters[(raters["infit"] < FIT[0])]
    if len(noisy) or len(muted):
        out.append(
            Finding(
                "facets.misfit", {"noisy": len(noisy), "muted": len(muted), "raters": len(raters)}
            )
        )
    items = own[(own["variant"] == "item") & (own["infit"] > FIT[1])]
    if len(items):
        out.append(Finding("facets.items", {"items": list(items["element"])}, "warning"))
    return out + _limits(t, found, own)


def _categories(t: Trimmed, found: rasch.Fitted, table: pd.DataFrame) -> list[Finding]:
    """Do the points of the scale work: used often enough, and in order?"""
    out = []
    counts = np.bincount(t.x, minlength=len(t.categories))
    thin = [f"{c:g}" for c, n in zip(t.categories, counts, strict=True) if n < PER_CATEGORY]
    if thin:
        out.append(Finding("facets.thin", {"categories": thin, "least": PER_CATEGORY}, "warning"))
    disordered = int((np.diff(found.thresholds, axis=1) < 0).sum())
    if disordered:
        out.append(Finding("facets.disordered", {"count": disordered}, "warning"))
    average = table.loc[table["metric"] == "category", "estimate"].to_numpy()
    falls = int((np.diff(average) < 0).sum())
    if falls:
        out.append(Finding("facets.average_falls", {"count": falls}, "warning"))
    return out


def _limits(t: Trimmed, found: rasch.Fitted, own: pd.DataFrame) -> list[Finding]:
    out = []
    if t.blocks > 1:
        out.append(Finding("facets.disconnected", {"blocks": t.blocks}, "warning"))
    extreme = own["note"] == "extreme"
    if extreme.any():
        out.append(Finding("facets.extreme", {"count": int(extreme.sum())}, "warning"))
    if t.skipped:
        out.append(Finding("facets.skipped", {"scores": [f"{s:g}" for s in t.skipped]}, "warning"))
    if not found.converged:
        out.append(Finding("facets.not_converged", {"steps": found.steps}, "warning"))
    return out

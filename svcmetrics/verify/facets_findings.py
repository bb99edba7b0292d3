"""What many-facet Rasch says, and when its numbers should not be used.

Not a statistic. Raters are counted, never named.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from svcmetrics.numeric import rasch, rasch_correct
from svcmetrics.result import Finding
from svcmetrics.verify.facets_data import PER_CATEGORY, Trimmed

# Mean squares outside these limits are noisy or muted (Wright and Linacre 1994).
FIT = (0.5, 1.5)
# Linacre (2002): a category's outfit, and the least and the largest step between thresholds.
CATEGORY_FIT, STEP, STEP_FEW, STEP_MOST = 2.0, 1.0, 1.4, 5.0
# Joint estimates drawn apart by more than this are worth a word.
DRAWN = 1.1
FALSE = 0.05


def findings(
    t: Trimmed,
    found: rasch.Fitted,
    table: pd.DataFrame,
    columns: list[str],
    *,
    method: str,
    pair: tuple[str, str] | None,
) -> list[Finding]:
    """The reading first, then warnings. ``columns``: the caller's name of each facet."""
    of = _by_metric(table)
    own = of["facets"]
    # Rows lie facet by facet: targets, raters, items.
    ends = np.cumsum([0, *(len(v) for v in t.labels)])
    raters, items = (
        own.iloc[ends[1] : ends[2]],
        own.iloc[ends[2] : ends[3] if len(ends) > 3 else ends[2]],
    )
    out = _first(t, found, of, columns)
    out += _categories(t, found, of["category"]) + _spacing(t, found)
    out += _fit(raters, items) + _reversed(raters, items) + _bias(of, pair)
    return out + _limits(t, found, own, method)


def _by_metric(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each metric; they lie together, and are cut out without a comparison each."""
    names = table["metric"].to_numpy(object)
    starts = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1), len(names)]
    parts: dict[str, list[pd.DataFrame]] = {}
    for start, end in itertools.pairwise(starts):
        parts.setdefault(names[start], []).append(table.iloc[start:end])
    return {name: pd.concat(p) for name, p in parts.items()}


def _first(
    t: Trimmed, found: rasch.Fitted, of: dict[str, pd.DataFrame], columns: list[str]
) -> list[Finding]:
    """Where the ratings leave places open, that comes first, as a refusal."""
    # Targets stand first, then raters.
    first, second = len(t.labels[0]), len(t.labels[1])
    measure = of["facets"]["estimate"]
    targets, raters = measure.iloc[:first], measure.iloc[first : first + second]
    size = {"targets": len(targets), "raters": len(raters), "ratings": len(t.x)}
    blocks = int(t.blocks[0].max()) + 1
    if found.loose and blocks > 1:
        return [Finding("facets.disconnected", size | {"blocks": blocks}, "refused")]
    if found.loose:
        which = [columns[k] for k in found.loose]
        return [Finding("facets.aliased", {"facets": which}, "refused")]
    values = size | {
        "reliability": float(of["reliability"]["estimate"].iloc[0]),
        "severity": float(raters.std()), "spread": float(targets.std()),
    }  # fmt: skip
    key = "reading" if np.isfinite(values["reliability"]) else "reading_one"
    return [Finding(f"facets.{key}", values)]


def _categories(t: Trimmed, found: rasch.Fitted, own: pd.DataFrame) -> list[Finding]:
    """Do the points of the scale work: used often enough, and in order (Linacre 2002)?"""
    out = []
    counts = np.bincount(t.x, minlength=len(t.categories))
    thin = [f"{c:.15g}" for c, n in zip(t.categories, counts) if n < PER_CATEGORY]
    if thin:
        out.append(Finding("facets.thin", {"categories": thin, "least": PER_CATEGORY}, "warning"))
    disordered = int((np.diff(found.thresholds, axis=1) < 0).sum())
    if disordered:
        out.append(Finding("facets.disordered", {"count": disordered}, "warning"))
    falls = int((np.diff(own["estimate"].to_numpy()) < 0).sum())
    if falls:
        out.append(Finding("facets.average_falls", {"count": falls}, "warning"))
    odd = own.loc[own["outfit"] > CATEGORY_FIT, "element"].tolist()
    if odd:
        out.append(Finding("facets.category_misfit", {"categories": odd}, "warning"))
    turns = np.diff(np.sign(np.diff(counts)[np.diff(counts) != 0]))
    if (turns > 0).any():
        out.append(Finding("facets.uneven", {"counts": [int(c) for c in counts]}))
    return out


def _spacing(t: Trimmed, found: rasch.Fitted) -> list[Finding]:
    """Thresholds too close make a point of the scale superfluous, too far apart a gap."""
    steps = np.diff(found.thresholds, axis=1)
    least = STEP if t.data.top >= 4 else STEP_FEW
    close, far = int(((steps >= 0) & (steps < least)).sum()), int((steps > STEP_MOST).sum())
    if not close + far:
        return []
    return [
        Finding("facets.spacing", {"close": close, "far": far, "least": least, "most": STEP_MOST})
    ]


def _fit(raters: pd.DataFrame, items: pd.DataFrame) -> list[Finding]:
    out = []
    noisy, muted = int((raters["infit"] > FIT[1]).sum()), int((raters["infit"] < FIT[0]).sum())
    if noisy or muted:
        values = {"noisy": noisy, "muted": muted, "raters": len(raters)}
        out.append(Finding("facets.misfit", values))
    noisy_items = list(items["element"][items["infit"] > FIT[1]])
    if noisy_items:
        out.append(Finding("facets.items", {"items": noisy_items}, "warning"))
    return out


def _reversed(raters: pd.DataFrame, items: pd.DataFrame) -> list[Finding]:
    """Scores that run against the scale, beyond chance: the upper limit of the correlation is low.

    A rater who turned the scale round is counted, not named.
    """
    out = []
    turned_items = list(items["element"][_against(items)])
    turned_raters = int(_against(raters).sum())
    if turned_items:
        out.append(Finding("facets.reversed", {"items": turned_items}, "warning"))
    if turned_raters:
        values = {"count": turned_raters, "raters": len(raters)}
        out.append(Finding("facets.turned", values, "warning"))
    return out


def _against(own: pd.DataFrame) -> np.ndarray:
    n = own["ratings"].to_numpy(np.float64)
    r = np.maximum(own["correlation"].to_numpy(np.float64), -1.0)  # rounding goes beyond
    with np.errstate(invalid="ignore", divide="ignore"):  # three ratings have no upper limit
        high = np.arctanh(r) + 2.576 / np.sqrt(np.maximum(n - 3, 0))
    return np.asarray(high < 0)


def _bias(of: dict[str, pd.DataFrame], pair: tuple[str, str] | None) -> list[Finding]:
    if pair is None or "bias" not in of:
        return []
    own = of["bias"]
    sure = own[own["p_adjusted"] < FALSE]
    whole = of["bias_chi_square"].iloc[0]
    first, second = pair
    values = {"first": first, "second": second, "count": len(sure), "of": len(own),
              "largest": float(sure["estimate"].abs().max()) if len(sure) else 0.0,
              "p": max(float(whole["p"]), 0.001)}  # fmt: skip
    return [Finding("facets.bias" if len(sure) else "facets.no_bias", values)]


def _limits(t: Trimmed, found: rasch.Fitted, own: pd.DataFrame, method: str) -> list[Finding]:
    out = []
    extreme = own["note"] == "extreme"
    if extreme.any():
        out.append(Finding("facets.extreme", {"count": int(extreme.sum())}, "warning"))
    if t.skipped:
        out.append(
            Finding("facets.skipped", {"scores": [f"{s:.15g}" for s in t.skipped]}, "warning")
        )
    if t.repeated:
        out.append(Finding("facets.repeated", {"count": t.repeated}, "warning"))
    if method == "joint" and not found.loose:
        out += _drawn(t, found)
    if method == "marginal":
        out.append(Finding("facets.sample", {"blocks": int(t.blocks[0].max()) + 1}))
    if not found.converged:
        out.append(Finding("facets.not_converged", {"steps": found.steps}, "warning"))
    return out


def _drawn(t: Trimmed, found: rasch.Fitted) -> list[Finding]:
    """Few ratings per target draw joint measures apart; their limits know it, or are too narrow."""
    if found.limits is None:
        size = {"ratings": len(t.x), "targets": len(t.labels[0])}
        return [Finding("facets.narrow", size, "warning")]
    drawn = 1 / max(float(min(rasch_correct.factors(t.data)[0])), 0.01)
    return [Finding("facets.drawn", {"share": drawn - 1}, "warning")] if drawn > DRAWN else []

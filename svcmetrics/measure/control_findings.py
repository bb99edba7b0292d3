"""The reading of control charts: what stands out, what remains after allowing for many looks."""

from __future__ import annotations

import pandas as pd

from svcmetrics.measure.group_names import group_names
from svcmetrics.result import Finding

# Share of false signals among those that are named.
FALSE_SHARE = 0.05
# Wider than chance by this factor of the variance, and unlikely by chance: the limits are too narrow.
WIDE = 1.5
# Fewer points than this set provisional limits.
FEW = 20
# How many groups, and how many periods of each, are named.
_NAMED = 8
# Three standard errors of a normal value.
_BEYOND = 0.0027


def control_findings(table: pd.DataFrame, names: list[str], at: str) -> list[Finding]:
    """What the points of all groups say together."""
    points = table[(table["metric"] == "control") & table["estimate"].notna()]
    drawn = points[points["z"].notna()]
    if drawn.empty:
        return []
    # Points that do not vary have no limits that they could lie beyond.
    limited = drawn[drawn["upper"] > drawn["lower"]]
    if limited.empty:
        return _cautions(drawn, names)
    kept = limited[(limited["p_adjusted"] < FALSE_SHARE) & (limited["outside"] != "")]
    outside = int((limited["outside"] != "").sum())
    values = {"points": len(limited), "outside": outside, "kept": len(kept)}
    found = [Finding("control.overall", values | {"chance": _BEYOND * len(limited)})]
    for side in ("above", "below"):
        found += _named(side, kept[kept["outside"] == side], names, at)
    rules = drawn["rules"].str.split()
    for rule, key in (("2", "shift"), ("3", "trend")):
        found += _named(key, drawn[[rule in r for r in rules]], names, at)
    return found + _cautions(drawn, names)


def _cautions(drawn: pd.DataFrame, names: list[str]) -> list[Finding]:
    keys = [*names, *(["phase"] if "phase" in drawn else [])]
    groups = drawn.groupby(keys) if keys else [((), drawn)]
    wide = few = bare = 0
    for _, part in groups:
        wide += bool((part["dispersion"] > WIDE).any())
        few += bool(part["sets_limits"].sum() < FEW)
        bare += bool((part["upper"] <= part["lower"]).all())
    out = []
    if wide:
        out.append(Finding("control.wide", {"count": wide}, "warning"))
    if bare:
        out.append(Finding("control.no_spread", {"count": bare}, "refused"))
    if few:
        out.append(Finding("control.few", {"count": few, "least": FEW}, "warning"))
    return out


def _named(key: str, rows: pd.DataFrame, names: list[str], at: str) -> list[Finding]:
    """One sentence per group with its periods; groups with most of them first."""
    if rows.empty:
        return []
    if not names:
        return [Finding(f"control.{key}", {"periods": _short(rows[at])})]
    label = pd.Series(group_names(rows, names), index=rows.index)
    order = label.value_counts().index[:_NAMED]
    return [
        Finding(f"control.{key}_group", {"group": g, "periods": _short(rows.loc[label == g, at])})
        for g in order
    ]


def _short(periods: pd.Series) -> list[str]:
    text = periods.astype("str").tolist()
    return text[:_NAMED] + ["…"] * (len(text) > _NAMED)

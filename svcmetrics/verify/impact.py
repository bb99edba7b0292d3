"""Impact: which rater effects are there, and what does each do to the final scores and groups?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Level, Result, estimates
from svcmetrics.verify import forms as reader
from svcmetrics.verify import impact_effects, impact_groups

ALARM = 0.05
# A shift of this part of the usual difference between departments matters even if no group changes.
MATTERS = 0.5


@metric(
    better="lower", low=0, drawing="impact",
    source="Myford & Wolfe 2003, J. Appl. Meas. 4, 386-422 (rater effects); House method (ledger)",
)  # fmt: skip
def impact(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    score: str,
    item: str | None = None,
    wave: str | None = None,
    rater_unit: str | None = None,
    side: tuple[str, str] | None = None,
    mode: str | None = None,
    rng: int | np.random.Generator = 1,
) -> Result:
    """Which rater effects are there, and which of them would change the departments' results?

    ratings: one row per answer. rater, target, score, item, wave: columns.
    rater_unit: the rater's department, in the words of ``target`` (reciprocity, collusion).
    side: two columns, the line of management of rater and of department (in-group favour).
    mode: named or not, drawn by lot (mode effect). rng: seed or generator.

    Returns one row ``impact`` per effect: the largest shift of any department's mean if the effect
    were not there, in points (``low``, ``high``: of that shift; ``n``: departments shown);
    ``size`` of the effect itself with 95% limits (points; a share for careless, centrality, halo);
    ``p_adjusted`` over the effects (Benjamini and Hochberg; variances by a likelihood ratio with
    half its weight at zero);
    ``changed``: departments whose group (above, with, below the mean of all) would change;
    ``verdict``: matters, small, none, hidden, refused or not_asked. Then ``score_shift`` per effect and
    department with its group before and after. Departments of fewer than 5 raters are
    hidden, and nothing else depends on their ratings; so is a shift that fewer than 5 raters make
    (careless ones left out, or those who stay; the last wave), and effects whose size fewer than 5
    tell are refused. Halo moves no mean: for it, groups are formed as if items were judged one by one.

    Misleads: effects overlap (collusion is part of reciprocity, careless raters differ in
    severity): shifts do not add up. An effect without a column was not looked at, not absent.

    Source: the effects of ``verify``, each with its own; groups by simultaneous limits.

    >>> rng = np.random.default_rng(1)
    >>> r = pd.DataFrame([(p, d) for p in range(40) for d in range(5) if (p + d) % 3], columns=["who", "unit"])
    >>> r["s"] = 3 + rng.normal(0, 0.8, 40)[r["who"]] + 0.3 * r["unit"] + rng.normal(0, 0.3, len(r))
    >>> found = impact(r, rater="who", target="unit", score="s").table
    >>> found.loc[found["variant"] == "severity", "verdict"].iloc[0] in ("small", "matters")
    True
    """
    if side is not None and len(side) != 2:
        raise table_error("one_side_only", column=str(side))
    columns = impact_effects.Columns(rater, target, score, item, wave, rater_unit, side, mode)
    forms = reader.read(
        ratings, rater=rater, target=target, score=score, item=item, wave=wave, extra=(rater_unit,)
    )  # fmt: skip
    about: dict[str, Any] = {"dropped": forms.dropped, "forms": len(forms),
                             "method": "each effect taken out alone"}  # fmt: skip
    ratings, forms, hidden = _without_thin(ratings, forms, target)
    base = impact_groups.base(forms)
    if base is None:
        none = Finding("impact.few", {"targets": len(forms.targets) + len(hidden)}, "refused")
        table = estimates("impact", groups={target: ""}, variant="severity", n=0)
        return Result("impact", table, [none, *forms.findings], about)
    effects = impact_effects.all_effects(ratings, forms, columns, rng)
    rows = pd.concat([_row(e, base, target) for e in effects])
    rows["p_adjusted"] = benjamini_hochberg(rows["p"])
    rows["verdict"] = [_verdict(e, r, base) for e, r in zip(effects, rows.to_dict("records"))]
    shifts = [_shifts(e, base, target, hidden) for e in effects if e.found]
    table = pd.concat([rows, *shifts])
    for column in ("verdict", "group_before", "group_after"):
        table[column] = table[column].fillna("")
    return Result("impact", table, [*_findings(rows), *forms.findings], about)


def _without_thin(
    ratings: pd.DataFrame, forms: reader.Forms, target: str
) -> tuple[pd.DataFrame, reader.Forms, list[Any]]:
    """Nothing that is shown may depend on hidden departments, or they would follow from the rest."""
    hidden = impact_groups.thin(forms)
    if not hidden:
        return ratings, forms, hidden
    out = np.isin(forms.target, [forms.targets.index(t) for t in hidden])
    return ratings[~ratings[target].isin(hidden)], reader.part(forms, ~out), hidden


def _row(effect: impact_effects.Effect, base: impact_groups.Base, target: str) -> pd.DataFrame:
    shown = np.flatnonzero(np.isfinite(effect.shift) & base.shown)
    top = shown[np.argmax(np.abs(effect.shift[shown]))] if len(shown) else None
    ends = np.full(3, np.nan)
    if top is not None:
        parts = np.array([effect.shift[top], effect.low[top], effect.high[top]])
        across = parts[1] <= 0 <= parts[2]
        low, high = np.sort(np.abs(parts[1:]))
        ends = np.array([abs(parts[0]), 0.0 if across else low, high])
    changed = (
        float((base.after(effect) != base.group)[base.shown].sum()) if effect.found else np.nan
    )
    size, size_low, size_high = effect.size
    return estimates(
        "impact", groups={target: [""]}, variant=effect.name, estimate=ends[0], low=ends[1],
        high=ends[2], n=int(base.shown.sum()) if effect.found else 0, size=size, size_low=size_low,
        size_high=size_high, p=effect.p, p_adjusted=np.nan, changed=changed,
        group_before="", group_after="",
    )  # fmt: skip


def _verdict(effect: impact_effects.Effect, row: dict[Any, Any], base: impact_groups.Base) -> str:
    """A word from size, limits and consequences; never from p alone."""
    if not effect.found:
        return effect.why
    if not row["p_adjusted"] <= ALARM:
        return "none"
    if not np.isfinite(row["estimate"]):
        return "hidden"
    large = row["estimate"] >= MATTERS * base.spread
    return "matters" if large or row["changed"] > 0 else "small"


def _shifts(
    effect: impact_effects.Effect, base: impact_groups.Base, target: str, hidden: list[Any]
) -> pd.DataFrame:
    hide = ~base.shown | ~np.isfinite(effect.shift)
    values = [np.where(hide, np.nan, v) for v in (effect.shift, effect.low, effect.high)]
    words = np.array(impact_groups.WORDS, dtype=object)
    before, after = (np.where(hide, "", words[g + 1]) for g in (base.group, base.after(effect)))
    more = len(hidden)
    nothing = np.full(more, np.nan)
    values = [np.concatenate([v, nothing]) for v in values]
    return estimates(
        "score_shift", groups={target: [str(t) for t in [*base.targets, *hidden]]},
        variant=effect.name, estimate=values[0], low=values[1], high=values[2],
        n=np.concatenate([np.where(hide, 0, base.raters), np.zeros(more, int)]),
        group_before=[*before, *[""] * more], group_after=[*after, *[""] * more], verdict="",
    )  # fmt: skip


def _findings(rows: pd.DataFrame) -> list[Finding]:
    """How many effects were looked at and are clear; one sentence for each clear one."""
    asked = rows[~rows["verdict"].isin(["not_asked", "refused"])]
    clear = asked[asked["verdict"].isin(["small", "matters", "hidden"])]
    values = {"asked": len(asked), "clear": len(clear),
              "matters": int((clear["verdict"] == "matters").sum())}  # fmt: skip
    out = [Finding("impact.overview", values, "warning" if values["matters"] else "note")]
    for row in clear.sort_values("estimate", ascending=False).to_dict("records"):
        share = 100 if row["variant"] in impact_effects.SHARES else 1
        level: Level = "warning" if row["verdict"] == "matters" else "note"
        key = "impact.hidden" if row["verdict"] == "hidden" else f"impact.{row['variant']}"
        out.append(Finding(key, {
            "size": share * row["size"], "low": share * row["size_low"],
            "high": share * row["size_high"], "shift": row["estimate"],
            "changed": int(row["changed"]), "targets": int(row["n"]),
        }, level))  # fmt: skip
    for word in ("refused", "not_asked"):
        count = int((rows["verdict"] == word).sum())
        if count:
            out.append(Finding(f"impact.{word}", {"count": count}))
    return out

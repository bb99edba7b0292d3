"""Every rater effect in one shape: its size, how sure it is, and what it does to each department.

Not a statistic of its own; ``impact`` puts these into one table. An effect that the columns do not
allow is "not_asked", one that its own metric refuses is "refused".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.numeric.mixed_checks import carried, none_p, shares
from svcmetrics.numeric.raters import Ratings, fixed_targets, random_names
from svcmetrics.result import Result
from svcmetrics.study import MIN_RATERS
from svcmetrics.verify import ledger
from svcmetrics.verify.careless import careless
from svcmetrics.verify.centrality import centrality
from svcmetrics.verify.collusion import collusion
from svcmetrics.verify.drift import drift
from svcmetrics.verify.forms import Forms
from svcmetrics.verify.halo import halo
from svcmetrics.verify.in_group import in_group
from svcmetrics.verify.mode_effect import mode_effect
from svcmetrics.verify.reciprocity import reciprocity
from svcmetrics.verify.severity import severity

# Effects whose size is a share, not points.
SHARES = ("careless", "halo", "centrality")
ALARM = 0.05
Shift = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Columns:
    """The caller's columns; None where there is none."""

    rater: str
    target: str
    score: str
    item: str | None
    wave: str | None
    rater_unit: str | None
    side: tuple[str, str] | None
    mode: str | None

    def common(self, *names: str) -> dict[str, Any]:
        """Keyword arguments of these names, besides rater, target and score."""
        more = {n: getattr(self, n) for n in names}
        return {"rater": self.rater, "target": self.target, "score": self.score, **more}


@dataclass(frozen=True)
class Effect:
    """Size with limits, p, shift of each target with limits; ``why`` there is none."""

    name: str
    size: tuple[float, float, float]
    p: float
    shift: np.ndarray
    low: np.ndarray
    high: np.ndarray
    widens: float = 1.0
    why: str = ""

    @property
    def found(self) -> bool:
        return not self.why


def all_effects(ratings: pd.DataFrame, forms: Forms, columns: Columns, rng: Any) -> list[Effect]:
    """The nine effects, always in the same order."""
    k = columns
    waves, unit, side = k.wave is not None, k.rater_unit is not None, k.side is not None
    two = {"rater_group": k.side[0], "target_group": k.side[1]} if k.side else {}
    pairs = {**k.common("item", "wave", "rater_unit"), **two, "rng": rng}
    makers: list[tuple[str, bool, Callable[[], Effect]]] = [
        ("careless", k.item is not None, lambda: _careless(ratings, forms, k, rng)),
        ("severity", True, lambda: _severity(forms)),
        ("halo", k.item is not None, lambda: _halo(ratings, forms, k)),
        ("centrality", k.item is not None, lambda: _shares(ratings, forms, k, rng)),
        ("drift", waves, lambda: _spread(drift(ratings, **k.common("item", "wave")), forms, k)),
        ("in_group", side, lambda: _points(in_group(ratings, **k.common("item", "wave"), **two), forms, k)),
        ("reciprocity", unit, lambda: _pairs(reciprocity(ratings, **pairs), forms, k)),
        ("collusion", unit, lambda: _points(collusion(ratings, **pairs), forms, k)),
        ("mode_effect", k.mode is not None,
         lambda: _points(mode_effect(ratings, **k.common("item", "wave", "mode"), rng=rng), forms, k)),
    ]  # fmt: skip
    return [make() if asked else _none(name, forms, "not_asked") for name, asked, make in makers]


def _none(name: str, forms: Forms, why: str) -> Effect:
    nothing = np.full(len(forms.targets), np.nan)
    return Effect(name, (np.nan,) * 3, np.nan, nothing, nothing, nothing, why=why)


def _refused(result: Result) -> bool:
    return any(f.level == "refused" for f in result.findings) or not (
        result.table["estimate"].notna().any()
    )


def _by_target(result: Result, forms: Forms, columns: Columns, metric: str) -> Shift:
    """Estimate, low and high of the rows of each target; zero where an effect moves nothing."""
    rows = result.table[result.table["metric"] == metric]
    if not len(rows):
        return (np.zeros(len(forms.targets)),) * 3
    rows = rows.assign(key=rows[columns.target].astype(str)).set_index("key")
    order = [str(t) for t in forms.targets]
    shift, low, high = (
        rows[c].reindex(order).to_numpy("float64") for c in ("estimate", "low", "high")
    )
    return shift, low, high


def _three(row: pd.Series) -> tuple[float, float, float]:
    return float(row["estimate"]), float(row["low"]), float(row["high"])


def _careless(ratings: pd.DataFrame, forms: Forms, columns: Columns, rng: Any) -> Effect:
    found = careless(ratings, **columns.common("item", "wave"), rng=rng)
    if _refused(found):
        return _none("careless", forms, "refused")
    row = found.table.iloc[0]
    hits = round(row["estimate"] * row["n"])
    p = float(special.bdtrc(hits - 1, int(row["n"]), row["chance"])) if hits else 1.0
    return Effect("careless", _three(row), p, *_by_target(found, forms, columns, "score_without"))


def _severity(forms: Forms) -> Effect:
    """What the raters of each department add to its mean, taken out; beside that of all."""
    data = Ratings(forms.centred(), forms.target.astype(np.intp), forms.rater.astype(np.intp))
    # Equal forms of two waves are two forms: a number of its own keeps them apart.
    own = np.arange(len(forms))
    frame = pd.DataFrame({"r": forms.rater, "t": forms.target, "s": data.y, "form": own})
    found = severity(frame, rater="r", target="t", score="s")
    if _refused(found):
        return _none("severity", forms, "refused")
    fit = fixed_targets(data)
    row = found.table.iloc[0]
    if fit.model is None:
        return _none("severity", forms, "refused")
    place = len(fit.model.effects) - len(random_names(data))
    part = shares(data.target, data.rater, len(forms.targets), len(forms.raters))
    added, half = carried(fit.model, place, part, float(row["high"]))
    p = none_p(fit.model, [place])
    return Effect("severity", _three(row), p, -added, -added - half, -added + half)


def _halo(ratings: pd.DataFrame, forms: Forms, columns: Columns) -> Effect:
    """No mean moves; the errors of the means are as many times wider."""
    found = halo(ratings, **columns.common("item", "wave"))
    if _refused(found):
        return _none("halo", forms, "refused")
    of, zero = found.table["metric"], np.zeros(len(forms.targets))
    share, wider = (found.table[of == name].iloc[0] for name in ("halo", "halo_error_ratio"))
    p = float(found.about["p"])
    return Effect("halo", _three(share), p, zero, zero, zero, float(wider["estimate"]))


def _shares(ratings: pd.DataFrame, forms: Forms, columns: Columns, rng: Any) -> Effect:
    found = centrality(ratings, **columns.common("item", "wave"), rng=rng)
    if _refused(found):
        return _none("centrality", forms, "refused")
    shift = _by_target(found, forms, columns, "score_shift")
    return Effect("centrality", _three(found.table.iloc[0]), float(found.about["p"]), *shift)


def _spread(found: Result, forms: Forms, columns: Columns) -> Effect:
    seen = np.unique(forms.rater.astype(np.int64) * len(forms.waves) + forms.wave)
    again = np.bincount(seen // len(forms.waves)) > 1
    if _refused(found) or again.sum() < MIN_RATERS:
        return _none("drift", forms, "refused")
    row = found.table[found.table["metric"] == "drift"].iloc[0]
    p = float(found.about["p"])
    # Shifts of all add up to nought: what is hidden must not follow from the rest.
    shift, low, high = _by_target(found, forms, columns, "score_shift")
    away = np.nanmean(shift) if np.isfinite(shift).any() else 0.0
    return Effect("drift", _three(row), p, shift - away, low - away, high - away)


def _points(found: Result, forms: Forms, columns: Columns) -> Effect:
    name = found.about["metric"]
    # Those whose answers tell the effect: raters of both sides, or under one of the modes.
    least = found.about.get("raters_with_both", found.about.get("raters_of_mode", MIN_RATERS))
    if _refused(found) or least < MIN_RATERS:
        return _none(name, forms, "refused")
    row = found.table[found.table["metric"] == name].iloc[0]
    if row["n"] < MIN_RATERS:  # the strongest group without a name
        return _none(name, forms, "refused")
    p = float(row["p_adjusted"] if name == "collusion" else row["p"])
    return Effect(name, _three(row), p, *_by_target(found, forms, columns, "score_shift"))


def _pairs(found: Result, forms: Forms, columns: Columns) -> Effect:
    """The clear pairs together: what they give each other is taken out of both."""
    rows = found.table[found.table["metric"] == "mutual"]
    if not len(rows):
        return _none("reciprocity", forms, "refused")
    rows = rows.sort_values("p")
    total = np.zeros((3, len(forms.targets)))
    mine = pd.Series(forms.extra[str(columns.rater_unit)], dtype="object").astype(str).to_numpy()
    theirs = np.array([str(t) for t in forms.targets], dtype=object)[forms.target]
    sure = rows[(rows["p_adjusted"] <= ALARM) & (rows["estimate"] > 0)]
    for row in sure.to_dict("records"):
        a, b = row["unit"], row["other_unit"]
        hit = ((mine == a) & (theirs == b)) | ((mine == b) & (theirs == a))
        effect = (row["estimate"], row["low"], row["high"])
        moved = ledger.exposure_shift(forms, hit.astype("float64"), effect, columns.target)
        total += moved[["estimate", "low", "high"]].to_numpy().T
    top = rows.iloc[0]
    return Effect(
        "reciprocity", _three(top), float(top["p_adjusted"]), total[0], total[1], total[2]
    )

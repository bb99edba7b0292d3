"""Groups of departments behind ``collusion``: who belongs together, by how much, how sure.

Not a statistic of its own. Groups are named from five raters on, and never raters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.numeric import collusion as arrays
from svcmetrics.numeric import within
from svcmetrics.result import Finding, estimates
from svcmetrics.study import MIN_RATERS
from svcmetrics.verify import grid
from svcmetrics.verify.formality_signs import mixed
from svcmetrics.verify.forms import Forms
from svcmetrics.verify.reciprocity_pairs import moments, without_favour

# Forms of fewer items are equal by chance too often.
ITEMS = 3
ALARM = 0.05
_MOST = 5


@dataclass(frozen=True)
class People:
    """The unit of each rater and of each target as positions among all units; −1 where unknown."""

    rater: np.ndarray
    target: np.ndarray
    units: list[Any]
    mutual_units: int
    dropped: dict[str, int]
    findings: list[Finding]


def people(forms: Forms, rater_unit: str) -> People:
    """Each rater's unit: the one of most of the forms, for raters who changed."""
    own = pd.Series(forms.extra[rater_unit], dtype="object")
    both = pd.concat([own.dropna(), pd.Series(forms.targets, dtype="object")], ignore_index=True)
    place, units = grid.positions(both)
    code = np.full(len(forms), -1)
    code[own.notna().to_numpy()] = place[: len(both) - len(forms.targets)]
    times = np.zeros((len(forms.raters), len(units)), dtype=np.int64)
    np.add.at(times, (forms.rater[code >= 0], code[code >= 0]), 1)
    known = times.sum(axis=1) > 0
    most = times.argmax(axis=1) if len(units) else -1
    rater = np.where(known, most, -1)
    target = place[len(both) - len(forms.targets) :]
    moved = int(((times > 0).sum(axis=1) > 1).sum())
    notes = [Finding("collusion.moved", {"count": moved}, "warning")] if moved else []
    lost = int((~known[forms.rater]).sum())
    mutual = len(set(rater[known].tolist()) & set(target.tolist()))
    return People(rater, target, units, mutual, {"no_unit": lost} if lost else {}, notes)


def favour(
    forms: Forms, who: People, side: np.ndarray | None, draws: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """Groups that raise one another; and which forms lie inside a named group."""
    fixed = moments(forms)
    y = within.centred(without_favour(forms, side), fixed)
    unit, target = who.rater[forms.rater], who.target[forms.target]
    use = (unit >= 0) & (unit != target)
    # One number per rater and target: waves of one opinion are not many opinions.
    pair, place = np.unique(forms.rater[use] * len(forms.targets) + forms.target[use],
                            return_inverse=True)  # fmt: skip
    rater, goal = pair // len(forms.targets), who.target[pair % len(forms.targets)]
    dealt = _dealt(who, draws, rng)
    rows: list[pd.DataFrame] = []
    inside = np.zeros(len(forms))
    while len(rows) < _MOST:
        away = np.bincount(place, y[use]) / np.bincount(place)
        ties = arrays.mutual(away, rater, goal, dealt, len(who.units))
        top = arrays.clusters(ties, 1)
        if not top or (rows and top[0].p > ALARM):
            break
        pairs = int(np.isfinite(ties[0]).sum()) // 2
        here = np.isin(unit, top[0].units) & np.isin(target, top[0].units) & use
        x = within.centred(here.astype("float64"), fixed)
        slope = within.slope_of_centred(y, x, forms.rater, 1 - 0.05 / pairs)
        n = len(np.unique(forms.rater[here]))
        named = top[0].p <= ALARM and n >= MIN_RATERS and slope.estimate > 0
        inside = np.maximum(inside, here * float(named))
        rows.append(_row("favour", _name(who, top[0], named), slope.estimate, slope.low,
                         slope.high, n, top[0].p))  # fmt: skip
        if top[0].p > ALARM or not np.isfinite(slope.estimate):
            break
        # A group that raises itself makes all others look low, and so other pairs high.
        y = y - slope.estimate * x
    return _stacked(rows), inside


def same_forms(forms: Forms, who: People, draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """Groups whose raters hand in equal forms on the same department in the same wave."""
    codes = forms.coded[0]
    lively = ~forms.flat() & ((codes >= 0).sum(axis=1) >= ITEMS) & (who.rater[forms.rater] >= 0)
    if lively.sum() < 2 * MIN_RATERS:
        return _stacked([])
    rater = forms.rater[lively]
    moment = np.unique(moments(forms)[1][lively], return_inverse=True)[1]
    mark = np.unique(mixed(codes[lively]), return_inverse=True)[1].astype(np.int64)
    wide = int(mark.max()) + 1
    same = np.unique(moment * wide + mark, return_inverse=True)[1]
    twice = np.bincount(same)[same] > 1
    dealt = _dealt(who, draws, rng)
    equal = (np.unique(same[twice], return_inverse=True)[1], rater[twice])
    z, seen, could = arrays.agreeing(equal, (moment, rater), dealt, len(who.units))
    upper = np.triu(np.ones(z.shape[1:], bool))
    rate = float(seen[0][upper].sum() / max(could[0][upper].sum(), 1))
    rows = []
    for found in _worth_telling(arrays.clusters(z)):
        inside = np.ix_(found.units, found.units)
        part = np.triu(np.ones((len(found.units),) * 2, bool))
        n_equal, n_could = float(seen[0][inside][part].sum()), float(could[0][inside][part].sum())
        share = n_equal / max(n_could, 1)
        error = _error(equal, (moment, rater), who, found.units, share, n_could)
        tests = int(np.isfinite(z[0][upper]).sum())
        half = -float(_normal(0.025 / tests)) * error
        n = int(np.isin(who.rater[np.unique(rater)], found.units).sum())
        named = found.p <= ALARM and n >= MIN_RATERS and share > rate
        excess = share - rate
        rows.append(_row("forms", _name(who, found, named), excess, max(excess - half, -1.0),
                         min(excess + half, 1.0), n, found.p))  # fmt: skip
    return _stacked(rows)


def _dealt(who: People, draws: int, rng: np.random.Generator) -> np.ndarray:
    """The units of the raters as they are and shuffled; unknown ones stay out."""
    known = who.rater >= 0
    out = np.tile(who.rater, (draws + 1, 1))
    out[:, known] = arrays.shuffles(who.rater[known], draws, rng)
    return out


def _worth_telling(found: list[arrays.Cluster]) -> list[arrays.Cluster]:
    """Those below the alarm; the strongest one if none is."""
    return [c for c in found if c.p <= ALARM] or found[:1]


def _error(
    equal: tuple[np.ndarray, np.ndarray], met: tuple[np.ndarray, np.ndarray], who: People,
    units: tuple[int, ...], share: float, pairs: float,
) -> float:  # fmt: skip
    """Standard error of the share of equal pairs, raters taken as drawn (each pair has two)."""
    own = [_partners(*g, np.isin(who.rater, units)) for g in (equal, met)]
    moved = (own[0] - share * own[1]) / max(pairs, 1)
    return float(np.sqrt((moved**2).sum()))


def _partners(group: np.ndarray, rater: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """With how many other forms of the same group each rater's forms pair up, within the units."""
    use = inside[rater]
    size = np.bincount(group[use], minlength=int(group.max(initial=-1)) + 1)
    return np.bincount(rater[use], size[group[use]] - 1, minlength=len(inside))


def _normal(p: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(p))


def _name(who: People, found: arrays.Cluster, named: bool) -> str:
    return "–".join(str(who.units[k]) for k in found.units) if named else ""


def _row(
    variant: str, units: str, estimate: float, low: float, high: float, n: int, p: float
) -> pd.DataFrame:
    return estimates(
        "collusion", groups={"cluster": [units]}, variant=variant, estimate=estimate, low=low,
        high=high, n=n if n >= MIN_RATERS else 0, p_adjusted=p,
    )  # fmt: skip


def _stacked(rows: list[pd.DataFrame]) -> pd.DataFrame:
    if rows:
        return pd.concat(rows)
    return estimates("collusion", groups={"cluster": []}, variant=[], n=[], p_adjusted=[])

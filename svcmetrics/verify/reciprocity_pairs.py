"""Pairs of departments that give each other more than elsewhere, where enough raters stand behind.

Not a statistic of its own; ``reciprocity`` shows it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.numeric import within
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.problems import table_error
from svcmetrics.result import estimates
from svcmetrics.study import MIN_RATERS
from svcmetrics.verify.forms import Forms
from svcmetrics.verify.words import alike

# A pair is shown from five raters on, both ways together, and two each way.
EACH_WAY = 2
# So many pairs, the ones farthest from what raters and targets explain, are tested one by one;
# the correction counts all of them.
TESTED = 60
# A column whose squares sum to less does not vary.
_NOTHING = 1e-9


def own_side(forms: Forms, rater_group: str | None, target_group: str | None) -> np.ndarray | None:
    """1 where rater and target are of the same side, 0 where not or not known; None: no sides."""
    if rater_group is None and target_group is None:
        return None
    if rater_group is None or target_group is None:
        given = rater_group or target_group
        raise table_error("one_side_only", column=str(given))
    mine, theirs = (pd.Series(forms.extra[c], dtype="object") for c in (rater_group, target_group))
    theirs = alike(theirs, mine.dropna().unique())
    return np.asarray((mine == theirs) & mine.notna(), dtype="float64")


def moments(forms: Forms) -> list[np.ndarray]:
    """What is held fixed: the rater, and the target in each wave."""
    moment = np.unique(forms.target * len(forms.waves) + forms.wave, return_inverse=True)[1]
    return [forms.rater, moment]


def without_favour(forms: Forms, side: np.ndarray | None) -> np.ndarray:
    """Scores of the forms, favour to the own side taken out as far as it can be told."""
    y = forms.centred()
    if side is None:
        return y
    x = within.centred(side, moments(forms))
    square = float(x @ x)
    return np.asarray(y - (x @ y) / square * side if square > _NOTHING else y)


def favoured_pairs(forms: Forms, rater_unit: str, side: np.ndarray | None = None) -> pd.DataFrame:
    """One row per pair of departments with enough raters."""
    unit = pd.Series(forms.extra[rater_unit], dtype="object")
    target = pd.Series([forms.targets[k] for k in forms.target], dtype="object")
    groups = moments(forms)
    favour = np.zeros(len(forms)) if side is None else within.centred(side, groups)
    away = _without(within.centred(forms.centred(), groups), favour)
    frame = pd.DataFrame({"unit": unit, "target": target, "rater": forms.rater, "away": away})
    one_way = frame[frame["unit"] != frame["target"]].groupby(["unit", "target"])
    raters, mean = one_way["rater"].nunique(), one_way["away"].mean()
    names = [
        (a, b) for a, b in raters.index
        if str(a) < str(b) and (b, a) in raters.index
        and min(raters[a, b], raters[b, a]) >= EACH_WAY
        and raters[a, b] + raters[b, a] >= MIN_RATERS
    ]  # fmt: skip
    names.sort(key=lambda ab: (-abs(mean[ab] + mean[ab[::-1]]), str(ab)))
    both = {tuple(sorted(ab, key=str)): None for ab in names[:TESTED]}
    columns = []
    for a, b in both:
        hit = ((unit == a) & (target == b) | (unit == b) & (target == a)).to_numpy("float64")
        columns.append(_without(within.centred(hit, groups), favour))
    rows = [
        estimates("mutual", estimate=s.estimate, low=s.low, high=s.high, n=int(raters[a, b] + raters[b, a]),
                  p=s.p, unit=str(a), other_unit=str(b))
        for (a, b), s in zip(both, _stepwise(away, columns, forms.rater, len(names)))
    ]  # fmt: skip
    if not rows:
        return estimates("mutual", p=[], p_adjusted=[], unit=[], other_unit=[], n=[], variant=[],
                         estimate=[], low=[], high=[]).iloc[:0]  # fmt: skip
    table = pd.concat(rows)
    untested = np.ones(len(names) - len(rows))
    table["p_adjusted"] = benjamini_hochberg(np.r_[table["p"], untested])[: len(table)]
    return table


def _without(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """y without what goes with x."""
    square = float(x @ x)
    return np.asarray(y - (x @ y) / square * x if square > _NOTHING else y)


def _stepwise(
    y: np.ndarray, columns: list[np.ndarray], rater: np.ndarray, pairs: int
) -> list[within.Slope]:
    """The slope of each column; clear ones (Bonferroni) are taken out before others are judged.

    A pair that favours each other makes everybody else's scores for the two look low, and so other
    pairs high.
    """
    clear: list[int] = []
    while True:
        found = []
        for k, x in enumerate(columns):
            others = [columns[j] for j in clear if j != k]
            rest = y
            if others:
                basis = np.column_stack([*others, x])
                rest = y - basis[:, :-1] @ np.linalg.lstsq(basis, y, rcond=None)[0][:-1]
            found.append(within.slope_of_centred(rest, x, rater))
        p = np.array([np.nan_to_num(s.p, nan=1.0) for s in found])
        p[clear] = 1.0
        if not len(p) or p.min() > 0.05 / pairs or len(clear) >= len(columns) // 2:
            return found
        clear.append(int(p.argmin()))

"""Reciprocity: do two sides give each other more (or less) than they give and get elsewhere?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, round_robin
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import forms as reader
from svcmetrics.verify import grid
from svcmetrics.verify.reciprocity_pairs import favoured_pairs, own_side, without_favour
from svcmetrics.verify.words import as_targets

DRAWS = 1000
# Fewer units than this cannot be told apart from one another.
UNITS = 4


@metric(
    better="neither",
    source="Warner, Kenny & Stoto 1979, JPSP 37, 1742-1757; Bond & Lashley 1996, Psychometrika 61, 115",
)
def reciprocity(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    score: str,
    rater_unit: str | None = None,
    rater_group: str | None = None,
    target_group: str | None = None,
    item: str | None = None,
    wave: str | None = None,
    rng: int | np.random.Generator = 1,
) -> Result:
    """Do departments (or people) return favours: high for high, low for low?

    ratings: one row per rating or answer. rater, target, score, item, wave: columns.
    rater_unit: the department of the rater, in the words of ``target``; without it, raters and
        targets are the same people. Ratings of oneself or the own department are left out.
    rater_group, target_group: the side (line of management) of rater and target, in the same
        words; favour to the own side is then taken out first, as two departments of one side
        otherwise look like a pair, and a pair across sides looks smaller than it is.
    rng: seed or generator of the permutations.

    Returns the social relations model over units that both rate and are rated (missing cells are
    allowed; negative variances are shown as they come): ``reciprocity`` as a correlation, variants
    ``dyadic`` (what A gives B beyond habit and reputation against what B gives A; p by permutation
    that keeps both) and ``generalised`` (who gives much gets much); then the variances and
    covariances in squared points with 95% limits (Bond and Lashley's errors). With ``rater_unit``,
    ``mutual``: pairs of departments (5 raters or more, 2 each way) that give each other more than
    elsewhere, in points, with p adjusted for the number of pairs (Benjamini and Hochberg).

    Misleads: departments that truly work well together give each other good scores. With few units
    the limits are wide. Errors of single ratings are part of the relationship variance and make
    the correlation smaller. Sizes are those of the scores as recorded: straight lines, rounding
    and the end of the scale take their part of what people meant (0.7 meant, about 0.55 recorded).

    Source: Warner, Kenny & Stoto 1979; Bond & Lashley 1996; Kenny, Kashy & Cook 2006, chapter 8.

    >>> x = [[0, 5, 6, 2], [6, 0, 3, 4], [7, 3, 0, 5], [2, 4, 4, 0]]
    >>> r = pd.DataFrame([(a, b, x[a][b]) for a in range(4) for b in range(4) if a != b],
    ...                  columns=["from", "to", "points"])
    >>> reciprocity(r, rater="from", target="to", score="points").table["estimate"].round(2).iloc[0]
    np.float64(0.98)
    """
    forms = reader.read(
        ratings, rater=rater, target=target, item=item, score=score, wave=wave,
        extra=(rater_unit, rater_group, target_group),
    )  # fmt: skip
    forms = as_targets(forms, rater_unit)
    side = own_side(forms, rater_group, target_group)
    cells, own = _cells(forms, rater_unit, side)
    about: dict[str, Any] = {"dropped": {**forms.dropped, **({"own_unit": own} if own else {})},
                             "units": len(cells.units), "cells": len(cells.y), "draws": DRAWS,
                             "method": "unbiased quadratic forms"}  # fmt: skip
    found = _fitted(cells)
    if found is None:
        values = {"units": len(cells.units), "least": UNITS}
        none = Finding("reciprocity.too_few", values, "refused")
        return Result("reciprocity", estimates("reciprocity", variant="dyadic", n=0), [none], about)
    p = round_robin.dyadic_p(found, cells.actor, cells.partner, len(cells.units), DRAWS,
                             bootstrap.generator(rng))  # fmt: skip
    table = _table(found, cells, p)
    notes = [_reading(table)]
    if rater_unit is not None:
        pairs = favoured_pairs(forms, rater_unit, side)
        about["pairs_tested"] = len(pairs)
        table = _with_pairs(table, pairs)
        notes += [*_moved(forms, rater_unit), *_pairs_reading(pairs)]
    return Result("reciprocity", table, [*notes, *_missing(cells), *forms.findings], about)


def _missing(cells: _Cells) -> list[Finding]:
    """How many directions were not rated."""
    every = len(cells.units) * (len(cells.units) - 1)
    values = {"cells": every - len(cells.y), "of": every}
    return [Finding("reciprocity.missing", values)] if every > len(cells.y) else []


def _with_pairs(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs below the model, with both departments in front."""
    out = pd.concat([table.assign(unit="", other_unit=""), pairs], ignore_index=True)
    for place, column in enumerate(("unit", "other_unit")):
        out.insert(place, column, out.pop(column))
    return out


def _moved(forms: reader.Forms, rater_unit: str) -> list[Finding]:
    """Raters of more than one department; each form counts for the one that it names."""
    unit = pd.Series(forms.extra[rater_unit], dtype="object")
    many = int((unit.groupby(forms.rater).nunique() > 1).sum())
    return [Finding("reciprocity.moved", {"count": many})] if many else []


def _fitted(cells: _Cells) -> round_robin.Relations | None:
    if len(cells.units) < UNITS or len(cells.y) <= 2 * len(cells.units):
        return None
    return round_robin.fitted(cells.y, cells.actor, cells.partner, len(cells.units))


class _Cells:
    """The mean score of each ordered pair of units, over raters and waves."""

    def __init__(self, y: np.ndarray, actor: np.ndarray, partner: np.ndarray, units: list[Any]):
        self.y, self.actor, self.partner, self.units = y, actor, partner, units


def _cells(
    forms: reader.Forms, rater_unit: str | None, side: np.ndarray | None
) -> tuple[_Cells, int]:
    """Units that act and are acted on; each rater counts once per cell."""
    own = (
        pd.Series(forms.extra[rater_unit], dtype="object")
        if rater_unit
        else pd.Series([forms.raters[k] for k in forms.rater], dtype="object")
    )
    y = without_favour(forms, side)
    frame = pd.DataFrame({"actor": own, "rater": forms.rater, "y": y})
    frame["partner"] = pd.Series([forms.targets[k] for k in forms.target], dtype="object")
    self_rated = (frame["actor"] == frame["partner"]).to_numpy(bool)
    frame = frame[~self_rated]
    both = set(frame["actor"]) & set(frame["partner"])
    frame = frame[frame["actor"].isin(both) & frame["partner"].isin(both)]
    by_rater = frame.groupby(["actor", "partner", "rater"], as_index=False)["y"].mean()
    mean = by_rater.groupby(["actor", "partner"], as_index=False)["y"].mean()
    place, units = grid.positions(pd.concat([mean["actor"], mean["partner"]], ignore_index=True))
    n = len(mean)
    return _Cells(mean["y"].to_numpy("float64"), place[:n], place[n:], units), int(self_rated.sum())


def _table(found: round_robin.Relations, cells: _Cells, p: float) -> pd.DataFrame:
    value = dict(zip(round_robin.NAMES, found.values, strict=True))
    error = dict(zip(round_robin.NAMES, found.errors, strict=True))
    n = len(cells.units)
    t = float(special.stdtrit(max(n - 1, 1), 0.975))
    chance = {k: 2 * float(special.stdtr(max(n - 1, 1), -abs(value[k]) / error[k])) for k in value}
    rows = []
    for name, part, scale in (
        ("dyadic", "dyadic", value["relationship"]),
        ("generalised", "actor_partner", np.sqrt(max(value["actor"] * value["partner"], 0.0))),
    ):
        sound = scale > 0 and min(value["actor"], value["partner"], value["relationship"]) > 0
        r, half = (
            (value[part] / scale, t * error[part] / scale)
            if sound or (name == "dyadic" and scale > 0)
            else (np.nan, np.nan)
        )
        ends = np.clip([r, r - half, r + half], -1, 1)
        rows.append(estimates("reciprocity", variant=name, estimate=ends[0], low=ends[1], high=ends[2],
                              n=n, raw=r, p=p if name == "dyadic" else chance[part]))  # fmt: skip
    for name in round_robin.NAMES:
        kind = "relation_covariance" if name in ("actor_partner", "dyadic") else "relation_variance"
        rows.append(estimates(kind, variant=name, estimate=value[name], low=value[name] - t * error[name],
                              high=value[name] + t * error[name], n=n, raw=value[name], p=chance[name],
                              error=error[name]))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def _reading(table: pd.DataFrame) -> Finding:
    row = table.iloc[0]
    values = {
        "r": row["estimate"],
        "low": row["low"],
        "high": row["high"],
        "units": int(row["n"]),
        "p": row["p"],
    }
    if not np.isfinite(row["estimate"]):
        return Finding("reciprocity.no_relationship", values, "refused")
    sure = row["p"] <= 0.05
    word = "unclear" if not sure else "returned" if row["estimate"] > 0 else "opposed"
    return Finding(f"reciprocity.{word}", values, "note" if word == "unclear" else "warning")


def _pairs_reading(pairs: pd.DataFrame) -> list[Finding]:
    if not len(pairs):
        return [Finding("reciprocity.no_pairs", {})]
    sure = pairs[(pairs["p_adjusted"] <= 0.05) & (pairs["estimate"] > 0)].sort_values("p")
    if not len(sure):
        return [Finding("reciprocity.pairs_none", {"pairs": len(pairs)})]
    names = [f"{a}–{b}" for a, b in zip(sure["unit"], sure["other_unit"], strict=True)]
    top = sure.iloc[0]
    values = {"names": names, "count": len(names), "pairs": len(pairs), "size": top["estimate"],
              "low": top["low"], "high": top["high"]}  # fmt: skip
    return [Finding("reciprocity.pairs", values, "warning")]

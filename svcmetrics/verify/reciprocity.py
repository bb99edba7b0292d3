"""Reciprocity: do two sides give each other more (or less) than they give and get elsewhere?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, round_robin
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import forms as reader
from svcmetrics.verify import reciprocity_rows
from svcmetrics.verify.reciprocity_cells import Cells, by_pair, in_common
from svcmetrics.verify.reciprocity_pairs import favoured_pairs, own_side
from svcmetrics.verify.words import as_targets

DRAWS = 1000


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
    elsewhere, in points, with p adjusted for the number of pairs (Benjamini and Hochberg). With
    exactly two items (or the two halves of a form), ``dyadic_shared``, ``shared_variance`` and
    ``shared_covariance``: what both have in common, errors of single items left out.

    Misleads: departments that truly work well together give each other good scores. With few units
    the limits are wide. Errors of single ratings are part of the relationship variance and make
    the correlation smaller (not so ``dyadic_shared``). Sizes are those of the scores as recorded:
    straight lines, rounding and the end of the scale take their part of what people meant (0.7
    meant, about 0.55 recorded). Of two items TripleR 1.5.4 prints the same values and errors, but
    for the error of actor with partner: it takes the mean of the variances of the two crossings,
    as if they were one; ours knows how they vary together, and is 5 and 7% smaller on its examples.

    Source: Warner, Kenny & Stoto 1979; Bond & Lashley 1996; Lashley & Bond 1997, Psychological
    Methods 2, 278-291 (two measures); Kenny, Kashy & Cook 2006, chapter 8.

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
    cells, own = by_pair(forms, rater_unit, side)
    about: dict[str, Any] = {"dropped": {**forms.dropped, **({"own_unit": own} if own else {})},
                             "units": len(cells.units), "cells": len(cells.y), "draws": DRAWS,
                             "method": "unbiased quadratic forms"}  # fmt: skip
    found = _fitted(cells)
    if found is None:
        values = {"units": len(cells.units), "least": reciprocity_rows.UNITS}
        none = Finding("reciprocity.too_few", values, "refused")
        return Result("reciprocity", estimates("reciprocity", variant="dyadic", n=0), [none], about)
    p = round_robin.dyadic_p(found, cells.actor, cells.partner, len(cells.units), DRAWS,
                             bootstrap.generator(rng))  # fmt: skip
    table = _table(found, cells, p)
    notes = [_reading(table)]
    table, notes = in_common(table, notes, forms, rater_unit, side)
    if rater_unit is not None:
        pairs = favoured_pairs(forms, rater_unit, side)
        about["pairs_tested"] = len(pairs)
        table = _with_pairs(table, pairs)
        notes += [*_moved(forms, rater_unit), *_pairs_reading(pairs)]
    return Result("reciprocity", table, [*notes, *_missing(cells), *forms.findings], about)


def _missing(cells: Cells) -> list[Finding]:
    """How many directions were not rated."""
    every = len(cells.units) * (len(cells.units) - 1)
    values = {"cells": every - len(cells.y), "of": every}
    return [Finding("reciprocity.missing", values)] if every > len(cells.y) else []


def _with_pairs(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs below the model, with both departments in front."""
    out = pd.concat([table.assign(unit="", other_unit=""), pairs])
    for place, column in enumerate(("unit", "other_unit")):
        out.insert(place, column, out.pop(column))
    return out


def _moved(forms: reader.Forms, rater_unit: str) -> list[Finding]:
    """Raters of more than one department; each form counts for the one that it names."""
    unit = pd.Series(forms.extra[rater_unit], dtype="object")
    many = int((unit.groupby(forms.rater).nunique() > 1).sum())
    return [Finding("reciprocity.moved", {"count": many})] if many else []


def _fitted(cells: Cells) -> round_robin.Relations | None:
    if len(cells.units) < reciprocity_rows.UNITS or len(cells.y) <= 2 * len(cells.units):
        return None
    return round_robin.fitted(cells.y, cells.actor, cells.partner, len(cells.units))


def _table(found: round_robin.Relations, cells: Cells, p: float) -> pd.DataFrame:
    parts = reciprocity_rows.Parts(found.values, found.errors, len(cells.units))
    rows = [*reciprocity_rows.correlations(parts, p), *reciprocity_rows.parts(parts, "relation")]
    return pd.concat(rows)


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
    names = [f"{a}–{b}" for a, b in zip(sure["unit"], sure["other_unit"])]
    top = sure.iloc[0]
    values = {"names": names, "count": len(names), "pairs": len(pairs), "size": top["estimate"],
              "low": top["low"], "high": top["high"]}  # fmt: skip
    return [Finding("reciprocity.pairs", values, "warning")]

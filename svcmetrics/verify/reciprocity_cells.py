"""Who gives whom how much, as cells: the mean of each ordered pair of units.

Not a statistic of its own; ``reciprocity`` shows what follows from it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.numeric import round_robin_two
from svcmetrics.result import Finding
from svcmetrics.verify import forms as reader
from svcmetrics.verify import grid, reciprocity_rows
from svcmetrics.verify.reciprocity_pairs import without_favour


class Cells:
    """The mean score of each ordered pair of units, over raters and waves."""

    def __init__(self, y: np.ndarray, actor: np.ndarray, partner: np.ndarray, units: list[Any]):
        self.y, self.actor, self.partner, self.units = y, actor, partner, units


def by_pair(
    forms: reader.Forms, rater_unit: str | None, side: np.ndarray | None
) -> tuple[Cells, int]:
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
    place, units = grid.positions(pd.concat([mean["actor"], mean["partner"]]))
    n = len(mean)
    return Cells(mean["y"].to_numpy("float64"), place[:n], place[n:], units), int(self_rated.sum())


def in_common(
    table: pd.DataFrame, notes: list[Finding], forms: reader.Forms, rater_unit: str | None,
    side: np.ndarray | None,
) -> tuple[pd.DataFrame, list[Finding]]:  # fmt: skip
    """Adds what two items of forms share, from the forms that answer both; else nothing."""
    if len(forms.items) != 2:
        return table, notes
    whole = np.isfinite(forms.answers).all(axis=1)
    both, own = reader.part_of(forms, whole), None if side is None else side[whole]
    one, two = (
        by_pair(replace(both, answers=both.answers[:, [k]]), rater_unit, own)[0] for k in (0, 1)
    )
    n = len(one.units)
    found = None
    if n >= reciprocity_rows.UNITS and len(one.y) > 2 * n:
        found = round_robin_two.shared(one.y, two.y, one.actor, one.partner, n)
    if found is None:
        return table, notes
    parts = reciprocity_rows.Parts(found.values, found.errors, n)
    row = reciprocity_rows.correlations(parts)[0].assign(variant="dyadic_shared")
    whole_table = pd.concat([table, row, *reciprocity_rows.parts(parts, "shared")])
    return whole_table, [*notes, _reading(row.iloc[0], n)]


def _reading(row: pd.Series, units: int) -> Finding:
    if not np.isfinite(row["estimate"]):
        return Finding("reciprocity.shares_nothing", {"units": units}, "refused")
    values = {"r": row["estimate"], "low": row["low"], "high": row["high"], "units": units}
    return Finding("reciprocity.shared", values)

"""What a rater effect does to the final scores: one row per target, the same for every effect.

Not a statistic. ``score_shift`` is the target's score with the effect taken out, minus its score as
it stands, in points of the scale; targets of fewer than ``MIN_RATERS`` raters are not shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.result import Finding, estimates
from svcmetrics.study import MIN_RATERS
from svcmetrics.verify.forms import Forms


def exposure_shift(
    forms: Forms, exposure: np.ndarray, effect: tuple[float, float, float], target: str
) -> pd.DataFrame:
    """Rows of an effect that a form has or has not: targets differ by their share of such forms."""
    size = len(forms.targets)
    n = np.bincount(forms.target, minlength=size)
    share = np.bincount(forms.target, exposure, minlength=size) / np.maximum(n, 1)
    more = share - exposure.mean()
    ends = -np.array(effect)[:, None] * more
    return shift_rows(forms, ends[0], ends.min(axis=0), ends.max(axis=0), target)


def shift_rows(
    forms: Forms, shift: np.ndarray, low: np.ndarray, high: np.ndarray, target: str
) -> pd.DataFrame:
    """One row per target; hidden where too few raters stand behind it."""
    cells = np.unique(np.stack([forms.target, forms.rater]), axis=1)
    raters = np.bincount(cells[0], minlength=len(forms.targets))
    shown = raters >= MIN_RATERS
    return estimates(
        "score_shift", groups={target: list(forms.targets)}, estimate=np.where(shown, shift, np.nan),
        low=np.where(shown, low, np.nan), high=np.where(shown, high, np.nan),
        n=np.where(shown, raters, 0),
    )  # fmt: skip


def few_behind(forms: Forms, out: np.ndarray) -> np.ndarray:
    """Targets whose shift, when these raters are left out, would tell what fewer than five gave.

    Beside the mean and the number of all raters it tells what those gave who are left out, and
    those who stay. Targets of too few raters are among them.
    """
    size = len(forms.targets)
    cells = np.unique(forms.rater.astype(np.int64) * size + forms.target)
    left = np.bincount(cells % size, out[cells // size], minlength=size)
    stay = np.bincount(cells % size, minlength=size) - left
    return np.asarray((stay < MIN_RATERS) | ((left > 0) & (left < MIN_RATERS)))


def stacked(rows: pd.DataFrame, shifts: pd.DataFrame, target: str) -> pd.DataFrame:
    """The effect's own rows above those of the targets, with the target in front."""
    own = rows.copy()
    own.insert(0, target, np.full(len(own), "", dtype=object))
    shifts = shifts.astype({target: "object"})
    for column in own.columns.difference(shifts.columns):
        shifts[column] = np.nan if pd.api.types.is_numeric_dtype(own[column]) else ""
    return pd.concat([own, shifts[own.columns]])


def finding(shifts: pd.DataFrame, spread: float) -> list[Finding]:
    """The largest shift beside the usual difference between two departments."""
    sizes = shifts["estimate"].abs()
    if not sizes.notna().any():
        return []
    values: dict[str, Any] = {"size": float(sizes.max()), "targets": int(sizes.notna().sum())}
    values["spread"] = spread
    known = np.isfinite(spread) and spread > 0
    return [Finding("ledger.shift" if known else "ledger.shift_alone", values)]


def spread_of_targets(forms: Forms) -> float:
    """The standard deviation of the targets' plain means."""
    if len(forms.targets) < 2:
        return float("nan")
    size = len(forms.targets)
    n = np.bincount(forms.target, minlength=size)
    return float((np.bincount(forms.target, forms.centred(), minlength=size) / n).std(ddof=1))

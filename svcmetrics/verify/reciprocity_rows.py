"""Rows of the social relations model: correlations, variances and covariances with their limits.

Not a statistic of its own; ``reciprocity`` shows them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.numeric.round_robin import NAMES
from svcmetrics.result import estimates

# Fewer units than this cannot be told apart from one another.
UNITS = 4


@dataclass(frozen=True)
class Parts:
    """Variances and covariances in the order of NAMES, their errors, and of how many units."""

    values: np.ndarray
    errors: np.ndarray
    units: int

    @property
    def value(self) -> dict[str, float]:
        """By name."""
        return dict(zip(NAMES, self.values.tolist()))

    @property
    def error(self) -> dict[str, float]:
        """By name."""
        return dict(zip(NAMES, self.errors.tolist()))

    @property
    def wide(self) -> float:
        """Standard errors on each side of 95% limits."""
        return float(special.stdtrit(self.units - 1, 0.975))

    def chance(self, name: str) -> float:
        """Two-sided p of a value of nought."""
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.abs(np.divide(self.value[name], self.error[name]))
        return 2 * float(special.stdtr(self.units - 1, -away))


def correlations(parts: Parts, p: float | None = None) -> list[pd.DataFrame]:
    """``p``: of the dyadic one, where it is known by permutation."""
    value, rows = parts.value, []
    for name, part, scale in (
        ("dyadic", "dyadic", value["relationship"]),
        ("generalised", "actor_partner", np.sqrt(max(value["actor"] * value["partner"], 0.0))),
    ):
        sound = scale > 0 and min(value["actor"], value["partner"], value["relationship"]) > 0
        r, half = (
            (value[part] / scale, parts.wide * parts.error[part] / scale)
            if sound or (name == "dyadic" and scale > 0)
            else (np.nan, np.nan)
        )
        ends = np.clip([r, r - half, r + half], -1, 1)
        own = parts.chance(part) if name != "dyadic" or p is None else p
        rows.append(estimates("reciprocity", variant=name, estimate=ends[0], low=ends[1], high=ends[2],
                              n=parts.units, raw=r, p=own))  # fmt: skip
    return rows


def parts(found: Parts, word: str) -> list[pd.DataFrame]:
    """``word``: begins the names of the metrics."""
    rows = []
    for name in NAMES:
        kind = "covariance" if name in ("actor_partner", "dyadic") else "variance"
        middle, half = found.value[name], found.wide * found.error[name]
        rows.append(estimates(f"{word}_{kind}", variant=name, estimate=middle, low=middle - half,
                              high=middle + half, n=found.units, raw=middle,
                              p=found.chance(name), error=found.error[name]))  # fmt: skip
    return rows

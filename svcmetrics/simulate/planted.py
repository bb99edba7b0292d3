"""What is planted in the invented company; every number here is written to truth.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

DIMENSIONS = (
    "及时性 timeliness",
    "质量 quality",
    "服务行为 service behaviour",
    "沟通 communication",
)
TRUE_WEIGHTS = (0.35, 0.30, 0.15, 0.20)
WAVES = 9
PILOT_FROM = "2025-03-01"
RESPONSE = 0.84  # of forms that are asked for come back


@dataclass(frozen=True)
class Effects:
    """Sizes of the planted effects; ratings in points of the five-point scale."""

    mean: float = 3.5
    quality_sd: float = 0.40  # general quality of departments
    dimension_sd: float = 0.15  # quality of a department on one dimension
    severity_sd: float = 0.40  # of raters
    halo_sd: float = 0.35  # of a rater towards a department, over all items
    in_group: float = 0.25  # same line of management
    reciprocity: float = 0.70  # the one pair of departments, both ways
    named_mode: float = 0.25  # a named form against a confidential one
    straight_share: tuple[float, float] = (0.05, 0.13)  # first and last wave
    copy_share: tuple[float, float] = (0.04, 0.30)
    pilot_time: float = 0.90  # working time of cases in pilot departments after the start
    pilot_timeliness: float = 0.15  # how far raters notice it
    time_of_quality: float = -0.25  # log of working time per point of timeliness
    returns_of_quality: float = -0.80  # log of return odds per point of quality
    stamp_seconds: tuple[int, int] = (5, 40)
    response: float = RESPONSE
    link_share: float = 0.70  # of re-submissions that name the rejected case
    resubmit_share: float = 0.75  # of rejected cases that come again


# Work takes longer at the end of the year and before the Spring Festival.
SEASON = {
    9: 1.0,
    10: 1.02,
    11: 1.03,
    12: 1.12,
    1: 1.08,
    2: 0.98,
    3: 1.0,
    4: 1.0,
    5: 0.98,
    6: 1.02,
    7: 1.0,
    8: 0.97,
}


@dataclass(frozen=True)
class Truth:
    """The planted facts of one company: departments by position among the service units."""

    effects: Effects
    quality: np.ndarray  # service units x dimensions, in points
    pilot: np.ndarray  # bool, service units
    pair: tuple[int, int]
    stamp_unit: int

    @property
    def time_factor(self) -> np.ndarray:
        return np.exp(self.effects.time_of_quality * self.quality[:, 0])

    @property
    def return_factor(self) -> np.ndarray:
        return np.exp(self.effects.returns_of_quality * self.quality[:, 1])


def draw_truth(
    rng: np.random.Generator, lines: np.ndarray, heads: np.ndarray, stamp_unit: int
) -> Truth:
    """Qualities evenly spread (so that their order can be found), the pilot units, the pair."""
    effects, n = Effects(), len(lines)
    steps = (np.arange(n) + 0.5) / n * 2 - 1
    general = rng.permutation(steps) * effects.quality_sd * np.sqrt(3)
    quality = general[:, None] + rng.normal(0, effects.dimension_sd, (n, len(DIMENSIONS)))
    first = int(np.argmax(heads))
    others = np.flatnonzero(lines != lines[first])
    others = others if len(others) else np.flatnonzero(np.arange(n) != first)
    second = int(others[np.argmax(heads[others])])
    # Effects that could be taken for one another are kept in different departments.
    order = rng.permutation(n)
    plain_first = np.argsort(np.isin(order, (first, second, stamp_unit)), kind="stable")
    pilot = np.zeros(n, bool)
    pilot[order[plain_first][: max(1, round(0.4 * n))]] = True
    return Truth(effects, quality - quality.mean(0), pilot, (first, second), stamp_unit)


def shares(ends: tuple[float, float]) -> np.ndarray:
    """A share that grows evenly from the first wave to the last."""
    return np.linspace(*ends, WAVES)


def plain(value: Any) -> Any:
    """Numbers as TOML takes them, rounded so that the file is the same everywhere."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    if isinstance(value, str):
        return str(value)  # also a NumPy string
    return round(float(value), 4) if isinstance(value, (float, np.floating)) else value

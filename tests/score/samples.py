"""Data and calls for the laws."""

import numpy as np
import pandas as pd

from tests.laws import Sample

SAMPLES: dict[str, Sample] = {}

_SCORED = pd.DataFrame(
    {
        "unit": ["采购", "财务", "人事", "法务", "IT"],
        "score": [3.2, 4.4, 3.9, 3.8, 3.0],
        "se": [0.12, 0.10, 0.15, 0.11, 0.20],
        "raters": [40, 55, 31, 44, 18],
    }
)

SAMPLES["groups"] = Sample(
    _SCORED,
    {"target": "unit", "estimate": "score", "uncertainty": "se", "n": "raters"},
    score="score",
)

SAMPLES["superiority"] = SAMPLES["groups"]

# Points of five units on three indicators, with their limits.
INDICATORS = pd.DataFrame(
    [
        (unit, name, x, x - half, x + half * 0.8)
        for unit, points in {
            "采购": (62, 70, 55),
            "财务": (81, 66, 74),
            "人事": (70, 58, 77),
            "法务": (55, 83, 69),
            "IT": (48, 61, 52),
        }.items()
        for name, x, half in zip(("按时", "退回", "评分"), points, (6.0, 9.0, 4.0))
    ],
    columns=["unit", "name", "points", "lo", "hi"],
)
_INDICATED = {
    "weights": {"按时": 0.4, "退回": 0.35, "评分": 0.25},
    "target": "unit",
    "indicator": "name",
    "value": ("points", "lo", "hi"),
}
SAMPLES["composite"] = Sample(INDICATORS, _INDICATED, score="points")
SAMPLES["contributions"] = Sample(INDICATORS, _INDICATED, score="points")


def _rated() -> pd.DataFrame:
    """Twenty raters of unequal severity, four departments, two waves, whole scores 1 to 7."""
    rng = np.random.default_rng(11)
    rows = pd.DataFrame(
        [(who, unit) for who in range(20) for unit in "甲乙丙丁"], columns=["who", "unit"]
    )
    rows = rows[rng.uniform(size=len(rows)) < 0.8].reset_index(drop=True)
    rows["wave"] = np.where(rng.uniform(size=len(rows)) < 0.5, "w1", "w2")
    lenient = rng.normal(0, 1, 20)[rows["who"]]
    level = rows["unit"].map({"甲": 3.2, "乙": 4.0, "丙": 4.4, "丁": 5.0})
    points = level + lenient + rng.normal(0, 0.7, len(rows))
    return rows.assign(points=points.round().clip(1, 7).astype("int64"))


SAMPLES["adjust"] = Sample(
    _rated(), {"target": "unit", "rater": "who", "score": "points", "wave": "wave"}, score="points"
)

SAMPLES["ranks"] = Sample(
    _SCORED,
    {"target": "unit", "estimate": "score", "uncertainty": "se", "n": "raters"},
    score="score",
)

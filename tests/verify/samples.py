"""Data and calls for the laws."""

import numpy as np
import pandas as pd

from tests.laws import Sample

SAMPLES: dict[str, Sample] = {}


def _rated() -> pd.DataFrame:
    """Twenty raters of unequal severity, four departments, whole scores 1 to 7, some missing."""
    rng = np.random.default_rng(12)
    rows = pd.DataFrame(
        [(who, unit) for who in range(20) for unit in "甲乙丙丁"], columns=["who", "unit"]
    )
    rows = rows[rng.uniform(size=len(rows)) < 0.8].reset_index(drop=True)
    lenient = rng.normal(0, 1, 20)[rows["who"]]
    level = rows["unit"].map({"甲": 3.2, "乙": 4.0, "丙": 4.4, "丁": 5.0})
    points = level + lenient + rng.normal(0, 0.7, len(rows))
    return rows.assign(points=points.round().clip(1, 7).astype("int64"))


SAMPLES["severity"] = Sample(
    _rated(), {"target": "unit", "rater": "who", "score": "points"}, score="points"
)

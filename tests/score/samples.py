"""Data and calls for the laws."""

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

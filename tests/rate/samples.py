"""Data and calls for the laws."""

import numpy as np
import pandas as pd

from tests.laws import Sample

_PLAN = pd.DataFrame(
    {"plan_id": [f"P{i:02d}" for i in range(40)], "wave": ["2025-01", "2025-02"] * 20}
)
_FORMS = pd.DataFrame({"form": [f"P{i:02d}" for i in range(40)], "seconds": np.arange(40, 80)})

SAMPLES: dict[str, Sample] = {
    "response": Sample(_PLAN, {"ratings": _PLAN.iloc[:31]}, fixed_names=True),
    "burden": Sample(_FORMS, {"form": "form", "seconds": "seconds"}, score="seconds"),
}


def assigned(raters: int = 40, targets: int = 6, each: int = 3, seed: int = 4) -> pd.DataFrame:
    """A plan of two waves: each rater is asked about a few departments, drawn by lot."""
    rng = np.random.default_rng(seed)
    rows = [
        (wave, f"r{k:02}", f"部门{j}")
        for wave in ("2025-01", "2025-02")
        for k in range(raters)
        for j in rng.choice(targets, each, replace=False)
    ]
    return pd.DataFrame(rows, columns=["round", "who", "whom"])


ASSIGNED = assigned()
SAMPLES["load"] = Sample(ASSIGNED, {"rater": "who", "wave": "round", "cap": 2})
SAMPLES["connectivity"] = Sample(ASSIGNED, {"rater": "who", "target": "whom", "wave": "round"})
SAMPLES["precision"] = Sample(
    ASSIGNED, {"rater": "who", "target": "whom", "wave": "round", "response": 0.7, "sd": 0.8}
)

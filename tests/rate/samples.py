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

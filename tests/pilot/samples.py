"""Data and calls for the laws."""

import numpy as np
import pandas as pd

from tests.laws import Sample

EVIDENCE = pd.DataFrame(
    [
        ("on_time", 0.86, 0.81, 0.90, 212),
        ("phi", 0.74, 0.62, 0.83, 8),
        ("formality", 0.18, 0.12, 0.25, 900),
        ("minutes_per_form", 3.8, 3.4, 4.2, 300),
        ("on_budget", 0.9, 0.8, 1.0, 12),
    ],
    columns=["what", "found", "lo", "hi", "cases"],
)
CRITERIA = {
    "on_time": {"at_least": 0.8},
    "phi": {"at_least": 0.7},
    "formality": {"at_least": 0.1},
    "minutes_per_form": {"at_most": 3.0},
    "response": {"at_least": 0.7},
}
SAMPLES: dict[str, Sample] = {
    "gate": Sample(
        EVIDENCE,
        {
            "criteria": CRITERIA,
            "measure": "what",
            "value": ("found", "lo", "hi"),
            "n": "cases",
        },
        score="found",
    ),
}


def months(n: int = 36, ratio: float = 0.7, seed: int = 9) -> pd.DataFrame:
    """Returns per month with a slow trend and a step in the middle."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    on = (t >= n // 2).astype(int)
    submitted = rng.integers(300, 500, n)
    rate = 0.2 * np.exp(0.005 * t) * ratio**on
    return pd.DataFrame(
        {"month": t + 1, "pilot": on, "all": submitted, "back": rng.poisson(submitted * rate)}
    )


SAMPLES["effect"] = Sample(
    months(),
    {"count": "back", "exposure": "all", "time": "month", "after": "pilot", "season": 1},
    score="back",
)

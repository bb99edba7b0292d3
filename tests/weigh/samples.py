"""Data and calls for the laws."""

import numpy as np
import pandas as pd

from tests.laws import Sample


def judgements(judges: int = 6, seed: int = 1) -> pd.DataFrame:
    """Comparisons of four criteria by judges who wobble around common weights."""
    rng = np.random.default_rng(seed)
    true = {"按时": 0.4, "退回": 0.3, "评分": 0.2, "行为": 0.1}
    names = list(true)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    rows = [(f"j{k}", a, b) for k in range(judges) for a, b in pairs]
    frame = pd.DataFrame(rows, columns=["who", "one", "other"])
    ratio = np.array([true[a] / true[b] for _, a, b in rows])
    return frame.assign(ratio=ratio * np.exp(rng.normal(0, 0.5, len(rows))))


_PAIRS = {"judge": "who", "of": "one", "over": "other", "value": "ratio"}
SAMPLES: dict[str, Sample] = {
    "ahp": Sample(judgements(), _PAIRS, score="ratio"),
    "consistency": Sample(judgements(seed=3), _PAIRS, score="ratio"),
}

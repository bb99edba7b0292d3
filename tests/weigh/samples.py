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

# Hwang & Yoon (1981): four aircraft on six criteria, the fourth one a cost.
AIRCRAFT = np.array(
    [
        [2.0, 1500, 20000, 5.5, 5, 9],
        [2.5, 2700, 18000, 6.5, 3, 5],
        [1.8, 2000, 21000, 4.5, 7, 7],
        [2.2, 1800, 20000, 5.0, 5, 5],
    ]
)
BETTER = {f"c{j}": "lower" if j == 4 else "higher" for j in range(1, 7)}


def long(x: np.ndarray) -> pd.DataFrame:
    """A matrix of units by criteria as rows."""
    rows = [(f"u{i}", f"c{j + 1}", v) for i, line in enumerate(x) for j, v in enumerate(line)]
    return pd.DataFrame(rows, columns=["unit", "criterion", "level"])


def answers(rows: int = 90, seed: int = 5) -> pd.DataFrame:
    """Overall satisfaction that comes from three dimensions, by raters of three forms each."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3)) + 0.7 * rng.normal(size=(rows, 1))
    y = x @ [0.6, 0.3, 0.1] + rng.normal(0, 0.5, rows)
    frame = pd.DataFrame(np.column_stack([x, y]), columns=["time", "quality", "manner", "overall"])
    return frame.assign(who=[f"r{k // 3}" for k in range(rows)])


GRID = {"target": "unit", "indicator": "criterion", "value": "level"}
SAMPLES["entropy"] = Sample(long(AIRCRAFT), GRID, score="level")
SAMPLES["critic"] = Sample(long(AIRCRAFT), {**GRID, "better": BETTER}, score="level")
SAMPLES["robustness"] = Sample(long(AIRCRAFT / AIRCRAFT.max(axis=0)), GRID, score="level")
SAMPLES["importance"] = Sample(
    answers(),
    {"outcome": "overall", "predictors": ["time", "quality", "manner"], "cluster": "who"},
    score="overall",
    fixed_names=True,
)

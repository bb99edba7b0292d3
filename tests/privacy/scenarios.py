"""Companies that publish mean ratings in ways that give people away, unless somebody watches.

Each scenario is a list of releases; each release is a table of cells, as rows of ratings: cell,
rating (its id), rater, score, weight. The attacker sees what is published and knows who is in which
cell; the scores are the secret.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

SCALE = (1, 5)


@dataclass(frozen=True)
class Scenario:
    kind: str
    seed: int
    releases: tuple[pd.DataFrame, ...]

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.seed}"


def _scores(rng: np.random.Generator, n: int, *, high: bool = False) -> np.ndarray:
    """Ratings as they are given: most of them 4, severe and lenient raters apart."""
    p = [0, 0.01, 0.04, 0.2, 0.75] if high else [0.03, 0.09, 0.25, 0.4, 0.23]
    return rng.choice(np.arange(1, 6), size=n, p=p)


def _table(cells: dict[str, np.ndarray], score: np.ndarray, **more) -> pd.DataFrame:
    """Cells as rows of ratings; rating i is by rater i unless ``rater`` says otherwise."""
    rows = [(name, int(i)) for name, members in cells.items() for i in members]
    frame = pd.DataFrame(rows, columns=["cell", "rating"])
    rater = more.get("rater", np.arange(len(score)))
    weight = more.get("weight", {})
    return frame.assign(
        rater=[f"r{rater[i]}" for i in frame["rating"]],
        score=[int(score[i]) for i in frame["rating"]],
        weight=[weight.get(c, {}).get(int(i), 1) for c, i in zip(frame["cell"], frame["rating"])],
        version=0,
    )


def months(rng: np.random.Generator) -> list[pd.DataFrame]:
    """Each month everything so far is published again, with the few who joined."""
    score = _scores(rng, 60)
    releases, now = (
        [],
        {f"D{d}": list(range(d * 15, d * 15 + int(rng.integers(6, 9)))) for d in range(4)},
    )
    for month in range(4):
        cells = {f"{d} to month {month}": np.array(m) for d, m in now.items()}
        cells[f"all to month {month}"] = np.concatenate(list(cells.values()))
        releases.append(_table(cells, score))
        for d, members in now.items():
            first = int(d[1:]) * 15
            for _ in range(int(rng.choice([0, 1, 2, 5], p=[0.3, 0.4, 0.1, 0.2]))):
                if len(members) < 15:
                    members.append(first + len(members))
    return releases


def overlaps(rng: np.random.Generator) -> list[pd.DataFrame]:
    """Overlapping groups of the same people: place, grade, sex, age."""
    n = int(rng.integers(24, 41))
    score = _scores(rng, n)
    cells = {"all": np.arange(n)}
    for trait, levels in (("place", 3), ("grade", 3), ("sex", 2), ("age", 4)):
        code = rng.integers(0, levels, n)
        cells |= {f"{trait} {v}": np.flatnonzero(code == v) for v in range(levels)}
        if trait == "grade":
            place = code
        elif trait == "sex":
            cells |= {f"grade {g} sex {v}": np.flatnonzero((place == g) & (code == v))
                      for g in range(3) for v in range(2)}  # fmt: skip
    return [_table({k: m for k, m in cells.items() if len(m)}, score)]


def weights(rng: np.random.Generator) -> list[pd.DataFrame]:
    """The same raters once with equal weights, once with those of their role."""
    score = _scores(rng, 40)
    cells, weight = {}, {}
    for d in range(4):
        members = np.arange(d * 10, d * 10 + int(rng.integers(5, 11)))
        heavy = set(rng.choice(members, size=int(rng.choice([1, 2, 5])), replace=False).tolist())
        for name, factor in (("plain", 1), ("by role", 2), ("by role, old", 3)):
            cells[f"D{d} {name}"] = members
            weight[f"D{d} {name}"] = {int(i): factor if i in heavy else 1 for i in members}
    return [_table(cells, score, weight=weight)]


def rerun(rng: np.random.Generator) -> list[pd.DataFrame]:
    """The report is made again after a correction, a withdrawal and a late vote."""
    score = _scores(rng, 60)
    cells = {f"D{d}": np.arange(d * 12, d * 12 + int(rng.integers(6, 12))) for d in range(5)}
    cells["all"] = np.concatenate(list(cells.values()))
    first = _table(cells, score)
    changed = score.copy()
    changed[3] = 6 - score[3] if score[3] != 3 else 5
    later = {k: m.copy() for k, m in cells.items()}
    later["D1"] = later["D1"][later["D1"] != 14]
    later["D2"] = np.append(later["D2"], 36 - 1)
    later["all"] = np.concatenate([later[f"D{d}"] for d in range(5)])
    second = _table(later, changed)
    second["version"] = (second["rating"] == 3).astype(int)
    return [first, second, _table(cells, score)]


def insider(rng: np.random.Generator) -> list[pd.DataFrame]:
    """Teams and teams without their head, who may look up what they answered."""
    score = _scores(rng, 60)
    cells = {}
    for d in range(5):
        members = np.arange(d * 12, d * 12 + int(rng.integers(6, 13)))
        cells[f"D{d}"] = members
        cells[f"D{d} without {'two' if d % 2 else 'one'}"] = members[(2 if d % 2 else 1) :]
    cells["all"] = np.concatenate([cells[f"D{d}"] for d in range(5)])
    return [_table(cells, score)]


def unanimous(rng: np.random.Generator) -> list[pd.DataFrame]:
    """Groups that (nearly) all give the best mark."""
    score = _scores(rng, 72, high=True)
    score[:9] = 5
    cells = {f"D{d}": np.arange(d * 12, d * 12 + int(rng.integers(5, 13))) for d in range(6)}
    cells["all"] = np.concatenate(list(cells.values()))
    return [_table(cells, score)]


def totals(rng: np.random.Generator) -> list[pd.DataFrame]:
    """A table with margins: one small cell follows from the others."""
    sizes = rng.integers(5, 10, (3, 3))
    sizes[rng.integers(3), rng.integers(3)] = rng.integers(1, 4)
    if rng.random() < 0.5:
        sizes[rng.integers(3), rng.integers(3)] = rng.integers(1, 4)
    score = _scores(rng, int(sizes.sum()))
    parts = np.split(np.arange(sizes.sum()), np.cumsum(sizes.ravel())[:-1])
    cells = {f"{i}{j}": parts[3 * i + j] for i in range(3) for j in range(3)}
    cells |= {f"row {i}": np.concatenate(parts[3 * i : 3 * i + 3]) for i in range(3)}
    cells |= {f"column {j}": np.concatenate(parts[j::3]) for j in range(3)}
    cells["all"] = np.arange(sizes.sum())
    return [_table(cells, score)]


def waves(rng: np.random.Generator) -> list[pd.DataFrame]:
    """The same raters in every wave; each wave by department, and the year so far."""
    people, releases, year = 30, [], []
    score = _scores(rng, people * 3)
    rater = np.tile(np.arange(people), 3)
    for wave in range(3):
        here = np.flatnonzero(rng.random(people) < 0.9)
        cells = {f"W{wave} D{d}": wave * people + here[here % 3 == d] for d in range(3)}
        year.append(wave * people + here)
        cells[f"W{wave} all"] = year[-1]
        cells[f"year to W{wave}"] = np.concatenate(year)
        releases.append(_table(cells, score, rater=rater))
    return releases


KINDS: tuple[Callable[[np.random.Generator], list[pd.DataFrame]], ...] = (
    months, overlaps, weights, rerun, insider, unanimous, totals, waves,
)  # fmt: skip


def scenarios(each: int = 7) -> list[Scenario]:
    """``each`` scenarios of every kind."""
    return [
        Scenario(kind.__name__, seed, tuple(kind(np.random.default_rng([seed, place]))))
        for place, kind in enumerate(KINDS)
        for seed in range(each)
    ]

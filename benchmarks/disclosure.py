"""The door out: how long does it take to audit a report against everything published before?

``python -m benchmarks.disclosure``. Seconds of the processor, for the machine may be busy, and
ratios to the rule in use (hide groups below five, no ledger) in the same run. A report of 100 cells
is meant to take 2, a year of 12 waves with 400 cells each less than 60.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from svcmetrics.privacy import Behind, Ledger, publish_means

ROLES = 3


def wave(rng: np.random.Generator, number: int, departments: int) -> pd.DataFrame:
    """The ratings of one wave: each department by some 24 raters of three roles."""
    count = departments * 24
    department = np.repeat(np.arange(departments), 24)
    role = rng.choice(ROLES, size=count, p=[0.5, 0.3, 0.2])
    there = rng.random(count) < 0.9
    frame = pd.DataFrame({
        "department": department, "role": role, "rater": np.arange(count), "wave": number,
        "rating": number * count + np.arange(count),
        "score": rng.choice(np.arange(1, 6), size=count, p=[0.05, 0.1, 0.25, 0.4, 0.2]),
    })  # fmt: skip
    return frame[there]


def cells(now: pd.DataFrame, year: pd.DataFrame) -> pd.DataFrame:
    """Five cells per department: all raters, each role, and the year so far."""
    name = now["department"].astype(str)
    parts = [
        now.assign(cell=name + " all " + now["wave"].astype(str)),
        now.assign(cell=name + " role " + now["role"].astype(str) + " " + now["wave"].astype(str)),
        year.assign(cell=year["department"].astype(str) + f" year {now['wave'].iloc[0]}"),
    ]
    return pd.concat(parts, ignore_index=True)


def release(ledger: Ledger, table: pd.DataFrame) -> tuple[float, float, int, int]:
    """Seconds of the audit and of the rule in use; cells shown by each."""
    start = time.process_time()
    behind = Behind(
        table, by=["cell"], rater="rater", score="score", scale=(1, 5), rating=["rating"]
    )
    shown = int(publish_means(behind, ledger=ledger).table["shown"].sum())
    own = time.process_time() - start
    start = time.process_time()
    by = table.groupby("cell")
    small = by["score"].mean().round(2).where(by["rater"].nunique() >= 5)
    return own, time.process_time() - start, shown, int(small.notna().sum())


def run(departments: int, waves: int) -> None:
    """Some waves of a company with this many departments."""
    rng = np.random.default_rng(departments)
    own = plain = 0.0
    shown = naive = 0
    slowest = 0.0
    year = pd.DataFrame()
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open("benchmark", Path(folder)) as ledger,
    ):
        for number in range(waves):
            now = wave(rng, number, departments)
            year = pd.concat([year, now])
            a, b, c, d = release(ledger, cells(now, year))
            own, plain, shown, naive = own + a, plain + b, shown + c, naive + d
            slowest = max(slowest, a)
    print(
        f"{waves:2d} waves x {departments * 5:3d} cells: {own:6.2f} s, slowest {slowest:5.2f} s, "
        f"{own / plain:5.0f} x the rule in use; {shown} of {naive} cells shown"
    )


if __name__ == "__main__":
    for departments, waves in ((20, 1), (20, 12), (80, 1), (80, 12)):
        run(departments, waves)

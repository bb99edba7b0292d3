"""The door in: a million ratings read and checked cell by cell, a log registered, a store appended to.

``python3 dev.py bench door``. Seconds of the processor, for the machine may be busy, and ratios to a
peer in the same run: pandas reading the same files as text, a bare insert into SQLite. Ten million
events are registered in a process of their own, whose peak of memory is told (on Linux); the file
is made first. ``python3 dev.py bench door register`` does this part alone.
"""

from __future__ import annotations

import math
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from svcmetrics.io.rating_store import RatingStore
from svcmetrics.io.study_files import inspect_study, read_study
from svcmetrics.simulate import simulate

# The peak is that of the process itself: ru_maxrss would take over that of the process that starts it.
_REGISTER = """
import sys, time
from svcmetrics.io.study_files import read_study
def peak():
    with open("/proc/self/status") as file:
        return next(float(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))
before, start = peak(), time.process_time()
table = read_study(sys.argv[1]).event  # a frame when small, otherwise a table of the engine
rows = table.count().execute() if hasattr(table, "execute") else len(table)
print(rows, time.process_time() - start, before, peak())
"""


def seconds(work: Callable[[], object]) -> float:
    """Processor time, the least of three."""
    found = []
    for _ in range(3):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def read(ratings: int, folder: Path) -> float:
    """Read a study with this many ratings, from Parquet and from CSV; gives the seconds of CSV."""
    simulate(folder, seed=3, ratings=ratings, events=1000)
    parquet = seconds(lambda: read_study(folder))
    checked = seconds(lambda: inspect_study(folder))
    for name in ("rating", "plan"):
        file = folder / f"{name}.parquet"
        if file.exists():
            pd.read_parquet(file).to_csv(folder / f"{name}.csv", index=False)
            file.unlink()
    csv = seconds(lambda: read_study(folder))
    files = [folder / f"{name}.csv" for name in ("rating", "plan")]
    peer = seconds(lambda: [pd.read_csv(f, dtype=str, keep_default_na=False) for f in files])
    print(
        f"{ratings:9,d} ratings: CSV {csv:5.2f} s, {csv / peer:4.1f} x pandas that reads text; "
        f"Parquet {parquet:5.2f} s, with all rules between tables {checked:5.2f} s"
    )
    return csv


def register(events: int, folder: Path) -> None:
    """Open a study with a log of this many events; its peak of memory."""
    simulate(folder, seed=4, ratings=600, events=events)
    size = (folder / "event.parquet").stat().st_size / 1e6
    told = subprocess.run(
        [sys.executable, "-c", _REGISTER, str(folder)], capture_output=True, text=True, check=True
    ).stdout.split()
    spent, before, peak = (float(v) for v in told[1:])
    print(
        f"{int(told[0]):,} events ({size:.0f} MB of Parquet): {spent:.2f} s, peak {peak:.0f} MB, "
        f"of which {before:.0f} MB before reading"
    )


def append(rows: int, folder: Path) -> float:
    """Acknowledge this many ratings in one transaction; gives the seconds."""
    ratings = pd.DataFrame({
        "plan_id": [f"P{i // 10}" for i in range(rows)],
        "item_id": [f"q{i % 10}" for i in range(rows)],
        "score": np.random.default_rng(1).integers(1, 6, rows).astype(float),
        "submitted_at": pd.Timestamp("2026-01-01", tz="Asia/Shanghai"),
    })  # fmt: skip
    texts = list(ratings.astype(str).itertuples(index=False, name=None))
    turn = iter(range(100))

    def ours() -> None:
        with RatingStore(folder / f"{rows}-{next(turn)}.sqlite") as store:
            store.append(ratings)

    def bare() -> None:
        store = sqlite3.connect(folder / f"bare{rows}-{next(turn)}.sqlite")
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("CREATE TABLE rating (plan_id, item_id, score, submitted_at)")
        store.executemany("INSERT INTO rating VALUES (?, ?, ?, ?)", texts)
        store.commit()
        store.close()

    own, peer = seconds(ours), seconds(bare)
    print(f"{rows:7,d} rows appended: {own:5.2f} s, {own / peer:4.1f} x a bare insert")
    return own


def grown(sizes: tuple[int, int], spent: tuple[float, float]) -> str:
    return f"exponent {math.log(spent[1] / spent[0]) / math.log(sizes[1] / sizes[0]):.2f}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ["SVCMETRICS_KEYS"] = str(place / "keys")
        for events in (100_000, 1_000_000, 10_000_000):
            register(events, place / f"e{events}")
        if sys.argv[1:] == ["register"]:
            raise SystemExit
        spent = [read(n, place / f"r{n}") for n in (10_000, 100_000, 1_000_000)]
        print(grown((100_000, 1_000_000), (spent[1], spent[2])))
        spent = [append(n, place) for n in (3_000, 30_000, 300_000)]
        print(grown((30_000, 300_000), (spent[1], spent[2])))

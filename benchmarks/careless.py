"""W8: careless indices and formality. Ratios in one run, growth exponents, peak of memory.

``python -m benchmarks careless``. R careless is not run here: its 279 seconds for five indices of
100,000 × 60 answers are stored. The plain side of the indices is NumPy form by form, timed on a few
thousand forms and scaled; that of formality is pandas and finds only copies and means by group.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

# Seconds of R careless 1.2.2 on the machine of the design notes, 100,000 forms of 60 items.
R_CARELESS, ITEMS = 279.0, 60
FORMS = (10_000, 30_000, 100_000)
RATINGS = (120_000, 1_200_000, 12_000_000)  # in twelve waves
PLAIN = 2_000


def main(largest: int) -> None:
    """Print ratios and exponents."""
    spent = []
    for size in FORMS:
        both = child("indices", Path(), size)
        ours, plain = both["ours"], both["plain"]
        spent.append(ours)
        print(
            f"five indices, {size:,} × {ITEMS}: form by form / ours {plain * size / PLAIN / ours:,.0f}"
        )
    slope = np.polyfit(np.log(FORMS), np.log(spent), 1)[0]
    print(
        f"  R careless (stored) / ours {R_CARELESS / spent[-1]:,.0f}; growth exponent {slope:.2f}"
    )
    sizes = [s for s in RATINGS if s <= largest]
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder, f"{size}.parquet")
            child("make", path, size)
            ours, plain = child("formality", path), child("pandas", path)
            times.append(ours["seconds"])
            print(f"formality, {size:,} ratings in 12 waves: copies and means alone in pandas / ours "
                  f"{plain['seconds'] / ours['seconds']:.2f}; {ours['seconds']:.1f} processor seconds; "
                  f"{ours['peak'] - ours['before']:,.0f} MB beyond the table that is held "
                  f"({ours['before']:,.0f} MB); pandas {plain['peak']:,.0f} MB", flush=True)  # fmt: skip
    if len(sizes) > 1:
        slope = np.polyfit(np.log(sizes), np.log(times), 1)[0]
        print(f"  growth exponent {slope:.2f}")


def answers(forms: int) -> np.ndarray:
    """Ten scales of six items, one opinion per scale."""
    rng = np.random.default_rng(1)
    opinion = np.repeat(rng.normal(0, 0.9, (forms, 10)), 6, axis=1)
    return np.clip(np.rint(3 + opinion + rng.normal(0, 0.6, (forms, ITEMS))), 1, 5)


def indices(x: np.ndarray) -> None:
    """Longest run, spread, even-odd, Mahalanobis, synonyms."""
    from svcmetrics.numeric import careless, careless_indices

    careless.longstring(x)
    careless.irv(x)
    careless_indices.even_odd(x, np.repeat(np.arange(10), 6))
    careless_indices.mahalanobis(x)
    careless_indices.synonyms(x, 0.6)


def by_form(x: np.ndarray) -> None:
    """The same five, one form after the other."""
    inverse, mean = np.linalg.inv(np.cov(x.T)), x.mean(axis=0)
    pairs = np.argwhere(np.tril(np.corrcoef(x.T), -1) > 0.6)
    for row in x:
        max(len(list(run)) for _, run in groupby(row))
        row.std(ddof=1)
        halves = row.reshape(10, 6)
        np.corrcoef(halves[:, ::2].mean(axis=1), halves[:, 1::2].mean(axis=1))
        (row - mean) @ inverse @ (row - mean)
        np.corrcoef(row[pairs[:, 0]], row[pairs[:, 1]])


def seconds(call: Callable[[], object], runs: int) -> float:
    """The median of a few runs, in seconds of the processor: other work does not count."""
    spent = []
    for _ in range(runs):
        began = time.process_time()
        call()
        spent.append(time.process_time() - began)
    return float(np.median(spent))


def child(part: str, path: Path, size: int = 0) -> dict[str, float]:
    """One part in a process of its own, so that its peak of memory is its own."""
    command = [sys.executable, "-m", "benchmarks.careless", part, str(path), str(size)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(said.stderr)
    return json.loads(said.stdout.splitlines()[-1])


def _indices(_: Path, size: int) -> dict[str, float]:
    x = answers(size)
    return {"ours": seconds(lambda: indices(x), 3), "plain": seconds(lambda: by_form(x[:PLAIN]), 1)}


def _make(path: Path, size: int) -> dict[str, float]:
    """Raters with lasting opinions; more copies from wave to wave."""
    rng = np.random.default_rng(1)
    items, targets, each = 8, 60, 12
    raters = max(30, size // items // 12 // each)
    asked = np.argpartition(rng.random((raters, targets)), each, axis=1)[:, :each]
    r, t = np.repeat(np.arange(raters), each), asked.ravel()
    base = 3.5 + rng.normal(0, 0.4, targets)[t] + rng.normal(0, 0.4, raters)[r]
    base = base + rng.normal(0, 0.35, len(r))
    keys = {"r": (r, "K{:06d}", raters), "t": (t, "D{:02d}", targets)}
    last, parts = np.empty(0), []
    for w in range(12):
        x = np.clip(np.rint(base[:, None] + rng.normal(0, 0.5, (len(r), items))), 1, 5)
        copied = rng.random(len(r)) < 0.02 * w
        if w:
            x[copied] = last[copied]
        last = x
        columns = {k: _words(np.repeat(c, items), name, n) for k, (c, name, n) in keys.items()}
        columns["i"] = _words(np.tile(np.arange(items), len(r)), "Q{}", items)
        columns["w"] = _words(np.full(x.size, w), "W{:02d}", 12)
        parts.append(pd.DataFrame({**columns, "s": x.ravel().astype("int8")}))
    pd.concat(parts, ignore_index=True).to_parquet(path)
    return {}


def _words(codes: np.ndarray, name: str, number: int) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, [name.format(i) for i in range(number)])


def held() -> float:
    """Megabytes that this process holds now; the peak so far where the system does not tell."""
    own = Path("/proc/self/statm")
    if not own.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(own.read_text().split()[1]) * resource.getpagesize() / 2**20


def _formality(path: Path, _: int) -> dict[str, float]:
    from svcmetrics import verify

    table = pd.read_parquet(path).astype(dict.fromkeys("rtiw", "str"))
    before = held()
    call = {"rater": "r", "target": "t", "item": "i", "score": "s", "wave": "w"}
    spent = seconds(lambda: verify.formality(table, **call), 1)
    return {"seconds": spent, "before": before}


def _pandas(path: Path, _: int) -> dict[str, float]:
    table = pd.read_parquet(path).astype(dict.fromkeys("rtiw", "str"))

    def plain() -> None:
        wide = table.pivot(index=["r", "t", "w"], columns="i", values="s").reset_index("w")
        same = (wide == wide.groupby(level=["r", "t"]).shift())[[f"Q{i}" for i in range(8)]]
        same.all(axis=1).groupby(wide["w"]).mean()
        table.groupby(["w", "t"])["s"].mean()
        table.groupby(["w", "r"])["s"].mean()

    return {"seconds": seconds(plain, 1)}


PARTS = {"indices": _indices, "make": _make, "formality": _formality, "pandas": _pandas}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in PARTS:
        answer = PARTS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
        answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(answer))
    else:
        main(int(float(sys.argv[1])) if sys.argv[1:] else RATINGS[-1])

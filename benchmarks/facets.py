"""W6: many-facet Rasch. Ratios in one run, growth, and whether the intervals cover the truth.

``python -m benchmarks.facets`` (three minutes); with ``RASCHPY=<python that has RaschPy>`` the peer
is run beside ours on the same ratings. Without it, and for TAM, which is R, the stored seconds of
the design notes are used, good to a factor of two: the machines differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from svcmetrics import verify
from svcmetrics.numeric import rasch

# Seconds on the machine of the design notes, 500 x 100 x 12 x 5 with 48,000 ratings.
STORED = {"RaschPy": 1.5, "TAM": 56.0}
# Targets, raters, items, raters of each target.
SIZES = ((500, 100, 12, 2), (500, 100, 12, 8), (500, 1_000, 12, 80))
WIDE = (1_000, 5_000, 12, 40)
STEPS = np.array([-1.5, -0.5, 0.5, 1.5])
# The top category is rarely used: some 6% of the ratings.
RARE = np.array([-1.875, -0.875, 0.125, 2.625])
# Targets, raters, items, raters of each target: the last three have three to four ratings each.
PLANS = (
    (60, 24, 4, 6), (60, 24, 3, 3), (200, 40, 2, 4),
    (200, 20, 1, 4), (200, 20, 2, 2), (500, 20, 1, 3),
)  # fmt: skip
NAMES = {"target": "target", "rater": "rater", "item": "item", "score": "score"}
SEEDS = 200

PEER = """
import sys, time, warnings; warnings.simplefilter("ignore")
import numpy as np, pandas as pd, raschpy
d = pd.read_csv(sys.argv[1])
wide = d.pivot(index=["rater", "target"], columns="item", values="score") - 1
wide.index.names, wide.columns.name = ["Rater", "Person"], None
wide.columns = [f"i{c}" for c in wide.columns]
spent = []
for _ in range(3):
    model = raschpy.MFRM(wide, max_score=4)
    start = time.process_time(); model.calibrate(); spent.append(time.process_time() - start)
severity = pd.Series(dict(model.facet_effects_global)).sort_index()
print(np.median(spent), *severity.tolist())
"""


def study(
    rng: np.random.Generator, targets: int, raters: int, items: int, each: int,
    steps: np.ndarray = STEPS[None],
) -> tuple[pd.DataFrame, np.ndarray]:  # fmt: skip
    """Ratings of ``each`` random raters per target on all items, and the true severities.

    ``steps``: thresholds of all items, or a row for each.
    """
    # At random, so that the plan is one block.
    who = np.argsort(rng.random((targets, raters)), axis=1)[:, :each]
    target = np.repeat(np.arange(targets), each * items)
    rater, item = np.repeat(who.ravel(), items), np.tile(np.arange(items), targets * each)
    good, severity, hard = (
        rng.normal(0, 1, targets),
        rng.normal(0, 0.5, raters),
        rng.normal(0, 0.5, items),
    )
    severity -= severity.mean()
    place = good[target] - severity[rater] - (hard - hard.mean())[item]
    p = rasch.chances(place, steps, item % len(steps)).cumsum(axis=1)
    score = 1 + (rng.random((len(place), 1)) > p[:, :-1]).sum(axis=1)
    table = pd.DataFrame({"target": target, "rater": rater, "item": item, "score": score})
    return table, severity


def arrays(t: pd.DataFrame) -> rasch.Data:
    """The same ratings for the arithmetic alone."""
    codes = [t[c].to_numpy() for c in ("target", "rater", "item")]
    sizes = tuple(int(c.max()) + 1 for c in codes)
    group = np.zeros(len(t), np.int64)
    return rasch.Data(
        t["score"].to_numpy() - 1, codes[0], tuple(codes[1:]), sizes, group, len(STEPS)
    )


def median_seconds(call, runs: int = 5) -> float:
    """Median of a few runs, in seconds of the processor: the machine has other work."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return float(np.median(times))


def peer(table: pd.DataFrame, severity: np.ndarray) -> float | None:
    """Seconds of RaschPy on these ratings; None when there is no interpreter that has it."""
    python = os.environ.get("RASCHPY")
    if not python:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ratings.csv")
        table.to_csv(path, index=False)
        said = subprocess.run(
            [python, "-c", PEER, str(path)], capture_output=True, text=True, check=False
        )
    if said.returncode:
        print("RaschPy failed:", said.stderr.splitlines()[-1])
        return None
    seconds, *found = map(float, said.stdout.split())
    if found:
        print(f"  RaschPy: severity r = {np.corrcoef(found, severity)[0, 1]:.4f}")
    return seconds


def speed() -> None:
    """Ratios and growth over three sizes; joint, corrected and marginal through the front door."""
    times = []
    for size in SIZES:
        table, severity = study(np.random.default_rng(1), *size)
        data = arrays(table)
        own = median_seconds(lambda d=data: rasch.fit(d))
        r = np.corrcoef(rasch.fit(data).measures[1], severity)[0, 1]
        times.append((len(table), own))
        print(f"{' x '.join(map(str, size[:3]))}, {len(table):,} ratings: severity r = {r:.4f}")
        if size == SIZES[1]:
            ratios(table, severity, own)
    n, seconds = np.array(times).T
    slopes = np.diff(np.log(seconds)) / np.diff(np.log(n))
    print("growth exponents:", ", ".join(f"{s:.2f}" for s in slopes))
    table, severity = study(np.random.default_rng(2), *WIDE)
    data = arrays(table)
    many = median_seconds(lambda: rasch.fit(data), 1)
    print(
        f"{WIDE[1]:,} raters, {WIDE[0]:,} targets, {len(table):,} ratings: "
        f"{many / seconds[1]:.0f} times the middle size"
    )


def ratios(table: pd.DataFrame, severity: np.ndarray, own: float) -> None:
    """Against the peers, and what the rest of the table costs."""
    live = peer(table, severity)
    print(
        f"  RaschPy ({'this run' if live else 'stored'}) / ours = {(live or STORED['RaschPy']) / own:.0f}"
    )
    print(f"  TAM (stored) / ours = {STORED['TAM'] / own:.0f}")
    for method in ("joint", "joint_corrected", "marginal"):
        whole = median_seconds(lambda m=method: verify.facets(table, **NAMES, method=m), 1)
        print(f"  verify.facets, {method}: {whole / own:.1f} times the arithmetic alone; "
              f"TAM (stored) / ours = {STORED['TAM'] / whole:.0f}")  # fmt: skip


def coverage(studies: int = SEEDS) -> None:
    """Share of severities and thresholds inside their 95% interval; how far drawn apart."""
    for plan in PLANS:
        rows: dict[str, list[list[float]]] = {}
        for seed in range(studies):
            for kind, steps in _scales(plan[2]).items():
                table, severity = study(np.random.default_rng(seed), *plan, steps)
                word = {"steps": "item"} if "credit" in kind else {}
                for method in ("joint", "joint_corrected", "marginal"):
                    found = verify.facets(table, **NAMES, method=method, **word).table
                    seen = [*_severities(found, severity), _thresholds(found, steps)]
                    rows.setdefault(kind + method, []).append(seen)
        targets, raters, items, each = plan
        print(f"{targets} targets x {each} of {raters} raters x {items} items, {studies} studies")
        for name, found in rows.items():
            severe, slope, step = np.nanmean(found, axis=0)
            done = np.isfinite(np.array(found)[:, 2]).sum()
            print(f"  {name}: severities {severe:.3f} (slope {slope:.2f}), thresholds {step:.3f}"
                  + (f" of {done}" if done < studies else ""), flush=True)  # fmt: skip


def _scales(items: int) -> dict[str, np.ndarray]:
    """Thresholds that all items share, or of their own, so that partial credit has something to find."""
    out = {}
    for kind, steps in (("", STEPS), ("rare top category, ", RARE)):
        out[kind] = steps[None]
        if items > 1:
            apart = np.linspace(-0.3, 0.3, items)[:, None] * np.array([1, -1, -1, 1])
            out[f"partial credit, {kind}"] = steps + apart
    return out


def _severities(found: pd.DataFrame, severity: np.ndarray) -> tuple[float, float]:
    """Share inside the limits; slope of the measures on the truth."""
    own = found[(found["metric"] == "facets") & (found["variant"] == "rater")]
    own = own[own["note"] != "extreme"]
    if own.empty:
        return float("nan"), float("nan")
    true = severity[own["element"].astype(int)]
    inside = (own["low"] <= true) & (true <= own["high"])
    return float(inside.mean()), float((own["estimate"] * true).sum() / (true**2).sum())


def _thresholds(found: pd.DataFrame, steps: np.ndarray) -> float:
    """Share inside the limits; none where an item lacks a category."""
    own = found[found["metric"] == "threshold"]
    true = steps.ravel()
    if len(own) != len(true):
        return float("nan")
    return float(((own["low"].to_numpy() <= true) & (true <= own["high"].to_numpy())).mean())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if "coverage" not in sys.argv:
        speed()
    if "speed" not in sys.argv:
        coverage(int(sys.argv[-1]) if sys.argv[-1].isdigit() else SEEDS)

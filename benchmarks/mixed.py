"""W1: variance components. Ratios in one run; lme4 is not run here, its seconds are the stored ones.

``python -m benchmarks.mixed`` (two minutes); ``python -m benchmarks.mixed huge`` adds 1e7 ratings.
The baseline of each run is statsmodels' MixedLM on the smallest size, where it still ends.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from svcmetrics.numeric.mixed import reml
from svcmetrics.numeric.ranks import from_mean
from svcmetrics.verify import generalizability

# Seconds of lme4 1.1.31 on the machine of the design notes (performance.md, W1).
LME4 = {"InstEval": 11.3, "1e6 x 20k x 500": 28.6, "1e7 x 200k x 1k": 488.0}
INSTEVAL = Path(__file__).parents[2] / "shared" / "data" / "insteval" / "ratings.csv"


def crossed(n: int, raters: int, targets: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Ratings of unequal numbers per rater with known variances 0.16, 0.09 and 0.81."""
    rng = np.random.default_rng(1)
    weight = rng.gamma(3, 1, raters)
    rater = np.r_[np.arange(raters), rng.choice(raters, n - raters, p=weight / weight.sum())]
    target = np.r_[np.arange(targets), rng.integers(0, targets, n - targets)]
    y = rng.normal(3, 0.9, n) + rng.normal(0, 0.4, raters)[rater]
    return y + rng.normal(0, 0.3, targets)[target], [rater, target]


def median_seconds(call, runs: int = 3) -> float:
    """Median of a few runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def against_statsmodels() -> None:
    """Both on the same small data: 600 ratings, 30 raters, 20 targets."""
    import statsmodels.api as sm

    y, (rater, target) = crossed(600, 30, 20)
    parts = {"r": "0 + C(r)", "t": "0 + C(t)"}
    frame = pd.DataFrame({"y": y, "r": rater, "t": target, "one": 1})
    model = sm.MixedLM.from_formula("y ~ 1", groups="one", vc_formula=parts, data=frame)
    peer = median_seconds(model.fit, 1)
    own = median_seconds(lambda: reml(y, [rater, target]))
    print(f"statsmodels / ours, 600 x 30 x 20: {peer / own:,.0f} times")


def against_lme4(huge: bool) -> None:
    """Stored seconds of lme4 over ours now: good to a factor of two, the machines differ."""
    cases = {"1e6 x 20k x 500": (10**6, 20_000, 500)}
    if huge:
        cases["1e7 x 200k x 1k"] = (10**7, 200_000, 1_000)
    for name, size in cases.items():
        y, factors = crossed(*size)
        report(name, median_seconds(lambda y=y, f=factors: reml(y, f), 1 if huge else 3))
    if INSTEVAL.exists():
        d = pd.read_csv(INSTEVAL)
        y = d["y"].to_numpy("float64")
        codes = [pd.factorize(d[c])[0].astype(np.intp) for c in ("s", "d")]
        report("InstEval", median_seconds(lambda: reml(y, codes)))
        call = {"object": "d"}
        seconds = median_seconds(lambda: generalizability(d, "y ~ d + s", **call), 1)
        print(f"  through verify.generalizability: {seconds:.2f} s")


def report(name: str, seconds: float) -> None:
    """One line: ours, the stored ratio, the peak of memory so far."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ratio = LME4[name] / seconds
    print(f"{name}: {seconds:.2f} s; lme4 (stored) / ours = {ratio:.0f}; peak {memory:,.0f} MB")


def growth() -> None:
    """Seconds at three sizes and the exponent of growth."""
    sizes = [(10**5, 2_000, 100), (3 * 10**5, 6_000, 200), (10**6, 20_000, 500)]
    times = []
    for size in sizes:
        y, factors = crossed(*size)
        times.append(median_seconds(lambda y=y, f=factors: reml(y, f)))
    slope = np.polyfit(np.log([s[0] for s in sizes]), np.log(times), 1)[0]
    print("sizes 1e5, 3e5, 1e6:", ", ".join(f"{t:.2f} s" for t in times), f"exponent {slope:.2f}")


def null_of_groups() -> None:
    """Share of studies of twelve equal departments in which any is called different (at most 5%)."""
    rng = np.random.default_rng(2)
    for raters in (5, 10, 30, 200):
        called, studies = 0, 20_000
        for _ in range(studies):
            x = rng.normal(0, 1, (12, raters))
            se = x.std(axis=1, ddof=1) / np.sqrt(raters)
            difference, half = from_mean(x.mean(axis=1), se, np.full(12, raters - 1.0))
            called += (np.abs(difference) > half).any()
        print(f"groups under the null, {raters} raters each: {called / studies:.3f}")


if __name__ == "__main__":
    huge = "huge" in sys.argv
    against_lme4(huge)
    growth()
    against_statsmodels()
    null_of_groups()

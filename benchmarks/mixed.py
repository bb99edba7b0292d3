"""W1: variance components. Ratios in one run; lme4 is not run here, its seconds are the stored ones.

``python -m benchmarks.mixed`` (a minute); ``python -m benchmarks.mixed huge`` adds 1e7 ratings.
The live baseline is statsmodels' MixedLM on small data, where it still ends. Seconds are those of
the processor (ours and statsmodels' run on one thread), so that a busy machine distorts less.
"""

from __future__ import annotations

import gc
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
LME4 = {
    "InstEval": 11.3,
    "InstEval with service and dept:service": 21.9,
    "1e6 x 20k x 500": 28.6,
    "1e7 x 200k x 1k": 488.0,
}
INSTEVAL = Path(__file__).parents[2] / "shared" / "data" / "insteval" / "ratings.csv"
# lme4's criterion with its tightest stop, from the reference beside the data.
CRITERION = 237783.88038798


def crossed(n: int, raters: int, targets: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Ratings of unequal numbers per rater with known variances 0.16, 0.09 and 0.81."""
    rng = np.random.default_rng(1)
    weight = rng.gamma(3, 1, raters)
    rater = np.r_[np.arange(raters), rng.choice(raters, n - raters, p=weight / weight.sum())]
    target = np.r_[np.arange(targets), rng.integers(0, targets, n - targets)]
    y = rng.normal(3, 0.9, n) + rng.normal(0, 0.4, raters)[rater]
    return y + rng.normal(0, 0.3, targets)[target], [rater, target]


def median_seconds(call, runs: int = 3) -> float:
    """Median of a few runs, in seconds of the processor."""
    times = []
    for _ in range(runs):
        gc.collect()
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
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


def against_lme4() -> None:
    """Stored seconds of lme4 over ours now: good to a factor of two, the machines differ."""
    if INSTEVAL.exists():
        insteval()
    y, factors = crossed(10**6, 20_000, 500)
    report("1e6 x 20k x 500", median_seconds(lambda: reml(y, factors)))


def insteval() -> None:
    """The real data: students and lecturers, and with service and departments by service."""
    d = pd.read_csv(INSTEVAL)
    y = d["y"].to_numpy("float64")
    both = d["dept"] * 2 + d["service"]
    codes = [pd.factorize(c)[0].astype(np.intp) for c in (d["s"], d["d"], both)]
    report("InstEval", median_seconds(lambda: reml(y, codes[:2])))
    X = np.column_stack([np.ones(len(y)), d["service"]])
    report("InstEval with service and dept:service", median_seconds(lambda: reml(y, codes, X)))
    print(f"  criterion less lme4's: {reml(y, codes[:2]).criterion - CRITERION:.1e}")
    call = {"object": "d"}
    seconds = median_seconds(lambda: generalizability(d, "y ~ d + s", **call), 1)
    print(f"  through verify.generalizability: {LME4['InstEval'] / seconds:.0f} times")


def ten_million() -> None:
    """Ten million ratings: memory too, since nothing larger ran before."""
    y, factors = crossed(10**7, 200_000, 1_000)
    report("1e7 x 200k x 1k", median_seconds(lambda: reml(y, factors), 1))


def two_large_factors() -> None:
    """Both factors too large for a dense equation; exact and drawn side by side where both run."""
    from svcmetrics.numeric import mixed_collapse

    y, factors = crossed(200_000, 6_000, 2_000)
    exact, whole = median_seconds(lambda: reml(y, factors), 1), reml(y, factors)
    usual, mixed_collapse.DENSE_LIMIT = mixed_collapse.DENSE_LIMIT, 1_000
    drawn, part = median_seconds(lambda: reml(y, factors), 1), reml(y, factors)
    mixed_collapse.DENSE_LIMIT = usual
    off = np.abs(part.variances - whole.variances) / whole.errors
    print(f"2e5 x 6k x 2k, dense / drawn: {exact / drawn:.0f} times; off by {off.max():.4f} errors")
    times, sizes = [], (3 * 10**5, 10**6, 3 * 10**6)
    for n in sizes:
        y, factors = crossed(n, n // 5, n // 50)
        times.append(median_seconds(lambda y=y, f=factors: reml(y, f), 1))
    print(
        f"n ratings x n/5 x n/50, exponent from {sizes[0]:,} to {sizes[-1]:,}: {slope(sizes, times):.2f}"
    )
    y, factors = crossed(10**6, 200_000, 20_000)
    model = reml(y, factors)
    share = (model.simulation_errors / model.errors).max()
    print(
        f"1e6 x 200k x 20k: simulation adds {share:.2%} of a standard error; "
        f"criterion ±{model.criterion_error:.1f} of {model.criterion:,.0f}; {memory():,.0f} MB"
    )


def memory() -> float:
    """Peak of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def slope(sizes, times) -> float:
    """Exponent of growth."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def report(name: str, seconds: float) -> None:
    """One line: ours, the stored ratio, the peak of memory so far."""
    ratio = LME4[name] / seconds
    print(f"{name}: lme4 (stored) / ours = {ratio:.0f} ({seconds:.2f} s); peak {memory():,.0f} MB")


def growth() -> None:
    """The exponent of growth over three sizes."""
    sizes = [(10**5, 2_000, 100), (3 * 10**5, 6_000, 200), (10**6, 20_000, 500)]
    times = []
    for size in sizes:
        y, factors = crossed(*size)
        times.append(median_seconds(lambda y=y, f=factors: reml(y, f)))
    exponent = slope([s[0] for s in sizes], times)
    print(f"1e5 x 2k x 100, 3e5 x 6k x 200, 1e6 x 20k x 500: exponent {exponent:.2f}")


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
    against_lme4()
    if "huge" in sys.argv:
        ten_million()
    two_large_factors()
    growth()
    against_statsmodels()
    null_of_groups()

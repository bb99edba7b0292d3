"""W2, W3: resampled alpha, intraclass correlations, omega and Krippendorff's alpha; the null of groups.

``python3 dev.py bench verify`` (two minutes); ``… verify huge`` adds ten million ratings. Where
pingouin and krippendorff can be imported they run here on the same data, else the seconds stored
in the design notes stand in, and the line says so. Processor seconds on both sides: a busy machine
stretches the clock, not them.
"""

from __future__ import annotations

import importlib
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from svcmetrics import verify
from svcmetrics.numeric import factors
from svcmetrics.numeric.ranks import from_mean, rank_sets

# Seconds of the peers for 2,000 resamples of the workloads below, on the machine of the notes.
STORED = {
    "alpha": {"pingouin": 5.3, "R psych": 130.0},
    "icc": {"pingouin": 221.0, "R psych": 4055.0},
    "omega": {"factor_analyzer": 50.0, "R psych": 104.0},
    "krippendorff": {"krippendorff": 12.6, "R irr": 10_900.0},
}
WANTED = {"alpha": 40, "icc": 1500, "omega": 50, "krippendorff": 100}
RESAMPLES = 2000


def seconds(call: Callable[[], object], runs: int = 3) -> float:
    """Least processor seconds of a few runs."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def answers(persons: int, items: int, filled: float = 1.0) -> np.ndarray:
    """Whole answers from 1 to 5 with something in common, some of them missing."""
    rng = np.random.default_rng(1)
    common = rng.normal(size=(persons, 1)) * 0.7
    x = np.clip(np.round(3 + common + rng.normal(size=(persons, items)) * 0.8), 1, 5)
    return np.where(rng.random(x.shape) < filled, x, np.nan)


def long(table: np.ndarray) -> pd.DataFrame:
    row, column = np.nonzero(np.isfinite(table))
    return pd.DataFrame({"person": row, "item": column, "score": table[row, column]})


def calls(data: pd.DataFrame) -> dict[str, Callable[[], object]]:
    """The public functions as a user calls them, with 2,000 resamples."""
    form = {"person": "person", "item": "item", "score": "score"}
    rated = {"target": "person", "rater": "item", "score": "score"}
    return {
        "alpha": lambda: verify.alpha(data, **form, interval="bootstrap"),
        "icc": lambda: verify.icc(data, **rated, interval="bootstrap"),
        "omega": lambda: verify.omega(data, **form),
        "krippendorff": lambda: verify.agreement(data, **rated, weights="ordinal"),
    }


def peer_once(name: str, table: np.ndarray) -> tuple[str, float] | None:
    """Processor seconds of one peer call on one resample; None where the peer is not installed."""
    rng = np.random.default_rng(2)
    drawn = table[rng.integers(0, len(table), len(table))]
    try:
        peer = importlib.import_module("krippendorff" if name == "krippendorff" else "pingouin")
    except ImportError:
        return None
    if name == "alpha":
        wide = pd.DataFrame(drawn)
        return "pingouin", seconds(lambda: peer.cronbach_alpha(data=wide))
    if name == "icc":
        frame = long(drawn)
        words = {"targets": "person", "raters": "item", "ratings": "score"}
        return "pingouin", seconds(lambda: peer.intraclass_corr(data=frame, **words), 1)
    if name == "krippendorff":
        other = {"reliability_data": drawn.T, "level_of_measurement": "ordinal"}
        return "krippendorff", seconds(lambda: peer.alpha(**other))
    return None


def against_peers() -> None:
    """One resample of the peer times 2,000 over all of ours; the peer's own loop adds more."""
    full, sparse = answers(5_000, 24), answers(10_000, 50, 0.2)
    for name, stored in STORED.items():
        table = sparse if name == "krippendorff" else full
        call = calls(long(table))[name]
        call()
        own = seconds(call)
        live = peer_once(name, table)
        text = [f"{name}: ours {own:.2f} s"]
        if live:
            text.append(f"{live[0]} here / ours = {live[1] * RESAMPLES / own:,.0f}")
        text += [f"{p} (stored) / ours = {s / own:,.0f}" for p, s in stored.items()]
        print("; ".join(text), f"(wanted: {WANTED[name]})", flush=True)


def growth(huge: bool) -> None:
    """Seconds at three sizes and the exponent of growth; memory of the process so far."""
    shapes = [(5_000, 20), (50_000, 20), *([(500_000, 20)] if huge else [(150_000, 20)])]
    for name in ("alpha", "icc", "krippendorff"):
        times = []
        for shape in shapes:
            call = calls(long(answers(*shape)))[name]
            times.append(seconds(call, 1))
        ratings = [a * b for a, b in shapes]
        slope = np.polyfit(np.log(ratings), np.log(times), 1)[0]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sizes = ", ".join(f"{n:,}: {t:.2f} s" for n, t in zip(ratings, times, strict=True))
        print(f"{name}, ratings {sizes}; exponent {slope:.2f}; peak {memory:,.0f} MB", flush=True)


def several_factors() -> None:
    """Omega with three factors: 2,000 fits and rotations at once, against as many one by one."""
    rng = np.random.default_rng(4)
    own = np.zeros((24, 3))
    own[np.arange(24), np.arange(24) % 3] = rng.uniform(0.5, 0.8, 24)
    common = rng.normal(size=(5_000, 1)) * 0.6 + rng.normal(size=(5_000, 3)) * 0.8
    table = common @ own.T + rng.normal(size=(5_000, 24)) * 0.7
    data, matrix = long(table), np.corrcoef(table.T)[None]
    form = {"person": "person", "item": "item", "score": "score"}
    ours = seconds(lambda: verify.omega(data, **form, factors=3), 1)

    def alone() -> None:
        factors.schmid_leiman(*factors.oblimin(factors.extract(matrix, 3)[0])[:2])

    one = sum(seconds(alone, 1) for _ in range(50)) / 50
    print(
        f"omega, three factors, 5,000 x 24: {ours:.2f} s; one by one / ours = "
        f"{one * RESAMPLES / ours:.1f}",
        flush=True,
    )


def met(targets: int, raters: int, ratings: int) -> pd.DataFrame:
    """Whole scores of targets by raters who met at random, each pair once."""
    rng = np.random.default_rng(3)
    pair = np.unique(rng.integers(0, targets * raters, ratings))
    target, rater = pair // raters, pair % raters
    score = 3 + 0.5 * rng.normal(size=targets)[target] + 0.4 * rng.normal(size=raters)[rater]
    score = np.clip(np.round(score + 0.8 * rng.normal(size=len(pair))), 1, 5)
    return pd.DataFrame({"person": target, "item": rater, "score": score})


def many_raters(huge: bool) -> None:
    """Incomplete tables with few and with very many raters; Kendall's W of 200,000 raters."""
    rated = {"target": "person", "rater": "item", "score": "score"}
    shapes = [(50_000, 25, 0.8), (10_000, 125, 0.8), *([(500_000, 25, 0.8)] if huge else [])]
    made = [(b, long(answers(a, b, share))) for a, b, share in shapes]
    made.append((200_000, met(500, 200_000, 1_000_000)))
    for raters, data in made:
        for call in (verify.agreement, verify.icc):
            ours = seconds(lambda c=call, d=data: c(d, **rated), 1)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{call.__name__}, {len(data):,} ratings of {raters:,} raters, incomplete: "
                f"{ours:.1f} s; peak so far {memory:,.0f} MB",
                flush=True,
            )
    for targets, raters in ((8, 200_000), (20_000, 20)):
        data = long(answers(targets, raters))
        ours = seconds(lambda d=data: verify.kendall_w(d, **rated), 1)
        print(f"Kendall's W, {targets:,} targets x {raters:,} raters: {ours:.1f} s", flush=True)


def structure_of_forms() -> None:
    """Dimensions of 25 items with five claimed: eigenvalues of chance, two models, their limits."""
    for forms in (2_800, 28_000):
        wide = pd.DataFrame(answers(forms, 25)).rename_axis("person").reset_index()
        data = wide.melt("person", var_name="item", value_name="score")
        data["dimension"] = data["item"].astype(int) % 5
        words = {"person": "person", "item": "item", "score": "score"}
        whole = seconds(lambda d=data, w=words: verify.structure(d, **w, dimension="dimension"), 1)
        ordinal = seconds(
            lambda d=data, w=words: verify.alpha(d, **w, correlations="polychoric"), 1
        )
        print(
            f"{forms:,} forms of 25 items: structure {whole:.2f} s, alpha of 300 polychoric "
            f"correlations with its limits {ordinal:.2f} s",
            flush=True,
        )


def null_of_groups(studies: int = 20_000) -> None:
    """Share of studies of twelve equal departments in which any is called different (stated: 5%)."""
    rng = np.random.default_rng(2)
    for raters in (5, 10, 30, 200):
        called = 0
        for _ in range(studies):
            x = rng.standard_normal((12, raters))
            se = x.std(axis=1, ddof=1) / np.sqrt(raters)
            difference, half = from_mean(x.mean(axis=1), se, np.full(12, raters - 1.0))
            called += bool((np.abs(difference) > half).any())
        error = np.sqrt(0.05 * 0.95 / studies)
        print(f"groups under the null, {raters} raters each: {called / studies:.4f} ± {error:.4f}")


def cover_of_ranks(studies: int = 2_000) -> None:
    """Share of studies in which confidence sets hold the true ranks (stated: 95%), close and far."""
    rng = np.random.default_rng(3)
    se = np.linspace(0.08, 0.3, 12)
    for name, truth in {
        "equal": np.zeros(12),
        "close": np.linspace(0, 0.6, 12),
        "three tiers": np.repeat([0.0, 0.5, 1.0], 4),
        "far": np.linspace(0, 6, 12),
    }.items():
        best = 1 + (truth > truth[:, None]).sum(axis=1)
        worst = (truth >= truth[:, None]).sum(axis=1)
        joint, single, wide = 0, np.zeros(12), 0.0
        for i in range(studies):
            low, high = rank_sets(rng.normal(truth, se), se, 0.95, joint=True)
            joint += bool(((low <= best) & (worst <= high)).all())
            wide += float((high - low + 1).mean())
            if i % 5 == 0:  # the exact marginal quantiles take longer
                low, high = rank_sets(rng.normal(truth, se), se, 0.95, joint=False)
                single += (low <= best) & (worst <= high)
        drawn = len(range(0, studies, 5))
        least, mean = single.min() / drawn, single.mean() / drawn
        print(
            f"ranks, {name}: simultaneous {joint / studies:.3f}, marginal {mean:.3f} "
            f"(least of 12 {least:.3f}, each ± {np.sqrt(0.05 * 0.95 / drawn):.3f}), "
            f"{wide / studies:.1f} ranks wide",
            flush=True,
        )


if __name__ == "__main__":
    against_peers()
    several_factors()
    growth("huge" in sys.argv)
    many_raters("huge" in sys.argv)
    structure_of_forms()
    null_of_groups()
    cover_of_ranks()

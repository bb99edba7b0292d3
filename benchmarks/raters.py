"""Rater effects: are planted sizes inside their intervals, and are honest studies left alone?

``python -m benchmarks raters`` makes 200 seeded studies of each kind (``raters 40``: of 40) and prints
the share of intervals that hold the truth, of 95% ones; the share of honest raters, waves and
studies that raise an alarm; and how often a decay is seen within one wave of its start. Nothing is
timed here. A small version runs in the tests.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd

from svcmetrics import verify

STUDIES = 200
Draw = Callable[[np.random.Generator, int], bool]
NAMES = {"rater": "r", "target": "t", "score": "s"}


def rated(rng: np.random.Generator, raters: int, targets: int, share: float = 0.7) -> pd.DataFrame:
    """Who rates whom at random, with a rater's severity (sd 0.4) and a department's level."""
    asked = rng.random((raters, targets)) < share
    r, t = np.nonzero(asked)
    level = rng.normal(0, 0.4, targets)[t] - rng.normal(0, 0.4, raters)[r]
    return pd.DataFrame({"r": r, "t": t, "s": 3.5 + level})


def noisy(rng: np.random.Generator, table: pd.DataFrame, spread: float = 0.4) -> pd.DataFrame:
    """With an error of its own in each row."""
    return table.assign(s=table["s"] + rng.normal(0, spread, len(table)))


def waves(rng: np.random.Generator, table: pd.DataFrame, number: int) -> pd.DataFrame:
    """The same pairs in several waves; each pair keeps its liking."""
    liked = table.assign(s=table["s"] + rng.normal(0, 0.3, len(table)))
    return liked.merge(pd.DataFrame({"w": range(number)}), how="cross")


def inside(table: pd.DataFrame, name: str, truth: float) -> bool:
    """Whether the first row of this metric has the truth between its limits."""
    row = table[table["metric"] == name].iloc[0]
    return bool(row["low"] <= truth <= row["high"])


def severity(rng: np.random.Generator, _: int) -> bool:
    """Standard deviation of severity, 0.4 points."""
    found = verify.severity(noisy(rng, rated(rng, 60, 8)), **NAMES).table
    return inside(found, "severity_sd", 0.4)


def _impressions(rng: np.random.Generator) -> pd.DataFrame:
    base = rated(rng, 50, 6)
    base = base.assign(s=base["s"] + rng.normal(0, 0.5, len(base)))
    table = base.merge(pd.DataFrame({"i": range(5)}), how="cross")
    return noisy(rng, table, 0.5)


def halo(rng: np.random.Generator, _: int) -> bool:
    """An impression of 0.5 points beside item errors of 0.5: a share of one half."""
    found = verify.halo(_impressions(rng), **NAMES, item="i").table
    return inside(found, "halo", 0.5)


def halo_points(rng: np.random.Generator, _: int) -> bool:
    """The same in points."""
    found = verify.halo(_impressions(rng), **NAMES, item="i").table
    return inside(found, "halo_sd", 0.5)


def drift(rng: np.random.Generator, _: int) -> bool:
    """Raters move by 0.3 points from wave to wave."""
    table = waves(rng, rated(rng, 40, 6), 5)
    moved = rng.normal(0, 0.3, (40, 5))[table["r"], table["w"]]
    found = verify.drift(noisy(rng, table.assign(s=table["s"] + moved)), **NAMES, wave="w").table
    return inside(found, "drift", 0.3)


def in_group(rng: np.random.Generator, _: int) -> bool:
    """Favour of 0.3 points; half of the raters on each side."""
    table = rated(rng, 80, 8)
    table["g"], table["h"] = table["r"] % 2, table["t"] % 2
    table["s"] += 0.3 * (table["g"] == table["h"])
    found = verify.in_group(noisy(rng, table), **NAMES, rater_group="g", target_group="h").table
    return inside(found, "in_group", 0.3)


def departments(
    rng: np.random.Generator, favour: np.ndarray, each: int, share: float = 0.7
) -> pd.DataFrame:
    """Departments rate one another, never themselves; liking 0.35, error 0.3."""
    units = len(favour)
    table = rated(rng, units * each, units, share)
    table["u"] = table["r"] // each
    table = table[table["u"] != table["t"]].reset_index(drop=True)
    table["s"] += favour[table["u"], table["t"]] + rng.normal(0, 0.35, len(table))
    return noisy(rng, table, 0.3)


def ring(units: int, members: tuple[int, ...], size: float) -> np.ndarray:
    """Points that members give one another."""
    out = np.zeros((units, units))
    for a, b in itertools.permutations(members, 2):
        out[a, b] = size
    return out


def reciprocity_pair(rng: np.random.Generator, k: int) -> bool:
    """One pair of eight departments gives each other 0.7 points."""
    table = departments(rng, ring(8, (1, 4), 0.7), 8, 0.8)
    found = verify.reciprocity(table, **NAMES, rater_unit="u", rng=k).table
    pair = found[(found["unit"] == "1") & (found["other_unit"] == "4")]
    return inside(pair, "mutual", 0.7)


def _round_robin(rng: np.random.Generator) -> pd.DataFrame:
    a, b = (v.ravel() for v in np.indices((14, 14)))
    a, b = a[a != b], b[a != b]
    noise = rng.normal(size=(14, 14))
    both = np.sqrt(0.5) * (noise + noise.T) / np.sqrt(2) + np.sqrt(0.5) * rng.normal(size=(14, 14))
    y = rng.normal(0, 0.7, 14)[a] + rng.normal(0, 0.7, 14)[b] + both[a, b]
    there = rng.random(len(y)) < 0.85
    return pd.DataFrame({"r": a, "t": b, "s": y})[there]


def reciprocity_dyadic(rng: np.random.Generator, k: int) -> bool:
    """Fourteen units, some cells missing: a dyadic correlation of 0.5."""
    found = verify.reciprocity(_round_robin(rng), **NAMES, rng=k).table
    return inside(found, "reciprocity", 0.5)


def collusion(rng: np.random.Generator, k: int) -> bool:
    """A ring of three departments of eight, 0.6 points (simultaneous limits)."""
    found = verify.collusion(
        departments(rng, ring(8, (1, 4, 6), 0.6), 10, 0.8), **NAMES, rater_unit="u", rng=k
    ).table
    return inside(found, "collusion", 0.6)


def mode(rng: np.random.Generator, k: int) -> bool:
    """A name adds 0.25 points; the lot is drawn within five departments."""
    table = rated(rng, 60, 4)
    named = np.zeros(60, bool)
    for u in range(5):
        here = rng.permutation(np.flatnonzero(np.arange(60) % 5 == u))
        named[here[: len(here) // 2]] = True
    table["m"], table["u"] = np.where(named, "named", "open")[table["r"]], table["r"] % 5
    table["s"] += 0.25 * named[table["r"]]
    found = verify.mode_effect(noisy(rng, table), **NAMES, mode="m", stratum="u", rng=k).table
    return inside(found, "mode_effect", 0.25)


def honest(
    rng: np.random.Generator, copiers: int = 0, start: int = 9, number: int = 5, raters: int = 100
) -> pd.DataFrame:
    """Lasting opinions answered anew in each wave; from ``start`` on some hand in last wave's form."""
    base = rated(rng, raters, 8, 0.45)
    pair = base["s"].to_numpy() + rng.normal(0, 0.35, len(base))
    last, parts = np.empty(0), []
    for w in range(number):
        x = np.clip(np.rint(pair[:, None] + rng.normal(0, 0.5, (len(base), 6))), 1, 5)
        if w >= start:
            copied = (base["r"] < copiers).to_numpy()
            x[copied] = last[copied]
        last = x
        long = pd.DataFrame(x).stack().rename_axis(["row", "i"]).rename("s").reset_index()
        parts.append(long.join(base[["r", "t"]], on="row").assign(w=w))
    return pd.concat(parts, ignore_index=True)


def formality_alarm(rng: np.random.Generator, k: int) -> bool:
    """Whether any of four honest comparisons of waves is called copied."""
    found = verify.formality(honest(rng), **NAMES, item="i", wave="w", rng=k).table
    tests = found[found["metric"].isin(["copying", "near_copying"])]
    return bool((tests["p_adjusted"] <= 0.05).any())


def formality_steadier(rng: np.random.Generator, k: int) -> bool:
    """Half of the raters answer much more steadily from the third wave on; nobody copies."""
    base = rated(rng, 100, 8, 0.45)
    pair = base["s"].to_numpy() + rng.normal(0, 0.35, len(base))
    parts = []
    for w in range(5):
        steady = (base["r"] < 50).to_numpy() & (w >= 2)
        spread = np.where(steady, 0.25, 0.9)[:, None]
        x = np.clip(np.rint(pair[:, None] + spread * rng.normal(size=(len(base), 6))), 1, 5)
        long = pd.DataFrame(x).stack().rename_axis(["row", "i"]).rename("s").reset_index()
        parts.append(long.join(base[["r", "t"]], on="row").assign(w=w))
    table = pd.concat(parts, ignore_index=True)
    found = verify.formality(table, **NAMES, item="i", wave="w", rng=k).table
    tests = found[found["metric"].isin(["copying", "near_copying"])]
    return bool((tests["p_adjusted"] <= 0.05).any())


def formality_decay(rng: np.random.Generator, k: int) -> bool:
    """An eighth of the raters copies from the third wave on: seen in that wave or the next."""
    table = honest(rng, copiers=12, start=2)
    found = verify.formality(table, **NAMES, item="i", wave="w", rng=k).table
    words = found.loc[(found["metric"] == "formality") & (found["variant"] == "targets"), "verdict"]
    return bool(words.iloc[2:4].isin(["signs", "mechanical"]).any())


def careless_honest(rng: np.random.Generator, k: int) -> float:
    """Share of attentive raters flagged."""
    table = honest(rng, number=1, raters=120)
    found = verify.careless(table, **NAMES, item="i", rng=k).table
    return float(found["estimate"].iloc[0])


def collusion_alarm(rng: np.random.Generator, k: int) -> bool:
    """Whether any group of departments that only rate is named."""
    table = departments(rng, np.zeros((8, 8)), 10, 0.8)
    found = verify.collusion(table, **NAMES, rater_unit="u", rng=k).table
    return bool((found["cluster"] != "").any())


COVERED: dict[str, Draw] = {
    "severity": severity, "halo, share": halo, "halo, points": halo_points, "drift": drift,
    "in-group": in_group, "reciprocity, pair": reciprocity_pair,
    "reciprocity, dyadic correlation": reciprocity_dyadic, "collusion": collusion, "mode": mode,
}  # fmt: skip
ALARMS: dict[str, Callable[[np.random.Generator, int], float]] = {
    "formality: honest studies with an alarm": formality_alarm,
    "formality: studies with an alarm where half of the raters become steadier": formality_steadier,
    "careless: attentive raters flagged": careless_honest,
    "collusion: honest studies with a group named": collusion_alarm,
}


def share(draw: Callable[[np.random.Generator, int], float], studies: int) -> float:
    """Mean over seeded studies."""
    return float(np.mean([draw(np.random.default_rng(k), k) for k in range(studies)]))


def main(studies: int) -> None:
    """Print the shares."""
    for name, draw in COVERED.items():
        print(f"covered, of 95% limits · {name}: {share(draw, studies):.3f}", flush=True)
    for name, alarm in ALARMS.items():
        print(f"false alarms, 0.05 stated · {name}: {share(alarm, studies):.3f}", flush=True)
    seen = share(formality_decay, studies)
    print(f"decay by an eighth of the raters seen within one wave: {seen:.3f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else STUDIES)

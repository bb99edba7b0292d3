"""Gaming of ratings: how often honest waves raise a flag, and how much of what is planted is seen.

``python3 dev.py bench gaming_votes [studies]``. Nothing is timed. Ten people in each of eight
departments rate the other seven in six waves, on two items; some departments are honestly served
better by some, and some get on better in one wave than in another. Then two departments give each
other the top score, one pays back what it got, or late forms lift one; and then two or three pairs,
or departments, do the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.gaming import of
from svcmetrics import verify

UNITS, RATERS, WAVES, ITEMS = 8, 10, 6, 2
CHECKS = ("mutual_top", "revenge", "late_votes")


def ratings(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    shape = (UNITS, RATERS, UNITS, WAVES, ITEMS)
    u, p, t, w, i = (x.ravel() for x in np.meshgrid(*map(np.arange, shape), indexing="ij"))
    score = 3.6 + rng.normal(0, 0.4, (UNITS, RATERS))[u, p]
    score += rng.normal(0, 0.25, (UNITS, UNITS))[u, t] + rng.normal(0, 0.3, (UNITS, WAVES))[t, w]
    met = rng.normal(0, 0.3, (UNITS, UNITS, WAVES))[u, t, w]  # how the two got on in that wave
    score += rng.normal(0, 0.6, len(u))
    day = rng.uniform(0, 20, (UNITS, RATERS, UNITS, WAVES))[u, p, t, w]
    start = pd.Timestamp("2026-01-01", tz="Asia/Shanghai") + pd.to_timedelta(30 * w, unit="D")
    frame = pd.DataFrame({
        "wave": w, "rater_key": u * RATERS + p, "rater_unit_id": u, "target_id": t, "item_id": i,
        "latent": score + met, "met": met, "submitted_at": start + pd.to_timedelta(day, unit="D"), "day": day,
    })  # fmt: skip
    return frame[u != t].reset_index(drop=True)


def answered(frame: pd.DataFrame) -> pd.DataFrame:
    named = {c: frame[c].astype("str") for c in ("wave", "rater_key", "rater_unit_id", "item_id")}
    score = frame["latent"].round().clip(1, 5)
    return frame.assign(**named, target_id=frame["target_id"].astype("str"), score=score)


def mutual_top(
    frame: pd.DataFrame, share: float, rng: np.random.Generator, first: int = 0
) -> pd.DataFrame:
    """A department and the next give each other the top score in this share of their forms."""
    pair = (2 * first, 2 * first + 1)
    theirs = frame["rater_unit_id"].isin(pair) & frame["target_id"].isin(pair)
    form = frame["rater_key"] * WAVES + frame["wave"]
    chosen = rng.random(UNITS * RATERS * WAVES)[form] < share
    return frame.assign(latent=frame["latent"].mask(theirs & chosen, 5.0))


def revenge(
    frame: pd.DataFrame, slope: float, _: np.random.Generator, own: int = 0
) -> pd.DataFrame:
    """A department answers what it got in one wave with so much of the same in the next."""
    got = frame[frame["target_id"] == own].groupby(["rater_unit_id", "wave"])["met"].first()
    key = pd.MultiIndex.from_arrays([frame["target_id"], frame["wave"] - 1])
    paid = slope * got.reindex(key).fillna(0.0).to_numpy()
    return frame.assign(latent=frame["latent"] + paid * (frame["rater_unit_id"] == own))


def late_votes(
    frame: pd.DataFrame, points: float, _: np.random.Generator, own: int = 0
) -> pd.DataFrame:
    """The last twentieth of the forms gives a department so many points more."""
    late = frame["day"] > 19
    return frame.assign(latent=frame["latent"] + points * (late & (frame["target_id"] == own)))


PLANTED = {mutual_top: (0.2, 0.4, 0.7), revenge: (0.4, 0.8, 1.5), late_votes: (0.5, 0.7, 1.0)}

# The same by two or three pairs, or departments.
TOGETHER = {mutual_top: 0.7, revenge: 1.5, late_votes: 1.0}


def all_seen(frame: pd.DataFrame, kind: Callable[..., pd.DataFrame], many: int, seed: int) -> bool:
    """Whether all of them are flagged."""
    for place in range(many):
        frame = kind(frame, TOGETHER[kind], np.random.default_rng([seed, place]), place)
    found = flags(frame)
    step = 2 if kind is mutual_top else 1
    units = {str(step * place) for place in range(many)}
    return units <= set(found.loc[found["metric"] == kind.__name__, "unit"])


def flags(frame: pd.DataFrame) -> pd.DataFrame:
    table = verify.gaming(answered(frame)).table
    return table[table["flagged"].astype(bool)]


def main(count: int) -> None:
    alarms = dict.fromkeys((*CHECKS, "any"), 0)
    hits = {(kind, size): 0 for kind, sizes in PLANTED.items() for size in sizes}
    hidden = {(kind, many): 0 for kind in TOGETHER for many in (2, 3)}
    for seed in range(2000, 2000 + count):
        frame, rng = ratings(seed), np.random.default_rng(seed)
        found = set(flags(frame)["metric"])
        for name in alarms:
            alarms[name] += bool(found) if name == "any" else name in found
        for kind, size in hits:
            rows = flags(kind(frame, size, rng))
            hits[kind, size] += bool(
                ((rows["metric"] == kind.__name__) & (rows["unit"] == "0")).any()
            )
        for kind, many in hidden:
            hidden[kind, many] += all_seen(frame, kind, many, seed)
    for name, times in alarms.items():
        print(f"honest, {name}: flagged in {of(times, count)}")
    for (kind, size), times in hits.items():
        print(f"{kind.__name__} {size:g}: seen in {of(times, count)}")
    for (kind, many), times in hidden.items():
        print(f"masking: {kind.__name__} {TOGETHER[kind]:g}, {many} at once: "
              f"all of them seen in {of(times, count)}")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)

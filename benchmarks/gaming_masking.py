"""Departments that do the same: how many of them are seen, and how often honest counts raise a flag.

``python3 dev.py bench gaming_masking [draws]``. Nothing is timed. Counts of cases are drawn for
departments of unequal size that differ honestly (log odds scatter normally), and judged twice in the
same draw: each by itself against all others, as before several were looked for, and as
``verify.gaming`` does it. Then one, two or three of them steer a share of their cases.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from scipy import special

from svcmetrics.numeric import masking, outlier_counts
from svcmetrics.numeric.intervals import wilson
from svcmetrics.numeric.multiplicity import benjamini_hochberg

SPREADS = (0.0, 0.5, 1.0)
# Cases of the smallest and of the largest department, and the share of hits among the honest.
LOGS = {"10 to 120 cases, 10% hits": (10, 120, 0.1), "150 to 1,500, 2%": (150, 1500, 0.02),
        "150 to 1,500, 0.1%": (150, 1500, 0.001), "150 to 1,500, 10%": (150, 1500, 0.1)}  # fmt: skip
STEERED = ((8, 1), (8, 2), (8, 3), (20, 4), (5, 2))


def drawn(
    rng: np.random.Generator, groups: int, log: str, spread: float, steering: int = 0, more: float = 0
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Hits and cases; the first departments steer (their size is as much by chance as any other)."""
    low, high, share = LOGS[log]
    cases = np.exp(rng.uniform(np.log(low), np.log(high), groups)).round()
    odds = special.logit(share) + spread * rng.normal(size=groups)
    hits = rng.binomial(cases.astype(int), special.expit(odds)).astype(float)
    hits[:steering] += rng.binomial((cases - hits)[:steering].astype(int), more)
    return hits, cases


def flagged(hits: np.ndarray, cases: np.ndarray) -> Iterator[np.ndarray]:
    """Who is flagged: each by itself, and alone or as one of several."""
    judge = outlier_counts.above(hits, cases)
    for p in (judge().p, masking.several(judge, len(hits)).p):
        yield benjamini_hochberg(p) <= 0.05


def counted(
    draws: int, groups: int, log: str, spread: float, steering: int = 0, more: float = 0
) -> tuple[list[int], list[int]]:  # fmt: skip
    """Of so many draws: all who steer are flagged; an honest one is (by itself, as one of several)."""
    rng, all_of_them, wrongly = np.random.default_rng(groups), [0, 0], [0, 0]
    for _ in range(draws):
        for way, found in enumerate(flagged(*drawn(rng, groups, log, spread, steering, more))):
            all_of_them[way] += int(found[:steering].all())
            wrongly[way] += int(found[steering:].any())
    return all_of_them, wrongly


def told(times: list[int], draws: int) -> str:
    """Percent of the draws, with its 95% interval (Wilson)."""
    low, high = wilson(np.array(times), np.full(len(times), draws))
    each = zip(times, low, high, strict=True)
    return " | ".join(f"{n / draws:.1%} ({100 * a:.1f} to {100 * b:.1f})" for n, a, b in each)


def honest(draws: int) -> None:
    print("honest: any flag, each by itself | alone or as one of several")
    for log in LOGS:
        for groups in (3, 5, 8, 20):
            # Fewer than five are not compared, whatever their spread.
            for spread in SPREADS if groups > 4 else SPREADS[:1]:
                _, wrongly = counted(draws, groups, log, spread)
                print(
                    f"{log}, {groups} departments, spread {spread:g}: {told(wrongly, draws)}",
                    flush=True,
                )


def planted(draws: int) -> None:
    print("planted, honest spread 0.5: all who steer are flagged, each by itself | alone or as one of "
          "several; an honest one is")  # fmt: skip
    for log in ("150 to 1,500, 2%", "150 to 1,500, 0.1%"):
        for groups, steering in STEERED:
            for more in (0.1, 0.2, 0.4):
                found, wrongly = counted(draws, groups, log, 0.5, steering, more)
                print(f"{log}, {steering} of {groups} add {more:.0%}: {told(found, draws)}; "
                      f"{told(wrongly, draws)}", flush=True)  # fmt: skip


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 120
    honest(times)
    planted(times // 2)

"""A small version of the benchmark of rater effects: do 95% limits hold what was planted?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks import raters

# Effects and how many studies of each: more where one is cheap.
STUDIES = {
    raters.severity: 8, raters.halo: 12, raters.drift: 16, raters.in_group: 60, raters.mode: 24,
    raters.reciprocity_dyadic: 20, raters.reciprocity_pair: 8, raters.collusion: 24,
}  # fmt: skip


@pytest.fixture(scope="module")
def held():
    return {
        study.__name__: (sum(study(np.random.default_rng(1000 + k), k) for k in range(n)), n)
        for study, n in STUDIES.items()
    }


def test_limits_of_all_effects_together_hold_what_was_planted(held):
    # Limits that promise 93% fall below this with a chance of 0.5%, limits of 85% in five of six.
    hits, n = np.sum(list(held.values()), axis=0)
    least = stats.binom.ppf(0.005, n, 0.93)
    assert hits >= least
    assert stats.binom.cdf(least - 1, n, 0.85) > 0.8


@pytest.mark.parametrize("name", [study.__name__ for study in STUDIES])
def test_limits_of_each_effect_hold_what_was_planted(held, name):
    hits, n = held[name]
    assert hits >= stats.binom.ppf(0.002, n, 0.93)

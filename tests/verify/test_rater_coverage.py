"""A small version of the benchmark of rater effects: do 95% limits hold what was planted?"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import raters

STUDIES = 24


@pytest.mark.parametrize(
    "study",
    [raters.severity, raters.halo, raters.drift, raters.in_group, raters.mode, raters.reciprocity_dyadic],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_limits_hold_what_was_planted(study):
    # Of 24 sound 95% limits, fewer than 20 hold the truth with a chance of 0.6%; limits of half
    # the width (covering 67%) pass with one of 7%, limits around a wrong value hardly ever.
    held = sum(study(np.random.default_rng(1000 + k), k) for k in range(STUDIES))
    assert held >= 20

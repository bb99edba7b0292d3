"""Drift: planted changes with coverage, single trends with few false alarms, level by wave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify

NAMES = {"rater": "r", "target": "t", "score": "s", "wave": "w"}


def planted(rng, drift=0.3, trend=None, raters=40, targets=6, waves=5):
    shape = (raters, targets, waves)
    x = rng.normal(0, 0.4, (raters, 1, 1)) + rng.normal(0, 0.4, (1, targets, 1))
    x = x + rng.normal(0, 0.3, (raters, targets, 1)) + rng.normal(0, drift, (raters, 1, waves))
    x = x + rng.normal(0, 0.4, shape)
    if trend is not None:
        x = x + trend[:, None, None] * np.arange(waves)
    r, t, w = (v.ravel() for v in np.indices(shape))
    table = pd.DataFrame({"r": r, "t": t, "w": w, "s": x.ravel()})
    return table[rng.random(len(table)) < 0.7]


def row(result, metric):
    table = result.table
    return table[table["metric"] == metric].iloc[0]


def test_the_planted_drift_lies_in_its_interval():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(15):
        found = row(verify.drift(planted(rng), **NAMES), "drift")
        hits += found["low"] <= 0.3 <= found["high"]
    assert hits >= 12


def test_trends_of_single_raters_are_counted_and_rarely_invented():
    rng = np.random.default_rng(2)
    trend = np.where(np.arange(40) < 10, 0.4, 0.0)
    found = row(verify.drift(planted(rng, 0.05, trend), **NAMES), "drifting")
    assert 0.15 <= found["estimate"] <= 0.35
    none = [row(verify.drift(planted(rng), **NAMES), "drifting")["estimate"] for _ in range(10)]
    assert np.mean(np.array(none) > 0) <= 0.3


def test_the_level_is_the_mean_change_of_the_same_pairs():
    table = planted(np.random.default_rng(3))
    wide = table.pivot(index=["r", "t"], columns="w", values="s")
    found = verify.drift(table, **NAMES).table
    levels = found[found["metric"] == "level_change"].set_index("w")["estimate"]
    for w in range(1, 5):
        assert levels[w] == pytest.approx((wide[w] - wide[w - 1]).mean(), abs=1e-10)


def test_no_drift_says_small_and_one_wave_is_refused():
    table = planted(np.random.default_rng(4), drift=0.0)
    assert verify.drift(table, **NAMES).findings[0].key == "drift.small"
    assert verify.drift(table[table["w"] == 0], **NAMES).findings[0].level == "refused"
    big = planted(np.random.default_rng(5), drift=0.9)
    assert verify.drift(big, **NAMES).findings[0].key == "drift.large"


def test_equal_scores_are_refused():
    table = planted(np.random.default_rng(6)).assign(s=3)
    assert verify.drift(table, **NAMES).findings[0].key == "drift.flat"


def test_limits_stay_within_reason_with_hardly_any_drift_and_raters():
    rng = np.random.default_rng(8)
    for _ in range(12):
        found = row(verify.drift(planted(rng, drift=0.02, raters=3), **NAMES), "drift")
        assert 0 <= found["low"] <= found["estimate"]
        # With three raters there may be no upper limit; a number beyond the scale is none.
        assert np.isnan(found["high"]) or found["estimate"] <= found["high"] < 2

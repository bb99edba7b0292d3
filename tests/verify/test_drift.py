"""Drift: planted changes with coverage, single trends with few false alarms, level by wave."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.verify import ledger

drift = importlib.import_module("svcmetrics.verify.drift")  # the module, not the function
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


@pytest.mark.parametrize(
    ("low", "severity", "key"),
    [(0.21, 0.4, "large"), (0.2, 0.4, "small"), (np.nan, 0.4, "small"), (0.0, 0.0, "small"),
     (0.01, 0.0, "large")],
)  # fmt: skip
def test_drift_is_large_where_it_is_surely_above_half_of_the_severity(low, severity, key):
    found = SimpleNamespace(sd=(0.5, low, 0.9), variances={"rater": severity**2})
    own = pd.DataFrame({"estimate": [0.25], "n": [40]})
    said = drift._reading(found, own)
    assert (said.key, said.level) == (f"drift.{key}", "warning" if key == "large" else "note")
    assert said.values["count"] == 10 and said.values["n"] == 40
    assert said.values["severity"] == pytest.approx(severity)
    none = drift._reading(found, pd.DataFrame({"estimate": [np.nan], "n": [0]}))
    assert none.values["count"] == 0


def test_the_limits_of_a_mean_change_are_those_of_the_raters_means():
    # One change for each rater: the usual interval of a mean, Student's with n - 1.
    x = np.array([0.5, -0.2, 0.1, 0.9])
    row = drift._mean_by_rater(x, np.array([7, 2, 9, 4]), {"w": ["b"]}).iloc[0]
    half = 3.182446 * x.std(ddof=1) / 2
    assert row[["estimate", "low", "high"]].tolist() == pytest.approx(
        [x.mean(), x.mean() - half, x.mean() + half], abs=1e-6
    )
    assert row["n"] == 4 and row["w"] == "b"
    # Two raters leave no limits, and three do, however many changes they have.
    two = drift._mean_by_rater(x, np.array([0, 0, 1, 1]), {}).iloc[0]
    assert two["n"] == 2 and np.isnan(two["estimate"])
    three = drift._mean_by_rater(x, np.array([0, 0, 1, 2]), {}).iloc[0]
    assert three["n"] == 3 and three["low"] < three["estimate"] < three["high"]


def test_waves_without_a_pair_in_common_have_no_change_of_level():
    first = planted(np.random.default_rng(9), waves=2)
    data = pd.concat([first, first[first["w"] == 0].assign(t=first["t"] + 100, w=2)])
    levels = verify.drift(data, **NAMES).table.query("metric == 'level_change'").set_index("w")
    assert levels.index.tolist() == [1, 2]
    assert levels["n"].tolist() == [40, 0] and levels["estimate"].isna().tolist() == [False, True]
    two = planted(np.random.default_rng(9), raters=2)
    assert verify.drift(two, **NAMES).findings[0].key == "drift.few"
    three = planted(np.random.default_rng(9), raters=3)
    assert "drift.few" not in [f.key for f in verify.drift(three, **NAMES).findings]


def _forms(target, rater, score=None):
    score = np.zeros(len(target)) if score is None else np.asarray(score, dtype=float)
    return SimpleNamespace(target=np.array(target), rater=np.array(rater), centred=lambda: score,
                           targets=[f"d{k}" for k in range(max(target) + 1)])  # fmt: skip


def test_a_target_is_shown_from_five_raters_on_and_counts_each_once():
    forms = _forms([0] * 6 + [1] * 6, [0, 1, 2, 3, 4, 4, 0, 1, 2, 3, 3, 3])
    table = ledger.shift_rows(forms, np.array([0.3, 0.4]), np.array([0.1, 0.2]),
                              np.array([0.5, 0.6]), "t")  # fmt: skip
    assert table["n"].tolist() == [5, 0]
    assert table[["estimate", "low", "high"]].iloc[0].tolist() == [0.3, 0.1, 0.5]
    assert table[["estimate", "low", "high"]].iloc[1].isna().all()


def test_what_a_form_has_or_has_not_moves_targets_by_their_share_of_it():
    forms = _forms([0] * 5 + [1] * 5, [0, 1, 2, 3, 4] * 2)
    exposure = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0, 0.0])  # 0.6 and 0.2, 0.4 in all
    table = ledger.exposure_shift(forms, exposure, (2.0, 1.0, 3.0), "t")
    np.testing.assert_allclose(table[["estimate", "low", "high"]],
                               [[-0.4, -0.6, -0.2], [0.4, 0.2, 0.6]])  # fmt: skip


@pytest.mark.parametrize(
    ("left", "stay", "few"),
    [(0, 5, False), (0, 4, True), (4, 5, True), (5, 5, False), (5, 4, True), (1, 9, True)],
)
def test_fewer_than_five_on_either_side_are_not_told_apart(left, stay, few):
    raters = np.arange(left + stay)
    forms = _forms([0] * len(raters) * 2, [*raters, *raters])
    assert ledger.few_behind(forms, (raters < left).astype(float)).tolist() == [few]


def test_the_largest_shift_is_told_beside_the_spread_of_departments():
    shifts = pd.DataFrame({"estimate": [0.1, -0.4, np.nan]})
    (found,) = ledger.finding(shifts, 0.7)
    assert found.key == "ledger.shift"
    assert found.values == {"size": 0.4, "targets": 2, "spread": 0.7}
    for spread in (0.0, float("nan")):
        assert ledger.finding(shifts, spread)[0].key == "ledger.shift_alone"
    assert ledger.finding(shifts.iloc[2:], 0.7) == []
    forms = _forms([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [1, 3, 4, 4, 9])
    assert ledger.spread_of_targets(forms) == pytest.approx(np.std([2, 4, 9], ddof=1))
    assert ledger.spread_of_targets(_forms([0, 0, 1], [0, 1, 0], [1, 3, 4])) == pytest.approx(
        2**0.5
    )
    assert np.isnan(ledger.spread_of_targets(_forms([0, 0], [0, 1])))

"""Impact: planted effects are clear and the others not; shifts and groups are plain arithmetic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from svcmetrics import verify
from svcmetrics.numeric.mixed_intervals import satterthwaite
from svcmetrics.problems import TableError
from svcmetrics.verify import forms as reader
from svcmetrics.verify import impact_effects, impact_groups

NAMES = {"rater": "r", "target": "t", "score": "s", "item": "i", "wave": "w"}
ALL = {**NAMES, "rater_unit": "u", "side": ("g", "h"), "mode": "m"}


def study(rng, severity=0.0, favour=0.0, mode=0.0, raters=60, targets=6, items=4):
    """Two waves, raters of six departments on two sides; only what is asked for is planted."""
    shape = (raters, targets, 2, items)
    r, t, w, i = (v.ravel() for v in np.indices(shape))
    d = pd.DataFrame({"r": r, "t": t, "w": w, "i": i, "u": r % targets})
    d["g"], d["h"] = d["u"] % 2, d["t"] % 2
    d["m"] = np.where(d["r"] // targets % 2, "named", "confidential")
    x = 3 + 0.3 * (t - 2.5) / 2.5 - rng.normal(0, severity, raters)[r] + favour * (d["g"] == d["h"])
    x = x + mode * (d["m"] == "named") + rng.normal(0, 0.25, (raters, targets))[r, t]
    d["s"] = np.clip(np.rint(2 * (x + rng.normal(0, 0.5, len(d)))) / 2, 1, 5)
    asked = rng.random((raters, targets)) < 0.6
    return d[(d["u"] != d["t"]) & asked[r, t]].reset_index(drop=True)


def overview(result):
    table = result.table
    return table[table["metric"] == "impact"].set_index("variant")


def test_each_effect_is_one_row_and_only_planted_ones_are_clear():
    rng, invented = np.random.default_rng(1), 0
    for k in range(2):
        rows = overview(verify.impact(study(rng, severity=0.5, favour=0.4), **ALL, rng=k))
        assert list(rows.index) == ["careless", "severity", "halo", "centrality", "drift", "in_group",
                                    "reciprocity", "collusion", "mode_effect"]  # fmt: skip
        assert (
            rows.loc[["severity", "halo", "in_group"], "verdict"].isin(["small", "matters"]).all()
        )
        invented += (
            rows.loc[["drift", "collusion", "mode_effect"], "verdict"]
            .isin(["small", "matters"])
            .sum()
        )
        assert rows.loc["severity", "size_low"] <= 0.5 <= rows.loc["severity", "size_high"]
        assert rows.loc["in_group", "size_low"] <= 0.4 <= rows.loc["in_group", "size_high"]
    assert invented <= 1  # of six, at 5% over all


def test_the_largest_shift_and_the_groups_are_those_of_the_rows_below():
    found = verify.impact(study(np.random.default_rng(2), severity=0.8, favour=0.6), **ALL)
    table = found.table
    for name, row in overview(found).iterrows():
        below = table[(table["metric"] == "score_shift") & (table["variant"] == name)]
        assert len(below) == 6
        assert row["estimate"] == pytest.approx(below["estimate"].abs().max())
        assert row["changed"] == (below["group_before"] != below["group_after"]).sum()
    words = set(table["group_before"]) | set(table["group_after"])
    assert words <= {"", "above", "with", "below"}


def test_a_planted_effect_that_changes_groups_matters():
    rng = np.random.default_rng(3)
    d = study(rng, favour=1.2)
    # One side has far more raters: its departments look good for that alone.
    lone = d[(d["g"] == 0) | (d["r"] < 14)]
    found = verify.impact(lone, **NAMES, side=("g", "h"))
    row = overview(found).loc["in_group"]
    assert row["verdict"] == "matters" and row["changed"] >= 1 and row["estimate"] > 0.2
    assert {"impact.overview", "impact.in_group"} <= {f.key for f in found.findings}


def test_without_columns_an_effect_is_not_asked_and_one_wave_has_no_drift():
    d = study(np.random.default_rng(4), severity=0.5)
    once = d[(d["w"] == 0) & (d["i"] == 0)]
    rows = overview(verify.impact(once, rater="r", target="t", score="s"))
    assert rows.loc["severity", "verdict"] in ("small", "matters")
    others = rows.drop(index="severity")
    assert (others["verdict"] == "not_asked").all() and others["estimate"].isna().all()
    drift = overview(verify.impact(d[d["w"] == 0], **NAMES)).loc["drift"]
    assert drift["verdict"] == "refused"
    with pytest.raises(TableError):
        verify.impact(d, **NAMES, side=("g",))


def test_departments_of_few_raters_are_hidden_and_two_are_needed():
    d = study(np.random.default_rng(5), severity=0.5)
    few = d[(d["t"] > 0) | (d["r"] < 6)]
    table = verify.impact(few, **NAMES).table
    hidden = table[(table["t"] == "0")]
    assert len(hidden) and hidden["estimate"].isna().all() and (hidden["group_before"] == "").all()
    assert (hidden["n"] == 0).all()
    alone = verify.impact(d[d["t"] == 0], **NAMES)
    assert alone.findings[0].level == "refused" and np.isnan(alone.table["estimate"].iloc[0])


def test_no_key_of_a_rater_is_in_the_result():
    d = study(np.random.default_rng(6), severity=0.5).assign(r=lambda t: "key" + t["r"].astype(str))
    found = verify.impact(d, **ALL)
    assert "key" not in found.table.to_csv() + found.say("zh") + found.say("en") + str(found.about)


def test_errors_of_means_are_those_of_raters_and_groups_hold_their_level():
    rng, called = np.random.default_rng(7), 0
    for _ in range(60):
        x = rng.normal(0, 0.5, (30, 1)) + rng.normal(0, 0.6, (30, 5))
        r, t = (v.ravel() for v in np.indices(x.shape))
        base = impact_groups.base(reader.read(
            pd.DataFrame({"r": r, "t": t, "s": x.ravel()}), rater="r", target="t", score="s"))  # fmt: skip
        called += (base.group != 0).any()
    np.testing.assert_allclose(base.error, x.std(axis=0, ddof=1) / np.sqrt(30), rtol=1e-9)
    assert called <= 7  # 5% of 60 with room for chance


def test_the_p_of_a_variance_is_that_of_its_error():
    for v, e in ((0.25, 0.05), (0.1, 0.05), (1.0, 0.8)):
        low = satterthwaite(v, e, 0.95)[0]
        assert impact_effects.variance_p(v**0.5, low**0.5) == pytest.approx(
            stats.norm.sf(v / e), rel=0.05
        )
    assert impact_effects.variance_p(0.0, 0.0) == 1.0

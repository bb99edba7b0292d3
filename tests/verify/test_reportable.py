"""Reportable: an all-fives survey is no information; noise, straight lines, too few, and a good wave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import InputError, verify
from tests.verify.samples import SAMPLES

WORDS = {"target": "t", "rater": "r", "score": "s", "item": "i"}
FORM = pd.DataFrame(
    [(t, r, i) for t in range(8) for r in range(12) for i in range(5)], columns=["t", "r", "i"]
)


def wave(between: float, noise: float, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    level, severity = rng.normal(0, between, 8)[FORM["t"]], rng.normal(0, 0.4, 12)[FORM["r"]]
    score = 3.3 + level + severity + rng.normal(0, noise, len(FORM))
    return FORM.assign(s=np.clip(np.round(score), 1, 5))


def keys(result) -> list[str]:
    return [f.key for f in result.findings]


def test_a_good_wave_may_be_reported():
    result = verify.reportable(wave(0.8, 0.6), **WORDS)
    assert result.about["verdict"] == "yes"
    assert result.findings[0].level == "note"
    assert result.table.set_index("variant")["passed"].dropna().all()


def test_nothing_but_fives_is_no_information_and_never_perfect():
    result = verify.reportable(FORM.assign(s=5), **WORDS)
    assert result.about["verdict"] == "no_information"
    assert keys(result)[:2] == ["reportable.no_information", "reportable.agreement_is_no_quality"]
    rows = result.table.set_index("variant")["estimate"]
    assert np.isnan(rows["between"])
    assert rows["raw_agreement"] == 1


def test_nearly_all_fives_are_no_information_either():
    rng = np.random.default_rng(1)
    score = np.where(rng.random(len(FORM)) < 0.95, 5, 4)
    assert verify.reportable(FORM.assign(s=score), **WORDS).about["verdict"] == "no_information"


def test_noise_does_not_separate_departments():
    result = verify.reportable(wave(0.0, 0.9), **WORDS)
    assert result.about["verdict"] in ("not_yet", "no_information")
    assert not result.table.set_index("variant").loc["mean_reliability", "passed"]


def test_straight_lines_are_mechanical():
    rng = np.random.default_rng(5)
    score = rng.integers(2, 6, 96).repeat(5)
    result = verify.reportable(FORM.assign(s=score), **WORDS)
    assert result.about["verdict"] == "mechanical"


def test_four_raters_are_too_few_however_much_they_agree():
    few = wave(1.0, 0.3)
    result = verify.reportable(few[few["r"] < 4], **WORDS)
    assert result.about["verdict"] == "too_few"


def test_a_reliability_without_limits_is_not_passed():
    """Four ratings: an estimate of 0.87, and no interval that could hold it."""
    rated = SAMPLES["reportable"].data.head(4)
    result = verify.reportable(rated, target="unit", rater="who", score="points")
    rows = result.table.set_index("variant")
    assert np.isnan(rows.loc["mean_reliability", "low"])
    assert rows.loc["mean_reliability", "estimate"] > 0.5
    assert not rows.loc[["between", "mean_reliability"], "passed"].any()
    assert result.about["verdict"] != "yes"


def test_without_items_there_is_no_straight_line_to_judge():
    data = wave(0.8, 0.5).groupby(["t", "r"], as_index=False)["s"].first()
    result = verify.reportable(data, target="t", rater="r", score="s")
    assert "straight_lining" not in set(result.table["variant"])
    assert result.about["verdict"] == "yes"


def test_no_scores_and_repeated_rows():
    empty = verify.reportable(FORM.assign(s=np.nan), **WORDS)
    assert keys(empty) == ["reportable.no_scores"]
    data = wave(0.8, 0.6)
    with pytest.raises(InputError):
        verify.reportable(pd.concat([data, data.iloc[[0]]], ignore_index=True), **WORDS)


@pytest.mark.parametrize("items", [1, 2])
def test_forms_too_short_for_straight_lines_are_not_called_mechanical(items):
    short = wave(0.8, 0.6).query("i < @items")
    result = verify.reportable(short, **WORDS)
    assert result.about["verdict"] == "yes"
    row = result.table.set_index("variant").loc["straight_lining"]
    assert np.isnan(row["estimate"]) and row["passed"] is None
    assert "straight" not in result.say("en")

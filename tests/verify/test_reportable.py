"""Reportable: an all-fives survey is no information; noise, straight lines, too few, and a good wave."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest

from svcmetrics import InputError, verify
from tests.verify.samples import SAMPLES

reportable = importlib.import_module("svcmetrics.verify.reportable")  # the module
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


def _criteria(**change):
    """A wave that just passes: 0.5 for the lower limit of reliability, 5 raters, and the others."""
    rows = {"between": (0.3, 0.01, 0.5), "mean_reliability": (0.7, 0.5, 0.9),
            "raters": (5.0, np.nan, np.nan), "same_score": (0.899, np.nan, np.nan),
            "straight_lining": (0.4, 0.199, 0.6)} | change  # fmt: skip
    return reportable._table([(name, *row, 12) for name, row in rows.items() if row])


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "yes"),
        ({"straight_lining": None}, "yes"),
        ({"straight_lining": (np.nan, np.nan, np.nan)}, "yes"),
        ({"straight_lining": (0.4, 0.2, 0.6)}, "mechanical"),
        ({"same_score": (0.9, np.nan, np.nan)}, "no_information"),
        ({"same_score": (1.0, np.nan, np.nan)}, "no_information"),
        ({"raters": (4.0, np.nan, np.nan)}, "too_few"),
        ({"between": (np.nan, np.nan, np.nan)}, "too_few"),
        ({"between": (0.3, 0.0, 0.5)}, "not_yet"),
        ({"between": (0.01, 0.0, 0.05)}, "not_yet"),
        ({"between": (0.01, 0.0, 0.049)}, "no_information"),
        ({"mean_reliability": (0.7, 0.499, 0.9)}, "not_yet"),
        ({"mean_reliability": (0.7, np.nan, np.nan)}, "not_yet"),
    ],
)
def test_the_verdict_at_each_limit_that_was_written_down(change, verdict):
    assert reportable._verdict(_criteria(**change)) == verdict


def test_what_is_shown_and_not_judged_has_no_limit():
    table = _criteria(raw_agreement=(0.9, 0.8, 1.0)).set_index("variant")
    row = table.loc["raw_agreement"]
    assert row["passed"] is None and np.isnan(row["least"]) and np.isnan(row["most"])
    limits = table[["least", "most"]].fillna(-1).to_numpy().tolist()
    assert limits == [[0, -1], [0.5, -1], [5, -1], [-1, 0.9], [-1, 0.2], [-1, -1]]
    assert table.loc["raters", "metric"] == "fewest_raters"
    assert (table.drop(index="raters")["metric"] == "reportable").all()


@pytest.mark.parametrize(
    ("raw", "verdict", "told"),
    [(0.9, "no_information", True), (0.9, "mechanical", True), (0.9, "yes", False),
     (0.899, "mechanical", False)],
)  # fmt: skip
def test_agreement_of_nine_in_ten_is_said_to_be_no_quality(raw, verdict, told):
    table = _criteria(raw_agreement=(raw, 0.8, 1.0))
    none = reportable.Result("icc", table)
    found = reportable._reading(table, verdict, none, pd.Series([5, 5, 4]))
    assert (found[0].key, found[0].level) == (
        f"reportable.{verdict}", "note" if verdict == "yes" else "warning"
    )  # fmt: skip
    values = {"same": 89.9, "score": 5, "raters": 5, "targets": 12, "mean": 0.7, "low": 0.5,
              "high": 0.9, "least": 0.5, "floor": 5, "flat": 40}  # fmt: skip
    assert dict(found[0].values) == pytest.approx(values)
    assert [f.key for f in found[1:]] == ["reportable.agreement_is_no_quality"] * told
    assert not told or found[1].values == {"raw": pytest.approx(100 * raw)}


def test_a_category_that_nobody_used_is_no_department():
    data = wave(0.8, 0.6)
    named = data.assign(t=pd.Categorical(data["t"], categories=range(9)),
                        r=pd.Categorical(data["r"], categories=range(13)),
                        i=pd.Categorical(data["i"], categories=range(6)))  # fmt: skip
    plain, same = (verify.reportable(d, **WORDS, rng=1) for d in (data, named))
    pd.testing.assert_frame_equal(same.table, plain.table)
    assert plain.table.set_index("variant").loc["raters", ["estimate", "n"]].tolist() == [12, 8]


def test_a_column_named_form_is_a_column_like_any_other():
    data = wave(0.8, 0.6)
    plain = verify.reportable(data, **WORDS, rng=1).table
    named = data.rename(columns={"i": "form"})
    same = verify.reportable(named, **{**WORDS, "item": "form"}, rng=1).table
    pd.testing.assert_frame_equal(same, plain)
    named = data.rename(columns={"s": "form"})
    same = verify.reportable(named, **{**WORDS, "score": "form"}, rng=1).table
    pd.testing.assert_frame_equal(same, plain)

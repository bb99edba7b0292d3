"""Adjusted scores: the equations written out, real ratings, and plans that cannot be compared."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import TableError
from svcmetrics.result import Finding
from svcmetrics.score import _adjust_findings, adjust
from svcmetrics.verify import severity
from tests.score.samples import SAMPLES

CALL = {"target": "unit", "rater": "who", "score": "points"}
RATED = SAMPLES["adjust"].data


def variant(result, name):
    return result.table[result.table["variant"] == name].reset_index(drop=True)


def test_adjusted_means_equal_generalised_least_squares_written_out():
    result = adjust(RATED, **CALL)
    v = result.about["variances"]
    who = RATED["who"].to_numpy()
    V = v["residual"] * np.eye(len(RATED)) + v["rater"] * (who[:, None] == who)
    X = pd.get_dummies(RATED["unit"]).to_numpy("float64")
    W = np.linalg.inv(V)
    covariance = np.linalg.inv(X.T @ W @ X)
    table = variant(result, "adjusted")
    assert table["estimate"].to_numpy() == pytest.approx(covariance @ X.T @ W @ RATED["points"])
    assert table["se"].to_numpy() == pytest.approx(np.sqrt(np.diag(covariance)))
    own = variant(result, "raw mean")
    assert own["se"].to_numpy() == pytest.approx(np.sqrt(np.diag(X.T @ V @ X) / X.sum(axis=0) ** 2))
    gaps = table["se_compare"].to_numpy()
    true = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert np.hypot(gaps[0], gaps[1]) == pytest.approx(true, rel=0.05)


def test_where_everybody_rates_everything_adjusting_changes_nothing():
    rng = np.random.default_rng(3)
    who, unit = (x.ravel() for x in np.indices((9, 5)))
    data = pd.DataFrame({"who": who, "unit": unit, "points": rng.normal(unit, 1) - who})
    result = adjust(data, **CALL)
    shift = variant(result, "adjusted")["shift"].to_numpy()
    assert shift == pytest.approx(np.zeros(5), abs=1e-9)
    # An error of rounding is no change: nobody is told to have moved by -1.4e-14 points.
    assert result.findings[0].key == "adjust.unmoved" and "e-" not in result.say("en")
    assert adjust(data.drop(index=0), **CALL).findings[0].key == "adjust.moved"


def test_lenient_raters_no_longer_lift_the_department_that_met_them():
    rng = np.random.default_rng(8)
    rows = [(w, u) for w in range(60) for u in range(4) if (w < 30) == (u < 2) or w % 5 == 0]
    who, unit = np.array(rows).T
    lenient = np.where(np.arange(60) < 30, 1.0, -1.0)  # the first two departments have it easy
    data = pd.DataFrame({"who": who, "unit": unit})
    data["points"] = 4 + lenient[who] + rng.normal(0, 0.3, len(data))
    result = adjust(data, **CALL)
    raw, new = variant(result, "raw mean")["estimate"], variant(result, "adjusted")["estimate"]
    assert np.ptp(raw) > 1.2
    assert np.ptp(new) < 0.4
    assert result.findings[0].key == "adjust.moved"


def test_wave_and_mode_are_taken_out():
    rng = np.random.default_rng(5)
    data = RATED.assign(mode=np.where(rng.uniform(size=len(RATED)) < 0.5, "named", "anonymous"))
    strict = (data["wave"] == "w2") & data["unit"].isin(["甲", "乙"])
    data = data[strict | (data["wave"] == "w1") | (rng.uniform(size=len(data)) < 0.3)]
    shifted = data.assign(points=data["points"] - 2.0 * (data["wave"] == "w2"))
    a = variant(adjust(data, **CALL, wave="wave", mode="mode"), "adjusted")["estimate"]
    b = variant(adjust(shifted, **CALL, wave="wave", mode="mode"), "adjusted")["estimate"]
    assert np.ptp(a - b) == pytest.approx(0, abs=1e-6)


def test_severity_of_an_earlier_wave_is_taken_off_first():
    known = severity(RATED, rater="who", target="unit", score="points").table
    one = adjust(RATED, **CALL, severity=known)
    assert one.about["variances"]["rater"] < adjust(RATED, **CALL).about["variances"]["rater"] / 5
    with pytest.raises(TableError):
        adjust(RATED, **CALL, severity=known.drop(columns="estimate"))


def test_repeated_ratings_of_a_pair_share_an_error():
    once = RATED.groupby(["who", "unit"], as_index=False)["points"].mean()
    copies = pd.concat([once] * 4, ignore_index=True)
    rng = np.random.default_rng(2)
    copies["points"] += rng.normal(0, 0.05, len(copies))
    single, many = variant(adjust(once, **CALL), "adjusted"), adjust(copies, **CALL)
    assert many.about["variances"]["pair"] > 0
    assert variant(many, "adjusted")["se"].to_numpy() == pytest.approx(single["se"], rel=0.03)


def test_departments_without_a_shared_rater_are_not_compared():
    apart = RATED.assign(who=RATED["who"].astype(str) + RATED["unit"].isin(["甲"]).astype(str))
    result = adjust(apart, **CALL)
    assert [f.key for f in result.findings if f.level == "refused"] == ["adjust.disconnected"]
    table = variant(result, "adjusted")
    assert table.loc[table["unit"] == "甲", "estimate"].isna().all()
    assert table.loc[table["unit"] != "甲", "estimate"].notna().all()
    assert sorted(table["subset"]) == [1, 1, 1, 2]
    assert "甲" in result.say("en")


def test_raters_of_one_department_each():
    own = RATED.assign(who=RATED["who"].astype(str) + RATED["unit"])
    result = adjust(own, **CALL)
    assert result.findings[0].key == "adjust.nested"
    assert variant(result, "adjusted")["estimate"].isna().all()
    assert variant(result, "raw mean")["low"].notna().all()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"who": "A"}, "adjust.one_rater"),
        ({"unit": "A"}, "adjust.one_target"),
        ({"points": 4}, "adjust.no_spread"),
        ({"wave": RATED["unit"]}, "adjust.aliased"),
    ],
)
def test_degenerate_ratings_are_said_not_computed(change, key):
    result = adjust(RATED.assign(**change), **CALL, wave="wave")
    assert result.findings[0].key == key
    assert variant(result, "adjusted")["estimate"].isna().all()
    assert variant(result, "raw mean")["estimate"].notna().all()


def test_no_rating_at_all_is_an_error():
    with pytest.raises(TableError):
        adjust(RATED.assign(points=np.nan), **CALL)


@pytest.mark.data
@pytest.mark.parametrize("target", ["dept", "d"])
def test_insteval(shared_data, target):
    data = pd.read_csv(shared_data("insteval") / "ratings.csv")
    result = adjust(data, target=target, rater="s", score="y", wave="service")
    assert len(variant(result, "adjusted").dropna()) == data[target].nunique()
    spread = [variant(result, v)["estimate"].std() for v in ("adjusted", "shrunken")]
    assert spread[1] < spread[0]


def test_very_many_targets_get_the_same_numbers_without_their_covariances(monkeypatch):
    one = adjust(RATED, **CALL, wave="wave").table
    monkeypatch.setattr("svcmetrics.numeric.raters.MANY", 2)
    two = adjust(RATED, **CALL, wave="wave").table
    columns = ["estimate", "low", "high", "se", "se_compare"]
    pd.testing.assert_frame_equal(one[columns], two[columns], rtol=1e-6)


def test_a_form_sent_twice_counts_once_and_a_second_rating_shares_an_error():
    once = adjust(RATED, **CALL, wave="wave")
    copies = adjust(pd.concat([RATED, RATED.iloc[[3]]]), **CALL, wave="wave")
    pd.testing.assert_frame_equal(copies.table, once.table)
    assert copies.about["dropped"]["duplicate"] == 1
    assert "adjust.twice" in [f.key for f in copies.findings]
    other = RATED.iloc[[3]].assign(points=RATED["points"].iloc[3] + 1)
    again = adjust(pd.concat([RATED, other]), **CALL, wave="wave")
    assert "adjust.repeats" in [f.key for f in again.findings]
    assert again.about["repeated_ratings"] == 1
    assert "pair" in again.about["standard_errors_of_variances"]


def test_thousands_of_raters_and_departments(monkeypatch):
    monkeypatch.setattr("svcmetrics.numeric.raters.MANY", 2)
    exact = adjust(RATED, **CALL)
    monkeypatch.setattr("svcmetrics.numeric.mixed_collapse.DENSE_LIMIT", 1)
    drawn = adjust(RATED, **CALL)
    assert "adjust.drawn" in [f.key for f in drawn.findings]
    assert drawn.table["estimate"].to_numpy() == pytest.approx(exact.table["estimate"], rel=0.01)
    assert drawn.table["se"].to_numpy() == pytest.approx(exact.table["se"], rel=0.1)


def test_two_hundred_thousand_raters():
    rng = np.random.default_rng(2)
    r = np.repeat(np.arange(200_000), 2)
    t = (r % 12 + np.tile([0, 1], 200_000) * (1 + r % 11)) % 12
    s = rng.normal(0, 0.5, 200_000)[r] + np.linspace(-1, 1, 12)[t] + rng.normal(0, 1, len(r))
    data = pd.DataFrame({"unit": t, "who": r, "points": s})
    result = adjust(data, **CALL)
    assert result.about["variances"]["rater"] == pytest.approx(0.25, abs=0.02)
    gaps = np.diff(variant(result, "adjusted")["estimate"].to_numpy())
    assert gaps == pytest.approx(np.full(11, 2 / 11), abs=0.03)


def test_in_large_data_a_few_repeats_share_no_error_and_the_reading_says_so(monkeypatch):
    other = RATED.iloc[[3]].assign(points=RATED["points"].iloc[3] + 1)
    monkeypatch.setattr("svcmetrics.numeric.raters.SMALL", 10)
    large = adjust(pd.concat([RATED, other]), **CALL, wave="wave")
    keys = [f.key for f in large.findings]
    assert "adjust.repeats_apart" in keys and "adjust.repeats" not in keys
    assert large.about["variances"]["pair"] == 0
    for lang in ("zh", "en"):
        assert "5%" in large.say(lang)


def test_more_fixed_columns_than_can_be_solved(monkeypatch):
    monkeypatch.setattr("svcmetrics.numeric.mixed_collapse.DENSE_LIMIT", 1)
    monkeypatch.setattr("svcmetrics.numeric.mixed_collapse._FIXED_LIMIT", 1)
    (found,) = adjust(RATED, **CALL).findings
    assert (found.key, found.level) == ("adjust.too_large", "refused")
    assert found.values["levels"] == RATED["unit"].nunique()


def test_drawn_errors_are_told_as_a_share_of_the_standard_error():
    """A variance off by 6% is a standard error off by 3%."""
    model = SimpleNamespace(perfect=False, drawn=True, spread_error=0.06)
    (found,) = _adjust_findings._of_model(SimpleNamespace(model=model))
    assert (found.key, found.values["share"]) == ("adjust.drawn", 0.03)
    assert _adjust_findings._of_model(SimpleNamespace(model=None)) == []
    model = SimpleNamespace(perfect=True, drawn=False)
    (found,) = _adjust_findings._of_model(SimpleNamespace(model=model))
    assert found == Finding("adjust.perfect", {}, "warning")

"""Severity: predictions written out, real ratings, and plans that cannot tell it."""

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics.privacy import publish
from svcmetrics.problems import TableError
from svcmetrics.verify import severity
from tests.verify.samples import SAMPLES

CALL = {"rater": "who", "target": "unit", "score": "points"}
RATED = SAMPLES["severity"].data


def persons(result):
    return result.table[result.table["metric"] == "severity"].reset_index(drop=True)


def test_predictions_equal_those_written_out():
    result = severity(RATED, **CALL)
    v = result.about
    Z = pd.get_dummies(RATED["who"]).to_numpy("float64")
    X = pd.get_dummies(RATED["unit"]).to_numpy("float64")
    W = np.linalg.inv(v["residual"] * np.eye(len(RATED)) + v["rater"] * Z @ Z.T)
    P = W - W @ X @ np.linalg.inv(X.T @ W @ X) @ X.T @ W
    u = v["rater"] * Z.T @ P @ RATED["points"]
    error = np.sqrt(v["rater"] - v["rater"] ** 2 * np.diag(Z.T @ P @ Z))
    table = persons(result)
    assert table["estimate"].to_numpy() == pytest.approx(-u)
    assert (table["high"] - table["estimate"]).to_numpy() == pytest.approx(1.959964 * error)


def test_it_finds_the_severity_that_was_put_in():
    rng = np.random.default_rng(21)
    true = rng.normal(0, 0.6, 150)
    who, unit = (x.ravel() for x in np.indices((150, 12)))
    points = 4 + unit / 6 - true[who] + rng.normal(0, 0.5, len(who))
    result = severity(pd.DataFrame({"who": who, "unit": unit, "points": points}), **CALL)
    table = persons(result)
    assert np.corrcoef(table["estimate"], true)[0, 1] > 0.95
    covered = (table["low"] <= true - true.mean()) & (true - true.mean() <= table["high"])
    assert covered.mean() > 0.9
    spread = result.table.iloc[0]
    assert spread["low"] < true.std() < spread["high"]


def test_single_raters_are_never_published():
    table = publish(severity(RATED, **CALL)).table
    assert table.loc[table["metric"] == "severity", "estimate"].isna().all()
    assert table.loc[table["metric"] == "severity_sd", "estimate"].notna().all()


def test_raters_alike_have_no_spread():
    rng = np.random.default_rng(4)
    who, unit = (x.ravel() for x in np.indices((30, 6)))
    noise = rng.normal(0, 1, (30, 6))
    noise -= noise.mean(axis=1, keepdims=True)
    data = pd.DataFrame({"who": who, "unit": unit, "points": 3 + noise.ravel()})
    result = severity(data, **CALL)
    assert result.findings[0].key == "severity.none"
    assert result.table["estimate"].iloc[0] == 0
    assert result.table["high"].iloc[0] > 0


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"who": 1}, "severity.one_rater"),
        ({"who": RATED["who"].astype(str) + RATED["unit"]}, "severity.nested"),
        ({"who": range(len(RATED)), "unit": "A"}, "severity.once"),
        ({"points": 3}, "severity.no_spread"),
        ({"wave": RATED["unit"]}, "severity.aliased"),
    ],
)
def test_what_cannot_be_told_is_refused(change, key):
    data = RATED.assign(wave="w")
    result = severity(data.assign(**change), **CALL, wave="wave")
    assert result.findings[0].key == key
    assert result.findings[0].level == "refused"
    assert result.table["estimate"].isna().all()


def test_raters_of_one_department_only_are_counted():
    few = RATED[(RATED["unit"] == "甲") | (RATED["who"] < 8)]
    keys = [f.key for f in severity(few, **CALL).findings]
    assert "severity.single" in keys


def test_a_form_sent_twice_counts_once_and_a_second_rating_shares_an_error():
    once = severity(RATED, **CALL)
    copies = severity(pd.concat([RATED, RATED.iloc[[3]]]), **CALL)
    pd.testing.assert_frame_equal(copies.table, once.table)
    assert "severity.twice" in [f.key for f in copies.findings]
    other = RATED.iloc[[3]].assign(points=RATED["points"].iloc[3] + 1)
    again = severity(pd.concat([RATED, other]), **CALL)
    assert "severity.repeats" in [f.key for f in again.findings]
    assert again.table["ratings"].iloc[0] == len(RATED) + 1


def test_thousands_of_raters_and_departments(monkeypatch):
    monkeypatch.setattr("svcmetrics.numeric.raters.MANY", 2)
    exact = persons(severity(RATED, **CALL))
    monkeypatch.setattr("svcmetrics.numeric.mixed_collapse.DENSE_LIMIT", 1)
    result = severity(RATED, **CALL)
    (drawn,) = (f for f in result.findings if f.key == "severity.drawn")
    assert list(drawn.values) == ["share"] and 0 < drawn.values["share"] < 0.5
    assert persons(result)["estimate"].to_numpy() == pytest.approx(exact["estimate"], abs=0.02)


@pytest.mark.data
def test_insteval(shared_data):
    """Students' variance near lme4's 0.1062 (there lecturers are random, here fixed)."""
    data = pd.read_csv(shared_data("insteval") / "ratings.csv")
    result = severity(data, rater="s", target="d", score="y")
    assert result.table["estimate"].iloc[0] ** 2 == pytest.approx(0.1062, rel=0.01)
    table = persons(result).set_index("s")["estimate"]
    assert set(table.nsmallest(5).index) & {1163, 2732, 700, 2487, 2785}


def test_in_large_data_a_few_repeats_share_no_error_and_the_reading_says_so(monkeypatch):
    other = RATED.iloc[[3]].assign(points=RATED["points"].iloc[3] + 1)
    monkeypatch.setattr("svcmetrics.numeric.raters.SMALL", 10)
    large = severity(pd.concat([RATED, other]), **CALL)
    keys = [f.key for f in large.findings]
    assert "severity.repeats_apart" in keys and "severity.repeats" not in keys
    assert large.about["pair"] == 0
    for lang in ("zh", "en"):
        assert "5%" in large.say(lang)


def test_more_fixed_columns_than_can_be_solved(monkeypatch):
    monkeypatch.setattr("svcmetrics.numeric.mixed_collapse.DENSE_LIMIT", 1)
    monkeypatch.setattr("svcmetrics.numeric.mixed_collapse._FIXED_LIMIT", 1)
    result = severity(RATED, **CALL)
    (found,) = result.findings
    assert (found.key, found.level) == ("severity.too_large", "refused")
    assert found.values["levels"] == RATED["unit"].nunique()


def test_two_departments_with_raters_of_their_own_are_refused_as_nested():
    data = pd.DataFrame({"who": list("aabbccdd"), "unit": list("xxxxyyyy"),
                         "points": [3, 4, 2, 3, 5, 4, 4, 2.0]})  # fmt: skip
    told = severity(data, **CALL).findings[0]
    assert (told.key, told.values) == ("severity.nested", {"raters": 4, "targets": 2})


def test_no_rating_at_all_is_an_error_that_counts_none():
    with pytest.raises(TableError) as caught:
        severity(RATED.assign(points=np.nan), **CALL)
    (problem,) = caught.value.problems
    assert problem.key == "too_few_values"
    assert (problem.values["found"], problem.values["needed"]) == (0, 2)


def _ratings(seen, repeats=0, target=(0, 1), rater=(0, 0)):
    seen = np.array(seen)
    return SimpleNamespace(raters=len(seen), targets_seen=lambda: seen, repeats=lambda: repeats, y=np.zeros(9),
                           target=np.array(target), rater=np.array(rater))  # fmt: skip


@pytest.mark.parametrize(
    ("sd", "seen", "keys"),
    [
        (0.3, [1, 2, 2, 2, 2], ["spread"]),  # one rater of five: a fifth is not yet many
        (0.3, [1, 1, 2, 2, 2], ["spread", "single"]),
        (0.0, [3, 3, 3], ["none"]),
    ],
)
def test_raters_of_one_department_are_warned_of_when_above_a_fifth(sd, seen, keys):
    module = importlib.import_module("svcmetrics.verify.severity")
    found = module._findings({"sd": sd}, _ratings(seen), 0.95)
    assert [f.key for f in found] == [f"severity.{k}" for k in keys]
    assert found[0].values["level"] == 95 and found[0].values["raters"] == len(seen)
    if "single" in keys:
        assert found[1].values == {"share": 0.4} and found[1].level == "warning"
    apart = module._findings({"sd": 0.3}, _ratings([2, 2], target=(0, 1), rater=(0, 1)), 0.95)
    assert apart[-1].key == "severity.disconnected" and apart[-1].values == {"subsets": 2}


def test_the_share_of_severity_is_that_of_what_departments_leave():
    module = importlib.import_module("svcmetrics.verify.severity")
    fit = SimpleNamespace(variances={"rater": 0.4, "pair": 0.2, "residual": 0.4}, model=None,
                          errors={"rater": 0.1})  # fmt: skip
    out = module._spread(fit, _ratings([2, 2]), 0.95)
    assert out["sd"] == pytest.approx(0.4**0.5) and out["share"] == pytest.approx(0.4)
    assert np.isnan([out["sd_low"], out["sd_high"], out["share_low"], out["share_high"]]).all()
    none = SimpleNamespace(variances={"rater": 0.0, "pair": 0.0, "residual": 0.0}, model=None)
    assert np.isnan(module._spread(none, _ratings([2, 2]), 0.95)["share"])

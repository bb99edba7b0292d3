"""Ratings as they should not be, given to every check of ratings: a reason, never a wrong number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import score, verify
from svcmetrics.problems import TableError

FORM = {"target": "部门", "rater": "评价人", "score": "分"}
CALLS = {
    "icc": lambda d: verify.icc(d, **FORM),
    "agreement": lambda d: verify.agreement(d, **FORM),
    "kendall_w": lambda d: verify.kendall_w(d, **FORM),
    "alpha": lambda d: verify.alpha(d, person="部门", item="评价人", score="分"),
    "omega": lambda d: verify.omega(d, person="部门", item="评价人", score="分"),
    "split_half": lambda d: verify.split_half(d, person="部门", item="评价人", score="分"),
    "aggregation": lambda d: verify.aggregation(d, **FORM, scale=(1, 5)),
    "reportable": lambda d: verify.reportable(d, **FORM),
    "severity": lambda d: verify.severity(d, **FORM),
    "adjust": lambda d: score.adjust(d, **FORM),
    "generalizability": lambda d: verify.generalizability(d, "分 ~ 部门 + 评价人", object="部门"),
    "d_study": lambda d: verify.d_study(
        d, "分 ~ 部门 + 评价人", object="部门", sizes={"评价人": [2, 4]}
    ),
}  # fmt: skip


def ratings(targets: int = 6, raters: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    level, lenient = rng.normal(0, 0.8, targets), rng.normal(0, 0.4, raters)
    rows = [(f"部门{t}", f"r{r}") for t in range(targets) for r in range(raters)]
    data = pd.DataFrame(rows, columns=["部门", "评价人"])
    points = 3 + np.repeat(level, raters) + np.tile(lenient, targets)
    return data.assign(分=np.clip(np.round(points + rng.normal(0, 0.5, len(data))), 1, 5))


def main(result) -> pd.Series:
    """The estimates that would be read first."""
    return result.table["estimate"].iloc[:2]


# What each function may still say of such ratings: mean agreement inside, plain means.
SAYS_SOMETHING = {
    "one rater": {"adjust", "reportable"},
    "one target": {"aggregation", "adjust", "reportable", "severity"},
    "one category": {"aggregation", "adjust", "reportable", "agreement"},
}
BROKEN = {
    "one rater": lambda d: d[d["评价人"] == "r0"],
    "one target": lambda d: d[d["部门"] == "部门0"],
    "one category": lambda d: d.assign(分=5.0),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("what", BROKEN)
def test_nothing_to_estimate_is_refused_or_said(name, what):
    data = BROKEN[what](ratings())
    result = CALLS[name](data)
    levels = {f.level for f in result.findings}
    if (name, what) != (
        "adjust",
        "one target",
    ):  # a single department: its mean, nothing to warn of
        assert levels & {"refused", "warning"}
    if name not in SAYS_SOMETHING[what]:
        assert "refused" in levels
        assert main(result).isna().all()
    assert result.say("zh") and result.say("en")


@pytest.mark.parametrize("name", CALLS)
def test_infinite_scores_and_repeated_pairs_are_errors(name):
    data = ratings()
    with pytest.raises(TableError):
        CALLS[name](data.assign(分=data["分"].where(data.index != 3, np.inf)))
    twice = pd.concat([data, data.iloc[[4]].assign(分=1.0)])
    if name in ("severity", "adjust"):
        result = CALLS[name](twice)  # repeated ratings have a place in the model; it is told
        assert any(f.key.endswith("repeats") for f in result.findings)
    else:
        with pytest.raises(TableError):
            CALLS[name](twice)


@pytest.mark.parametrize("name", CALLS)
def test_missing_scores_are_counted_and_change_nothing_else(name):
    data = ratings()
    blank = data.assign(分=data["分"].where(~data.index.isin([2, 11, 17])))
    gone = CALLS[name](data.drop([2, 11, 17]))
    result = CALLS[name](blank)
    assert sum(result.about["dropped"].values()) >= 3
    pd.testing.assert_frame_equal(result.table, gone.table, check_dtype=False)


@pytest.mark.parametrize("name", CALLS)
def test_no_score_at_all_is_an_error_or_refused(name):
    try:
        result = CALLS[name](ratings().assign(分=np.nan))
    except TableError:
        return
    assert result.findings[0].level == "refused" or any(
        f.level == "refused" for f in result.findings
    )
    assert result.table["estimate"].isna().all()


@pytest.mark.parametrize("name", CALLS)
def test_one_constant_rater_and_few_departments_change_no_bound(name):
    data = ratings(targets=4)
    flat = data.assign(分=data["分"].where(data["评价人"] != "r2", 4.0))
    result = CALLS[name](flat)
    whole = result.table.dropna(subset=["estimate", "low", "high"])
    assert (whole["low"] <= whole["estimate"] + 1e-9).all()
    assert (whole["estimate"] <= whole["high"] + 1e-9).all()
    assert result.say("zh") and result.say("en")


def test_raters_who_contradict_one_another_give_a_negative_icc_and_alpha_that_is_said():
    rows = [(t, r, float(t + 1 if r % 2 else 5 - t)) for t in range(5) for r in range(4)]
    data = pd.DataFrame(rows, columns=["部门", "评价人", "分"])
    for name in ("icc", "agreement"):
        result = CALLS[name](data)
        assert (result.table["estimate"].iloc[:3] < 0).any()
        assert any(f.level == "warning" for f in result.findings)


def test_a_survey_of_fives_is_no_information_in_both_languages():
    data = ratings().assign(分=5)
    result = CALLS["reportable"](data)
    assert result.about["verdict"] == "no_information"
    zh, en = result.say("zh"), result.say("en")
    assert "没有信息" in zh and "一致不是质量" in zh and "100%" in zh
    assert "no information" in en and "agreement is no quality" in en and "100%" in en
    assert "可以发布" not in zh and "may be reported" not in en.lower()


def test_two_hundred_thousand_raters_who_meet_one_department_each_or_two():
    rng = np.random.default_rng(6)
    n = 200_000
    data = pd.DataFrame({"评价人": np.repeat(np.arange(n), 2), "部门": rng.integers(0, 40, 2 * n)})
    data = data.drop_duplicates(["评价人", "部门"])
    level = rng.normal(0, 0.3, 40)[data["部门"]] + rng.normal(0, 0.5, n)[data["评价人"]]
    data["分"] = np.clip(np.round(3 + level + rng.normal(0, 0.7, len(data))), 1, 5)
    table = CALLS["severity"](data).table
    spread = table.loc[table["metric"] == "severity_sd", "estimate"].iloc[0]
    assert spread == pytest.approx(0.5, abs=0.05)
    assert (table["metric"] == "severity").sum() == n

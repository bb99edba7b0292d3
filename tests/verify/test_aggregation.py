"""Agreement inside departments: numbers of R multilevel, camps, small groups, scales."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from svcmetrics import InputError, verify

WORDS = {"target": "t", "rater": "r", "score": "s", "scale": (1, 5)}


def data(groups: dict[str, list[float]]) -> pd.DataFrame:
    cells = [(t, f"{t}{i}", v) for t, scores in groups.items() for i, v in enumerate(scores)]
    return pd.DataFrame(cells, columns=["t", "r", "s"])


def pick(table: pd.DataFrame, metric: str, variant: str = "", target: str = "") -> pd.Series:
    return table[
        (table["metric"] == metric) & (table["variant"] == variant) & (table["t"] == target)
    ].iloc[0]


def keys(result) -> list[str]:
    return [f.key for f in result.findings]


@pytest.mark.data
def test_eleven_people_in_two_platoons(shared_data):
    wide = pd.read_csv(shared_data("klein2000") / "cohesion_11_people.csv").reset_index(names="r")
    long = wide.melt(["PLATOON", "r", "UNIT"], var_name="i", value_name="s").rename(
        columns={"PLATOON": "t"}
    )
    result = verify.aggregation(long, **WORDS, item="i")
    table = result.table
    for target, rwg_j, star, ad, a_wg in (
        ("1ST", 0.756578947, 0.383333333, 0.75, 0.51), ("2ND", 0.831473214, 0.496666667, 0.755555556, 0.569148352),
    ):  # fmt: skip
        assert pick(table, "rwg_j", "uniform", target)["estimate"] == pytest.approx(rwg_j, abs=1e-8)
        assert pick(table, "rwg_star", "uniform", target)["estimate"] == pytest.approx(
            star, abs=1e-8
        )
        assert pick(table, "ad", "", target)["estimate"] == pytest.approx(ad, abs=1e-8)
        assert pick(table, "a_wg", "", target)["estimate"] == pytest.approx(a_wg, abs=1e-8)
    assert result.about["dropped"]["incomplete_rater"] == 1
    one = verify.aggregation(long[long["i"] == "COH01"], **WORDS).table
    assert pick(one, "rwg", "uniform", "1ST")["estimate"] == pytest.approx(0.75)
    assert pick(one, "rwg", "uniform", "2ND")["estimate"] == pytest.approx(0.466666667)


@pytest.mark.data
def test_forty_nine_companies(shared_data):
    folder = shared_data("lq2002")
    wide = pd.read_csv(folder / "responses.csv").reset_index(names="r")
    table = verify.aggregation(wide.rename(columns={"COMPID": "t", "LEAD": "s"}), **WORDS).table
    peer = {
        n["name"]: n["value"]
        for n in json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    }
    assert pick(table, "icc1", "mean_size")["estimate"] == pytest.approx(
        peer["LEAD ICC1 (ANOVA)"], abs=1e-9
    )
    assert pick(table, "icc2", "exact_size")["estimate"] == pytest.approx(
        peer["LEAD ICC2 (ANOVA)"], abs=1e-9
    )
    each = table[(table["metric"] == "rwg") & (table["variant"] == "uniform") & (table["t"] != "")][
        "estimate"
    ]
    summary = peer["rwg of the LEAD scale score, uniform null: summary"]
    assert [each.mean(), each.median()] == pytest.approx(summary, abs=1e-9)


def test_camps_show_in_the_raw_value_and_are_named():
    result = verify.aggregation(data({"甲": [1, 1, 1, 5, 5, 5], "乙": [4, 4, 5, 4, 4, 5]}), **WORDS)
    row = pick(result.table, "rwg", "uniform", "甲")
    assert row["estimate"] == 0
    assert row["raw"] == pytest.approx(1 - 4.8 / 2)
    assert [f.values["targets"] for f in result.findings if f.key == "aggregation.split"] == [
        ["甲"]
    ]


def test_null_variances_of_a_five_point_scale():
    nulls = verify.aggregation(data({"甲": [3, 4], "乙": [2, 2]}), **WORDS).about["nulls"]
    assert nulls == pytest.approx({"uniform": 2.0, "slight_skew": 1.34, "maximum_dissensus": 4.0})


@pytest.mark.parametrize(
    ("points", "variance"), [(6, 1.85), (7, 2.90), (8, 3.47), (9, 5.66), (10, 6.30), (11, 7.31)]
)
def test_slight_skew_of_other_scales_is_the_published_one(points, variance):
    """LeBreton & Senter (2008), Organizational Research Methods 11, 815-852, Table 2."""
    call = {**WORDS, "scale": (1, points)}
    out = verify.aggregation(data({"a": [3, 5, 4], "b": [2, 2, 3]}), **call).table
    row = out[(out["variant"] == "slight_skew") & (out.iloc[:, 0] == "a")].iloc[0]
    assert row["raw"] == pytest.approx(1 - 1.0 / variance)


@pytest.mark.parametrize("scale", [(1, 4), (1, 12), (0, 100)])
def test_no_slight_skew_is_invented_for_a_scale_without_a_published_one(scale):
    result = verify.aggregation(data({"a": [3, 4, 4], "b": [2, 2, 3]}), **{**WORDS, "scale": scale})
    assert "slight_skew" not in set(result.table["variant"])
    assert any(f.key == "aggregation.no_skew" for f in result.findings)
    assert "5 至 11 点" in result.say("zh") and "5 to 11" in result.say("en")


def test_unequal_groups_have_the_exact_size():
    result = verify.aggregation(data({"a": [1, 2], "b": [3, 4, 5, 4], "c": [5, 5, 4]}), **WORDS)
    y = {"a": [1, 2], "b": [3, 4, 5, 4], "c": [5, 5, 4]}
    n = np.array([2, 4, 3])
    grand = np.mean([v for scores in y.values() for v in scores])
    between = sum(len(v) * (np.mean(v) - grand) ** 2 for v in y.values()) / 2
    within = sum(((np.array(v) - np.mean(v)) ** 2).sum() for v in y.values()) / 6
    size = (9 - (n**2).sum() / 9) / 2
    exact = (between - within) / (between + (size - 1) * within)
    assert pick(result.table, "icc1", "exact_size")["estimate"] == pytest.approx(exact)
    assert "aggregation.small" in keys(result)


def test_unanimous_departments():
    result = verify.aggregation(data({"甲": [5] * 6, "乙": [5] * 6}), **WORDS)
    assert pick(result.table, "rwg", "uniform", "甲")[["estimate", "low", "high"]].tolist() == [
        1,
        1,
        1,
    ]
    assert "aggregation.no_between" in keys(result)


def test_single_raters_and_scores_off_the_scale():
    result = verify.aggregation(data({"甲": [3], "乙": [4]}), **WORDS)
    assert result.findings[0].level == "refused"
    with pytest.raises(InputError) as caught:
        verify.aggregation(data({"甲": [3, 6], "乙": [4, 4]}), **WORDS)
    assert caught.value.problems[0].rows == (1,)

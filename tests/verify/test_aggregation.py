"""Agreement inside departments: numbers of R multilevel, camps, small groups, scales."""

from __future__ import annotations

import importlib
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


def test_limits_of_a_mean_over_departments_stay_within_the_coefficients_bounds():
    """rwg between 0 and 1, a_wg between -1 and 1, mean deviations from 0 on."""
    module = importlib.import_module("svcmetrics.verify.aggregation")
    names = ["rwg", "rwg_j", "rwg_star", "a_wg", "ad"]
    rows = [{"t": t, "metric": m, "variant": "", "estimate": v, "raw": v - 0.5, "cut": 5 / 6}
            for m in names for t, v in (("a", 1.0), ("b", 0.2))]  # fmt: skip
    found = module._means(pd.DataFrame(rows), "t").set_index("metric")
    half = 12.706205 * 0.4  # Student's with one degree, and the error of two values 0.8 apart
    assert found["estimate"].tolist() == pytest.approx([0.6] * 5)
    assert found["low"].tolist() == pytest.approx([0, 0, 0, -1, 0])
    assert found["high"].tolist() == pytest.approx([1, 1, 1, 1, 0.6 + half], abs=1e-6)
    assert found["n"].tolist() == [2] * 5 and found["raw"].tolist() == pytest.approx([0.1] * 5)
    one = module._means(pd.DataFrame(rows[::2]), "t")
    assert one[["low", "high"]].isna().all(axis=None) and one["n"].tolist() == [1] * 5


@pytest.mark.parametrize(("low", "level"), [(0.01, "note"), (0.0, "warning")])
def test_the_reading_of_departments_and_of_what_lies_between_them(low, level):
    module = importlib.import_module("svcmetrics.verify.aggregation")
    table = pd.DataFrame({
        "t": ["a", "b", "a", "b", ""], "metric": ["rwg"] * 4 + ["icc2"],
        "variant": ["uniform"] * 2 + ["slight_skew"] * 2 + ["exact_size"],
        "estimate": [0.9, 0.9, 0.7, 0.69, 0.4], "raw": [0.9, -0.1, 0.7, -0.6, 0.4], "low": low, "high": 0.8,
    })  # fmt: skip
    groups = [np.array([[1.0], [5], [3], [4], [2]]), np.array([[2.0], [3], [4], [3]])]
    found = module._reading(table, groups, ["a", "b"], "t", 1.0, 5.0)
    assert [f.key.split(".")[1] for f in found] == ["slight_skew", "between", "split", "small"]
    assert found[0].values == pytest.approx({"share": 50, "targets": 2, "median": 0.695})
    assert found[1].values == {"icc2": 0.4, "low": low, "high": 0.8} and found[1].level == level
    assert found[2].values == {"targets": ["b"], "count": 1}
    assert found[3].values == {"count": 1, "least": 5}
    plain = module._reading(table[table["variant"] == "uniform"], groups, ["a", "b"], "t", 1.0, 5.0)
    assert [f.key.split(".")[1] for f in plain[:3]] == ["uniform", "no_skew", "no_between"]
    assert plain[0].values["share"] == 100 and plain[1].values == {"points": 5}

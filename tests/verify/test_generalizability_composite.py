"""Composite of dimensions: a printed data set, the univariate analysis, known components, bad input."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.problems import TableError
from svcmetrics.verify import _composite_rows

composite = verify.generalizability_composite

# Rajaratnam, Cronbach & Gleser (1965), Psychometrika 30, Table 2 = Brennan (2001), Table 9.1:
# eight persons, three subtests of two, four and two items.
PRINTED = {
    1: [[4, 2, 2, 1, 3, 1, 3, 0], [5, 1, 4, 3, 3, 2, 5, 1]],
    2: [
        [3, 2, 4, 5, 6, 5, 6, 1],
        [3, 3, 7, 4, 7, 6, 8, 2],
        [5, 1, 6, 5, 5, 4, 6, 0],
        [4, 4, 5, 5, 7, 4, 7, 4],
    ],
    3: [[5, 4, 8, 4, 8, 5, 7, 7], [7, 6, 7, 5, 9, 6, 8, 8]],
}


def _printed() -> pd.DataFrame:
    cells = [
        (person, subtest, item, score)
        for subtest, items in PRINTED.items()
        for item, scores in enumerate(items, 1)
        for person, score in enumerate(scores, 1)
    ]
    return pd.DataFrame(cells, columns=["person", "subtest", "item", "score"])


def _of(table: pd.DataFrame, metric: str, **where: str) -> float:
    rows = table[table["metric"] == metric]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1, rows
    return float(rows["estimate"].iloc[0])


def _stratified_alpha(data: pd.DataFrame) -> float:
    """Rajaratnam, Cronbach & Gleser (1965): one minus the errors of the parts over the total."""
    error = 0.0
    for _, part in data.groupby("subtest"):
        wide = part.pivot(index="person", columns="item", values="score")
        k, own = wide.shape[1], wide.sum(axis=1).var()
        error += own * (1 - k / (k - 1) * (1 - wide.var().sum() / own))
    return 1 - error / data.groupby("person")["score"].sum().var()


def test_items_of_their_own_give_stratified_alpha_on_the_printed_data():
    data = _printed()
    out = composite(
        data, "score ~ person + item", object="person", strata="subtest",
        weights={1: 0.25, 2: 0.5, 3: 0.25},
    ).table  # fmt: skip
    assert _of(out, "erho2", stratum="") == pytest.approx(_stratified_alpha(data), abs=1e-12)
    means = data.groupby(["person", "subtest"])["score"].mean().unstack()
    for a, b in ((1, 2), (1, 3), (2, 3)):
        got = _of(out, "component", term="person", stratum=str(a), with_stratum=str(b))
        assert got == pytest.approx(means[a].cov(means[b]), abs=1e-12)
    one = verify.generalizability(
        data[data["subtest"] == 2], "score ~ person + item", object="person"
    )
    for name in ("phi", "erho2", "sem_absolute"):
        assert _of(out, name, stratum="2") == pytest.approx(_of(one.table, name), abs=1e-12)
    for variant in ("universe", "error"):
        rows = out[(out["metric"] == "effective_weight") & (out["variant"] == variant)]
        assert rows["estimate"].sum() == pytest.approx(1)


def _rated(seed: int = 3, targets: int = 9, raters: int = 4) -> pd.DataFrame:
    """Two dimensions that share raters, severity and a halo of rater and target."""
    rng = np.random.default_rng(seed)
    f = pd.MultiIndex.from_product(
        [range(targets), ["a", "b"], range(raters)], names=["部门", "维度", "评价人"]
    ).to_frame(index=False)
    t, r = f["部门"], f["评价人"]
    halo = rng.normal(size=(targets, raters))[t, r]
    f["分"] = rng.normal(0, 1.5, targets)[t] + rng.normal(size=raters)[r] + halo
    f["分"] += rng.normal(size=len(f))
    return f


def test_with_shared_raters_it_is_the_univariate_study_of_the_weighted_score():
    data = _rated()
    out = composite(
        data, "分 ~ 部门 + 评价人", object="部门", strata="维度", linked=["评价人"],
        weights={"a": 1, "b": 2},
    ).table  # fmt: skip
    share = np.where(data["维度"] == "a", 1 / 3, 2 / 3)
    one = data.assign(分=data["分"] * share).groupby(["部门", "评价人"])["分"].sum().reset_index()
    whole = verify.generalizability(one, "分 ~ 部门 + 评价人", object="部门").table
    mine, other = out[out["stratum"] == ""], whole[whole["metric"] != "component"]
    for column in ("estimate", "low", "high"):
        np.testing.assert_allclose(mine[column].dropna()[:4], other[column], rtol=1e-9)
    # What the halo adds is an error that both dimensions share, not a truth.
    assert _of(out, "component", term="residual", stratum="a", with_stratum="b") > 0.3


def test_shared_raters_and_items_of_their_own_give_back_what_was_put_in():
    rng = np.random.default_rng(11)
    f = pd.MultiIndex.from_product(
        [range(80), [1, 2], range(12), range(3)], names=["t", "v", "r", "i"]
    ).to_frame(index=False)
    t, v, r, i = f["t"], f["v"] - 1, f["r"], f["i"]
    true = rng.multivariate_normal([0, 0], [[1.0, 0.6], [0.6, 1.0]], 80)
    severe = rng.multivariate_normal([0, 0], [[0.5, 0.4], [0.4, 0.5]], 12)
    halo = rng.multivariate_normal([0, 0], [[0.4, 0.3], [0.3, 0.4]], (80, 12))
    f["x"] = true[t, v] + severe[r, v] + halo[t, r, v] + rng.normal(0, 0.5, (2, 3))[v, i]
    f["x"] += rng.normal(0, 0.7, len(f))
    result = composite(f, "x ~ t + r + i", object="t", strata="v", linked=["r"])
    out = result.table
    assert result.about["added"] == "t:r"
    got = {
        term: _of(out, "component", term=term, stratum="1", with_stratum="2")
        for term in ("t", "r", "t:r")
    }
    assert got["t"] == pytest.approx(0.6, abs=0.25)
    assert got["r"] == pytest.approx(0.4, abs=0.4)
    assert got["t:r"] == pytest.approx(0.3, abs=0.05)
    plan = composite(
        f, "x ~ t + r + i", object="t", strata="v", linked=["r"], sizes={"r": 5, "i": 2}
    ).table
    part = out[(out["metric"] == "component")].set_index(["term", "stratum", "with_stratum"])
    sigma = part["estimate"].to_dict()
    universe = sum(sigma["t", a, b] for a, b in (("1", "1"), ("2", "2"))) / 4
    universe += sigma["t", "1", "2"] / 2
    joint = {"r": 0.0, "t:r": 0.0}
    for term in joint:
        joint[term] = (sigma[term, "1", "1"] + sigma[term, "2", "2"]) / 4 + sigma[
            term, "1", "2"
        ] / 2
    error = {x: (sigma[x, "1", "1"] + sigma[x, "2", "2"]) / 4 for x in ("i", "residual")}
    relative = joint["t:r"] / 5 + error["residual"] / 10
    absolute = relative + joint["r"] / 5 + error["i"] / 2
    assert _of(plan, "erho2", stratum="") == pytest.approx(universe / (universe + relative))
    assert _of(plan, "phi", stratum="") == pytest.approx(universe / (universe + absolute))


def test_missing_ratings_change_little_and_are_counted():
    data = _rated(seed=5, targets=40, raters=10)
    call = {"object": "部门", "strata": "维度", "linked": ["评价人"]}
    whole = composite(data, "分 ~ 部门 + 评价人", **call)
    few = composite(data.drop(data.index[7:60:9]), "分 ~ 部门 + 评价人", **call)
    assert few.about["dropped"]["incomplete_cell"] == 6
    assert few.about["method"] == "REML"
    for name in ("phi", "erho2"):
        a, b = (_of(x.table, name, stratum="") for x in (few, whole))
        assert a == pytest.approx(b, abs=0.02)
    assert "6" in few.say("zh") and "6" in few.say("en")


def test_two_dimensions_with_one_truth_are_said_to_be_alike():
    data = _rated(seed=1, targets=30)
    twin = data.assign(分=data["分"] + np.where(data["维度"] == "a", 0.0, 0.5))
    twin["分"] = twin.groupby(["部门", "评价人"])["分"].transform("first")
    twin["分"] += np.random.default_rng(2).normal(0, 0.1, len(twin))
    found = composite(twin, "分 ~ 部门 + 评价人", object="部门", strata="维度", linked=["评价人"])
    assert "a – b" in found.say("zh")
    assert "halo" in found.say("en")


@pytest.mark.parametrize("how", ["one", "stratum", "same", "one_target"])
def test_what_cannot_be_estimated_is_refused_with_the_reason(how):
    data = _rated()
    if how == "one":
        data = data[data["维度"] == "a"]
    if how == "stratum":
        data.loc[data["维度"] == "b", "分"] = 5.0
    if how == "same":
        data["分"] = 5.0
    if how == "one_target":
        data = data[data["部门"] == 0]
    result = composite(data, "分 ~ 部门 + 评价人", object="部门", strata="维度", linked=["评价人"])
    assert result.findings[0].level == "refused"
    assert result.table["estimate"].isna().all()
    assert result.say("zh") and result.say("en")


def test_bad_calls_say_what_would_be_right():
    data, call = _rated(), {"object": "部门", "strata": "维度"}
    with pytest.raises(TableError, match="维度"):
        composite(data, "分 ~ 部门 + 评价人", **call, weights={"a": 1})
    with pytest.raises(TableError, match="a"):
        composite(data, "分 ~ 部门 + 评价人", **call, weights={"a": 0, "b": 0})
    with pytest.raises(TableError, match="题"):
        composite(data, "分 ~ 部门 + 评价人", **call, linked=["题"])
    with pytest.raises(TableError, match="评价人"):
        composite(data, "分 ~ 部门 + 评价人", **call, sizes={})
    with pytest.raises(TableError):
        composite(data.assign(分=np.inf), "分 ~ 部门 + 评价人", **call)
    with pytest.raises(TableError):
        composite(data.assign(分=np.nan), "分 ~ 部门 + 评价人", **call)


def test_limits_hold_the_true_coefficient_about_as_often_as_they_say():
    """Twelve departments, two dimensions, six shared raters, three items each; 60 studies."""
    rng = np.random.default_rng(2)
    f = pd.MultiIndex.from_product(
        [range(12), [0, 1], range(6), range(3)], names=["t", "v", "r", "i"]
    ).to_frame(index=False)
    t, v, r, i = (f[c].to_numpy() for c in "tvri")
    joint = np.array([[1.0, 0.5], [0.5, 1.0]])
    universe = 0.5 * joint.sum() / 4
    relative = 0.3 * joint.sum() / 4 / 6 + 2 * 0.5 / 4 / 18
    absolute = relative + 0.3 * joint.sum() / 4 / 6 + 2 * 0.2 / 4 / 3
    inside = 0
    for _ in range(60):
        true, severe, halo = (
            rng.multivariate_normal([0, 0], s * joint, n)
            for s, n in ((0.5, 12), (0.3, 6), (0.3, (12, 6)))
        )
        x = true[t, v] + severe[r, v] + halo[t, r, v] + rng.normal(0, 0.2**0.5, (2, 3))[v, i]
        f["x"] = x + rng.normal(0, 0.5**0.5, len(f))
        out = composite(f, "x ~ t + r + i", object="t", strata="v", linked=["r"]).table
        row = out[(out["metric"] == "phi") & (out["stratum"] == "")].iloc[0]
        inside += row["low"] <= universe / (universe + absolute) <= row["high"]
    assert inside >= 53  # 57 expected; 53 or fewer has a chance of 2% at 95%


def test_the_components_of_a_dimension_are_those_of_its_own_study_uncut():
    data = _printed()
    out = composite(data, "score ~ person + item", object="person", strata="subtest").table
    for subtest in (1, 2, 3):
        own = verify.generalizability(
            data[data["subtest"] == subtest], "score ~ person + item", object="person"
        ).table
        raw = own[(own["metric"] == "component") & (own["variant"] == "raw")].set_index("term")
        part = out[(out["metric"] == "component") & (out["stratum"] == str(subtest))]
        part = part[part["with_stratum"] == str(subtest)].set_index("term")
        assert part.index.tolist() == raw.index.tolist() and (part["variant"] == "variance").all()
        assert (part["low"] < 0).tolist() == (raw["low"] < 0).tolist()  # draws are not cut either
        np.testing.assert_allclose(part["estimate"], raw["estimate"], rtol=1e-12)


def test_covariances_have_normal_limits_and_correlations_only_where_variances_are_above_nought():
    data = _printed()
    out = composite(data, "score ~ person + item", object="person", strata="subtest").table
    shared = out[(out["metric"] == "component") & (out["variant"] == "covariance")]
    wide = dict(list(out[out["variant"] == "variance"].groupby("stratum")))
    for _, row in shared.iterrows():
        assert row["estimate"] - row["low"] == pytest.approx(row["high"] - row["estimate"])
        one, two = (
            float(wide[s].set_index("term").loc[row["term"], "estimate"])
            for s in (row["stratum"], row["with_stratum"])
        )
        assert one > 0 and two > 0
        assert row["correlation"] == pytest.approx(row["estimate"] / np.sqrt(one * two))
    # The error of a covariance of eight persons' means, as for normal scores: (s1 s2 + s12^2) / 7.
    means = data.groupby(["person", "subtest"])["score"].mean().unstack()
    row = shared[(shared["stratum"] == "1") & (shared["with_stratum"] == "2")].iloc[0]
    cov = means.cov()
    error = np.sqrt((cov.loc[1, 1] * cov.loc[2, 2] + cov.loc[1, 2] ** 2) / 7)
    assert (row["high"] - row["estimate"]) / 1.959964 == pytest.approx(error, rel=0.35)


def _coefficients(phi=0.7, low=0.6, n=9, correlation=0.5):
    rows = [{"stratum": "", "metric": "phi", "estimate": phi, "low": low, "high": 0.9, "n": n},
            {"stratum": "", "metric": "erho2", "estimate": 0.8, "low": 0.5, "high": 0.9, "n": n},
            {"stratum": "a", "metric": "component", "with_stratum": "b", "correlation": correlation}]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("change", "key", "more"),
    [
        ({}, "fair", []),
        ({"low": 0.8}, "good", []), ({"low": 0.799}, "fair", []),
        ({"phi": 0.5, "low": 0.1}, "fair", []), ({"phi": 0.499, "low": 0.1}, "poor", []),
        ({"phi": np.nan, "low": np.nan}, "poor", []),
        ({"correlation": 0.95}, "fair", ["alike"]), ({"correlation": 0.949}, "fair", []),
        ({"n": 8}, "fair", []), ({"n": 7}, "fair", ["few_targets"]),
    ],
)  # fmt: skip
def test_the_reading_of_a_composite_at_its_limits(change, key, more):
    data = SimpleNamespace(names=["a", "b"], dropped={}, cells=[1, 2])
    table = _coefficients(**change)
    found = _composite_rows.findings(table, data, SimpleNamespace(strata=[]))
    assert [f.key.split(".")[1] for f in found] == [key, *more]
    assert found[0].values["strata"] == 2 and found[0].values["erho2"] == 0.8
    if more == ["alike"]:
        assert found[1].values == {"pairs": ["a – b"], "count": 1}
    data.dropped = {"incomplete_cell": 3}
    left = _composite_rows.findings(table, data, SimpleNamespace(strata=[]))[-1]
    assert left.values == {"count": 3, "kept": 2}


@pytest.mark.parametrize(("levels", "fits"), [(1, True), (0.99, False), (np.nan, False)])
def test_a_plan_has_one_level_at_least_of_every_facet(levels, fits):
    call = {"object": "部门", "strata": "维度", "linked": ["评价人"], "sizes": {"评价人": levels}}
    if fits:
        assert len(composite(_rated(), "分 ~ 部门 + 评价人", **call).table)
        return
    with pytest.raises(TableError) as caught:
        composite(_rated(), "分 ~ 部门 + 评价人", **call)
    assert caught.value.problems[0].key == "d_study_sizes"


def test_five_pairs_of_dimensions_are_named_of_all_that_cannot_be_told_apart():
    """Seven pairs, one of them just below a correlation of 0.95; eight departments are not few."""
    pairs = pd.DataFrame({
        "metric": "component", "stratum": [*"abcdefg"], "with_stratum": "h", "n": 8,
        "correlation": [0.95, 0.99, 1.2, 0.96, 0.97, 0.949, 0.98], "estimate": 1.0,
    })  # fmt: skip
    whole = pd.DataFrame({"metric": ["phi", "erho2"], "stratum": "", "n": 8, "estimate": [0.85, 0.9],
                          "low": [0.8, 0.8], "high": [0.9, 0.95]})  # fmt: skip
    data = SimpleNamespace(names=[*"abcdefgh"], dropped={}, cells=[])
    parts = SimpleNamespace(strata=[])

    def said(n: int, low: float = 0.8, phi: float = 0.85) -> list:
        rows = pd.concat([pairs, whole.assign(low=low, n=n, estimate=[phi, 0.9])])
        return _composite_rows.findings(rows, data, parts)

    good, alike = said(8)
    assert good.key == "generalizability_composite.good"
    assert alike.values["pairs"] == ["a – h", "b – h", "c – h", "d – h", "e – h"]
    assert alike.values["count"] == 6
    assert said(7)[-1].key == "generalizability.few_targets"
    assert said(8, low=0.79)[0].key == "generalizability_composite.fair"
    assert said(8, low=0.1, phi=0.5)[0].key == "generalizability_composite.fair"
    assert said(8, low=0.1, phi=0.49)[0].key == "generalizability_composite.poor"

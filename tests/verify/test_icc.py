"""ICC: published tables, peers, exact arithmetic, incomplete tables, degenerate cases."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from svcmetrics import InputError, verify
from svcmetrics.numeric import icc_draws, icc_incomplete
from svcmetrics.numeric.icc import raters_needed, stepped_up
from svcmetrics.verify import grid, icc_findings, oddities

SHROUT = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
WORDS = {"target": "t", "rater": "r", "score": "s"}


def long(rows) -> pd.DataFrame:
    return pd.DataFrame(
        [(f"t{i}", f"r{j}", v) for i, row in enumerate(rows) for j, v in enumerate(row)],
        columns=["t", "r", "s"],
    )


def forms(result) -> pd.DataFrame:
    return result.table[result.table["metric"] == "icc"].set_index("form")


def keys(result) -> set[str]:
    return {f.key for f in result.findings}


def test_limits_are_those_of_psych():
    found = forms(verify.icc(long(SHROUT), **WORDS))
    expected = {
        "ICC(1,1)": (0.165741768, -0.132932325, 0.722560062),
        "ICC(2,1)": (0.289763780, 0.018786513, 0.761084370),
        "ICC(3,1)": (0.714840715, 0.342464765, 0.945858260),
        "ICC(1,k)": (0.442797134, -0.884442155, 0.912415420),
        "ICC(2,k)": (0.620050548, 0.071136815, 0.927232040),
        "ICC(3,k)": (0.909315542, 0.675674714, 0.985891678),
    }
    for form, numbers in expected.items():
        assert found.loc[form, ["estimate", "low", "high"]].tolist() == pytest.approx(
            numbers, abs=1e-8
        )
    assert found["F"].iloc[[0, 1]].tolist() == pytest.approx([1.794678492, 11.0272479564])
    assert found["df1"].eq(5).all()
    assert found["df2"].tolist() == [18, 15, 15, 18, 15, 15]
    assert found.loc["ICC(3,1)", "p"] == pytest.approx(0.000134566516)


def test_limits_of_the_mean_are_stepped_up_from_those_of_one():
    found = forms(verify.icc(long(SHROUT), **WORDS))
    for end in ("low", "high"):
        assert found.loc["ICC(2,k)", end] == pytest.approx(
            float(stepped_up(found.loc["ICC(2,1)", end], 4))
        )


def test_an_offset_of_a_hundred_million_costs_no_digits():
    plain, moved = (forms(verify.icc(long(np.add(SHROUT, k)), **WORDS)) for k in (0, 10**8))
    np.testing.assert_allclose(moved["estimate"], plain["estimate"], rtol=1e-12)
    np.testing.assert_allclose(moved["high"], plain["high"], rtol=1e-10)


def test_equals_exact_fractions():
    rows = [[1, 5], [2, 4], [4, 1], [5, 2], [3, 3], [2, 5]]
    x = [[Fraction(v) for v in r] for r in rows]
    n, k = 6, 2
    grand = sum(map(sum, x)) / (n * k)
    means = [sum(r) / k for r in x]
    within = sum((v - m) ** 2 for r, m in zip(x, means, strict=True) for v in r) / (n * (k - 1))
    between = k * sum((m - grand) ** 2 for m in means) / (n - 1)
    exact = float((between - within) / (between + (k - 1) * within))
    result = verify.icc(long(rows), **WORDS)
    assert forms(result).loc["ICC(1,1)", "estimate"] == pytest.approx(exact, abs=1e-14)
    assert exact < 0
    assert "icc.negative" in keys(result)


def test_error_of_measurement_and_raters_needed():
    table = verify.icc(long(SHROUT), **WORDS).table.set_index(["metric", "variant"])
    residual, rater = 1.01944444, (32.48611111 - 1.01944444) / 6
    assert table.loc[("sem", "consistency"), "estimate"] == pytest.approx(residual**0.5)
    assert table.loc[("sem", "agreement"), "estimate"] == pytest.approx((residual + rater) ** 0.5)
    assert table.loc[("mdc", "consistency"), "estimate"] == pytest.approx(
        1.959964 * (2 * residual) ** 0.5
    )
    assert raters_needed([0.5, 0.2, -0.1]).tolist()[:2] == [4, 16]
    assert np.isnan(raters_needed(-0.1))


def test_perfect_agreement_is_one_and_said_to_be_rare():
    result = verify.icc(long([[v] * 4 for v in (1, 2, 3, 4, 5, 1)]), **WORDS)
    assert (forms(result)[["estimate", "low", "high"]] == 1).all(axis=None)
    assert "icc.perfect" in keys(result)


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ([[5] * 4] * 6, "icc.no_variation"),
        ([[1], [2], [3]], "icc.one_rater"),
        ([[1, 2, 3]], "icc.one_target"),
        ([[np.nan] * 3] * 4, "icc.no_scores"),
    ],
)
def test_nothing_to_estimate_is_refused_with_its_reason(rows, key):
    result = verify.icc(long(rows), **WORDS)
    assert [f.key for f in result.findings if f.level == "refused"] == [key]
    assert forms(result)["estimate"].isna().all()


def test_one_rating_per_department_is_refused():
    data = pd.DataFrame({"t": [*"abcd"], "r": [*"wxyz"], "s": [1, 2, 3, 4]})
    assert "icc.never_two" in keys(verify.icc(data, **WORDS))


def test_a_repeated_pair_is_an_error_that_names_the_rows():
    data = long(SHROUT)
    other = data.iloc[[3]].assign(**{WORDS["score"]: 1})
    with pytest.raises(InputError) as caught:
        verify.icc(pd.concat([data, other], ignore_index=True), **WORDS)
    assert caught.value.problems[0].rows == (3, 24)


def test_a_form_sent_twice_counts_once_and_is_told():
    data = long(SHROUT)
    twice = verify.icc(pd.concat([data, data.iloc[[3, 3]]], ignore_index=True), **WORDS)
    pd.testing.assert_frame_equal(twice.table, verify.icc(data, **WORDS).table)
    assert twice.about["dropped"] == {"duplicate": 2}
    assert "grid.twice" in keys(twice)


def test_a_code_for_missing_is_an_error_and_a_slip_a_warning():
    with pytest.raises(InputError, match="-99"):
        verify.icc(long([[-99, 2, 5, 8], *SHROUT[1:]]), **WORDS)
    assert "grid.far" in keys(verify.icc(long([[95, 2, 5, 8], *SHROUT[1:]]), **WORDS))


def test_ids_that_look_alike_are_named_and_not_merged():
    data = long(SHROUT)
    data["r"] = data["r"].replace("r0", "r0 ").where(data["t"] == "t0", data["r"])
    result = verify.icc(data, **WORDS)
    assert "grid.alike" in keys(result)
    assert result.about["raters"] == 5


def test_three_groups_of_four_spellings_are_shown_of_five_spellings_each():
    labels = [v for k in "abcd" for v in (k, k.upper(), f" {k}", f"{k} ", f" {k} ")]
    (told,) = grid.odd_labels("who", [*labels, "e", 7])
    assert (told.values["count"], told.values["merged"]) == (22, 6)
    assert [len(pair.split(" = ")) for pair in told.values["pairs"]] == [4, 4, 4]
    assert told.values["pairs"][0].count("a") + told.values["pairs"][0].count("A") == 4
    assert grid.odd_labels("who", ["a", "b", "e", 7]) == []
    assert grid.odd_labels("who", [7, 8]) == []


def test_own_department_is_left_out_and_counted():
    data = long(SHROUT).assign(own=lambda d: d["r"].str.replace("r", "t"))
    result = verify.icc(data, **WORDS, rater_unit="own")
    assert result.about["dropped"] == {"own_unit": 4}
    assert result.about["ratings"] == 20
    assert "oddities.own_unit" in keys(verify.icc(data, **WORDS))


def test_flat_raters_and_blocks_are_named():
    flat = verify.icc(long([[*r[:3], 3] for r in SHROUT]), **WORDS)
    assert [f.values["raters"] for f in flat.findings if f.key == "oddities.flat"] == [["r3"]]
    two = pd.concat([long(SHROUT[:3]), long(SHROUT[3:]).replace({"t": "u", "r": "q"}, regex=True)])
    result = verify.icc(two.reset_index(drop=True), **WORDS)
    assert result.about["blocks"] == 2
    assert "oddities.disconnected" in keys(result)


def test_a_missing_cell_goes_through_reml_and_says_so():
    data = long(SHROUT)
    result = verify.icc(data.drop(index=5).reset_index(drop=True), **WORDS)
    assert result.about["method"] == "REML"
    assert "icc.incomplete" in keys(result)
    assert forms(result).loc["ICC(3,1)", "estimate"] == pytest.approx(0.71, abs=0.06)
    again = verify.icc(data.drop(index=5).reset_index(drop=True), **WORDS)
    pd.testing.assert_frame_equal(result.table, again.table)


def test_unbiased_components_equal_anova_where_the_table_is_complete():
    x = np.array(SHROUT, dtype=float)
    plan = icc_incomplete.design(np.repeat(np.arange(6), 4), np.tile(np.arange(4), 6))
    found = icc_incomplete.henderson(plan, x.ravel())
    assert [float(v) for v in found[:3]] == pytest.approx(
        [2.5555556, 5.2444444, 1.0194444], abs=1e-7
    )
    low, high = icc_incomplete.all_limits(plan, found, 4000, np.random.default_rng(5))
    # The simulated interval of one-way and consistency is the exact one, up to simulation error.
    assert low[[0, 2]] == pytest.approx([-0.133, 0.342], abs=0.02)
    assert high[[0, 2]] == pytest.approx([0.7226, 0.9459], abs=0.02)


def test_a_negative_variance_is_shown_and_not_cut_off():
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(8, 3))
    rows -= rows.mean(axis=1, keepdims=True) * 0.9
    result = verify.icc(long(rows).drop(index=2), **WORDS)
    assert result.about["method"] == "Henderson"
    assert forms(result).loc["ICC(3,1)", "estimate"] < 0
    assert "icc.raw_negative" in keys(result)


def test_raters_nested_in_departments_have_the_one_way_form_only():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"t": np.repeat([*"abcdef"], 5), "r": np.arange(30)})
    data["s"] = rng.normal(size=6).repeat(5) * 2 + rng.normal(size=30)
    result = verify.icc(data, **WORDS)
    found = forms(result)
    assert found["estimate"].notna().tolist() == [True, False, False, True, False, False]
    assert "icc.nested" in keys(result)
    # Balanced: equal to the analysis of variance of a complete table.
    wide = data["s"].to_numpy().reshape(6, 5)
    exact = forms(verify.icc(long(wide), **WORDS)).loc["ICC(1,1)", "estimate"]
    assert found.loc["ICC(1,1)", "estimate"] == pytest.approx(exact)


def test_bootstrap_intervals_are_near_the_exact_ones_for_many_targets():
    rng = np.random.default_rng(3)
    data = long(rng.normal(size=(300, 1)) + rng.normal(size=(1, 4)) + rng.normal(size=(300, 4)))
    exact, drawn = (forms(verify.icc(data, **WORDS, interval=w)) for w in ("exact", "bootstrap"))
    np.testing.assert_allclose(drawn.loc["ICC(3,1)", ["low", "high"]].astype(float),
                               exact.loc["ICC(3,1)", ["low", "high"]].astype(float), atol=0.02)  # fmt: skip


@pytest.mark.data
def test_peers_on_sixty_one_items_and_thirteen_judges(shared_data):
    folder = shared_data("standard_setting")
    wide = pd.read_csv(folder / "ratings_wide.csv").drop(columns="itemdiff")
    found = forms(
        verify.icc(
            wide.melt("item", var_name="r", value_name="s"), target="item", rater="r", score="s"
        )
    )
    numbers = {
        n["name"]: n["value"]
        for n in json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    }
    for row, form in zip(numbers["six ICCs (ANOVA) with CI"], found.index, strict=True):
        assert found.loc[form, ["estimate", "low", "high"]].tolist() == pytest.approx(
            [row["ICC"], row["lower bound"], row["upper bound"]], abs=1e-8
        )


@pytest.mark.data
def test_unbalanced_components_are_those_of_lme4(shared_data):
    folder = shared_data("writing_raters20")
    data = pd.read_csv(folder / "ratings.csv")
    result = verify.icc(data, target="idstud", rater="rater", score="k1")
    numbers = {
        n["name"]: n["value"]
        for n in json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    }
    lme4 = numbers["k1 variance components student, rater, residual (REML)"]
    parts = result.about["components"]
    assert [parts["target"], parts["rater"], parts["residual"]] == pytest.approx(
        list(lme4.values()), rel=1e-4
    )
    share = lme4["idstud"] / sum(lme4.values())
    assert forms(result).loc["ICC(2,1)", "estimate"] == pytest.approx(share, rel=1e-4)


def test_raters_who_give_everybody_the_same_tell_nobody_apart():
    rows = [(t, r, s) for t in range(12) for r, s in enumerate([1.0, 2, 3, 4, 5, 1])]
    data = pd.DataFrame(rows, columns=["t", "r", "s"])
    for interval in ("exact", "bootstrap"):
        result = verify.icc(data, target="t", rater="r", score="s", interval=interval)
        assert [f.key for f in result.findings if f.level == "refused"] == ["icc.constant_raters"]
        assert result.table["estimate"].isna().all()
    study = verify.generalizability(data, "s ~ t + r", object="t")
    ratios = study.table.set_index("metric")[["estimate", "low", "high"]]
    assert ratios.loc["phi", "estimate"] == 0
    assert ratios.loc["erho2"].isna().all()  # nothing over nothing, whatever rounding leaves
    planned = verify.d_study(data, "s ~ t + r", object="t", sizes={"r": [5]}).table
    assert planned.set_index("variant")["estimate"].isna().to_dict() == {
        "phi": False, "erho2": True,
    }  # fmt: skip
    assert verify.reportable(data, target="t", rater="r", score="s").findings


def test_one_rater_of_many_departments_is_refused_as_that_not_as_one_department():
    data = pd.DataFrame({"t": range(12), "r": "only", "s": [1, 2, 3, 4, 5, 1] * 2})
    for call in (
        verify.generalizability(data, "s ~ t + r", object="t"),
        verify.d_study(data, "s ~ t + r", object="t", sizes={"r": [5, 10]}),
    ):
        assert [f.key for f in call.findings] == ["generalizability.one_level_only"]
        assert call.table["estimate"].isna().all()


@pytest.mark.parametrize(("targets", "raters"), [(12, 40), (40, 12), (8, 30)])
def test_sums_of_squares_are_drawn_as_if_ratings_were(targets, raters, monkeypatch):
    """The shortcut against ratings made one by one: moments of all four sums, by both ways."""
    rng = np.random.default_rng(4)
    t, r = np.nonzero(rng.random((targets, raters)) < 0.3)
    plan = icc_incomplete.design(*(np.unique(v, return_inverse=True)[1] for v in (t, r)))
    size, parts = 8000, [0.5, 0.3, 1.0]
    spread = np.sqrt(parts)
    y = spread[2] * rng.normal(size=(size, len(plan.target)))
    y += spread[0] * rng.normal(size=(size, len(plan.per_target)))[:, plan.target]
    y += spread[1] * rng.normal(size=(size, len(plan.per_rater)))[:, plan.rater]
    long_way = icc_incomplete.henderson(plan, y)
    kinds = icc_draws._alike
    for by_kind in (True, False):
        monkeypatch.setattr(
            icc_draws, "_alike", lambda s, n, on=by_kind: kinds(s, 10**9) if on else None
        )
        two = (parts[0], parts[1]) if plan.wide else (parts[1], parts[0])
        drawn = [
            np.concatenate(v)
            for v in zip(*icc_draws.sums_of_squares(plan.sides, *two, 1.0, size, rng), strict=True)
        ]
        if not plan.wide:
            drawn[1], drawn[2] = drawn[2], drawn[1]
        short = icc_incomplete.components(plan, *drawn)
        for ours, theirs in zip(short, long_way, strict=True):
            error = theirs.std() / np.sqrt(size / 2)
            assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * error)
            assert ours.std() == pytest.approx(theirs.std(), rel=0.06)
        table = [np.corrcoef(np.stack(c[:3])) for c in (short, long_way)]
        np.testing.assert_allclose(*table, atol=0.06)


def test_one_side_alone_is_drawn_as_if_ratings_were():
    rng = np.random.default_rng(2)
    place = np.repeat(np.arange(9), [2, 2, 2, 3, 3, 5, 5, 5, 8])
    y = rng.normal(size=(8000, len(place))) + 0.8 * rng.normal(size=(8000, 9))[:, place]
    y -= y.mean(axis=1, keepdims=True)
    size = np.bincount(place)
    between = (np.stack([y[:, place == k].sum(axis=1) for k in range(9)]) ** 2 / size[:, None]).sum(
        axis=0
    )
    drawn = icc_draws.alone(size.astype(float), 0.64, 1.0, 8000, rng)
    for ours, theirs in zip(drawn, (between, (y**2).sum(axis=1) - between), strict=True):
        assert ours.mean() == pytest.approx(theirs.mean(), rel=0.03)
        assert ours.std() == pytest.approx(theirs.std(), rel=0.06)


def test_interval_of_incomplete_tables_takes_two_thousand_draws_at_any_size():
    rng = np.random.default_rng(1)
    t, r = np.nonzero(rng.random((40, 3000)) < 0.3)
    score = rng.normal(size=40)[t] + rng.normal(size=3000)[r] + rng.normal(size=len(t))
    found = verify.icc(pd.DataFrame({"t": t, "r": r, "s": score}), target="t", rater="r", score="s")
    assert "2000 simulations" in found.about["interval"]
    one = found.table.iloc[1]
    assert one["low"] < 1 / 3 < one["high"]


def _icc_rows(estimate=0.4, low=0.6, mean=0.7, two_way=True, needed=6.0):
    forms = ["ICC(A,1)", "ICC(A,k)", "ICC(1)", "ICC(k)"]
    value = [estimate if two_way else np.nan, mean, estimate, mean]
    return pd.DataFrame({"metric": "icc", "notation": forms, "estimate": value, "low": low, "high": 0.9,
                         "raters": 4.0, "n": 12, "raters_for_0.8": needed})  # fmt: skip


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        # Koo and Li 2016: below 0.5 poor, to 0.75 moderate, to 0.9 good, on the lower limit.
        ({"low": 0.499}, ["reading", "at_least_poor", "needed"]),
        ({"low": 0.5}, ["reading", "at_least_moderate", "needed"]),
        ({"low": 0.75}, ["reading", "at_least_good", "needed"]),
        ({"low": 0.9, "mean": 0.8}, ["reading", "at_least_excellent"]),
        ({"mean": 0.799}, ["reading", "at_least_moderate", "needed"]),
        ({"needed": np.nan}, ["reading", "at_least_moderate"]),
        ({"estimate": 1.0}, ["perfect"]), ({"estimate": -0.01}, ["negative"]),
        ({"estimate": 0.0}, ["reading", "at_least_moderate", "needed"]),
        ({"estimate": np.nan}, ["undefined"]),
    ],
)  # fmt: skip
def test_the_reading_of_an_icc_at_its_limits(change, keys):
    found = icc_findings.reading(_icc_rows(**change))
    assert [f.key for f in found] == [f"icc.{k}" for k in keys]


def test_unlinked_blocks_are_read_one_way():
    for parts, two_way, form in ((1, True, "ICC(A,1)"), (2, True, "ICC(1)"), (1, False, "ICC(1)")):
        found = icc_findings.reading(_icc_rows(two_way=two_way), parts)
        assert found[0].values["form"] == form


@pytest.mark.parametrize(("targets", "named"), [(3, ["r1"]), (2, [])])
def test_one_score_for_three_targets_or_more_makes_a_flat_rater(targets, named):
    rows = [("r0", t, t) for t in range(4)] + [("r1", t, 3) for t in range(targets)]
    rows += [("r2", t, 5 - t) for t in range(4)]
    data = pd.DataFrame(rows, columns=["r", "t", "s"])
    found = grid.read(data, row="t", column="r", score="s")
    assert oddities.flat_raters(found) == named
    everybody = grid.read(data[data["t"] < 3].assign(s=3), row="t", column="r", score="s")
    assert oddities.flat_raters(everybody) == ([] if named else ["r0", "r2"])


def test_ratings_without_a_link_fall_into_parts():
    rows = [("r0", 0, 1), ("r0", 1, 2), ("r1", 2, 3), ("r1", 3, 4), ("r2", 4, 5)]
    data = pd.DataFrame(rows, columns=["r", "t", "s"])
    for more, parts in (((), 3), ((("r2", 0, 3),), 2), ((("r2", 0, 3), ("r2", 2, 3)), 1)):
        whole = pd.concat([data, pd.DataFrame(list(more), columns=["r", "t", "s"])])
        found = grid.read(whole, row="t", column="r", score="s")
        assert oddities.blocks(found) == parts
        said = [f for f in oddities.odd(whole, found, target="t", rater="r") if "disc" in f.key]
        assert [f.values for f in said] == ([{"parts": parts}] if parts > 1 else [])
    full = grid.read(pd.DataFrame([("r0", 0, 1), ("r0", 1, 2)], columns=["r", "t", "s"]),
                     row="t", column="r", score="s")  # fmt: skip
    assert oddities.blocks(full) == 1


def test_a_column_that_names_one_department_for_each_rater_tells_own_ratings():
    data = pd.DataFrame(
        {"r": list("aabb"), "t": list("xyxy"), "s": [1, 2, 3, 4], "u": list("xxyy")}
    )
    assert oddities._own_unit(data, "t", "r") == {"column": "u", "count": 2}
    assert oddities._own_unit(data.assign(u=list("xyyy")), "t", "r") is None  # two for one rater
    assert oddities._own_unit(data.assign(u=list("zzyy")), "t", "r") is None  # no department
    assert oddities._own_unit(data.assign(t=list("yyxx")), "t", "r") is None  # none of the own


def test_waves_counted_in_chinese_stand_in_their_order():
    names = [
        "第二轮",
        "第九轮",
        "第十轮",
        "第十一轮",
        "第十二轮",
        "第二十轮",
        "第二十一轮",
        "第三十轮",
    ]
    counts = ["2", "9", "10", "11", "12", "20", "21", "30"]
    assert [grid._CHINESE.sub(grid._counted, n) for n in names] == [f"第{k}轮" for k in counts]
    assert grid._CHINESE.sub(grid._counted, "二〇二六年") == "2026年"
    mixed = [names[k] for k in (5, 2, 7, 0, 3, 6, 1, 4)]
    assert sorted(mixed, key=grid._natural) == names

"""Careless answering: indices as in R careless, cut-offs that keep their rate, both results."""

from __future__ import annotations

import importlib
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from svcmetrics import verify
from svcmetrics.numeric import blocks, careless_indices, honest
from svcmetrics.numeric import careless as runs
from svcmetrics.problems import TableError
from svcmetrics.verify import careless_flags

NAMES = {"rater": "r", "item": "i", "score": "s"}


def attentive(rng, raters=150, targets=5, items=6, mean=3.6):
    """Raters with opinions; a long table of all their forms."""
    base = mean + rng.normal(0, 0.4, (raters, 1)) + rng.normal(0, 0.4, (1, targets))
    base = base + rng.normal(0, 0.35, (raters, targets))
    x = base[:, :, None] + rng.normal(0, 0.5, (raters, targets, items))
    return long(np.clip(np.rint(x), 1, 5))


def long(x):
    r, t, i = (v.ravel() for v in np.indices(x.shape))
    return pd.DataFrame({"r": r, "t": t, "i": i, "s": x.ravel()})


def share(result, variant="any"):
    t = result.table
    return t[(t["metric"] == "careless") & (t["variant"] == variant)].iloc[0]


@pytest.mark.data
def test_every_index_equals_r_careless_on_200_respondents(shared_data):
    folder = shared_data("careless_sim200")
    x = pd.read_csv(folder / "responses.csv").iloc[:, 1:].to_numpy(float)
    peer = pd.read_csv(folder / "indices_reference.csv")
    scale = np.repeat(np.arange(10), 5)
    ours = {
        "longstring": runs.longstring(x), "longstring_avg": runs.avgstring(x), "irv": runs.irv(x),
        "mahad": careless_indices.mahalanobis(x), "psychsyn": careless_indices.synonyms(x, 0.6),
        "evenodd": -careless_indices.even_odd(x, scale),  # R prints it with its sign reversed
    }  # fmt: skip
    for name, values in ours.items():
        np.testing.assert_allclose(values, peer[name], rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.data
def test_the_planted_fifth_of_careless_respondents_is_seen(shared_data):
    x = pd.read_csv(shared_data("careless_sim200") / "responses.csv").iloc[:, 1:].to_numpy(float)
    table = long(x[:, None, :]).assign(d=lambda t: t["i"] // 5)
    found = verify.careless(table, **NAMES, dimension="d")
    row = share(found)
    assert row["low"] <= 0.2 + 0.8 * 0.05 <= row["high"]  # a fifth, and 5% of the others
    assert share(found, "longstring")["estimate"] >= 0.095  # 10% straight lines
    # Who they are is not published; these marks are plain beyond doubt.
    who = verify.careless_raters(table, **NAMES, dimension="d").set_index("r")
    plain = (who["longstring"] >= 12) | ((who["synonyms"] < 0.35) & (who["irv"] > 1.15))
    assert who["flagged"][plain].mean() > 0.97
    assert who["flagged"][~plain].mean() < 0.05


@pytest.mark.data
def test_summaries_of_the_reference_are_met(shared_data):
    folder = shared_data("careless_sim200")
    x = pd.read_csv(folder / "responses.csv").iloc[:, 1:].to_numpy(float)
    numbers = json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    peer = {n["name"].split(" over")[0].removeprefix("summary of "): n["value"] for n in numbers}
    squared = careless_indices.mahalanobis(x)
    ours = {"longstring": runs.longstring(x), "longstring_avg": runs.avgstring(x),
            "irv": runs.irv(x), "mahad": squared}  # fmt: skip
    for name, v in ours.items():
        expected = [v.mean(), v.std(ddof=1), v.min(), v.max()]
        np.testing.assert_allclose(expected, peer[name], rtol=2e-9, atol=1e-12, err_msg=name)
    pairs = {"evenodd": -careless_indices.even_odd(x, np.repeat(np.arange(10), 5)),
             "psychsyn": careless_indices.synonyms(x, 0.6)}  # fmt: skip
    for name, v in pairs.items():
        expected = [np.nanmean(v), np.nanstd(v, ddof=1), np.isnan(v).sum()]
        np.testing.assert_allclose(expected, peer[name], rtol=2e-9, err_msg=name)
    cut = 2 * special.gammaincinv(x.shape[1] / 2, 0.99)  # chi-square, 50 degrees of freedom
    assert (squared > cut).sum() == peer["mahad flagged at 99%"]


def test_a_fifth_of_careless_raters_does_not_make_attentive_ones_look_odd():
    rng = np.random.default_rng(11)
    false, seen = [], []
    for k in range(4):
        table = attentive(rng, raters=200, targets=1, items=30)
        straight, wild = table["r"] < 20, table["r"].between(20, 39)
        table.loc[straight, "s"] = 4
        table.loc[wild, "s"] = rng.integers(1, 6, wild.sum())
        who = verify.careless_raters(table, **NAMES, target="t", rng=k).set_index("r")["flagged"]
        false.append(who.iloc[40:].mean())
        seen.append(who.iloc[:40].mean())
    assert np.mean(false) < 0.075 and np.mean(seen) > 0.9


@pytest.mark.parametrize("mean", [3.6, 4.3])
def test_attentive_raters_are_flagged_at_the_stated_rate(mean):
    rng = np.random.default_rng(1)
    flagged = [share(verify.careless(attentive(rng, mean=mean), **NAMES, target="t", rng=k))
               for k in range(6)]  # fmt: skip
    assert np.mean([f["estimate"] for f in flagged]) < 0.08


def test_straight_liners_random_clickers_and_fast_ones_are_flagged():
    rng = np.random.default_rng(2)
    table = attentive(rng)
    table.loc[table["r"] < 10, "s"] = 5
    wild = table["r"].between(10, 19)
    table.loc[wild, "s"] = rng.integers(1, 6, wild.sum())
    table["sec"] = np.where(table["r"].between(20, 29), 6, rng.lognormal(4, 0.3, 150)[table["r"]])
    who = verify.careless_raters(table, **NAMES, target="t", seconds="sec").set_index("r")
    assert who["flagged"].iloc[:30].mean() > 0.9
    assert who["flagged"].iloc[30:].mean() < 0.12
    found = verify.careless(table, **NAMES, target="t", seconds="sec")
    assert found.findings[0].key == "careless.above"
    shift = found.table[found.table["metric"] == "score_without"]
    assert len(shift) == 5 and (shift["low"] < shift["high"]).all()


def test_both_results_are_the_plain_means():
    rng = np.random.default_rng(3)
    table = attentive(rng)
    table.loc[table["r"] < 15, "s"] = 5
    found = verify.careless(table, **NAMES, target="t")
    out = verify.careless_raters(table, **NAMES, target="t").set_index("r")["flagged"]
    kept = table[~table["r"].map(out)]
    expected = kept.groupby("t")["s"].mean() - table.groupby("t")["s"].mean()
    shift = found.table[found.table["metric"] == "score_without"]["estimate"]
    np.testing.assert_allclose(shift, expected, atol=1e-9)


def test_a_warning_when_the_flagged_hold_the_plan_together():
    rng = np.random.default_rng(4)
    table = attentive(rng, raters=120, targets=4)
    left = (table["r"] % 2 == 0) == (table["t"] < 2)
    bridge = table["r"] < 2
    table = table[left | bridge].copy()
    table.loc[bridge, "s"] = 1
    found = verify.careless(table, **NAMES, target="t")
    assert "careless.disconnects" in {f.key for f in found.findings}
    assert blocks.count(table["r"].to_numpy(), table["t"].to_numpy()) == 1


def test_simulated_raters_keep_marginals_and_resemblance():
    rng = np.random.default_rng(5)
    x = attentive(rng, raters=2000).pivot(index=["r", "t"], columns="i", values="s")
    rater, pair = x.index.get_level_values("r").to_numpy(), np.arange(len(x))
    x = x.to_numpy()
    fake = honest.fitted(x, rater, pair).draw(rng)
    for v in range(1, 6):
        assert abs((fake == v).mean() - (x == v).mean()) < 0.01
    assert abs(runs.irv(fake).mean() - runs.irv(x).mean()) < 0.02
    both = [np.array([v[rater == k].mean() for k in range(300)]).std() for v in (x, fake)]
    assert abs(both[0] - both[1]) < 0.05


def test_a_straight_line_has_no_consistency():
    x = np.array([[3.0] * 8, [1, 2, 3, 4, 5, 4, 3, 2]])
    assert np.isnan(careless_indices.even_odd(x, np.repeat([0, 1, 2, 3], 2))[0])
    assert np.isnan(careless_indices.row_correlation(x[:, :4], x[:, 4:])[0])


def test_missing_answers_are_skipped_not_filled():
    rng = np.random.default_rng(6)
    x = attentive(rng).pivot(index=["r", "t"], columns="i", values="s").to_numpy().copy()
    x[0, 2] = np.nan
    for index in (careless_indices.mahalanobis, careless_indices.person_fit):
        assert np.isfinite(index(x)).all()
    whole = careless_indices.correlations(x[1:])
    np.testing.assert_allclose(whole, np.corrcoef(x[1:].T), atol=1e-10)


def test_too_few_raters_and_unmarked_reversed_items_are_named():
    rng = np.random.default_rng(7)
    table = attentive(rng)
    few = verify.careless(table[table["r"] < 8], **NAMES, target="t")
    assert few.findings[0].level == "refused" and np.isnan(few.table["estimate"].iloc[0])
    table.loc[table["i"] == 2, "s"] = 6 - table["s"]
    keys = {f.key for f in verify.careless(table, **NAMES, target="t").findings}
    assert "careless.reversed" in keys
    with pytest.raises(TableError):
        verify.careless(table, **NAMES, rate=5)


def test_no_key_of_a_rater_is_in_the_result():
    rng = np.random.default_rng(8)
    table = attentive(rng).assign(r=lambda t: "key" + t["r"].astype(str))
    found = verify.careless(table, **NAMES, target="t")
    assert "key" not in found.table.to_csv() + found.say("zh") + found.say("en") + str(found.about)


@pytest.mark.parametrize("rate", [0.0, 0.5, -0.1, 1.0])
def test_a_rate_of_nobody_or_of_half_of_all_is_refused(rate):
    with pytest.raises(TableError) as caught:
        verify.careless(attentive(np.random.default_rng(1), raters=20), **NAMES, rate=rate)
    assert caught.value.problems[0].key == "rate_out_of_range"


def test_which_end_of_each_index_is_careless():
    """Meade & Craig 2012 and Curran 2016: long runs, far-off patterns and like answers to opposites
    are careless where high; all other indices where low."""
    everything = {"longstring", "irv", "mahalanobis", "person_fit", "synonyms", "antonyms",
                  "even_odd", "spread"}  # fmt: skip
    assert everything - careless_flags.LOW == {"longstring", "mahalanobis", "antonyms"}
    assert everything > careless_flags.LOW


def test_who_rated_one_department_has_no_spread_between_departments():
    answers = np.array([[1, 2], [3, 5], [4, 4], [2, 2], [2, 4]], dtype=float)
    rater, pair, owner = np.array([0, 0, 1, 2, 2]), np.arange(5), np.array([0, 0, 1, 2, 2])
    none = np.zeros((0, 2), dtype=int)
    found = careless_flags.indices(
        answers, (rater, pair, owner), 3, None, {"synonyms": none, "antonyms": none}
    )
    expected = [np.std([1.5, 4], ddof=1), np.nan, np.std([2, 3], ddof=1)]
    np.testing.assert_allclose(found["spread"], expected)


def test_seconds_are_judged_from_the_slower_half():
    """Ten raters are needed; the spread is that of the slower half around the median."""
    logs = np.linspace(0, 1.8, 10)
    p = careless_flags._quick(np.exp(logs))
    slower = logs[5:] - 0.9
    np.testing.assert_allclose(p, stats.norm.cdf((logs - 0.9) / np.sqrt((slower**2).mean())))
    assert np.isnan(careless_flags._quick(np.exp(logs[:9]))).all()
    assert (careless_flags._quick(np.full(10, 7.0)) == 1).all()
    some = careless_flags._quick(np.r_[np.exp(logs), np.nan])
    np.testing.assert_allclose(some[:10], p)


def test_the_level_of_one_index_is_a_quantile_of_the_least_of_all():
    null = np.array([[[0.5, 0.1, 0.9, 0.7]], [[0.4, 0.8, 0.3, 0.6]]])  # least: 0.4, 0.1, 0.3, 0.6
    assert careless_flags._level(null, 0.25, 2) == 0.1
    assert careless_flags._level(null, 0.5, 2) == 0.3
    assert careless_flags._level(null, 0.5, 4) == 0.1  # the two others have their half of the rate
    p = careless_flags._least([np.array([0.2, np.nan]), np.array([0.3, np.nan])], 2)
    assert p.tolist() == [0.2, 1.0]
    assert np.isnan(careless_flags._least([], 2)).all()


def test_chances_are_shares_of_as_many_or_more_extreme_ones():
    seen, stratum = np.array([3.0, 1.0, np.nan, 9.0]), np.array([0, 0, 0, 1])
    drawn = np.array([[1.0, 2.0, 3.0, 5.0], [4.0, 5.0, np.nan, 6.0]])
    p, own = careless_flags._chances(seen, drawn, stratum)
    # Of 1, 2, 3, 4 and 5 three reach 3 and all reach 1; of 5 and 6 none reaches 9: one in three.
    np.testing.assert_allclose(p, [3 / 5, 1, np.nan, 1 / 3])
    np.testing.assert_allclose(own, [[1, 4 / 5, 3 / 5, 1], [2 / 5, 1 / 5, np.nan, 1 / 2]])


def test_flags_are_counted_among_those_whom_an_index_can_judge():
    module = importlib.import_module("svcmetrics.verify.careless")
    p = {"irv": np.array([0.01, 0.2, np.nan, 0.5]), "spread": np.full(4, np.nan)}
    found = careless_flags.Flags(
        {}, p, np.array([0.01, 0.2, 1, 0.5]), np.array([1, 0, 0, 0], bool), 0.01
    )
    table = module._table(found, 0.05).set_index("variant")
    assert table["n"].tolist() == [4, 3, 0]
    assert table["estimate"].fillna(-1).tolist() == pytest.approx([0.25, 1 / 3, -1])
    assert table["chance"].tolist() == [0.05, 0.01, 0.01]
    one = careless_flags.Flags(
        {}, {"irv": np.array([0.01])}, np.array([0.01]), np.array([True]), 0.01
    )
    assert module._table(one, 0.05)["estimate"].tolist() == [1, 1]


@pytest.mark.parametrize(("low", "key"), [(0.051, "above"), (0.05, "as_chance")])
def test_more_than_the_stated_rate_is_a_warning(low, key):
    module = importlib.import_module("svcmetrics.verify.careless")
    table = pd.DataFrame({"estimate": [0.1], "low": low, "high": 0.2, "n": 40})
    said = module._reading(table, 0.05)
    assert (said.key, said.level) == (f"careless.{key}", "warning" if key == "above" else "note")
    assert dict(said.values) == pytest.approx(
        {"share": 10, "low": 100 * low, "high": 20, "n": 40, "rate": 5, "count": 4}
    )


def test_twenty_raters_and_two_items_are_needed():
    for raters, items, known in ((20, 2, True), (19, 2, False), (20, 1, False)):
        data = attentive(np.random.default_rng(7), raters=raters, targets=4, items=items)
        result = verify.careless(data, **NAMES, target="t")
        assert (result.findings[0].key != "careless.too_few") is known
        if not known:
            assert result.findings[0].values == {"raters": raters, "least": 20}


def test_the_mean_without_the_flagged_has_the_error_of_its_raters_influence():
    """One form of each of 14 raters: mean of nine less mean of all, each rater moves it as told."""
    module = importlib.import_module("svcmetrics.verify.careless")
    y = np.random.default_rng(5).normal(size=14)
    flagged = np.arange(14) < 5
    forms = SimpleNamespace(rater=np.arange(14), target=np.zeros(14, int), targets=["a"], raters=list(range(14)),
                            centred=lambda: y)  # fmt: skip
    table, notes = module._effect(forms, flagged, "t")
    kept, whole = y[~flagged], y.mean()
    moved = np.where(flagged, 0, (y - kept.mean()) / 9) - (y - whole) / 14
    half = 1.959964 * np.sqrt((moved**2).sum() * 14 / 13)
    row = table.iloc[0]
    shift = kept.mean() - whole
    assert row[["estimate", "low", "high"]].tolist() == pytest.approx(
        [shift, shift - half, shift + half]
    )
    assert row["n"] == 14
    assert notes[0].values == {"size": pytest.approx(abs(shift)), "targets": 1} and len(notes) == 1
    four, notes = module._effect(forms, np.arange(14) < 4, "t")
    assert np.isnan(four["estimate"].iloc[0]) and four["n"].iloc[0] == 0
    assert [f.key for f in notes] == ["careless.hidden"] and notes[0].values["targets"] == 1
    none, notes = module._effect(forms, np.zeros(14, bool), "t")
    assert none["estimate"].iloc[0] == 0 and notes == []

"""Reciprocity: Warner, Kenny and Stoto's table, TripleR on 54 students, planted pairs, no alarms."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from svcmetrics import verify
from svcmetrics.numeric import round_robin, round_robin_two
from svcmetrics.numeric.one_thread import one_thread
from svcmetrics.problems import TableError
from svcmetrics.verify import forms, reciprocity_pairs, reciprocity_rows

reciprocity = importlib.import_module("svcmetrics.verify.reciprocity")  # the module
NAMES = {"rater": "a", "target": "b", "score": "y"}
# Warner, Kenny & Stoto 1979, JPSP 37, Table 7, first occasion: share of time spent speaking.
WARNER = """0 55 65 59 62 87 69 81
22 0 21 34 25 35 39 58
31 56 0 34 31 24 34 36
26 62 68 0 46 31 58 72
66 56 70 67 0 36 58 73
27 30 74 45 49 0 70 40
52 40 77 32 52 49 0 67
39 47 75 47 37 45 37 0"""


@pytest.fixture
def warner():
    x = np.array([[float(v) for v in line.split()] for line in WARNER.splitlines()])
    a, b = (v.ravel() for v in np.indices(x.shape))
    return pd.DataFrame({"a": a, "b": b, "y": x.ravel()})[a != b].reset_index(drop=True)


def rows(result, metric):
    table = result.table
    return table[table["metric"] == metric].set_index("variant")


def test_warner_kenny_and_stoto_1979_table_7(warner):
    found = verify.reciprocity(warner, **NAMES)
    variance, covariance = rows(found, "relation_variance"), rows(found, "relation_covariance")
    expected = {"actor": (102.525, 58.630366), "partner": (46.572619, 32.407974),
                "relationship": (156.665476, 35.649659)}  # fmt: skip
    for name, (value, error) in expected.items():
        assert variance.loc[name, "estimate"] == pytest.approx(value, abs=1e-6)
        assert variance.loc[name, "error"] == pytest.approx(error, abs=1e-6)
    assert covariance.loc["actor_partner", "estimate"] == pytest.approx(-40.989881, abs=1e-6)
    assert covariance.loc["actor_partner", "error"] == pytest.approx(36.390313, abs=1e-6)
    assert covariance.loc["dyadic", "estimate"] == pytest.approx(-67.114286, abs=1e-6)
    assert covariance.loc["dyadic", "error"] == pytest.approx(35.649659, abs=1e-6)
    assert rows(found, "reciprocity").loc["dyadic", "estimate"] == pytest.approx(
        -0.428392, abs=1e-6
    )
    assert rows(found, "reciprocity").loc["generalised", "estimate"] == pytest.approx(
        -0.593193, abs=1e-6
    )


def test_effects_of_warner_kenny_and_stoto(warner):
    fit = round_robin.fitted(
        warner["y"].to_numpy(), warner["a"].to_numpy(), warner["b"].to_numpy(), 8
    )
    np.testing.assert_allclose(
        fit.actor, [17.3125, -16.541667, -12.625, 1.6875, 10.541667, -2.625, 3.541667, -1.291667], atol=1e-6
    )  # fmt: skip
    np.testing.assert_allclose(
        fit.partner, [-9.5625, -2.541667, 12.875, -3.9375, -4.958333, -6.125, 3.041667, 11.208333], atol=1e-6
    )  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "actor", "partner", "column", "place"),
    [("roundrobin_liking", "rater", "ratee", "liking_a", 0),
     ("roundrobin_liking", "rater", "ratee", "liking_b", 1),
     ("roundrobin_liking", "rater", "ratee", "metaliking_a", 3),
     ("roundrobin_warner1979", "actor.id", "partner.id", "prop.T1", 0),
     ("roundrobin_warner1979", "actor.id", "partner.id", "prop.T2", 1),
     ("roundrobin_warner1979", "actor.id", "partner.id", "prop.T3", 2)],
)  # fmt: skip
def test_it_equals_triple_r(shared_data, folder, actor, partner, column, place):
    path: Path = shared_data(folder)
    table = pd.read_csv(path / "ratings_long.csv")
    peer = json.loads((path / "reference.json").read_text("utf-8"))["numbers"][place]["value"]
    names = ["actor", "partner", "relationship", None, "actor_partner", "dyadic"]
    found = verify.reciprocity(table, rater=actor, target=partner, score=column, rng=2)
    both = pd.concat([rows(found, "relation_variance"), rows(found, "relation_covariance")])
    for name, row in zip(names, peer, strict=True):
        if name:
            assert both.loc[name, "estimate"] == pytest.approx(row["estimate"], rel=1e-8)
            assert both.loc[name, "error"] == pytest.approx(row["se"], rel=1e-8)


def _two_items(rng, units=10, alone=0.3):
    """Two items that share actors, partners and pairs; each has some of its own, and errors."""
    a, b = (v.ravel() for v in np.indices((units, units)))
    a, b = a[a != b], b[a != b]
    one = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 0.6]], units)
    noise = rng.normal(size=(units, units))
    both = np.sqrt(0.5) * ((noise + noise.T) / np.sqrt(2) + rng.normal(size=(units, units)))
    base = one[a, 0] + one[b, 1] + both[a, b]
    items = []
    for _ in range(2):
        own = rng.multivariate_normal([0, 0], [[alone, alone / 3], [alone / 3, alone]], units)
        items.append(base + own[a, 0] + own[b, 1] + rng.normal(size=len(a)))
    return *items, a, b


SHARED = np.array([1, 0.6, 0.3, 1, 0.5])  # what _two_items share, in the order of NAMES


@pytest.mark.parametrize("missing", [0.0, 0.2])
@one_thread()  # as in the metric itself
def test_what_two_items_share_is_unbiased_and_its_errors_are_right(missing):
    rng = np.random.default_rng(4)
    values, errors = [], []
    for _ in range(60 if missing else 300):
        x, y, a, b = _two_items(rng)
        there = rng.random(len(a)) >= missing
        found = round_robin_two.shared(x[there], y[there], a[there], b[there], 10)
        values.append(found.values)
        errors.append(found.errors)
    spread = np.std(values, axis=0)
    assert (np.abs(np.mean(values, axis=0) - SHARED) < 3.5 * spread / np.sqrt(len(values))).all()
    np.testing.assert_allclose(
        np.sqrt(np.mean(np.square(errors), axis=0)), spread, rtol=0.3 if missing else 0.15
    )


def test_one_measure_twice_shares_all_with_itself(warner):
    y, a, b = (warner[c].to_numpy() for c in "yab")
    one, twice = round_robin.fitted(y, a, b, 8), round_robin_two.shared(y, y, a, b, 8)
    np.testing.assert_allclose(twice.values, one.values, rtol=1e-9)
    np.testing.assert_allclose(twice.errors, one.errors, rtol=1e-9)


def test_errors_of_what_is_shared_are_the_same_by_matrices_and_by_seven_numbers(monkeypatch):
    from svcmetrics.numeric import round_robin_errors

    x, y, a, b = _two_items(np.random.default_rng(5))
    quick = round_robin_two.shared(x, y, a, b, 10)
    made_of = round_robin.parts(a, b, 10, round_robin.reverse(a, b, 10))
    gram = round_robin.solved(x, y, made_of)[1]
    dense = round_robin_errors.traces(gram, [v.toarray() for v in made_of])
    monkeypatch.setattr(round_robin_errors, "complete_traces", lambda *_: dense)
    slow = round_robin_two.shared(x, y, a, b, 10)
    np.testing.assert_allclose(quick.six_errors, slow.six_errors, rtol=1e-9)


def test_many_incomplete_cells_have_errors_by_leaving_units_out():
    rng = np.random.default_rng(6)
    x, y, a, b = _two_items(rng, 40)
    there = rng.random(len(a)) < 0.9
    found = round_robin_two.shared(x[there], y[there], a[there], b[there], 40)
    whole = round_robin_two.shared(x, y, a, b, 40)
    assert np.isnan(found.six_errors).all()
    assert ((found.errors > 0.4 * whole.errors) & (found.errors < 2.5 * whole.errors)).all()


def test_errors_of_single_items_make_reciprocity_smaller_but_not_what_two_items_share():
    x, y, a, b = _two_items(np.random.default_rng(9), 30, alone=0.0)
    table = pd.concat(
        [pd.DataFrame({"a": a, "b": b, "i": k, "y": v}) for k, v in enumerate((x, y))]
    )
    found = verify.reciprocity(table, **NAMES, item="i")
    own = rows(found, "reciprocity")["estimate"]
    # One error of 1 for each item beside 1 of the pair: 0.5 · 1 / 1.5, where it is 0.5.
    assert own["dyadic"] == pytest.approx(1 / 3, abs=0.08)
    assert own["dyadic_shared"] == pytest.approx(0.5, abs=0.12)
    assert "reciprocity.shared" in [f.key for f in found.findings]
    one = verify.reciprocity(table[table["i"] == 0], **NAMES, item="i").table
    assert not one["metric"].str.startswith("shared").any()


def test_items_that_share_nothing_are_told():
    rng = np.random.default_rng(2)
    a, b = (v.ravel() for v in np.indices((6, 6)))
    a, b = a[a != b], b[a != b]
    y = rng.normal(size=len(a))
    table = pd.concat(
        [pd.DataFrame({"a": a, "b": b, "i": k, "y": v}) for k, v in enumerate((y, -y))]
    )
    table = table.assign(y=table["y"] + rng.normal(0, 0.1, len(table)))
    found = verify.reciprocity(table, **NAMES, item="i")
    assert "reciprocity.shares_nothing" in [f.key for f in found.findings]
    assert np.isnan(rows(found, "reciprocity").loc["dyadic_shared", "estimate"])


def _values(y, a, b, units):
    other = round_robin.reverse(a, b, units)
    return round_robin._moments(y, a, b, units, other)[0]


def test_missing_cells_leave_the_estimates_unbiased():
    rng = np.random.default_rng(1)
    a, b = (v.ravel() for v in np.indices((14, 14)))
    keep, found = a != b, []
    a, b = a[keep], b[keep]
    for _ in range(60):
        one = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 0.6]], 14)
        noise = rng.normal(size=(14, 14))
        both = np.sqrt(0.5) * (noise + noise.T) / np.sqrt(2) + np.sqrt(0.5) * rng.normal(
            size=(14, 14)
        )
        y = one[a, 0] + one[b, 1] + both[a, b]
        there = rng.random(len(y)) < 0.7
        found.append(_values(y[there], a[there], b[there], 14))
    expected = [1, 0.6, 0.3, 1, 0.5]
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - expected) < 3.5 * error).all()


def test_errors_of_the_general_and_the_complete_formula_agree(warner):
    from svcmetrics.numeric import round_robin_errors as errors

    y, a, b = (warner[c].to_numpy() for c in "yab")
    other = round_robin.reverse(a, b, 8)
    values, gram, parts = round_robin._moments(y, a, b, 8, other)
    dense = errors.from_matrices(values, gram, [p.toarray() for p in parts])
    np.testing.assert_allclose(errors.complete(values, gram, 8), dense, rtol=1e-8)


def test_no_reciprocity_is_no_alarm_and_a_strong_one_is_seen():
    rng = np.random.default_rng(2)
    a, b = (v.ravel() for v in np.indices((12, 12)))
    a, b = a[a != b], b[a != b]
    alarms, hits = 0, 0
    for _ in range(30):
        y = rng.normal(size=12)[a] + rng.normal(size=12)[b] + rng.normal(size=len(a))
        shared = rng.normal(size=(12, 12))
        z = y + 0.9 * (shared + shared.T)[a, b]
        for values, which in ((y, "none"), (z, "strong")):
            fit = round_robin.fitted(values, a, b, 12)
            p = round_robin.dyadic_p(fit, a, b, 12, 300, rng)
            alarms += which == "none" and p <= 0.05
            hits += which == "strong" and p <= 0.05
    assert alarms <= 4 and hits >= 24


def test_the_pair_planted_in_the_example_study_is_named_and_no_person(example_study_folder):
    table = pd.read_parquet(example_study_folder / "rating.parquet").merge(
        pd.read_parquet(example_study_folder / "plan.parquet"), on="plan_id"
    )
    found = verify.reciprocity(
        table, rater="rater_key", target="target_id", item="item_id", score="score", wave="wave",
        rater_unit="rater_unit_id",
    )  # fmt: skip
    pairs = found.table[found.table["metric"] == "mutual"].set_index(["unit", "other_unit"])
    pair = pairs.loc[("D02", "D04")]
    assert pair["p_adjusted"] < 0.05 and pair["low"] > 0.1
    assert (pairs["n"] >= 5).all()
    assert "D02–D04" in found.say("zh")
    assert not set(table["rater_key"]) & set(found.table.astype(str).to_numpy().ravel())


def test_with_the_sides_known_only_the_planted_pair_is_named_with_its_size(example_study_folder):
    table = pd.read_parquet(example_study_folder / "rating.parquet").merge(
        pd.read_parquet(example_study_folder / "plan.parquet"), on="plan_id"
    )
    lines = pd.read_csv(example_study_folder / "unit.csv").set_index("unit_id")["parent_id"]
    unit = table["rater_unit_id"]
    table = table.assign(mine=unit.map(lines).fillna(unit), theirs=table["target_id"].map(lines))
    names = {"rater": "rater_key", "target": "target_id", "item": "item_id", "score": "score",
             "wave": "wave", "rater_unit": "rater_unit_id"}  # fmt: skip
    found = verify.reciprocity(table, **names, rater_group="mine", target_group="theirs")
    pairs = found.table[found.table["metric"] == "mutual"].set_index(["unit", "other_unit"])
    sure = pairs[(pairs["p_adjusted"] <= 0.05) & (pairs["estimate"] > 0)]
    assert list(sure.index) == [("D02", "D04")]
    # 0.70 is what raters mean; the same study simulated without it is 0.58 lower on these forms,
    # for straight lines, rounding and the end of the scale take their part.
    assert sure["low"].iloc[0] <= 0.58 <= sure["high"].iloc[0]
    with pytest.raises(TableError):
        verify.reciprocity(table, **names, rater_group="mine")


def test_two_departments_of_one_side_are_no_pair_when_all_favour_their_side():
    rng = np.random.default_rng(6)
    rows_ = [(f"{u}-{k}", u, t) for u in range(6) for k in range(10) for t in range(6) if u != t]
    table = pd.DataFrame(rows_, columns=["a", "u", "b"])
    table["g"], table["h"] = table["u"] < 2, table["b"] < 2
    same = (table["g"] == table["h"]).astype(float)
    table["y"] = 3.5 + 0.6 * same + rng.normal(0, 0.4, len(table))
    with_sides = {"rater_unit": "u", "rater_group": "g", "target_group": "h"}
    for how, named in (({"rater_unit": "u"}, True), (with_sides, False)):
        out = verify.reciprocity(table, **NAMES, **how).table
        pair = out[(out["unit"] == "0") & (out["other_unit"] == "1")].iloc[0]
        assert (pair["low"] > 0.2) == named


def test_a_planted_pair_is_found_with_its_size():
    rng = np.random.default_rng(3)
    rows_ = [(f"{u}-{k}", u, t) for u in range(6) for k in range(12) for t in range(6) if u != t]
    table = pd.DataFrame(rows_, columns=["a", "u", "b"])
    mutual = (table["u"].isin([1, 4]) & table["b"].isin([1, 4])).astype(float)
    severity = dict(zip(table["a"].unique(), rng.normal(0, 0.4, 72), strict=True))
    table["y"] = 3.5 + 0.7 * mutual - table["a"].map(severity) + rng.normal(0, 0.4, len(table))
    found = verify.reciprocity(table, **NAMES, rater_unit="u").table
    pairs = found[found["metric"] == "mutual"].set_index(["unit", "other_unit"])
    best = pairs.loc[("1", "4")]
    assert best["low"] <= 0.7 <= best["high"]
    others = pairs.drop(index=[("1", "4")])
    assert not ((others["p_adjusted"] <= 0.05) & (others["estimate"] > 0)).any()


def test_own_ratings_are_left_out_and_too_few_units_are_refused(warner):
    own = pd.DataFrame({"a": range(8), "b": range(8), "y": 100.0})
    found = verify.reciprocity(pd.concat([warner, own]), **NAMES)
    assert found.about["dropped"]["own_unit"] == 8
    few = verify.reciprocity(warner[(warner["a"] < 3) & (warner["b"] < 3)], **NAMES)
    assert few.findings[0].level == "refused" and np.isnan(few.table["estimate"].iloc[0])


@pytest.mark.parametrize(("rated", "missing"), [(20, None), (19, 1), (8, 12)])
def test_directions_that_nobody_rated_are_counted(rated, missing):
    cells = SimpleNamespace(units=list("abcde"), y=np.zeros(rated))  # five units: 20 directions
    found = reciprocity._missing(cells)
    assert [f.values for f in found] == ([{"cells": missing, "of": 20}] if missing else [])


@pytest.mark.parametrize(
    ("r", "p", "key", "level"),
    [(0.4, 0.05, "returned", "warning"), (-0.4, 0.05, "opposed", "warning"),
     (0.4, 0.051, "unclear", "note"), (np.nan, 0.01, "no_relationship", "refused")],
)  # fmt: skip
def test_what_is_given_back_is_told_at_five_percent(r, p, key, level):
    table = pd.DataFrame({"estimate": [r], "low": [0.1], "high": [0.7], "n": [9], "p": [p]})
    said = reciprocity._reading(table)
    assert (said.key, said.level) == (f"reciprocity.{key}", level)
    assert said.values["units"] == 9 and said.values["p"] == p


@pytest.mark.parametrize(
    ("estimate", "p", "key"),
    [([0.5, 0.9, -0.4], [0.05, 0.01, 0.01], "pairs"), ([0.5, 0.9, -0.4], [0.051, 0.06, 0.01], "pairs_none"),
     ([], [], "no_pairs")],
)  # fmt: skip
def test_pairs_that_favour_each_other_are_named_the_surest_first(estimate, p, key):
    pairs = pd.DataFrame(
        {"unit": list("abc"), "other_unit": list("xyz"), "low": 0.2, "high": 1.0}
    ).head(len(p))
    pairs = pairs.assign(estimate=estimate, p_adjusted=p, p=p)
    (said,) = reciprocity._pairs_reading(pairs)
    assert said.key == f"reciprocity.{key}"
    if key == "pairs":
        assert said.level == "warning"
        assert said.values == {"names": ["b–y", "a–x"], "count": 2, "pairs": 3, "size": 0.9,
                               "low": 0.2, "high": 1.0}  # fmt: skip


def _parts(units=9, **change):
    value = {"actor": 0.4, "partner": 0.9, "relationship": 0.5, "actor_partner": 0.3, "dyadic": 0.2}
    value |= change
    error = dict.fromkeys(value, 0.1)
    order = list(reciprocity_rows.NAMES)
    return reciprocity_rows.Parts(
        np.array([value[n] for n in order]), np.array([error[n] for n in order]), units
    )


def test_correlations_are_covariances_over_the_roots_of_variances_with_students_limits():
    dyadic, general = (r.iloc[0] for r in reciprocity_rows.correlations(_parts()))
    t = 2.306004  # eight degrees
    expected = [0.4, 0.4 - t * 0.2, 0.4 + t * 0.2]  # 0.2 / 0.5, error 0.1 / 0.5
    assert dyadic[["estimate", "low", "high"]].tolist() == pytest.approx(expected, abs=1e-6)
    scale = (0.4 * 0.9) ** 0.5
    expected = np.clip([0.3 / scale, (0.3 - t * 0.1) / scale, (0.3 + t * 0.1) / scale], -1, 1)
    assert general[["estimate", "low", "high"]].tolist() == pytest.approx(expected, abs=1e-6)
    assert general["p"] == pytest.approx(2 * stats.t.sf(3, 8)) and dyadic["n"] == 9
    assert dyadic["p"] == pytest.approx(2 * stats.t.sf(2, 8))
    assert reciprocity_rows.correlations(_parts(), 0.07)[0]["p"].iloc[0] == 0.07
    assert reciprocity_rows.correlations(_parts(), 0.07)[1]["p"].iloc[0] == general["p"]
    # Beyond one it is cut, and kept as it was found beside it.
    cut = reciprocity_rows.correlations(_parts(dyadic=0.6))[0].iloc[0]
    assert cut["estimate"] == 1 and cut["raw"] == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("change", "known"),
    [({}, [True, True]), ({"relationship": 0.0}, [False, False]), ({"actor": 0.0}, [True, False]),
     ({"actor": -0.1, "partner": -0.2}, [True, False])],
)  # fmt: skip
def test_without_variance_there_is_no_correlation(change, known):
    rows = reciprocity_rows.correlations(_parts(**change))
    assert [bool(r["estimate"].notna().iloc[0]) for r in rows] == known


def test_parts_have_students_limits_and_are_named_as_what_they_are():
    rows = {r["variant"].iloc[0]: r.iloc[0] for r in reciprocity_rows.parts(_parts(5), "relation")}
    assert {k: r["metric"] for k, r in rows.items()} == {
        "actor": "relation_variance", "partner": "relation_variance",
        "relationship": "relation_variance", "actor_partner": "relation_covariance",
        "dyadic": "relation_covariance",
    }  # fmt: skip
    row = rows["partner"]
    assert [row["low"], row["high"]] == pytest.approx([0.9 - 0.2776445, 0.9 + 0.2776445])
    assert (row["raw"], row["error"], row["n"]) == (0.9, 0.1, 5)


@pytest.mark.parametrize(
    ("there", "back", "tested"), [(3, 2, 1), (2, 2, 0), (4, 1, 0), (1, 4, 0), (2, 3, 1)]
)
def test_a_pair_is_tested_from_two_raters_each_way_and_five_together_on(there, back, tested):
    rows = [(f"a{k}", "a", t) for k in range(there) for t in ("b", "c")]
    rows += [(f"b{k}", "b", t) for k in range(back) for t in ("a", "c")]
    rows += [("c0", "c", t) for t in ("a", "b")]
    data = pd.DataFrame(rows, columns=["r", "u", "t"])
    data["s"] = np.random.default_rng(1).normal(size=len(data))
    found = forms.read(data, rater="r", target="t", score="s", extra=("u",))
    pairs = reciprocity_pairs.favoured_pairs(found, "u")
    assert len(pairs) == tested
    if tested:
        assert pairs[["unit", "other_unit", "n"]].to_numpy().tolist() == [["a", "b", 5]]


def test_what_goes_with_another_column_is_taken_out():
    rng = np.random.default_rng(2)
    x, rest = rng.normal(size=20), rng.normal(size=20)
    rest -= (x @ rest) / (x @ x) * x
    np.testing.assert_allclose(reciprocity_pairs._without(3 * x + rest, x), rest, atol=1e-12)
    np.testing.assert_array_equal(reciprocity_pairs._without(rest, np.zeros(20)), rest)

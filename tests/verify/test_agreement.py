"""Agreement: coefficients and standard errors of irrCAC and irr, missing ratings, degenerate cases."""

from __future__ import annotations

import json
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import InputError, verify
from svcmetrics.numeric import agreement as numeric
from svcmetrics.numeric import agreement_sums, bootstrap, krippendorff_many
from svcmetrics.verify import agreement_findings

WORDS = {"target": "t", "rater": "r", "score": "s"}
NAMES = {
    "gwet.ac1.raw": ("gwet_ac1", "gwet_ac2"), "fleiss.kappa.raw": ("fleiss",) * 2,
    "krippen.alpha.raw": ("krippendorff_weighted",) * 2, "conger.kappa.raw": ("conger",) * 2,
    "bp.coeff.raw": ("brennan_prediger",) * 2, "pa.coeff.raw": ("raw_agreement",) * 2,
}  # fmt: skip


def long(rows) -> pd.DataFrame:
    cells = [(i, f"r{j}", v) for i, row in enumerate(rows) for j, v in enumerate(row)]
    return pd.DataFrame(cells, columns=["t", "r", "s"])


def rows(result) -> pd.DataFrame:
    return result.table[result.table["metric"] == "agreement"].set_index("variant")


def keys(result) -> set[str]:
    return {f.key for f in result.findings}


def reference(folder) -> dict:
    numbers = json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    return {n["name"]: n["value"] for n in numbers}


@pytest.mark.data
@pytest.mark.parametrize("weights", ["nominal", "ordinal", "linear", "quadratic"])
def test_coefficients_and_errors_of_irrcac_with_missing_ratings(shared_data, weights):
    folder = shared_data("gwet_4raters")
    data = long(pd.read_csv(folder / "ratings_wide.csv").to_numpy(float))
    found = rows(verify.agreement(data, **WORDS, weights=weights))
    word = "unweighted" if weights == "nominal" else weights
    numbers = reference(folder)
    for function, (plain, weighted) in NAMES.items():
        peer = numbers[f"irrCAC {function} {word} (coeff, SE, CI, p)"][0]
        ours = found.loc[plain if weights == "nominal" else weighted]
        assert ours["estimate"] == pytest.approx(peer["coeff.val"], abs=6e-6)
        assert ours["se"] == pytest.approx(peer["coeff.se"], abs=6e-6), function
        printed = [float(v) for v in peer["conf.int"].strip("()").split(",")]
        assert [ours["low_t"], ours["high_t"]] == pytest.approx(printed, abs=6e-4)


@pytest.mark.data
def test_alpha_in_all_metrics_of_krippendorff(shared_data):
    folder = shared_data("gwet_4raters")
    data = long(pd.read_csv(folder / "ratings_wide.csv").to_numpy(float))
    peer = reference(folder)["Krippendorff alpha nominal / ordinal / interval / ratio (irr)"]
    for weights, name in (
        ("nominal", "nominal"),
        ("ordinal", "ordinal"),
        ("quadratic", "interval"),
        ("ratio", "ratio"),
    ):
        found = rows(verify.agreement(data, **WORDS, weights=weights)).loc[
            "krippendorff", "estimate"
        ]
        assert found == pytest.approx(peer[name], abs=1e-9)


@pytest.mark.data
def test_complete_table_of_thirteen_judges(shared_data):
    folder = shared_data("standard_setting")
    wide = pd.read_csv(folder / "ratings_wide.csv").drop(columns=["item", "itemdiff"])
    numbers = reference(folder)
    pairs = numbers["mean pairwise Cohen kappa: unweighted, linear, quadratic (all 78 pairs)"]
    for weights, name in (("nominal", "unweighted"), ("linear", "equal"), ("quadratic", "squared")):
        found = rows(verify.agreement(long(wide.to_numpy(float)), **WORDS, weights=weights))
        assert found.loc["cohen_mean", "estimate"] == pytest.approx(pairs[name], abs=1e-9)
        if weights == "nominal":
            assert found.loc["fleiss", "estimate"] == pytest.approx(
                numbers["Fleiss kappa"], abs=1e-9
            )
            # irr counts pairs for values here: (1 - alpha) is 1 - 1/9516 instead of 1 - 1/793.
            irr = numbers["Krippendorff alpha nominal, ordinal, interval"][0]
            right = 1 - (1 - irr) * (1 - 1 / 793) / (1 - 1 / 9516)
            assert found.loc["krippendorff", "estimate"] == pytest.approx(right, abs=1e-9)


@pytest.mark.data
def test_diagnoses_of_fleiss_rater_by_rater(shared_data):
    folder = shared_data("fleiss1971_diagnoses")
    wide = (
        pd.read_csv(folder / "ratings_wide.csv").iloc[:, 1:].apply(lambda c: c.str[0].astype(int))
    )
    numbers = reference(folder)
    result = verify.agreement(long(wide.to_numpy()), **WORDS, weights="nominal")
    found = rows(result)
    assert found.loc["conger", "estimate"] == pytest.approx(numbers["Conger exact kappa"], abs=1e-9)
    assert found.loc["cohen_mean", "estimate"] == pytest.approx(numbers["Light kappa"], abs=1e-9)
    assert result.about["fleiss_z"] == pytest.approx(numbers["Fleiss kappa, z, p"][1], abs=1e-6)
    two = rows(verify.agreement(long(wide.to_numpy()[:, :2]), **WORDS, weights="nominal"))
    assert two.loc["cohen", "estimate"] == pytest.approx(0.6511627907, abs=1e-9)


def measured(table: np.ndarray, kind: str) -> np.ndarray:
    unit, rater = np.nonzero(np.isfinite(table))
    return krippendorff_many.unit_sums(unit, table[unit, rater], kind)


def exact_alpha(units) -> float:
    units = [[Fraction(v) for v in u] for u in units if len(u) > 1]
    n = sum(map(len, units))

    def pairs(v):
        return 2 * (len(v) * sum(a * a for a in v) - sum(v) ** 2)

    observed = sum(pairs(u) / (len(u) - 1) for u in units) / n
    return float(1 - observed * n * (n - 1) / pairs([v for u in units for v in u]))


def test_interval_alpha_equals_exact_fractions_few_values_and_many():
    rng = np.random.default_rng(6)
    table = rng.integers(1, 6, (12, 4)).astype(float)
    table[rng.random(table.shape) < 0.2] = np.nan
    units = [[int(v) for v in row if np.isfinite(v)] for row in table]
    found = rows(verify.agreement(long(table), **WORDS, weights="quadratic")).loc[
        "krippendorff", "estimate"
    ]
    assert found == pytest.approx(exact_alpha(units), abs=1e-12)
    many = measured(table, "quadratic").sum(axis=0)
    assert krippendorff_many.alpha(many) == pytest.approx(exact_alpha(units), abs=1e-12)


def test_ordinal_alpha_is_the_interval_alpha_of_mid_ranks():
    rng = np.random.default_rng(9)
    table = rng.integers(1, 6, (30, 3)).astype(float)
    few = rows(verify.agreement(long(table), **WORDS, weights="ordinal")).loc[
        "krippendorff", "estimate"
    ]
    many = krippendorff_many.alpha(measured(table, "ordinal").sum(axis=0))
    assert few == pytest.approx(float(many), abs=1e-12)


def test_measurements_with_thousands_of_values_take_no_table_of_values():
    rng = np.random.default_rng(24)
    table = rng.normal(70, 10, (3000, 1)) + rng.normal(0, 6, (3000, 3))
    result = verify.agreement(long(table), **WORDS)
    assert rows(result).index.tolist() == ["krippendorff"]
    assert (
        rows(result)["low"].iloc[0]
        < rows(result)["estimate"].iloc[0]
        < rows(result)["high"].iloc[0]
    )
    assert "agreement.measurements" in keys(result)


def test_the_paradox_of_prevalence_is_explained():
    result = verify.agreement(long([[1, 1]] * 98 + [[1, 0], [0, 1]]), **WORDS)
    found = rows(result)
    assert found.loc["raw_agreement", "estimate"] == pytest.approx(0.98)
    assert found.loc["krippendorff", "estimate"] < 0
    assert found.loc["gwet_ac2", "estimate"] > 0.9
    assert "agreement.paradox" in keys(result)
    assert "agreement.negative" not in keys(result)


def test_all_fives_are_refused_with_raw_agreement_shown():
    result = verify.agreement(long([[5] * 4] * 6), **WORDS)
    assert rows(result)["estimate"].dropna().to_dict() == {"raw_agreement": 1.0}
    assert "agreement.no_variation" in keys(result)


@pytest.mark.parametrize(
    ("table", "key"),
    [([[1], [2]], "one_rater"), ([[1, 2]], "one_target"), ([[np.nan, np.nan]] * 3, "no_scores")],
)
def test_nothing_to_estimate_is_refused(table, key):
    result = verify.agreement(long(table), **WORDS)
    assert [f.key for f in result.findings if f.level == "refused"] == [f"agreement.{key}"]


def test_unused_points_of_the_scale_count_and_scores_off_it_are_errors():
    data = long([[4, 5], [5, 5], [4, 4], [5, 4], [5, 5]])
    seen = rows(verify.agreement(data, **WORDS, weights="nominal"))
    whole = rows(verify.agreement(data, **WORDS, weights="nominal", categories=[1, 2, 3, 4, 5]))
    assert whole.loc["brennan_prediger", "estimate"] == pytest.approx(
        (0.6 + 0.2 - 0.2 - 0.2) / 0.8 + 0.0, abs=0.2
    )
    assert whole.loc["brennan_prediger", "estimate"] > seen.loc["brennan_prediger", "estimate"]
    assert whole.loc["fleiss", "estimate"] == pytest.approx(seen.loc["fleiss", "estimate"])
    with pytest.raises(InputError, match="5"):
        verify.agreement(data, **WORDS, categories=[1, 2, 3, 4])
    with pytest.raises(InputError, match="cubic"):
        verify.agreement(data, **WORDS, weights="cubic")


def test_bootstrap_and_linearised_intervals_tell_the_same_story():
    rng = np.random.default_rng(11)
    level = rng.integers(1, 6, (300, 1))
    table = np.clip(level + rng.integers(-1, 2, (300, 4)), 1, 5)
    found = rows(verify.agreement(long(table), **WORDS))
    np.testing.assert_allclose(found["low"], found["low_t"], atol=0.02)
    np.testing.assert_allclose(found["high"], found["high_t"], atol=0.02)


def crowd(targets: int, raters: int, filled: float, seed: int = 2) -> np.ndarray:
    """Whole scores from 1 to 5 with something in common, some missing."""
    rng = np.random.default_rng(seed)
    level = rng.normal(3, 0.8, (targets, 1)) + rng.normal(0, 0.3, raters)
    x = np.clip(np.round(level + rng.normal(0, 0.7, (targets, raters))), 1, 5)
    return np.where(rng.random(x.shape) < filled, x, np.nan)


@pytest.mark.parametrize("weights", ["nominal", "ordinal", "quadratic"])
@pytest.mark.parametrize("filled", [1.0, 0.7])
def test_influence_of_each_target_stands_in_for_the_tables_of_all_pairs(weights, filled):
    table = crowd(400, 8, filled)
    unit, rater = np.nonzero(np.isfinite(table))
    codes = table[unit, rater].astype(int) - 1
    ratings = agreement_sums.Ratings(unit, rater, codes, 400, 8)
    full = agreement_sums.unit_sums(ratings, np.arange(1.0, 6), weights)
    slim = agreement_sums.unit_sums(ratings, np.arange(1.0, 6), weights, cells=0)
    assert slim.stats.shape[1] < full.stats.shape[1] - 50
    one, two = (numeric.coefficients(u.stats.sum(axis=0), u) for u in (full, slim))
    np.testing.assert_allclose(one, two, rtol=1e-12)
    # Both are derivatives along each target: one by complex steps, one by formula.
    np.testing.assert_allclose(
        numeric.standard_errors(full), numeric.standard_errors(slim), rtol=1e-9
    )
    limits = [
        bootstrap.limits(
            numeric.coefficients(bootstrap.totals(u.stats, 2000, np.random.default_rng(3)), u)
        )
        for u in (full, slim)
    ]
    width = limits[0][1] - limits[0][0]
    # Different resamples on both sides: 3% of the width is what 2,000 of them leave open.
    assert (np.abs(limits[0][0] - limits[1][0]) < 0.1 * width).all()
    assert (np.abs(limits[0][1] - limits[1][1]) < 0.1 * width).all()


def test_more_than_twenty_raters_have_limits_for_every_coefficient():
    result = verify.agreement(long(crowd(60, 25, 0.9)), **WORDS, weights="quadratic")
    found = rows(result)
    assert {"conger", "cohen_mean"} <= set(found.index)
    assert found[["low", "high", "se"]].notna().all(axis=None)
    assert (found["low"] < found["estimate"]).all()
    assert result.about["linearised"] == ["conger", "cohen_mean"]


def test_departments_with_one_score_from_all_are_counted():
    """A department with one rating has nobody to agree with; Wilson's limits."""
    rows = [
        ("a", 1, 3),
        ("a", 2, 3),
        ("a", 3, 3),
        ("b", 1, 2),
        ("b", 2, 3),
        ("c", 3, 1),
        ("d", 1, 1),
        ("d", 3, 1),
    ]
    data = pd.DataFrame(rows, columns=["d", "r", "s"])
    table = verify.agreement(data, target="d", rater="r", score="s").table
    own = table[table["metric"] == "unanimous"].iloc[0]
    assert own["estimate"] == pytest.approx(2 / 3) and own["n"] == 3
    assert 0.2 < own["low"] < 2 / 3 < own["high"] < 0.95


def test_kappa_of_two_raters_over_its_error_by_chance():
    """Fleiss, Cohen and Everitt 1969: under independence the ratio is a standard normal."""
    from svcmetrics.numeric.agreement import cohen_z

    rng = np.random.default_rng(1)
    z = [
        cohen_z(rng.integers(0, 3, 200), rng.choice(3, 200, p=[0.6, 0.3, 0.1])) for _ in range(400)
    ]
    assert np.mean(z) == pytest.approx(0, abs=0.15) and np.std(z) == pytest.approx(1, abs=0.1)
    assert np.isnan(cohen_z(np.zeros(9, int), np.zeros(9, int)))
    assert np.isnan(cohen_z(np.zeros(9, int), np.ones(9, int)))  # no category in common
    assert np.isnan(cohen_z(np.ones(1, int), np.ones(1, int)))
    # Two by two: 4 of 6 agree, each rater gives each category half the time.
    one, two = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 0])
    assert cohen_z(one, two) == pytest.approx((4 / 6 - 0.5) / np.sqrt(0.25 / 6))


def test_two_departments_and_two_raters_are_enough_and_ten_are_not_few():
    two = verify.agreement(long([[1, 2], [3, 3]]), **WORDS)
    assert "refused" not in {f.level for f in two.findings}
    assert "agreement.few_targets" in keys(two)
    for n, few in ((9, True), (10, False)):
        x = [[1 + k % 3, 1 + (k + k // 4) % 3] for k in range(n)]
        result = verify.agreement(long(x), **WORDS)
        assert ("agreement.few_targets" in keys(result)) == few
    x[0][1] = x[3][0] = x[4][1] = np.nan
    told = {f.key: f.values for f in verify.agreement(long(x), **WORDS).findings}
    assert told["agreement.single"] == {"count": 3}
    assert told["agreement.incomplete"] == {"missing": 3, "cells": 20}


@pytest.mark.parametrize(
    ("raw", "alpha", "ones", "told"),
    [(0.9, 0.39, 80, True), (0.899, 0.39, 80, False), (0.9, 0.4, 80, False), (0.9, 0.39, 79, False),
     (0.9, np.nan, 80, False)],
)  # fmt: skip
def test_the_paradox_is_told_where_raw_agreement_is_high_and_one_score_prevails(
    raw, alpha, ones, told
):
    rows = {"raw_agreement": {"estimate": raw}, "krippendorff": {"estimate": alpha},
            "gwet_ac2": {"estimate": 0.88}}  # fmt: skip
    scores = np.repeat([1.0, 2.0], [ones, 100 - ones])
    found = agreement_findings._paradox(rows, scores)
    assert [f.key for f in found] == ["agreement.paradox"] * told
    if told:
        assert found[0].level == "warning"
        values = {"raw": 90, "alpha": alpha, "gwet": 0.88, "share": 80}
        assert dict(found[0].values) == pytest.approx(values)


def _read_of(estimate, weights="nominal", targets=10, raters=3, count=30):
    place = np.arange(count)
    grid = SimpleNamespace(columns=list(range(raters)), rows=list(range(targets)), score=place % 5,
                           row=place % targets)  # fmt: skip
    table = pd.DataFrame({
        "metric": "agreement", "variant": ["krippendorff", "raw_agreement", "gwet_ac2"],
        "estimate": [estimate, 0.5, 0.6], "low": 0.1, "high": 0.9, "n": 10, "weights": weights,
    })  # fmt: skip
    return agreement_findings.reading(grid, table, 5)


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ({}, ["reading"]),
        ({"weights": "ordinal"}, ["reading_weighted"]),
        ({"estimate": -0.01}, ["reading", "negative"]), ({"estimate": 0.0}, ["reading"]),
        ({"targets": 9, "count": 27}, ["reading", "few_targets"]),
        ({"count": 29}, ["reading", "incomplete"]),
        ({"raters": 1, "count": 10}, ["reading", "single"]),
    ],
)  # fmt: skip
def test_what_is_said_of_agreement(more, keys):
    found = _read_of(**({"estimate": 0.4} | more))
    assert [f.key for f in found] == [f"agreement.{k}" for k in keys]
    assert found[0].values["raw"] == 50 and found[0].values["targets"] == 10
    last = found[-1].values
    if keys[-1] == "incomplete":
        assert last == {"missing": 1, "cells": 30}
    if keys[-1] == "single":
        assert last == {"count": 10}

"""Alpha: published and peer numbers, missing answers, suspicious items, degenerate cases."""

from __future__ import annotations

import importlib
import json
import tomllib
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import InputError, verify
from svcmetrics.numeric import consistency, polychoric
from svcmetrics.verify import alpha_rows, answers

alpha = importlib.import_module("svcmetrics.verify.alpha")  # the module, not the function
WORDS = {"person": "p", "item": "i", "score": "s"}
LIKERT = [
    [4, 5, 4, 4],
    [3, 3, 2, 3],
    [5, 5, 5, 4],
    [2, 2, 3, 2],
    [4, 4, 4, 5],
    [1, 2, 1, 1],
    [3, 4, 3, 3],
    [5, 4, 5, 5],
]


def long(rows) -> pd.DataFrame:
    return pd.DataFrame(
        [(i, f"q{j}", v) for i, row in enumerate(rows) for j, v in enumerate(row)],
        columns=["p", "i", "s"],
    )


def keys(result) -> set[str]:
    return {f.key for f in result.findings}


def raw(result) -> pd.Series:
    return result.table.iloc[0]


def test_equals_exact_fractions_at_any_offset():
    x = [[Fraction(v) for v in r] for r in LIKERT]

    def variance(v):
        m = sum(v) / len(v)
        return sum((a - m) ** 2 for a in v) / (len(v) - 1)

    exact = Fraction(4, 3) * (
        1 - sum(variance(c) for c in zip(*x, strict=True)) / variance([sum(r) for r in x])
    )
    for offset in (0, 10**8):
        found = raw(verify.alpha(long(np.add(LIKERT, offset)), **WORDS))
        assert found["estimate"] == pytest.approx(float(exact), abs=1e-12)


@pytest.mark.data
def test_attitude_as_psych_prints_it(shared_data):
    wide = pd.read_csv(shared_data("attitude") / "departments.csv")
    table = verify.alpha(
        wide.melt("department", var_name="i", value_name="s"),
        person="department",
        item="i",
        score="s",
    ).table
    assert table.loc[0, ["estimate", "low", "high"]].tolist() == pytest.approx(
        [0.843143, 0.739376, 0.915773], abs=1e-6
    )
    assert table.loc[1, "estimate"] == pytest.approx(0.839083803029511, abs=1e-9)
    assert table.loc[2, "estimate"] == pytest.approx(0.875215137360349, abs=1e-9)


def test_standardised_alpha_and_lambda6_of_thurstone():
    path = Path(__file__).parents[1] / "published" / "thurstone_1941.toml"
    printed = tomllib.loads(path.read_text("utf-8"))["nine"]
    r = np.array(printed["correlation"])
    assert consistency.alpha(r) == pytest.approx(printed["alpha"], abs=0.005)
    assert consistency.lambda6(r) == pytest.approx(printed["lambda6"], abs=0.005)
    assert [float(consistency.alpha(r)), consistency.lambda6(r)] == pytest.approx(
        [0.891458, 0.908176], abs=1e-6
    )


@pytest.mark.data
def test_pairwise_numbers_of_psych_on_a_real_survey(shared_data):
    folder = shared_data("bfi")
    data = pd.read_csv(folder / "responses.csv")
    wide = data[["person", "A1", "A2", "A3", "A4", "A5"]].assign(A1=7 - data["A1"])
    table = verify.alpha(wide.melt("person", var_name="i", value_name="s"), person="person", item="i",
                         score="s", missing="pairwise").table  # fmt: skip
    numbers = {
        n["name"]: n["value"]
        for n in json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    }
    total = numbers["agree alpha: raw, std, G6, mean r, S/N, SE, mean, sd, median r"][0]
    assert table["estimate"].iloc[:3].tolist() == pytest.approx(
        [total["raw_alpha"], total["std.alpha"], total["G6(smc)"]], abs=1e-9
    )
    dropped = numbers["agree alpha if item dropped; r.drop"]
    without = table[table["metric"] == "alpha_without"]["estimate"].tolist()
    rest = table[table["metric"] == "item_rest"]["estimate"].tolist()
    assert without == pytest.approx([r["raw_alpha"] for r in dropped], abs=1e-9)
    assert rest == pytest.approx(
        [r["r.drop"] for r in dropped], abs=2e-3
    )  # psych: from complete rows


def test_incomplete_forms_are_left_out_and_counted():
    rows = [[float(v) for v in r] for r in LIKERT]
    rows[2][1] = np.nan
    result = verify.alpha(long(rows), **WORDS)
    assert result.about["dropped"] == {"no_score": 1, "incomplete_person": 1}
    assert raw(result)["n"] == 7
    assert "answers.listwise" in keys(result)
    kept = verify.alpha(long([r for i, r in enumerate(LIKERT) if i != 2]), **WORDS)
    assert raw(result)["estimate"] == pytest.approx(raw(kept)["estimate"])


def test_when_nobody_answered_everything_it_is_refused():
    rows = np.array(LIKERT, dtype=float)
    rows[np.arange(8), np.arange(8) % 4] = np.nan
    result = verify.alpha(long(rows), **WORDS)
    assert "answers.nobody_left" in keys(result)
    assert result.table["estimate"].isna().all()
    pairwise = verify.alpha(long(rows), **WORDS, missing="pairwise")
    assert np.isfinite(raw(pairwise)["estimate"])
    assert "answers.pairwise" in keys(pairwise)


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ([[r[0]] for r in LIKERT], "answers.one_item"),
        ([[4] * 4] * 8, "answers.no_variation"),
        ([[1, 5], [5, 1], [2, 4]], "answers.no_total"),
    ],
)
def test_nothing_to_estimate_is_refused(rows, key):
    result = verify.alpha(long(rows), **WORDS)
    assert [f.key for f in result.findings if f.level == "refused"] == [key]
    assert np.isnan(raw(result)["estimate"])


def test_suspicious_items_are_named():
    turned = verify.alpha(long([[*r[:3], 6 - r[3]] for r in LIKERT]), **WORDS)
    assert [f.values["items"] for f in turned.findings if f.key == "alpha.reversed"] == [["q3"]]
    flat = verify.alpha(long([[*r, 3] for r in LIKERT]), **WORDS)
    assert [f.values["items"] for f in flat.findings if f.key == "answers.constant"] == [["q4"]]
    twice = verify.alpha(long([[*r, r[0]] for r in LIKERT]), **WORDS)
    assert [f.values["pairs"] for f in twice.findings if f.key == "answers.identical"] == [
        ["q0 = q4"]
    ]
    assert "alpha.few" in keys(twice)


def test_bootstrap_interval_holds_the_estimate_and_is_reproducible():
    rng = np.random.default_rng(2)
    data = long((rng.normal(size=(200, 1)) + rng.normal(size=(200, 6))).round(2))
    one, two = (raw(verify.alpha(data, **WORDS, interval="bootstrap")) for _ in range(2))
    assert one.equals(two)
    feldt = raw(verify.alpha(data, **WORDS))
    assert [one["low"], one["high"]] == pytest.approx([feldt["low"], feldt["high"]], abs=0.03)


def test_an_unknown_rule_for_missing_answers_is_an_error():
    with pytest.raises(InputError, match="listwise"):
        verify.alpha(long(LIKERT), **WORDS, missing="guess")


def test_pairwise_resamples_go_through_the_pairwise_rule():
    """The resampled formula on the data as they are is the estimate; its limits are near Feldt's."""
    from svcmetrics.numeric import consistency

    rng = np.random.default_rng(8)
    table = rng.normal(size=(400, 1)) + rng.normal(size=(400, 5))
    table[rng.random(table.shape) < 0.1] = np.nan
    sums = consistency.pairwise_sums(table).sum(axis=0)
    covariance, _ = consistency.covariances(table)
    assert float(consistency.alpha_of_pairwise(sums, 5)) == pytest.approx(
        float(consistency.alpha(covariance)), abs=1e-12
    )
    data = (
        pd.DataFrame(table).rename_axis("p").reset_index().melt("p", var_name="i", value_name="s")
    )
    call = {"person": "p", "item": "i", "score": "s", "missing": "pairwise"}
    drawn = verify.alpha(data, **call, interval="bootstrap").table.iloc[0]
    exact = verify.alpha(data, **call).table.iloc[0]
    assert drawn["low"] == pytest.approx(exact["low"], abs=0.025)
    assert drawn["high"] == pytest.approx(exact["high"], abs=0.025)


def _cut(seed, n=400, items=4):
    """Whole points 1 to 4, cut from normal scales that correlate at 0.64; some missing."""
    rng = np.random.default_rng(seed)
    x = 0.8 * rng.normal(size=(n, 1)) + 0.6 * rng.normal(size=(n, items))
    points = 1.0 + np.searchsorted([-0.9, 0.1, 0.8], x.ravel()).reshape(x.shape)
    points[rng.random(points.shape) < 0.05] = np.nan
    return points


def test_polychoric_correlations_are_those_of_the_scales_behind_the_points():
    """The likelihood of one table, point by point, with SciPy's bivariate normal; then the truth."""
    from scipy import optimize, stats

    points = _cut(1)[:, :2]
    r, _ = polychoric.matrix(points)
    both = points[np.isfinite(points).all(axis=1)].astype(int) - 1
    table = np.zeros((4, 4))
    np.add.at(table, tuple(both.T), 1)
    ends = []
    for column in points.T:
        share = np.bincount(column[np.isfinite(column)].astype(int) - 1) / np.isfinite(column).sum()
        ends.append(np.concatenate([[-9], stats.norm.ppf(share.cumsum()[:-1]), [9]]))
    corner = np.array([[(a, b) for b in ends[1]] for a in ends[0]])

    def misfit(rho):
        below = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf(corner)
        return -(table * np.log(np.diff(np.diff(below, axis=0), axis=1))).sum()

    best = optimize.minimize_scalar(
        misfit, bounds=(0.3, 0.9), method="bounded", options={"xatol": 1e-9}
    )
    assert r[0, 1] == pytest.approx(best.x, abs=2e-6)
    mean = np.mean([polychoric.matrix(_cut(s))[0][np.triu_indices(4, 1)].mean() for s in range(40)])
    assert mean == pytest.approx(0.64, abs=0.01)


def test_limits_of_the_ordinal_alpha_hold_the_truth():
    """100 studies; alpha of the four scales is 0.877. The spread is the error that is stated."""
    true = 4 / 3 * (1 - 4 / (4 + 12 * 0.64))
    value, se, inside, rest = [], [], [], []
    for seed in range(100):
        table = verify.alpha(long(_cut(seed, n=200)), **WORDS, missing="pairwise",
                             correlations="polychoric").table  # fmt: skip
        first = table.iloc[0]
        value.append(first["estimate"])
        se.append(first["se"])
        inside.append(first["low"] <= true <= first["high"])
        own = table[table["metric"] == "item_rest"]
        truth = 3 * 0.64 / np.sqrt(3 + 6 * 0.64)
        rest.append(((own["low"] <= truth) & (truth <= own["high"])).mean())
    assert np.mean(se) == pytest.approx(np.std(value), rel=0.15)
    assert np.mean(inside) >= 0.95 - 2.5 * 0.022 and np.mean(rest) >= 0.95 - 0.03


def test_each_form_moves_the_correlations_by_its_influence():
    points = _cut(3, n=300)
    r, by_item = polychoric.matrix(points)
    np.testing.assert_allclose(by_item.sum(axis=0), 0, atol=1e-9)
    for k in (0, 7, 19):
        without = polychoric.matrix(np.delete(points, k, axis=0))[0]
        np.testing.assert_allclose(r.sum(axis=0) - without.sum(axis=0), by_item[k], atol=2e-3)


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ([[a + i / 20 for a in r] for i, r in enumerate(LIKERT)], "alpha.no_categories"),
        ([[*r, 3] for r in LIKERT], "alpha.no_polychoric"),
        ([[*r, r[0]] for r in LIKERT], "alpha.no_polychoric"),
    ],
)
def test_no_ordered_categories_no_polychoric(rows, key):
    result = verify.alpha(long(rows), **WORDS, correlations="polychoric")
    assert [f.key for f in result.findings if f.level == "refused"] == [key]
    assert np.isnan(raw(result)["estimate"])
    with pytest.raises(InputError, match="polychoric"):
        verify.alpha(long(rows), **WORDS, correlations="tetrachoric")


def test_the_standard_error_of_alpha_is_that_of_normal_answers():
    """Duhachek and Iacobucci 2004: the spread of alpha over studies."""
    value, se = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        covariance = np.cov((rng.normal(size=(80, 1)) + rng.normal(size=(80, 4))).T)
        value.append(float(consistency.alpha(covariance)))
        se.append(consistency.alpha_error(covariance, 80))
    assert np.mean(se) == pytest.approx(np.std(value), rel=0.12)


@pytest.mark.parametrize(
    ("estimate", "keys"),
    [(0.95, []), (0.951, ["redundant"]), (0.0, []), (-0.01, ["negative"])],
)
def test_an_alpha_too_high_or_below_nought_is_warned_of(estimate, keys):
    table = pd.DataFrame(
        {"estimate": [estimate], "low": 0.1, "high": 0.9, "n": 40, "variant": "raw"}
    )
    found = alpha._reading(table)
    assert [f.key for f in found] == [f"alpha.{k}" for k in ("reading", "not_departments", *keys)]
    assert found[0].values == {"alpha": estimate, "low": 0.1, "high": 0.9, "n": 40}
    assert all(f.level == "warning" for f in found[2:])
    assert alpha._reading(table.assign(variant="polychoric"))[0].key == "alpha.ordinal"


@pytest.mark.parametrize(("persons", "few"), [(30, False), (29, True)])
def test_thirty_forms_are_not_few_and_items_that_run_against_the_rest_are_named(persons, few):
    table = pd.DataFrame({"metric": ["item_rest"] * 3 + ["alpha_without"], "i": list("abcd"),
                          "estimate": [-0.1, 0.0, 0.2, -0.9]})  # fmt: skip
    found = alpha._items(SimpleNamespace(persons=persons), table, "i")
    assert found[0].values == {"items": ["a"]}
    assert [f.key for f in found[1:]] == ["alpha.few"] * few


def test_limits_of_a_correlation_are_fishers():
    r = np.array([0.5, -0.3, 1.0])
    low, high = answers.correlation_limits(r, 28)
    z = np.arctanh(r[:2])
    np.testing.assert_allclose(low, [*np.tanh(z - 1.959964 / 5), 1])
    np.testing.assert_allclose(high, [*np.tanh(z + 1.959964 / 5), 1])
    assert np.isnan(answers.correlation_limits(r, 3)).all()
    assert np.isfinite(answers.correlation_limits(r[:2], 4)).all()


def test_limits_of_the_ordinal_alpha_and_its_correlations_are_of_the_delta_method():
    """On log(1 - alpha) and on Fisher's z, back on the scale of the numbers themselves."""
    low, high = alpha_rows._of_rest(np.array([0.8]), np.array([0.05]))
    z = np.log(0.2) + 1.959964 * np.array([1, -1]) * 0.05 / 0.2
    np.testing.assert_allclose([low[0], high[0]], 1 - np.exp(z))
    low, high = alpha_rows._of_correlation(np.array([0.6]), np.array([0.08]))
    z = np.arctanh(0.6) + 1.959964 * np.array([-1, 1]) * 0.08 / (1 - 0.36)
    np.testing.assert_allclose([low[0], high[0]], np.tanh(z))


def test_two_items_and_two_forms_with_something_to_tell_are_needed():
    form = SimpleNamespace(items=["a", "b"], persons=2, asked=5)
    good = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert answers.refusal(form, good) is None
    for change, covariance, key in (
        ({"items": ["a"]}, good[:1, :1], "one_item"),
        ({"persons": 1}, good, "nobody_left"),
        ({}, np.full((2, 2), np.nan), "never_together"),
        ({}, np.zeros((2, 2)), "no_variation"),
        ({}, np.array([[1.0, -1.0], [-1.0, 1.0]]), "no_total"),
    ):
        refused = answers.refusal(SimpleNamespace(**{**vars(form), **change}), covariance)
        assert (refused.key, refused.level) == (f"answers.{key}", "refused")

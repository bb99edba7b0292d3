"""Omega: Thurstone's nine variables, lavaan's numbers, bootstrap, improper and degenerate cases."""

from __future__ import annotations

import importlib
import json
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from scipy.optimize import minimize

from svcmetrics import verify
from svcmetrics.numeric import factors, minres
from svcmetrics.problems import InputError

omega = importlib.import_module("svcmetrics.verify.omega")  # the module, not the function
WORDS = {"person": "p", "item": "i", "score": "s"}
NINE = tomllib.loads(
    (Path(__file__).parents[1] / "published" / "thurstone_1941.toml").read_text("utf-8")
)["nine"]


def long(rows) -> pd.DataFrame:
    return pd.DataFrame(rows).rename_axis("p").reset_index().melt("p", var_name="i", value_name="s")


def with_correlation(r: np.ndarray, n: int, seed: int = 1) -> np.ndarray:
    """Data whose correlation matrix is exactly this one."""
    z = np.random.default_rng(seed).normal(size=(n, len(r)))
    z -= z.mean(axis=0)
    white = z @ np.linalg.inv(np.linalg.cholesky(z.T @ z / (n - 1))).T
    return white @ np.linalg.cholesky(r).T


def keys(result) -> list[str]:
    return [f.key for f in result.findings]


def test_three_factors_of_thurstone():
    data = long(with_correlation(np.array(NINE["correlation"]), NINE["n"]))
    result = verify.omega(data, **WORDS, factors=3)
    value = result.table[result.table["metric"] == "omega"].set_index("variant")["estimate"]
    assert value["hierarchical"] == pytest.approx(NINE["omega_hierarchical"], abs=0.005)
    assert value["total_standardised"] == pytest.approx(NINE["omega_total"], abs=0.005)
    # R psych: 0.7361 and 0.9308.
    assert value[["hierarchical", "total_standardised"]].tolist() == pytest.approx(
        [0.7361, 0.9308], abs=1e-4
    )
    assert "omega.hierarchical" in keys(result)


@pytest.mark.data
@pytest.mark.parametrize(
    ("scale", "turned"), [("agree", "A1"), ("conscientious", "C4 C5"), ("neuroticism", "")]
)
def test_one_factor_by_likelihood_is_that_of_lavaan(shared_data, scale, turned):
    folder = shared_data("bfi")
    data = pd.read_csv(folder / "responses.csv")
    names = [f"{scale[0].upper()}{i}" for i in range(1, 6)]
    wide = pd.DataFrame({n: 7 - data[n] if n in turned.split() else data[n] for n in names}).assign(
        p=data["person"]
    )
    long_table = wide.melt("p", var_name="i", value_name="s")
    row = verify.omega(long_table, **WORDS, fit="ml").table.iloc[0]
    numbers = json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    peer = next(n["value"] for n in numbers if n["name"].startswith(f"{scale} omega total"))
    assert row["estimate"] == pytest.approx(peer[0], abs=1e-6)
    assert row["n"] == peer[1]


def test_newton_finds_the_factor_that_made_the_matrix():
    loading = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    r = np.outer(loading, loading)
    np.fill_diagonal(r, 1)
    np.testing.assert_allclose(minres.one_factor(r), loading, atol=1e-9)
    for likelihood in (False, True):
        found, ended = factors.extract(r[None], 1, likelihood=likelihood)
        assert ended.all()
        np.testing.assert_allclose(found[0, :, 0], loading, atol=1e-8)


def resampled(count: int, n: int = 213) -> np.ndarray:
    """Correlations of the nine variables in resamples of so many persons."""
    rows, rng = with_correlation(np.array(NINE["correlation"]), n), np.random.default_rng(5)
    return np.array([np.corrcoef(rows[rng.integers(0, n, n)].T) for _ in range(count)])


def searched(r: np.ndarray, m: int) -> np.ndarray:
    """Uniquenesses of one matrix by minimum residuals, by SciPy's bounded search."""

    def target(unique):
        value, vector = np.linalg.eigh(r - np.diag(unique))
        return (value[:-m] ** 2).sum() / 2, -(vector[:, :-m] ** 2 @ value[:-m])

    start = np.clip(1 - minres.smc(r), 0.05, 0.95)
    return minimize(
        target, start, jac=True, bounds=[(0.001, 1)] * len(r), method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 50_000, "ftol": 1e-16, "gtol": 1e-11},
    ).x  # fmt: skip


def test_fifty_matrices_at_once_are_fifty_searches_one_by_one():
    r = resampled(50)
    together, ended = factors.extract(r, 3)
    assert ended.all()
    unique = np.maximum(1 - (together**2).sum(axis=2), 0.001)
    one_by_one = np.array([searched(each, 3) for each in r])
    # A search that stops a little early is off by more than rounding, not by more than this.
    np.testing.assert_allclose(unique, one_by_one, atol=2e-6)
    pattern, phi, turned = factors.oblimin(together)
    assert turned.all()
    general = factors.schmid_leiman(pattern, phi)
    for i in range(0, 50, 7):
        alone, alone_phi, _ = factors.oblimin(factors.extract(r[i : i + 1], 3)[0])
        np.testing.assert_allclose(np.abs(pattern[i]), np.abs(alone[0]), atol=1e-6)
        np.testing.assert_allclose(
            general[i], factors.schmid_leiman(alone, alone_phi)[0], atol=1e-6
        )


def test_likelihood_of_many_matrices_leaves_no_slope():
    r = resampled(20)
    loading, ended = factors.extract(r, 2, likelihood=True)
    unique = 1 - (loading**2).sum(axis=2)
    inside = (unique > 0.0011).all(axis=1) & ended
    assert inside.mean() > 0.8
    # At the maximum the model reproduces every variance: its diagonal is 1 (Lawley and Maxwell).
    model = loading @ np.swapaxes(loading, 1, 2)
    scale = np.sqrt(unique[inside])
    white = r[inside] / scale[:, :, None] / scale[:, None, :]
    value, vector = np.linalg.eigh(white)
    rebuilt = vector[:, :, -2:] * np.sqrt(value[:, None, -2:] - 1) * scale[:, :, None]
    np.testing.assert_allclose(rebuilt @ np.swapaxes(rebuilt, 1, 2), model[inside], atol=1e-6)


def test_limits_of_several_factors_come_from_2000_fits_and_say_what_is_missing():
    data = long(with_correlation(np.array(NINE["correlation"]), NINE["n"]))
    result = verify.omega(data, **WORDS, factors=3)
    assert "2000" in result.about["interval"]
    assert result.about["without_fit"] == 0
    row = result.table.set_index("variant").loc["hierarchical"]
    assert row["low"] < row["estimate"] - 0.03 < row["estimate"] + 0.03 < row["high"]


def test_resamples_without_a_solution_are_counted_and_said():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(16, 12)) + 0.7 * rng.normal(size=(16, 1))
    # Resamples of 16 forms hold fewer than 12 different ones: no likelihood of 12 items.
    result = verify.omega(long(rows), **WORDS, fit="ml")
    assert result.about["without_fit"] > 1000
    assert "omega.without_fit" in keys(result)
    assert result.table.loc[0, ["low", "high"]].isna().all()


def test_resamples_beyond_the_bounds_are_held_by_them():
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(60, 3)) + 0.9 * rng.normal(size=(60, 1))
    one, two = (verify.omega(long(rows), **WORDS, fit=f).table.iloc[0] for f in ("minres", "ml"))
    # Three items: both fit exactly, so that their limits differ only by where a bound holds.
    assert one[["low", "high"]].tolist() == pytest.approx(two[["low", "high"]].tolist(), abs=0.04)


def test_interval_is_reproducible_and_holds_the_estimate():
    rng = np.random.default_rng(1)
    data = long(rng.normal(size=(250, 1)) + rng.normal(size=(250, 6)))
    one, two = (verify.omega(data, **WORDS).table for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert one["low"].iloc[0] < one["estimate"].iloc[0] < one["high"].iloc[0]
    assert one["estimate"].iloc[0] == pytest.approx(6 / 7, abs=0.06)


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        (np.random.default_rng(8).integers(1, 6, (12, 30)), "omega.too_few"),
        (np.column_stack([np.random.default_rng(9).normal(size=(60, 4)), np.full(60, 3.0)]), "omega.constant"),
        (np.random.default_rng(9).normal(size=(60, 2)), "omega.too_few_items"),
        (with_correlation(np.array([[1, 0.82, 0.83], [0.82, 1, 0.5], [0.83, 0.5, 1]]), 400), "omega.heywood"),
        (np.full((20, 4), 4.0), "answers.no_variation"),
    ],
)  # fmt: skip
def test_what_has_no_omega_is_refused(rows, key):
    result = verify.omega(long(rows), **WORDS)
    assert [f.key for f in result.findings if f.level == "refused"] == [key]
    assert result.table["estimate"].isna().all()


def test_pure_noise_is_called_so_and_a_turned_item_named():
    noise = verify.omega(long(np.random.default_rng(12).normal(size=(200, 6))), **WORDS)
    assert "omega.nothing_common" in keys(noise)
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(100, 1)) + rng.normal(size=(100, 5))
    rows[:, 4] *= -1
    turned = verify.omega(long(rows), **WORDS)
    assert [f.values["items"] for f in turned.findings if f.key == "alpha.reversed"] == [["4"]]


def test_a_rotation_that_does_not_settle_leaves_no_general_factor_but_a_total(monkeypatch):
    monkeypatch.setattr(factors, "_ROTATIONS", 3)
    data = long(with_correlation(np.array(NINE["correlation"]), NINE["n"]))
    result = verify.omega(data, **WORDS, factors=3)
    values = result.table.set_index("variant")
    assert "omega.unsettled" in keys(result)
    assert np.isnan(values.loc["hierarchical", "estimate"])
    assert values.loc["total", "low"] < values.loc["total", "estimate"]


def test_pairwise_uses_every_answer_and_its_limits_hold_the_truth():
    """Five items of loading 0.7, a sixth of the answers missing at random: omega is 0.827."""
    true = (5 * 0.7) ** 2 / ((5 * 0.7) ** 2 + 5 * (1 - 0.49))
    inside, wider = 0, []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        x = 0.7 * rng.normal(size=(250, 1)) + np.sqrt(1 - 0.49) * rng.normal(size=(250, 5))
        x[rng.random(x.shape) < 1 / 6] = np.nan
        data = long(x).dropna()
        row = verify.omega(data, **WORDS, missing="pairwise").table.iloc[0]
        some = verify.omega(data, **WORDS).table.iloc[0]
        known = np.isfinite(x).astype(int)
        assert row["n"] == (known.T @ known).min() and some["n"] == known.all(axis=1).sum()
        inside += row["low"] <= true <= row["high"]
        wider.append((some["high"] - some["low"]) / (row["high"] - row["low"]))
    assert inside >= 26  # 95% of 30, less two standard errors
    assert np.mean(wider) > 1.3  # complete forms are two in five here


def test_pairwise_of_complete_forms_is_listwise():
    x = np.random.default_rng(3).normal(size=(80, 1)) + np.random.default_rng(4).normal(
        size=(80, 4)
    )
    one, two = (verify.omega(long(x), **WORDS, missing=m).table for m in ("listwise", "pairwise"))
    pd.testing.assert_frame_equal(one, two)


def test_pairwise_of_several_factors_and_of_likelihood():
    x = with_correlation(np.array(NINE["correlation"]), 400)
    x[np.random.default_rng(1).random(x.shape) < 0.05] = np.nan
    data = long(x).dropna()
    three = verify.omega(data, **WORDS, factors=3, missing="pairwise").table
    assert three["estimate"].iloc[0] == pytest.approx(NINE["omega_total"], abs=0.01)
    ml = verify.omega(data, **WORDS, fit="ml", missing="pairwise").table.iloc[0]
    assert ml["low"] < ml["estimate"] < ml["high"]


def test_items_have_nothing_in_common_where_bartletts_test_says_so():
    """Bartlett 1950: chi-square = -(n - 1 - (2k + 5) / 6) log |R|, k (k - 1) / 2 degrees."""
    n, k = 24, 4
    bartlett = stats.chi2.isf(0.05, k * (k - 1) / 2) / (n - 1 - (2 * k + 5) / 6)

    def r_at(log_det):
        # |R| of equal correlations r is (1 + (k - 1) r) (1 - r) ** (k - 1).
        return optimize.brentq(
            lambda r: np.log1p((k - 1) * r) + (k - 1) * np.log1p(-r) + log_det, 0.0, 0.9
        )

    for share, nothing in ((0.98, True), (1.02, False)):
        matrix = np.full((k, k), r_at(share * bartlett))
        np.fill_diagonal(matrix, 1.0)
        said = keys(verify.omega(long(with_correlation(matrix, n)), **WORDS))
        assert ("omega.nothing_common" in said) == nothing


def test_an_offset_that_all_answers_share_changes_no_limit():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(60, 1)) + rng.normal(size=(60, 4))
    plain, moved = (
        verify.omega(long(x + shift), person="p", item="i", score="s").table for shift in (0.0, 1e7)
    )
    columns = ["estimate", "low", "high"]
    np.testing.assert_allclose(moved[columns], plain[columns], rtol=1e-6)


@pytest.mark.parametrize(
    ("n", "general", "keys"),
    [
        (30, [0.7, 0.7, 0.7], []),
        (29, [0.7, 0.7, 0.7], ["alpha.few"]),
        (30, [0.7, -0.1, 0.0], ["alpha.reversed"]),
    ],
)
def test_few_forms_and_items_that_run_against_the_others_are_said(n, general, keys):
    form = SimpleNamespace(items=["x", "y", "z"], findings=[])
    ends = np.array([0.5, 0.5]), np.array([0.9, 0.9])
    r = np.where(np.eye(3), 1.0, 0.5)
    loading = {"general": np.array([general])}
    found = omega._reading({"total": 0.8}, *ends, form, r, loading, n)
    assert [f.key for f in found] == ["omega.reading", "omega.halo", *keys]
    assert found[0].values == {"omega": 0.8, "low": 0.5, "high": 0.9, "n": n}
    assert keys != ["alpha.reversed"] or found[-1].values == {"items": ["y"]}


def test_a_hierarchical_omega_has_limits_of_its_own():
    form = SimpleNamespace(items=["x", "y", "z"], findings=[])
    ends = np.array([0.5, 0.4, 0.3]), np.array([0.9, 0.8, 0.7])
    values = {"total": 0.8, "total_standardised": 0.7, "hierarchical": 0.6}
    r = np.where(np.eye(3), 1.0, 0.5)
    found = omega._reading(values, *ends, form, r, {"general": np.full((1, 3), 0.7)}, 60)
    assert found[1].key == "omega.hierarchical"
    assert found[1].values == {"omega": 0.6, "low": 0.3, "high": 0.7}


def test_no_factors_at_all_are_refused_in_words():
    rows = pd.DataFrame([(p, i, p % 5 + i) for p in range(9) for i in range(4)], columns=[*"pis"])
    with pytest.raises(InputError) as told:
        verify.omega(rows, person="p", item="i", score="s", factors=0)
    assert told.value.problems[0].values["unknown"] == ["factors=0"]

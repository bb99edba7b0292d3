"""Omega: Thurstone's nine variables, lavaan's numbers, bootstrap, improper and degenerate cases."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.numeric import minres

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
    np.testing.assert_allclose(minres.one_factor_ml(r), loading, atol=1e-4)
    np.testing.assert_allclose(minres.several(r, 1)[:, 0], loading, atol=1e-4)


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

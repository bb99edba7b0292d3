"""Mode effect: inference from the lot, checked against enumeration and the planted size."""

from __future__ import annotations

import importlib
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.numeric import randomise

mode_effect = importlib.import_module("svcmetrics.verify.mode_effect")  # the module
NAMES = {"rater": "r", "target": "t", "score": "s", "mode": "m"}


def split(rng, effect=0.25, raters=60):
    rows = pd.DataFrame([(r, t) for r in range(raters) for t in range(4)], columns=["r", "t"])
    rows = rows[rng.random(len(rows)) < 0.7].reset_index(drop=True)
    unit = np.arange(raters) % 5
    named = np.zeros(raters, bool)
    for u in range(5):
        here = rng.permutation(np.flatnonzero(unit == u))
        named[here[: len(here) // 2]] = True
    rows["m"], rows["u"] = np.where(named, "named", "confidential")[rows["r"]], unit[rows["r"]]
    level = rng.normal(0, 0.4, raters)[rows["r"]] + rng.normal(0, 0.4, 4)[rows["t"]]
    return rows.assign(s=3 + level + effect * named[rows["r"]] + rng.normal(0, 0.4, len(rows)))


def test_the_effect_planted_in_the_example_study_is_found(example_study_folder):
    table = pd.read_parquet(example_study_folder / "rating.parquet").merge(
        pd.read_parquet(example_study_folder / "plan.parquet"), on="plan_id"
    )
    found = verify.mode_effect(
        table, rater="rater_key", target="target_id", item="item_id", score="score", wave="wave",
        mode="mode", stratum="rater_unit_id",
    )  # fmt: skip
    row = found.table.iloc[0]
    assert row["variant"] == "named − confidential"
    assert row["low"] <= 0.25 <= row["high"] and row["low"] > 0
    assert found.findings[0].key == "mode_effect.higher"


def test_p_equals_the_count_over_all_lots():
    rng = np.random.default_rng(1)
    y, treated = rng.normal(size=8), np.array([1, 1, 1, 1, 0, 0, 0, 0], bool)
    y[treated] += 0.8
    seen = abs(y[treated].mean() - y[~treated].mean())
    lots = [np.isin(np.arange(8), c) for c in combinations(range(8), 4)]
    exact = np.mean([abs(y[z].mean() - y[~z].mean()) >= seen - 1e-12 for z in lots])
    estimate, low, high, p = randomise.effect(y, treated, np.zeros(8, int), np.ones(8), 20_000, rng)
    assert abs(estimate) == pytest.approx(seen)
    assert p == pytest.approx(exact, abs=0.01)
    assert low <= estimate <= high


def test_the_interval_covers_the_effect_and_no_effect_is_no_alarm():
    rng = np.random.default_rng(2)
    hits, alarms = 0, 0
    for k in range(15):
        row = verify.mode_effect(split(rng), **NAMES, stratum="u", rng=k).table.iloc[0]
        hits += row["low"] <= 0.25 <= row["high"]
        none = verify.mode_effect(split(rng, effect=0), **NAMES, stratum="u", rng=k)
        alarms += none.table["p"].iloc[0] <= 0.05
    assert hits >= 12 and alarms <= 4


def test_strata_with_one_mode_only_say_nothing():
    y = np.array([1.0, 2, 3, 9, 9, 9])
    treated, stratum = np.array([1, 0, 0, 1, 1, 1], bool), np.array([0, 0, 0, 1, 1, 1])
    row = randomise.contrasts(treated[None].astype(float), stratum, np.ones(6))[0]
    assert row @ y == pytest.approx(1 - 2.5)
    assert (row[3:] == 0).all()


def test_mixed_raters_are_left_out_and_a_third_mode_is_refused():
    table = split(np.random.default_rng(3))
    first = table.index[table["r"] == 0][0]
    table.loc[first, "m"] = "named" if table.loc[first, "m"] == "confidential" else "confidential"
    found = verify.mode_effect(table, **NAMES)
    assert (
        found.about["dropped"]["both_modes"] == 1
        and found.table["n"].iloc[0] == table["r"].nunique() - 1
    )
    table.loc[table["r"] == 1, "m"] = "anonymous"
    assert verify.mode_effect(table, **NAMES).findings[0].level == "refused"


def test_no_stratum_with_both_modes_is_refused():
    table = split(np.random.default_rng(4))
    assert verify.mode_effect(table, **NAMES, stratum="m").findings[0].level == "refused"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.01, 0.4, "higher"), (0.0, 0.4, "unclear"), (-0.4, 0.0, "unclear"), (-0.4, -0.01, "lower")],
)
def test_an_effect_is_clear_where_its_interval_leaves_nought_out(low, high, word):
    row = pd.Series({"estimate": 0.2, "low": low, "high": high, "n": 40.0, "p": 0.03})
    said = mode_effect._reading(row, ["confidential", "named"])
    assert (said.key, said.level) == (
        f"mode_effect.{word}", "note" if word == "unclear" else "warning"
    )  # fmt: skip
    assert dict(said.values) == {"effect": 0.2, "low": low, "high": high, "n": 40, "p": 0.03,
                                 "one": "named", "other": "confidential"}  # fmt: skip


def test_the_name_stands_last_among_the_modes_and_others_by_their_names():
    assert mode_effect._words(np.array(["named", "zeal", "named"])) == ["zeal", "named"]
    assert mode_effect._words(np.array(["b", "a"])) == ["a", "b"]


def test_how_many_raters_the_rarer_mode_has_is_told():
    table = split(np.random.default_rng(6), raters=30)
    some = table[(table["m"] == "confidential") | (table["r"] < 12)]
    result = verify.mode_effect(some, **NAMES)
    fewest = some.groupby("m")["r"].nunique().min()
    assert result.about["raters_of_mode"] == fewest < some["r"].nunique() / 2


def test_one_rater_of_each_mode_is_no_comparison():
    rows = pd.DataFrame({"who": [0, 0, 1, 1], "unit": ["a", "b"] * 2, "points": [3, 4, 4, 4]})
    rows["mode"] = np.where(rows["who"] == 0, "named", "confidential")
    result = verify.mode_effect(rows, rater="who", target="unit", score="points", mode="mode")
    assert [f.key for f in result.findings] == ["mode_effect.no_contrast"]
    assert result.table[["estimate", "low", "high", "p"]].isna().all(axis=None)

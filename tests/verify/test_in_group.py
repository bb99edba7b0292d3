"""In-group favour: the planted size is found with an honest interval, and what it does to scores."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.numeric import within

NAMES = {"rater": "r", "target": "t", "score": "s", "rater_group": "g", "target_group": "h"}


def sided(rng, favour=0.3, raters=80, targets=8):
    """Two sides; every rater sees about half of the targets."""
    rows = pd.DataFrame([(r, t) for r in range(raters) for t in range(targets)], columns=["r", "t"])
    rows = rows[rng.random(len(rows)) < 0.6].reset_index(drop=True)
    rows["g"], rows["h"] = rows["r"] % 2, rows["t"] % 2
    level = rng.normal(3.5, 0.4, targets)[rows["t"]] - rng.normal(0, 0.5, raters)[rows["r"]]
    noise = rng.normal(0, 0.5, len(rows))
    return rows.assign(s=level + favour * (rows["g"] == rows["h"]) + noise)


@pytest.fixture(scope="module")
def pilot(example_study_folder):
    rating = pd.read_parquet(example_study_folder / "rating.parquet")
    plan = pd.read_parquet(example_study_folder / "plan.parquet")
    lines = pd.read_csv(example_study_folder / "unit.csv").set_index("unit_id")["parent_id"]
    table = rating.merge(plan, on="plan_id")
    mine = table["rater_unit_id"].map(lines)
    return table.assign(
        mine=mine.fillna(table["rater_unit_id"]), theirs=table["target_id"].map(lines)
    )


def test_the_favour_planted_in_the_example_study_is_found(pilot):
    found = verify.in_group(
        pilot, rater="rater_key", target="target_id", item="item_id", score="score", wave="wave",
        rater_group="mine", target_group="theirs",
    )  # fmt: skip
    row = found.table.iloc[0]
    assert row["low"] <= 0.25 <= row["high"]
    assert row["low"] > 0.1
    assert found.findings[0].key == "in_group.favour"
    assert not set(pilot["rater_key"]) & set(found.table.astype(str).to_numpy().ravel())


def test_the_interval_covers_and_no_favour_is_no_alarm():
    rng = np.random.default_rng(1)
    hits, alarms = 0, 0
    for _ in range(30):
        row = verify.in_group(sided(rng), **NAMES).table.iloc[0]
        hits += row["low"] <= 0.3 <= row["high"]
        none = verify.in_group(sided(rng, favour=0.0), **NAMES).table.iloc[0]
        alarms += none["p"] < 0.05
    assert hits >= 26 and alarms <= 5


def test_it_equals_least_squares_with_a_column_for_every_rater_and_target():
    rng = np.random.default_rng(2)
    table = sided(rng, raters=20)
    columns = pd.get_dummies(table[["r", "t"]].astype("category"), dtype=float).to_numpy()
    same = (table["g"] == table["h"]).to_numpy(float)
    peer = np.linalg.lstsq(np.column_stack([same, columns]), table["s"], rcond=None)[0][0]
    found = verify.in_group(table, **NAMES).table["estimate"].iloc[0]
    assert found == pytest.approx(peer, abs=1e-8)


def test_the_shift_is_the_share_of_own_side_ratings_times_the_favour():
    table = sided(np.random.default_rng(3))
    found = verify.in_group(table, **NAMES).table
    same = (table["g"] == table["h"]).astype(float)
    share = same.groupby(table["t"]).mean() - same.mean()
    shifts = found[found["metric"] == "score_shift"].set_index("t")["estimate"]
    np.testing.assert_allclose(shifts, -found["estimate"].iloc[0] * share, atol=1e-10)


def test_without_raters_who_saw_both_sides_it_refuses():
    table = sided(np.random.default_rng(4))
    found = verify.in_group(table[table["g"] == table["h"]], **NAMES)
    assert found.findings[0].level == "refused"
    assert np.isnan(found.table["estimate"].iloc[0])


def test_alternating_means_reach_the_least_squares_residual():
    rng = np.random.default_rng(5)
    a, b, y = rng.integers(0, 9, 200), rng.integers(0, 7, 200), rng.normal(size=200)
    columns = np.column_stack([np.eye(9)[a], np.eye(7)[b]])
    rest = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    np.testing.assert_allclose(within.centred(y, [a, b]), rest, atol=1e-8)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.01, 0.4, "favour"),
        (0.0, 0.4, "unclear"),
        (-0.4, 0.0, "unclear"),
        (-0.4, -0.01, "against"),
    ],
)
def test_favour_is_clear_where_its_interval_leaves_nought_out(low, high, word):
    module = importlib.import_module("svcmetrics.verify.in_group")
    found = SimpleNamespace(estimate=0.2, low=low, high=high, clusters=31)
    said = module._reading(found, 0.25)
    level = "note" if word == "unclear" else "warning"
    assert (said.key, said.level) == (f"in_group.{word}", level)
    assert dict(said.values) == {"effect": 0.2, "low": low, "high": high, "n": 31, "share": 25}

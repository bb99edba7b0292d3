"""Straight-lining: peer numbers of runs, the exact chance expectation, waves, degenerate cases."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from svcmetrics import InputError, verify
from svcmetrics.numeric import careless
from svcmetrics.numeric.intervals import wilson

WORDS = {"form": "f", "item": "i", "score": "s"}


def long(rows) -> pd.DataFrame:
    return pd.DataFrame(
        [(i, j, v) for i, r in enumerate(rows) for j, v in enumerate(r)], columns=["f", "i", "s"]
    )


def keys(result) -> list[str]:
    return [f.key for f in result.findings]


@pytest.mark.data
def test_runs_and_spread_are_those_of_the_r_package_careless(shared_data):
    folder = shared_data("careless_sim200")
    forms = pd.read_csv(folder / "responses.csv").iloc[:, 1:].to_numpy(float)
    reference = pd.read_csv(folder / "indices_reference.csv")
    for name, ours in (
        ("longstring", careless.longstring),
        ("longstring_avg", careless.avgstring),
        ("irv", careless.irv),
    ):
        np.testing.assert_allclose(ours(forms), reference[name], rtol=1e-10)


def test_runs_by_hand_and_missing_answers_skipped():
    forms = np.array([[1, 1, 2, 2, 2], [3, np.nan, 3, 3, 1], [5, 5, 5, 5, 5], [np.nan] * 5])
    assert careless.longstring(forms).tolist() == [3, 3, 5, 0]
    np.testing.assert_allclose(careless.avgstring(forms), [2.5, 2, 5, np.nan])
    np.testing.assert_allclose(careless.irv(forms), [0.5477226, 1, 0, np.nan], rtol=1e-6)


def test_the_expected_longest_run_equals_full_enumeration():
    shares = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.4, 0.4, 0.2], [0.2, 0.2, 0.6]])
    mean = same = 0.0
    for answer in itertools.product(range(3), repeat=4):
        p = np.prod([shares[i, v] for i, v in enumerate(answer)])
        mean += p * max(len(list(g)) for _, g in itertools.groupby(answer))
        same += p * (len(set(answer)) == 1)
    assert careless.chance_longstring(shares) == pytest.approx(mean, abs=1e-12)
    assert careless.chance_all_same(shares, np.ones((1, 4), bool))[0] == pytest.approx(
        same, abs=1e-12
    )


def test_the_share_has_a_wilson_interval_and_its_chance_beside_it():
    rng = np.random.default_rng(1)
    rows = rng.integers(1, 6, (50, 5))
    rows[:20] = rows[:20, :1]
    result = verify.straight_lining(long(rows), **WORDS)
    row = result.table.iloc[0]
    hits = int((rows == rows[:, :1]).all(axis=1).sum())
    low, high = wilson(hits, 50)
    assert row[["estimate", "low", "high"]].tolist() == pytest.approx(
        [hits / 50, float(low), float(high)]
    )
    assert row["chance"] == pytest.approx(5 * 0.2**5, abs=0.002)
    assert "straight_lining.above" in keys(result)
    assert result.table["estimate"].iloc[1] > 1.5


def test_honest_answers_raise_no_alarm():
    rng = np.random.default_rng(7)
    result = verify.straight_lining(long(rng.integers(1, 6, (80, 6))), **WORDS)
    assert keys(result) == ["straight_lining.reading"]
    assert result.table["estimate"].iloc[1] == pytest.approx(1, abs=0.1)


def test_all_fives_say_nothing_and_are_called_so():
    result = verify.straight_lining(long([[5] * 4] * 30), **WORDS)
    row = result.table.iloc[0]
    assert row["estimate"] == row["chance"] == 1
    assert "straight_lining.one_answer" in keys(result)


def test_forms_with_too_few_answers_are_counted_apart():
    rows = np.array([[1.0, 2, 3], [4, 4, 4], [5, 5, np.nan]])
    table = verify.straight_lining(long(rows), **WORDS).table
    assert table.loc[0, ["n", "not_assessable"]].tolist() == [2, 1]
    short = verify.straight_lining(long([[1, 1], [2, 2]]), **WORDS)
    assert short.findings[0].level == "refused"
    assert np.isnan(short.table["estimate"].iloc[0])


def test_each_wave_is_a_row_and_a_form_in_two_waves_an_error():
    data = long(np.tile([1, 2, 3, 4], (10, 1))).assign(w=lambda d: np.where(d["f"] < 4, "一", "二"))
    table = verify.straight_lining(data, **WORDS, wave="w").table
    assert table[table["metric"] == "straight_lining"].set_index("w")["n"].to_dict() == {
        "一": 4,
        "二": 6,
    }
    data.loc[0, "w"] = "二"
    with pytest.raises(InputError):
        verify.straight_lining(data, **WORDS, wave="w")


def test_the_order_shown_decides_the_runs():
    rng = np.random.default_rng(3)
    rows = rng.integers(1, 6, (40, 4))
    rows[:, 2] = rows[:, 0]
    data = long(rows)
    data["shown"] = data["i"].map({0: 0, 2: 1, 1: 2, 3: 3})
    plain = verify.straight_lining(data, **WORDS)
    shown = verify.straight_lining(data, **WORDS, order="shown")
    assert shown.table["estimate"].iloc[1] > plain.table["estimate"].iloc[1]
    assert shown.table["estimate"].iloc[0] == plain.table["estimate"].iloc[0]

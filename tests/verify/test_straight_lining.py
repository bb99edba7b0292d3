"""Straight-lining: peer numbers of runs, the exact chance expectation, waves, degenerate cases."""

from __future__ import annotations

import importlib
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


@pytest.mark.parametrize(
    ("low", "chance", "top", "key"),
    [
        # Nine answers in ten the same: the share then says nothing; two points above chance are clear.
        (0.1201, 0.1, 0.5, "above"), (0.1 + 0.02, 0.1, 0.5, None), (0.5, 0.1, 0.9, "one_answer"),
        (0.5, 0.1, 0.89, "above"),
    ],
)  # fmt: skip
def test_more_straight_lines_than_chance_are_told_unless_one_answer_prevails(low, chance, top, key):
    module = importlib.import_module("svcmetrics.verify.straight_lining")
    both = pd.DataFrame({"estimate": [0.6, 1.5], "low": low, "high": 0.7, "n": 20, "chance": chance,
                         "not_assessable": 0})  # fmt: skip
    used = np.where(np.arange(100) < 100 * top, 4.0, 2.0).reshape(20, 5)
    found = module._reading(both, used, 12, "")
    assert [f.key for f in found] == [
        "straight_lining.reading", *([f"straight_lining.{key}"] if key else [])
    ]  # fmt: skip
    values = {"wave": "", "hits": 12, "n": 20, "share": 60, "low": 100 * low, "high": 70,
              "chance": 100 * chance, "ratio": 1.5}  # fmt: skip
    told = {k: v for k, v in found[0].values.items() if k != "wave"}
    assert told == pytest.approx({k: v for k, v in values.items() if k != "wave"})
    if key == "one_answer":
        assert (found[1].values["top"], found[1].values["value"]) == (pytest.approx(90), 4.0)
    short = module._reading(both.assign(not_assessable=3), used, 12, "w")
    assert short[0].key == "straight_lining.reading_wave"
    assert short[-1].values == {"count": 3, "items": 3}


def test_several_waves_are_told_in_one_sentence_and_one_is_told_as_one():
    module = importlib.import_module("svcmetrics.verify.straight_lining")

    def said(wave, share, chance, n, *more):
        values = {"wave": wave, "share": share, "chance": chance, "n": n}
        found = [module.Finding("straight_lining.reading_wave", values)]
        return found + [module.Finding(f"straight_lining.{k}_wave", values) for k in more]

    rest = module.Finding("straight_lining.not_assessable", {"count": 1})
    one = [*said("a", 10, 3, 30, "above"), rest]
    assert module._folded(one) == one
    two = module._folded([*one, *said("b", 5, 4, 20, "one_answer"), *said("c", 7, 2, 10, "above")])
    keys = ["reading_waves", "above_waves", "one_answer_waves", "not_assessable"]
    assert [f.key.split(".")[1] for f in two] == keys
    assert two[0].values == {"waves": 3, "least": 5, "most": 10, "first": 10, "last": 7, "n": 60,
                             "chance": 4}  # fmt: skip
    assert two[1].values == {"waves": ["a", "c"]} and two[2].values == {"waves": ["b"]}


def test_the_limits_of_the_longest_run_are_those_of_a_mean():
    """Runs of 3, 2, 1 and 2 of three answers; the expectation is the same for all four forms."""
    answers = np.array([[5, 5, 5], [5, 5, 1], [1, 5, 1], [1, 1, 5]], dtype=float)
    wide = pd.DataFrame(answers).rename_axis("f").reset_index().melt("f", var_name="i")
    table = verify.straight_lining(wide, form="f", item="i", score="value").table
    row = table.set_index("metric").loc["longstring_ratio"]
    half = 1.959964 * np.std([3, 2, 1, 2], ddof=1) / 2
    assert (row["high"] - row["low"]) / row["estimate"] == pytest.approx(2 * half / 2, rel=1e-6)
    assert (row["high"] + row["low"]) / 2 == pytest.approx(row["estimate"])
    one = verify.straight_lining(wide[wide["f"] == 0], form="f", item="i", score="value").table
    assert one.set_index("metric").loc["longstring_ratio", ["low", "high"]].isna().all()

"""Split halves: peer numbers, all splits, random splits, degenerate cases."""

from __future__ import annotations

import importlib
import itertools
import json

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify

WORDS = {"person": "p", "item": "i", "score": "s"}


def long(rows) -> pd.DataFrame:
    return pd.DataFrame(rows).rename_axis("p").reset_index().melt("p", var_name="i", value_name="s")


def by_variant(result, metric: str = "split_half") -> pd.Series:
    return result.table[result.table["metric"] == metric].set_index("variant")["estimate"]


def test_all_splits_of_six_items_by_brute_force():
    x = np.random.default_rng(1).normal(size=(40, 1)) + np.random.default_rng(2).normal(
        size=(40, 6)
    )
    found = by_variant(verify.split_half(long(x), **WORDS))
    values = []
    for half in itertools.combinations(range(6), 3):
        one = x[:, half].sum(axis=1)
        two = x.sum(axis=1) - one
        values.append(4 * np.cov(one, two)[0, 1] / np.var(x.sum(axis=1), ddof=1))
    assert found[["mean", "lowest", "highest"]].tolist() == pytest.approx(
        [np.mean(values), min(values), max(values)], abs=1e-10
    )
    # With an even number of items the mean over all splits is alpha (Cronbach 1951).
    alpha = verify.alpha(long(x), **WORDS).table["estimate"].iloc[0]
    assert found["mean"] == pytest.approx(alpha, abs=1e-10)


@pytest.mark.data
def test_lowest_and_highest_of_psych(shared_data):
    folder = shared_data("bfi")
    data = pd.read_csv(folder / "responses.csv")
    wide = data[["A1", "A2", "A3", "A4", "A5"]].assign(A1=7 - data["A1"], p=data["person"])
    result = verify.split_half(
        wide.melt("p", var_name="i", value_name="s"), **WORDS, missing="pairwise"
    )
    numbers = json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    highest, lowest, *_ = next(
        n["value"] for n in numbers if n["name"].startswith("agree split-half")
    )
    found = by_variant(result, "split_half_standardised")
    assert found[["highest", "lowest"]].tolist() == pytest.approx([highest, lowest], abs=1e-9)
    assert result.about["splits"] == 10


def test_many_items_take_random_splits_with_a_seed():
    x = np.random.default_rng(5).normal(size=(60, 1)) + np.random.default_rng(6).normal(
        size=(60, 18)
    )
    one, two = (verify.split_half(long(x), **WORDS, rng=4) for _ in range(2))
    assert one.about["splits"] == 10_000
    pd.testing.assert_frame_equal(one.table, two.table)
    alpha = verify.alpha(long(x), **WORDS).table["estimate"].iloc[0]
    assert by_variant(one)["mean"] == pytest.approx(alpha, abs=0.005)


@pytest.mark.parametrize(
    ("rows", "key"), [([[1], [2]], "answers.one_item"), ([[3, 3]] * 5, "answers.no_variation")]
)
def test_nothing_to_split_is_refused(rows, key):
    result = verify.split_half(long(rows), **WORDS)
    assert key in [f.key for f in result.findings]
    assert result.table["estimate"].isna().all()


def test_limits_are_those_of_resampled_forms_refitted_one_by_one():
    rng = np.random.default_rng(4)
    scores = rng.normal(size=(60, 1)) + rng.normal(size=(60, 5))
    long = pd.DataFrame(scores).rename_axis("p").reset_index().melt("p", var_name="i")
    found = verify.split_half(long, person="p", item="i", score="value").table.set_index(
        ["metric", "variant"]
    )
    again = []
    for _ in range(400):
        drawn = pd.DataFrame(scores[rng.integers(0, 60, 60)]).rename_axis("p").reset_index()
        own = verify.split_half(
            drawn.melt("p", var_name="i"), person="p", item="i", score="value"
        ).table.set_index(["metric", "variant"])
        again.append(own["estimate"])
    low, high = np.quantile(pd.concat(again, axis=1), [0.025, 0.975], axis=1)
    row = {key: k for k, key in enumerate(found.index)}
    for metric in ("split_half", "split_half_standardised"):
        for variant in ("mean", "odd_even"):
            key = (metric, variant)
            width = found.loc[key, "high"] - found.loc[key, "low"]
            assert found.loc[key, "low"] < found.loc[key, "estimate"] < found.loc[key, "high"]
            assert found.loc[key, "low"] == pytest.approx(low[row[key]], abs=0.15 * width)
            assert found.loc[key, "high"] == pytest.approx(high[row[key]], abs=0.15 * width)


def test_lambda_4_is_what_the_two_halves_have_in_common():
    """Guttman 1945: four times the covariance of the halves over the variance of the sum."""
    module = importlib.import_module("svcmetrics.verify.split_half")
    x = np.random.default_rng(3).normal(size=(50, 1)) + np.random.default_rng(4).normal(
        size=(50, 4)
    )
    halves = np.array([[1.0, -1, 1, -1], [1, 1, -1, -1]])
    found = module._lambda4(np.cov(x.T), halves)
    for value, half in zip(found, halves):
        one, two = x[:, half > 0].sum(axis=1), x[:, half < 0].sum(axis=1)
        assert value == pytest.approx(4 * np.cov(one, two)[0, 1] / np.var(one + two, ddof=1))
    assert module._odd(4).tolist() == [[1, -1, 1, -1]]

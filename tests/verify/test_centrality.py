"""Centrality: raters in the middle and at the ends are counted, honest ones are not."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.problems import TableError

centrality = importlib.import_module("svcmetrics.verify.centrality")  # the module, not the function

NAMES = {"rater": "r", "target": "t", "item": "i", "score": "s"}


def rated(rng, squeeze=None, raters=80, targets=6, items=5):
    """Raters see the same quality; some shrink or stretch their answers around 3."""
    shape = (raters, targets, items)
    x = rng.normal(0, 0.6, (1, targets, 1)) + rng.normal(0, 0.3, (raters, 1, 1))
    x = x + rng.normal(0, 0.4, (raters, targets, 1)) + rng.normal(0, 0.6, shape)
    x = x * (np.ones(raters) if squeeze is None else squeeze)[:, None, None]
    r, t, i = (v.ravel() for v in np.indices(shape))
    return pd.DataFrame({"r": r, "t": t, "i": i, "s": np.clip(np.rint(3 + x.ravel()), 1, 5)})


def shares(result):
    table = result.table
    return table[table["metric"] == "centrality"].set_index("variant")["estimate"]


def test_squeezed_and_stretched_raters_are_counted():
    squeeze = np.ones(80)
    squeeze[:12], squeeze[12:20] = 0.3, 2.5
    found = shares(verify.centrality(rated(np.random.default_rng(1), squeeze), **NAMES))
    assert found["central"] == pytest.approx(0.15, abs=0.03)
    assert found["extreme"] == pytest.approx(0.10, abs=0.03)


def test_honest_raters_are_rarely_counted():
    rng = np.random.default_rng(2)
    found = [shares(verify.centrality(rated(rng), **NAMES)).sum() for _ in range(10)]
    assert np.mean(np.array(found) > 0) <= 0.2


def test_middle_and_ends_are_plain_shares_of_the_scale_offered():
    table = rated(np.random.default_rng(3))
    found = verify.centrality(table, **NAMES, scale=(1, 5)).table.set_index("metric")["estimate"]
    assert found["middle"] == pytest.approx((table["s"] == 3).mean())
    assert found["ends"] == pytest.approx(table["s"].isin([1, 5]).mean())
    with pytest.raises(TableError):
        verify.centrality(table, **NAMES, scale=(5, 1))


def test_the_shift_of_departments_is_shown_and_few_raters_are_refused():
    table = rated(np.random.default_rng(4))
    shifts = verify.centrality(table, **NAMES).table.query("metric == 'score_shift'")
    assert len(shifts) == 6 and shifts["estimate"].abs().max() < 0.1
    few = verify.centrality(table[table["r"] < 6], **NAMES)
    assert few.findings[0].level == "refused"


def test_shares_of_answers_have_limits_by_raters():
    # Three raters with 4, 4 and 2 answers, of which 3, 1 and 0 in the middle and 0, 1 and 2 at the ends.
    answers = np.array([[3, 3], [3, 4], [1, 3], [4, 2], [5, 1]], dtype=float)
    forms = SimpleNamespace(answers=answers, rater=np.array([0, 0, 1, 1, 2]))
    table = centrality._answers(forms, 1.0, 5.0).set_index("metric")
    for metric, hits in (("middle", [3, 1, 0]), ("ends", [0, 1, 2])):
        share = sum(hits) / 10
        away = sum((h - share * n) ** 2 for h, n in zip(hits, (4, 4, 2)))
        half = 1.959964 * away**0.5 / 10
        row = table.loc[metric, ["estimate", "low", "high", "n"]].tolist()
        assert row == pytest.approx([share, max(share - half, 0), min(share + half, 1), 3])
    one = SimpleNamespace(answers=np.full((3, 2), 3.0), rater=np.arange(3))
    rows = centrality._answers(one, 1.0, 5.0)
    assert rows[["estimate", "low", "high"]].to_numpy().tolist() == [[1, 1, 1], [0, 0, 0]]
    # The shares of a few answers reach no further than from nothing to all.
    few = SimpleNamespace(answers=np.array([[3.0], [5.0]]), rater=np.arange(2))
    rows = centrality._answers(few, 1.0, 5.0)
    assert rows[["low", "high"]].to_numpy().tolist() == [[0, 1], [0, 1]]


def test_the_share_that_chance_explains_is_a_twentieth_of_those_counted():
    p = np.full((40, 2), 0.9)
    p[:4, 0] = 1e-6
    table = centrality._shares(p, 40).set_index("variant")
    assert table["estimate"].tolist() == [0.1, 0] and table["chance"].tolist() == [0.005, 0]
    assert table.loc["central", "low"] < 0.1 < table.loc["central", "high"]
    # Benjamini and Hochberg: four of 80 tests at 0.0025 are at 5% exactly.
    p[:4, 0] = 0.0025
    assert centrality._shares(p, 40)["estimate"].tolist() == [0.1, 0]
    p[:4, 0] = 0.0026
    assert centrality._shares(p, 40)["estimate"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("central", "extreme", "low", "key", "level"),
    [(0.1, 0.0, 0.06, "some", "warning"), (0.1, 0.0, 0.05, "some", "note"),
     (0.0, 0.1, 0.0, "some", "note"), (0.0, 0.0, 0.0, "none", "note")],
)  # fmt: skip
def test_the_reading_counts_both_kinds_and_warns_of_many(central, extreme, low, key, level):
    rows = pd.DataFrame({"metric": ["centrality", "centrality", "middle"], "n": 40,
                         "estimate": [central, extreme, 0.3], "low": low, "high": 0.2})  # fmt: skip
    said = centrality._reading(rows)
    assert (said.key, said.level) == (f"centrality.{key}", level)
    assert dict(said.values) == pytest.approx(
        {"share": 100 * central, "low": 100 * low, "high": 20, "n": 40, "extreme": 100 * extreme,
         "middle": 30}
    )  # fmt: skip


def test_deviations_are_those_around_the_mean_of_each_item():
    answers = np.array([[1, 5], [2, np.nan], [3, 4], [5, 2]], dtype=float)
    rater = np.array([0, 0, 1, 1])
    away = answers - np.nanmean(answers, axis=0)
    seen = centrality._deviation(answers, rater, 2)
    expected = [np.nanstd(away[rater == k], ddof=1) for k in (0, 1)]
    np.testing.assert_allclose(seen, expected)


def test_twenty_raters_with_six_answers_each_are_needed():
    table = rated(np.random.default_rng(5), raters=centrality.RATERS)
    assert verify.centrality(table, **NAMES).findings[0].level != "refused"
    less = verify.centrality(table[table["r"] > 0], **NAMES)
    least = {"raters": centrality.RATERS - 1, "least": centrality.RATERS}
    assert less.findings[0].values == least and less.findings[0].level == "refused"
    own = table[(table["r"] > 0) | (table.groupby("r").cumcount() < centrality.ANSWERS)]
    assert verify.centrality(own, **NAMES).findings[0].level != "refused"
    own = table[(table["r"] > 0) | (table.groupby("r").cumcount() < centrality.ANSWERS - 1)]
    assert verify.centrality(own, **NAMES).findings[0].values == least


def test_a_rater_of_just_six_answers_is_judged_too():
    table = rated(np.random.default_rng(5))
    six = table[table.groupby("r").cumcount() < centrality.ANSWERS]
    assert 0 < verify.centrality(six, **NAMES).about["p"] <= 1

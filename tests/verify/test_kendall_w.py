"""Kendall's W: peer numbers with ties, degenerate cases."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.numeric import concordance
from svcmetrics.numeric.concordance import kendall_w

WORDS = {"target": "t", "rater": "r", "score": "s"}


def long(rows) -> pd.DataFrame:
    cells = [(i, j, v) for i, row in enumerate(rows) for j, v in enumerate(row)]
    return pd.DataFrame(cells, columns=["t", "r", "s"])


def keys(result) -> list[str]:
    return [f.key for f in result.findings]


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "key"),
    [("shrout_fleiss1979", "Kendall W (corrected for ties)"), ("standard_setting", "Kendall W")],
)
def test_w_chi_square_and_p_are_those_of_irr(shared_data, name, key):
    folder = shared_data(name)
    wide = pd.read_csv(folder / "ratings_wide.csv").drop(
        columns=["target", "item", "itemdiff"], errors="ignore"
    )
    row = verify.kendall_w(long(wide.to_numpy()), **WORDS).table.iloc[0]
    numbers = json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    peer = next(n["value"] for n in numbers if n["name"] == key)
    assert row[["estimate", "chi2", "p"]].tolist() == pytest.approx(peer, rel=1e-8)


def test_a_target_drawn_twice_counts_like_two_rows():
    rng = np.random.default_rng(1)
    table = rng.integers(1, 6, (8, 3)).astype(float)
    times = np.array([[2.0, 1, 1, 0, 1, 1, 1, 1]])
    twice = table[[0, 0, 1, 2, 4, 5, 6, 7]]
    assert kendall_w(table, times) == pytest.approx(kendall_w(twice))


def test_same_order_and_opposite_orders():
    same = verify.kendall_w(long([[1, 10, 5], [2, 20, 6], [3, 30, 7], [4, 40, 8]]), **WORDS).table
    assert same["estimate"].tolist() == pytest.approx([1, 1])
    against = verify.kendall_w(long([[1, 4], [2, 3], [3, 2], [4, 1]]), **WORDS).table
    assert against["estimate"].tolist() == pytest.approx([0, -1])


def test_incomplete_raters_are_left_out_and_counted():
    result = verify.kendall_w(long([[1, 2, np.nan], [2, 3, 4], [3, 1, 2]]), **WORDS)
    assert result.about["dropped"] == {"no_score": 1, "incomplete_rater": 1}
    assert "kendall_w.left_out" in keys(result)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ([[3, 3], [3, 3], [3, 3]], "kendall_w.no_order"),
        ([[1], [2]], "agreement.one_rater"),
        ([[1, 2]], "agreement.one_target"),
        ([[1, np.nan], [np.nan, 2]], "kendall_w.too_few_complete"),
        ([[np.nan, np.nan]] * 2, "agreement.no_scores"),
    ],
)
def test_nothing_to_compare_is_refused(table, key):
    result = verify.kendall_w(long(table), **WORDS)
    assert key in keys(result)
    assert result.table["estimate"].isna().all()


@pytest.mark.parametrize(("targets", "raters", "points"), [(8, 30, 5), (70, 9, 4), (5, 3, 100)])
def test_pairs_and_ties_of_all_raters_give_what_rater_by_rater_gives(targets, raters, points):
    rng = np.random.default_rng(1)
    x = rng.integers(0, points, (targets, raters)).astype(float)
    times = rng.multinomial(targets, np.ones(targets) / targets, 100).astype(float)
    fast = concordance.of_orders(concordance.orders(x), times)
    slow = concordance.kendall_w(x, times)
    np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-12)
    by_point = concordance.points(x)
    if by_point is not None:
        np.testing.assert_allclose(concordance.of_points(by_point, times), slow, rtol=0, atol=1e-12)


def test_blocks_of_raters_change_nothing(monkeypatch):
    x = np.random.default_rng(2).integers(0, 4, (6, 50)).astype(float)
    whole = concordance.of_orders(concordance.orders(x), np.ones((1, 6)))
    monkeypatch.setattr(concordance, "_CELLS", 60)
    assert concordance.of_orders(concordance.orders(x), np.ones((1, 6))) == pytest.approx(whole)


def test_two_targets_have_an_order_and_eight_targets_are_not_few():
    for n, few in ((2, True), (7, True), (8, False)):
        result = verify.kendall_w(long([[k, (3 * k) % n] for k in range(n)]), **WORDS)
        keys = {f.key for f in result.findings}
        assert "kendall_w.reading" in keys and ("kendall_w.few" in keys) == few

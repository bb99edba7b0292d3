"""Kendall's W: targets written out as often as they count, ranks by a peer, ties by their definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import concordance


def by_definition(table: np.ndarray) -> float:
    n, m = table.shape
    ranks = stats.rankdata(table, axis=0)
    ties = sum((c**3 - c).sum() for c in (np.unique(x, return_counts=True)[1] for x in table.T))
    total = ranks.sum(axis=1)
    return 12 * ((total - total.mean()) ** 2).sum() / (m**2 * (n**3 - n) - m * ties)


def tables():
    rng = np.random.default_rng(1)
    yield rng.integers(1, 5, (9, 4)).astype(float)
    yield rng.normal(size=(7, 3))
    yield rng.integers(1, 3, (70, 5)).astype(float)  # more targets than a whole number has bits
    yield np.column_stack([np.arange(6.0), np.arange(6.0), np.ones(6)])


@pytest.mark.parametrize("table", list(tables()), ids=["ties", "none", "many", "flat"])
def test_every_way_gives_the_w_of_targets_written_out(table):
    n = len(table)
    rng = np.random.default_rng(2)
    times = np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), 4)]).astype(float)
    expected = [by_definition(np.repeat(table, t.astype(int), axis=0)) for t in times]
    np.testing.assert_allclose(concordance.kendall_w(table, times), expected, rtol=1e-9)
    assert concordance.kendall_w(table)[0] == pytest.approx(expected[0])
    orders = concordance.orders(table)
    np.testing.assert_allclose(concordance.of_orders(orders, times), expected, rtol=1e-9)
    points = concordance.points(table)
    if points is not None:
        np.testing.assert_allclose(concordance.of_points(points, times), expected, rtol=1e-9)


@pytest.mark.parametrize("cells", [1, 20, 10**6])
def test_raters_and_resamples_may_be_cut_anywhere(monkeypatch, cells):
    table = next(tables())
    monkeypatch.setattr(concordance, "_CELLS", cells)
    orders = concordance.orders(table)
    assert concordance.of_orders(orders, np.ones((3, 9))) == pytest.approx(
        [by_definition(table)] * 3
    )
    assert orders.often.sum() == sum(len(np.unique(x)) for x in table.T)


def test_twelve_points_are_few_and_nothing_varies_is_no_concordance():
    twelve = np.arange(12.0)[:, None] * np.ones(2)
    assert concordance.points(twelve) is not None
    assert concordance.points(np.arange(13.0)[:, None] * np.ones(2)) is None
    assert np.isnan(concordance.kendall_w(np.ones((4, 3)))[0])
    value, df, p = concordance.chi_square(0.5, 7, 4)
    assert (value, df) == (12.0, 6) and p == pytest.approx(stats.chi2.sf(12, 6))

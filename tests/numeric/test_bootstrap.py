"""Resampling by counts: row sums, expectation, independence of order, limits."""

from __future__ import annotations

import numpy as np

from svcmetrics.numeric import bootstrap


def test_each_resample_draws_as_many_units_as_there_are():
    blocks = list(bootstrap.counts(30, 500, np.random.default_rng(1)))
    w = np.concatenate(blocks)
    assert w.shape == (500, 30)
    assert (w.sum(axis=1) == 30).all()
    np.testing.assert_allclose(w.mean(axis=0), 1, atol=0.2)
    np.testing.assert_allclose(w.var(), 29 / 30, atol=0.05)


def test_blocks_join_seamlessly_and_large_populations_fit():
    sizes = [len(b) for b in bootstrap.counts(100_000, 7, np.random.default_rng(1))]
    assert sum(sizes) == 7
    assert max(sizes) == 1


def test_the_order_of_units_changes_nothing():
    stats = np.random.default_rng(2).normal(size=(40, 3))
    one, two = (bootstrap.totals(s, 50, np.random.default_rng(3)) for s in (stats, stats[::-1]))
    np.testing.assert_allclose(one, two)


def test_limits_leave_out_a_few_missing_values_and_refuse_many():
    values = np.arange(100.0)
    assert abs(bootstrap.limits(values)[0] - np.quantile(values, 0.025)) < 1e-12
    some = np.where(values < 5, np.nan, values)
    assert np.isfinite(bootstrap.limits(some)[0])
    many = np.where(values < 30, np.nan, values)
    assert np.isnan(bootstrap.limits(many)[0])


def test_how_often_a_unit_is_drawn_is_binomial_and_units_are_drawn_independently_of_their_place():
    """The short cut by Poisson bytes must be the multinomial distribution itself."""
    from scipy.special import comb

    for units in (5, 20, 400):
        w = np.concatenate(
            list(bootstrap.counts(units, 160_000 // units, np.random.default_rng(7)))
        )
        times = np.arange(6)
        wanted = comb(units, times) * (1 / units) ** times * (1 - 1 / units) ** (units - times)
        seen = np.array([(w == t).mean() for t in times])
        # Four standard errors of a share of 160,000 cells.
        assert (np.abs(seen - wanted) < 4 * np.sqrt(wanted / w.size) + 1e-12).all()
        np.testing.assert_allclose(w.mean(axis=0), 1, atol=5 / np.sqrt(len(w)))
        pairs = np.corrcoef(w[:, 0], w[:, 1])[0, 1]
        assert abs(pairs + 1 / (units - 1)) < 5 / np.sqrt(len(w))

"""Lots: differences stratum by stratum, chances by all lots there are, limits by turning the test round."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from svcmetrics.numeric import randomise

TREATED = np.array([1, 1, 0, 0, 0, 1, 0, 0, 1, 0], bool)
STRATUM = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 3])
WEIGHT = np.array([1.0, 2, 3, 1, 1, 2, 2, 4, 1, 5])
OUTCOME = np.array([5.0, 6, 4, 3, 5, 7, 4, 5, 9, 1])


def difference(outcome, treated):
    """Strata with both kinds, by the precision of each difference of weighted means."""
    total, mass = 0.0, 0.0
    for s in (0, 1):
        own = s == STRATUM
        up, down = own & treated, own & ~treated
        a, b = WEIGHT[up].sum(), WEIGHT[down].sum()
        gap = np.average(outcome[up], weights=WEIGHT[up]) - np.average(
            outcome[down], weights=WEIGHT[down]
        )
        total, mass = total + gap * a * b / (a + b), mass + a * b / (a + b)
    return total / mass


def test_a_contrast_is_the_mean_of_the_strata_by_their_precision():
    row = randomise.contrasts(TREATED[None].astype(float), STRATUM, WEIGHT)[0]
    assert row @ OUTCOME == pytest.approx(difference(OUTCOME, TREATED))
    assert (row[8:] == 0).all()  # strata with one kind only
    assert row @ TREATED == pytest.approx(1.0)


def test_lots_keep_the_numbers_in_each_stratum_and_are_even():
    lots = randomise.shuffled(TREATED, STRATUM, 6000, np.random.default_rng(1))
    assert set(np.unique(lots)) == {0.0, 1.0}
    for s, many in ((0, 2), (1, 1), (2, 1), (3, 0)):
        own = lots[:, s == STRATUM]
        assert (own.sum(axis=1) == many).all()
        np.testing.assert_allclose(own.mean(axis=0), many / own.shape[1], atol=0.03)


def test_chance_and_limits_are_those_of_all_lots_there_are():
    found = randomise.effect(OUTCOME, TREATED, STRATUM, WEIGHT, 20_000, np.random.default_rng(2))
    seen = difference(OUTCOME, TREATED)
    lots = []
    for a in combinations(range(5), 2):
        for b in (5, 6, 7):
            lot = np.zeros(10, bool)
            lot[[*a, b, 8]] = True
            lots.append(lot)

    def chance(shift, one_sided=0):
        free = OUTCOME - shift * TREATED
        every = np.array([difference(free, lot) for lot in lots])
        return float((np.abs(every) >= abs(seen - shift) - 1e-9).mean())

    assert found[0] == pytest.approx(seen)
    assert found[3] == pytest.approx(chance(0.0), abs=0.015)
    # The limits are where the chance falls to 5% or less.
    low, high = found[1], found[2]
    assert low < seen < high
    assert chance(low - 0.05) <= 0.11 and chance(high + 0.05) <= 0.11
    assert chance(low + 0.2) > 0.05 and chance(high - 0.2) > 0.05


def test_the_lot_that_fell_counts_among_the_lots():
    one = np.array([True, False, False])
    same, weight = np.zeros(3, int), np.ones(3)
    found = randomise.effect(np.array([5.0, 1, 1]), one, same, weight, 9, np.random.default_rng(0))
    lots = randomise.shuffled(one, same, 9, np.random.default_rng(0))
    assert found[0] == 4.0 and found[3] == (1 + lots[:, 0].sum()) / 10
    whole = np.array([True, True, True])
    nothing = randomise.effect(np.ones(3), whole, same, weight, 9, np.random.default_rng(0))
    assert np.isnan(nothing).all()


def test_one_against_one_tells_nothing():
    sides, weight = np.array([True, False]), np.ones(2)
    lots = np.random.default_rng(0)
    found = randomise.effect(np.array([5.0, 1.0]), sides, np.zeros(2, int), weight, 99, lots)
    assert np.isnan(found).all()

"""Composites and their limits, each target by hand; what a zero and a missing indicator do."""

import math

import numpy as np
import pytest

from svcmetrics.numeric import composite

X = np.array([[80.0, 60.0, 30.0], [50.0, np.nan, 90.0], [40.0, 40.0, 40.0], [10.0, 95.0, 55.0]])
LOW = X - np.array([[4.0, 9.0, 2.0]])
HIGH = X + np.array([[6.0, 3.0, 8.0]])
W = np.array([[0.5, 0.3, 0.2], [0.6, 0.0, 0.4], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
LESS, MORE = np.full(X.shape, 0.1), np.full(X.shape, 0.2)
LESS[:, 1], MORE[:, 2] = 0.05, 0.3


def by_hand(x, low, high, w, less, more):
    """Zou and Donner's squares, and what a weight off by so much would move."""
    known = [k for k in range(len(x)) if w[k] > 0]
    middle = sum(w[k] * x[k] for k in known)
    data_down = sum((w[k] * (x[k] - low[k])) ** 2 for k in known)
    data_up = sum((w[k] * (high[k] - x[k])) ** 2 for k in known)
    weights_down = weights_up = 0.0
    for k in known:
        gap = x[k] - middle
        weights_down += (gap * (less[k] if gap > 0 else more[k])) ** 2
        weights_up += (gap * (more[k] if gap > 0 else less[k])) ** 2
    whole = data_down + data_up + weights_down + weights_up
    share = (weights_down + weights_up) / whole if whole else math.nan
    low_end = middle - math.sqrt(data_down + weights_down)
    return middle, low_end, middle + math.sqrt(data_up + weights_up), share


def test_a_weighted_sum_and_its_limits_by_hand():
    said = composite.arithmetic(X, (LOW, HIGH), W, (LESS, MORE))
    for t in range(len(X)):
        told = by_hand(X[t], LOW[t], HIGH[t], W[t], LESS[t], MORE[t])
        found = said.estimate[t], said.low[t], said.high[t], said.from_weights[t]
        assert found == pytest.approx(told), t
    assert said.estimate == pytest.approx([64, 66, 40, 10])


def test_equal_indicators_owe_nothing_to_the_weights():
    said = composite.arithmetic(X[2:3], (LOW[2:3], HIGH[2:3]), W[2:3], (LESS[2:3], MORE[2:3]))
    assert said.from_weights == pytest.approx([0])


def test_without_any_uncertainty_no_share_is_told():
    one = X[:1]
    none = np.zeros(one.shape)
    said = composite.arithmetic(one, (one, one), W[:1], (none, none))
    assert said.low == said.high == said.estimate == pytest.approx([64])
    assert np.isnan(said.from_weights).all()
    far = composite.arithmetic(one / 100, (one / 100, one / 100), W[:1], (none, none + 1e-3))
    assert far.from_weights == pytest.approx([1])  # however small the uncertainty


def test_a_weighted_product_is_the_sum_of_logarithms():
    said = composite.geometric(X, (LOW, HIGH), W, (LESS, MORE))
    for t in range(len(X)):
        told = by_hand(np.log(X[t]), np.log(LOW[t]), np.log(HIGH[t]), W[t], LESS[t], MORE[t])
        found = said.estimate[t], said.low[t], said.high[t], said.from_weights[t]
        assert found == pytest.approx([*np.exp(told[:3]), told[3]]), t


def test_a_single_zero_makes_the_product_zero_and_its_upper_limit_that_of_the_limits():
    x = np.array([[0.0, 64.0], [0.0, 64.0]])
    high = np.array([[16.0, 81.0], [16.0, 81.0]])
    w = np.array([[0.5, 0.5], [0.0, 1.0]])  # the second one does not count the zero
    none = np.zeros(x.shape)
    said = composite.geometric(x, (x - 1, high), w, (none, none))
    assert said.estimate == pytest.approx([0, 64])
    assert said.low == pytest.approx([0, 63])
    assert said.high == pytest.approx([36, 81])
    assert np.isnan(said.from_weights[0])
    assert said.from_weights[1] == 0


def test_a_lower_limit_of_zero_lets_the_product_fall_to_zero_and_no_further_up():
    x, low, high = np.array([[9.0, 16.0]]), np.array([[0.0, 16.0]]), np.array([[9.0, 16.0]])
    none = np.zeros(x.shape)
    said = composite.geometric(x, (low, high), np.array([[0.5, 0.5]]), (none, none))
    assert said.estimate == pytest.approx([12])
    assert said.low == pytest.approx([0], abs=0)
    assert said.high == pytest.approx([12])


def test_limits_on_the_wrong_side_of_a_product_count_as_none():
    x, none = np.array([[9.0, 16.0]]), np.zeros((1, 2))
    said = composite.geometric(x, (x + 1, x - 1), np.array([[0.5, 0.5]]), (none, none))
    assert (said.low, said.high) == (pytest.approx([12]), pytest.approx([12]))


def test_the_weakest_indicator_that_counts_alone():
    said = composite.minimum(X, (LOW, HIGH), W, (LESS, MORE))
    assert said.estimate == pytest.approx([30, 50, 40, 10])
    assert said.low == pytest.approx([28, 46, 31, 6])
    assert said.high == pytest.approx([38, 56, 43, 16])
    assert said.from_weights == pytest.approx([0, 0, 0, 0])

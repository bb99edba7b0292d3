"""How much of a component ends up in a mean: counted pair by pair; intervals by differences."""

from itertools import permutations

import numpy as np
import pytest
from scipy import special, stats

from svcmetrics.numeric import gtheory


def counted(target, term):
    """Mean over targets of the squared shares of the levels; the same less that of pairs of targets."""
    own = [
        [np.mean(term[target == t] == level) for level in range(term.max() + 1)]
        for t in range(target.max() + 1)
    ]
    squares = np.mean([sum(w * w for w in row) for row in own])
    both = [sum(v * w for v, w in zip(a, b, strict=True)) for a, b in permutations(own, 2)]
    return squares, squares - (np.mean(both) if both else 0)


@pytest.mark.parametrize("seed", range(6))
def test_shares_of_a_component_in_unbalanced_designs(seed):
    rng = np.random.default_rng(seed)
    size = 2 + seed * 3
    target = np.r_[np.arange(size), rng.integers(0, size, 25)]
    term = rng.integers(0, 2 + seed, len(target))
    assert gtheory.spread_of_means(target, term) == pytest.approx(counted(target, term))


def test_complete_nested_and_single_targets():
    target, term = np.repeat([0, 1, 2], 4), np.tile([0, 1, 2, 3], 3)
    assert gtheory.spread_of_means(target, term) == (0.25, 0.0)
    three = np.repeat([0, 1, 2], 3), np.tile([0, 1, 2], 3)
    assert gtheory.spread_of_means(*three) == (pytest.approx(1 / 3), 0.0)  # not 6e-17
    assert gtheory.spread_of_means(target, np.arange(12)) == (0.25, 0.25)
    assert gtheory.spread_of_means(np.zeros(5, int), np.arange(5)) == pytest.approx((0.2, 0.2))
    assert gtheory.spread_of_means(np.zeros(1, int), np.zeros(1, int)) == (1.0, 1.0)
    small = np.repeat([0, 1], 1000), np.arange(2000)  # small, but not nothing
    assert gtheory.spread_of_means(*small) == pytest.approx((0.001, 0.001))


SHARES = gtheory.Shares(np.array([1.0, 0, 0]), np.array([0, 0.2, 0.1]), np.array([0, 0, 0.1]))
COMPONENTS = np.array([2.0, 1.0, 4.0])
COVARIANCE = np.array([[0.5, 0.1, 0], [0.1, 0.3, -0.05], [0, -0.05, 0.2]])


def test_the_two_coefficients_by_hand():
    assert gtheory.ratio(SHARES, COMPONENTS, "absolute") == pytest.approx(2 / (2 + 0.2 + 0.4))
    assert gtheory.ratio(SHARES, COMPONENTS, "relative") == pytest.approx(2 / 2.4)
    many = gtheory.ratio(
        SHARES, np.stack([COMPONENTS, 0 * COMPONENTS, COMPONENTS / 100]), "relative"
    )
    assert many == pytest.approx([2 / 2.4, np.nan, 2 / 2.4], nan_ok=True)


def error_of(function):
    """By differences: how far a function of the components is off."""
    h = 1e-6
    slope = [
        (function(COMPONENTS + h * e) - function(COMPONENTS - h * e)) / (2 * h) for e in np.eye(3)
    ]
    return np.sqrt(slope @ COVARIANCE @ np.array(slope))


@pytest.mark.parametrize("error", ["absolute", "relative"])
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_the_interval_of_a_coefficient_is_symmetric_in_its_logit(error, level):
    def logit(c):
        return special.logit(gtheory.ratio(SHARES, c, error))

    half = stats.norm.ppf((1 + level) / 2) * error_of(logit)
    told = special.expit(logit(COMPONENTS) + np.array([-half, half]))
    found = gtheory.ratio_interval(SHARES, COMPONENTS, COVARIANCE, error, level)
    assert found == pytest.approx(told, rel=1e-6)


def test_the_interval_of_an_error_is_symmetric_in_its_logarithm():
    weights = np.array([0, 0.2, 0.1])
    half = stats.norm.ppf(0.95) * error_of(lambda c: np.log(c @ weights) / 2)
    told = np.sqrt(0.6) * np.exp([-half, half])
    assert gtheory.error_interval(weights, COMPONENTS, COVARIANCE, 0.9) == pytest.approx(
        told, rel=1e-6
    )


@pytest.mark.parametrize("at", [0, 2])
def test_nothing_of_one_kind_leaves_no_interval(at):
    none = COMPONENTS.copy()
    none[at] = 0
    assert np.isnan(gtheory.ratio_interval(SHARES, none, COVARIANCE, "relative", 0.95)).all()
    only = np.array([0, 0, 0.1])
    said = gtheory.error_interval(only, none, COVARIANCE, 0.95)
    assert np.isnan(said).all() == (at == 2)


def test_a_covariance_that_rounding_made_negative_counts_as_none():
    below = -1e-20 * np.eye(3)
    one = float(gtheory.ratio(SHARES, COMPONENTS, "absolute"))
    assert gtheory.ratio_interval(SHARES, COMPONENTS, below, "absolute", 0.95) == pytest.approx(
        (one, one)
    )
    said = gtheory.error_interval(SHARES.absolute, COMPONENTS, below, 0.95)
    assert said == pytest.approx((0.6**0.5, 0.6**0.5))

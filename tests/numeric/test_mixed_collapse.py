"""Which factor is eliminated, and which cannot be told from another one."""

from __future__ import annotations

import numpy as np
import pytest

from svcmetrics.numeric import mixed_collapse
from svcmetrics.numeric.mixed_collapse import NotIdentified, TooLarge, choose, collapse, is_nested


def crossed(*sizes, n=400):
    rng = np.random.default_rng(1)
    return [np.r_[np.arange(s), rng.integers(0, s, n - s)] for s in sizes]


def test_the_largest_goes_unless_it_is_wanted_and_what_is_nested_goes_along(monkeypatch):
    factors = crossed(30, 80, 10)
    assert choose(factors, [30, 80, 10], 1) == (1,)
    assert choose(factors, [30, 80, 10], 1, keep=1) == (0,)
    outer = crossed(40)[0]
    inner = outer * 3 + np.argsort(np.argsort(outer, kind="stable"), kind="stable") % 3
    inner = np.unique(inner, return_inverse=True)[1]
    other, many = crossed(60)[0], int(inner.max()) + 1
    assert is_nested([inner, outer], [many, 40], 0, 1)
    assert not is_nested([inner, outer], [many, 40], 1, 0)
    # Small blocks of a department with its raters: nothing but the other factor is left.
    assert choose([inner, outer, other], [many, 40, 60], 1) == (1, 0)
    assert choose([inner, outer, other], [many, 40, 60], 1, keep=0) in ((1,), (2,))
    held = 40 * (1 + many / 40) ** 2  # numbers in forty blocks of one department and its raters
    monkeypatch.setattr(mixed_collapse, "_BLOCK_LIMIT", held)
    assert choose([inner, outer, other], [many, 40, 60], 1) == (1, 0)
    monkeypatch.setattr(mixed_collapse, "_BLOCK_LIMIT", held - 1)
    assert choose([inner, outer, other], [many, 40, 60], 1) == (0,)


def test_where_too_many_columns_remain_the_largest_goes_and_few_columns_may_be_fixed(monkeypatch):
    factors = crossed(30, 80)
    monkeypatch.setattr(mixed_collapse, "DENSE_LIMIT", 31)
    assert choose(factors, [30, 80], 1) == (1,)  # thirty and one are just enough
    monkeypatch.setattr(mixed_collapse, "DENSE_LIMIT", 30)
    monkeypatch.setattr(mixed_collapse, "_FIXED_LIMIT", 5)
    y = np.arange(400.0)
    assert collapse(y, factors, [30, 80], np.ones((400, 5)), None).large
    with pytest.raises(TooLarge, match="6 fixed columns"):
        choose(factors, [30, 80], 6)
    monkeypatch.setattr(mixed_collapse, "DENSE_LIMIT", 36)
    assert choose(factors, [30, 80], 6) == (1,)


def test_factors_that_say_the_same_are_named():
    a = np.repeat(np.arange(5), 4)
    for factors, sizes, told in (
        ([a, (a + 1) % 5], [5, 5], (1, 0, "same")),
        ([a, np.arange(20)], [5, 20], (1, None, "residual")),
        ([np.zeros(20, int), a], [1, 5], (0, None, "one level")),
    ):
        with pytest.raises(NotIdentified) as error:
            collapse(np.arange(20.0), factors, sizes, np.ones((20, 1)), None)
        assert (error.value.factor, error.value.other, error.value.why) == told
    b = np.tile(np.arange(5), 4)
    assert collapse(np.arange(20.0), [a, b], [5, 5], np.ones((20, 1)), None).n == 20
    late = a.copy()
    late[-1] = 0  # nested but for the last row
    assert not is_nested([late, a], [5, 5], 0, 1)


def test_a_mean_is_taken_off_only_where_it_is_among_the_fixed_columns():
    a, y = np.repeat(np.arange(5), 4), np.arange(20.0) + 7
    weights = np.linspace(1, 2, 20)
    assert collapse(y, [a], [5], np.ones((20, 1)), None).mean == pytest.approx(y.mean())
    weighed = collapse(y, [a], [5], np.ones((20, 1)), weights)
    assert weighed.mean == pytest.approx(np.average(y, weights=weights))
    assert weighed.log_weights == pytest.approx(np.log(weights).sum())
    assert collapse(y, [a], [5], np.arange(20.0)[:, None], None).mean == 0.0
    assert collapse(y, [a], [5], np.empty((20, 0)), None).mean == 0.0

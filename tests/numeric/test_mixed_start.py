"""Where the search for variances begins: Henderson's first method by whole matrices."""

from __future__ import annotations

import numpy as np
import pytest

from svcmetrics.numeric.mixed_collapse import collapse
from svcmetrics.numeric.mixed_start import moments


def by_matrices(y: np.ndarray, factors: list[np.ndarray]) -> np.ndarray:
    """Quadratic forms of projections, and their expectations as traces."""
    n = len(y)
    z = [np.eye(f.max() + 1)[f] for f in factors]
    mean = np.full((n, n), 1 / n)
    forms = [m @ np.linalg.inv(m.T @ m) @ m.T - mean for m in z] + [np.eye(n) - mean]
    parts = [m @ m.T for m in z] + [np.eye(n)]
    expected = np.array([[np.trace(a @ v) for v in parts] for a in forms])
    return np.linalg.solve(expected, [y @ a @ y for a in forms])


@pytest.mark.parametrize("sizes", [(12, 5), (9, 4, 3), (7,), (5, 11)])
def test_sums_of_squares_are_set_equal_to_their_expectations(sizes):
    rng = np.random.default_rng(sum(sizes))
    factors = [np.r_[np.arange(s), rng.integers(0, s, 240 - s)] for s in sizes]
    y = 4 + sum(rng.normal(0, 1.5, s)[f] for s, f in zip(sizes, factors)) + 2 * rng.normal(size=240)
    data = collapse(y, factors, sizes, np.ones((240, 1)), None)
    expected = by_matrices(y, factors)
    assert (expected > 0.02 * 0.6 * y.var()).all()
    np.testing.assert_allclose(moments(data), expected, rtol=1e-9)


def test_a_start_is_kept_away_from_zero_and_is_plain_where_columns_are_held_fixed():
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(8), 6)
    y = np.tile(np.arange(6.0), 8) + rng.normal(0, 1e-3, 48)  # equal means: less than nothing
    data = collapse(y, [group], [8], np.ones((48, 1)), None)
    assert by_matrices(y, [group])[0] < 0
    found, total = moments(data), y.var()
    # The floor is a fiftieth of the plain start: 15% of the total for a factor.
    assert found[0] == pytest.approx(0.02 * 0.15 * total)
    assert found[1] == pytest.approx(by_matrices(y, [group])[1])
    beside = np.column_stack([np.ones(48), rng.normal(size=48)])
    plain = moments(collapse(y, [group], [8], beside, None))
    np.testing.assert_allclose(plain, [0.15 * total, 0.6 * total])

"""Stretches against the plain way: moment by moment."""

import numpy as np
import pytest

from svcmetrics.numeric.stretches import Stretches, apart, in_common, total


def _some(rng, size):
    start = rng.integers(0, 12, size)
    return Stretches(rng.integers(0, 3, size), start, start + rng.integers(-1, 7, size))


def _moments(s):
    rows = zip(s.of, s.start, s.end, strict=True)
    return {(of, at) for of, a, b in rows for at in range(a, b)}


@pytest.mark.parametrize("seed", range(200))
def test_every_moment_once_and_in_common(seed):
    rng = np.random.default_rng(seed)
    given = [_some(rng, size) for size in rng.integers(0, 8, 2)]
    alone = [apart(s) for s in given]
    for s, a in zip(given, alone, strict=True):
        assert _moments(a) == _moments(s)
        assert (a.end - a.start).sum() == len(_moments(s))
        assert (a.end > a.start).all()
    both = in_common(*alone)
    assert _moments(both) == _moments(alone[0]) & _moments(alone[1])
    assert (both.end - both.start).sum() == len(_moments(both))


def test_a_moment_is_left_in_the_first():
    found = apart(Stretches(np.array([0, 0, 1]), np.array([5, 2, 3]), np.array([9, 7, 4])))
    assert [found.of.tolist(), found.start.tolist(), found.end.tolist()] == [
        [0, 0, 1],
        [2, 7, 3],
        [7, 9, 4],
    ]


def test_sums_are_exact_where_floats_are_not():
    large = 2**60
    found = total(np.array([1, 1, 1]), np.array([large, 1, -large]), 3)
    assert found.tolist() == [0, 1, 0]

"""Who takes up what was rejected, against looking at every pair."""

import numpy as np
import pytest

from svcmetrics.numeric.followers import followers


def _by_looking(group, start, end, gone, name, within):
    takes = {}
    for new in range(len(group)):
        fits = [
            (-end[old], name[old], old) for old in np.flatnonzero(gone)
            if old != new and group[old] == group[new] >= 0 and end[old] <= start[new]
        ]  # fmt: skip
        if fits and start[new] + min(fits)[0] <= within:
            takes.setdefault(min(fits)[2], []).append((start[new], name[new], new))
    return {old: min(found)[2] for old, found in takes.items()}


@pytest.mark.parametrize("seed", range(12))
def test_as_by_looking_at_every_pair(seed):
    rng = np.random.default_rng(seed)
    n = 200
    start = rng.integers(0, 60, n)  # many at one moment
    end = start + rng.integers(-3, 9, n)  # some end before they start
    group, gone = rng.integers(-1, 5, n), rng.random(n) < 0.4
    name = np.array([f"c{i}" for i in rng.permutation(n)], dtype=object)
    old, new = followers(group, start, end, gone, lambda rows: name[rows], within=7)
    found = _by_looking(group, start, end, gone, name, 7)
    assert dict(zip(old.tolist(), new.tolist(), strict=True)) == found
    assert len(found) > 15


@pytest.mark.parametrize("gone", [False, True])
def test_nothing_to_take_up(gone):
    for group in (np.empty(0, np.int64), np.array([-1, -1]), np.array([0, 1])):
        time = np.arange(len(group))
        found = followers(group, time, time, time < gone, lambda r: r, within=5)
        assert [len(f) for f in found] == [0, 0]

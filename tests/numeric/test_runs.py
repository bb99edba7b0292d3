"""Runs of rows, against a loop over them."""

import numpy as np
import pytest

from svcmetrics.numeric.runs import NONE, runs


@pytest.mark.parametrize("seed", range(5))
def test_against_a_loop(seed):
    rng = np.random.default_rng(seed)
    first = rng.random(200) < 0.2
    rows = np.flatnonzero(rng.random(200) < 0.4)
    found = runs(first)
    own = [[r for r in rows if found.of[r] == k] for k in range(len(found.starts))]
    assert found.last(rows).tolist() == [max(r, default=NONE) for r in own]
    assert found.first(rows).tolist() == [min(r, default=NONE) for r in own]
    assert found.count(rows).tolist() == [len(r) for r in own]
    assert found.sizes.sum() == 200
    places = np.arange(len(rows))
    before, after = (found.beside(rows, places, step) for step in (-1, 1))
    assert found.beside(rows, places[3:40:5], 1).tolist() == after[3:40:5].tolist()
    for n, row in enumerate(rows):
        same = own[found.of[row]]
        place = same.index(row)
        assert before[n] == (same[place - 1] if place else NONE)
        assert after[n] == (same[place + 1] if place + 1 < len(same) else NONE)


def test_no_rows():
    found = runs(np.zeros(0, dtype=bool))
    assert found.sizes.size == 0
    none = np.zeros(0, dtype=np.int64)
    assert found.last(none).size == found.beside(none, none, 1).size == 0

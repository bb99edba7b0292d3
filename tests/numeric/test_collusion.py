"""Ties between units counted pair by pair, and groups by looking at every step."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from svcmetrics.numeric import collusion


def test_a_tie_is_the_geometric_mean_of_what_both_sides_give_and_has_to_be_returned():
    rng = np.random.default_rng(1)
    rater, target = rng.integers(0, 9, 60), rng.integers(0, 4, 60)
    away, units = rng.normal(0.5, 1, 60), rng.integers(0, 4, (3, 9))
    found = collusion.mutual(away, rater, target, units, 4)
    spread = np.sqrt((away**2).mean())
    for s in range(3):
        for i, j in combinations(range(4), 2):
            sides = []
            for a, b in ((i, j), (j, i)):
                own = away[(units[s][rater] == a) & (target == b)]
                sides.append(own.sum() / np.sqrt(len(own)) / spread if len(own) else -np.inf)
            low, high = sorted(sides)
            expected = np.sqrt(2) * (min(np.sqrt(low * high), 1.5 * low) if low > 0 else low)
            assert found[s, i, j] == pytest.approx(expected) == pytest.approx(found[s, j, i])
    assert (found[:, np.arange(4), np.arange(4)] == -np.inf).all()


@pytest.mark.parametrize("cells", [1, 10**6])
def test_samples_may_be_cut_anywhere(monkeypatch, cells):
    rng = np.random.default_rng(2)
    data = rng.normal(size=30), rng.integers(0, 5, 30), rng.integers(0, 3, 30)
    units = rng.integers(0, 3, (7, 5))
    whole = collusion.mutual(*data, units, 3)
    monkeypatch.setattr(collusion, "_CELLS", cells)
    np.testing.assert_array_equal(collusion.mutual(*data, units, 3), whole)


def test_equal_pairs_of_forms_are_counted_over_those_that_could_be():
    same = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 3, 4])
    met = np.array([0, 0, 0, 0, 0, 1, 1]), np.array([0, 1, 2, 3, 4, 0, 4])
    unit = np.array([0, 0, 1, 1, 2])
    z, seen, could = collusion.agreeing(same, met, unit[None], 4)

    def pairs(group, rater):
        out = np.zeros((4, 4))
        for a, b in combinations(range(len(group)), 2):
            if group[a] == group[b]:
                i, j = sorted((unit[rater[a]], unit[rater[b]]))
                out[i, j] += 1
                out[j, i] += i != j
        return out

    np.testing.assert_array_equal(seen[0], pairs(*same))
    np.testing.assert_array_equal(could[0], pairs(*met))
    upper = np.triu_indices(4)
    expected = pairs(*met) * pairs(*same)[upper].sum() / pairs(*met)[upper].sum()
    value = (pairs(*same) - expected) / np.sqrt(np.maximum(expected, 0.25))
    np.testing.assert_allclose(z[0], np.where(pairs(*met) > 0, value, -np.inf))


def test_a_group_grows_from_its_strongest_tie_as_long_as_each_step_helps():
    size, none = 6, -np.inf
    ties = np.full((40, size, size), none)
    rng = np.random.default_rng(3)
    for sample in ties:
        upper = np.triu_indices(size, 1)
        sample[upper] = rng.normal(size=15)
        sample.T[upper] = sample[upper]
    for i, j, v in ((0, 1, 6.0), (0, 2, 5.0), (1, 2, 5.0), (3, 4, 4.0), (3, 5, 0.1), (4, 5, 0.1)):
        ties[0, i, j] = ties[0, j, i] = v
    for i in (0, 1, 2):
        ties[0, i, 3:] = ties[0, 3:, i] = -1.0
    found = collusion.clusters(ties)
    # 6, then (6 + 10) / sqrt(3); a fourth would add nothing. Then the pair that is left.
    assert found[0].units == (0, 1, 2) and found[0].statistic == pytest.approx(16 / np.sqrt(3))
    assert found[1].units == (3, 4) and found[1].statistic == pytest.approx(4.0)
    assert found[0].p == pytest.approx(1 / 40) and found[1].p >= 1 / 40
    assert len(found) == 2  # one unit is left over: no further group
    assert len(collusion.clusters(ties, most=1)) == 1
    equal = np.repeat(ties[:1], 4, axis=0)
    assert collusion.clusters(equal, most=1)[0].p == 1.0  # what is as strong counts


def test_shuffles_keep_the_units_and_begin_as_it_is():
    unit = np.array([0, 0, 1, 2, 2, 2])
    dealt = collusion.shuffles(unit, 200, np.random.default_rng(4))
    assert dealt.shape == (201, 6) and (dealt[0] == unit).all()
    assert (np.sort(dealt, axis=1) == unit).all() and len(np.unique(dealt, axis=0)) > 30

"""Games about a shared delay: the closed form, the enumeration of orders, and their agreement."""

from itertools import permutations

import numpy as np
import pytest

from svcmetrics.numeric import shapley


def by_orders(worth, players):
    """The definition: the mean over all orders."""
    total = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        members = 0
        for i in order:
            total[i] += worth(members | 1 << i) - worth(members)
            members |= 1 << i
    return total / len(orders)


def members(coalition, n):
    return [i for i in range(n) if coalition >> i & 1]


def test_the_airport_game_of_littlechild_and_owen():
    # Littlechild and Owen (1973): three users with costs 1, 2, 3.
    np.testing.assert_allclose(shapley.largest([1, 2, 3]), [[1 / 3, 5 / 6, 11 / 6]], atol=1e-14)


def test_the_closed_form_equals_the_enumeration(rng):
    costs = rng.exponential(size=(40, 5))
    costs[3] = 0
    costs[4, 1:3] = costs[4, 0]
    worth = np.stack([[c[members(s, 5)].max(initial=0.0) for s in range(32)] for c in costs])
    np.testing.assert_allclose(shapley.largest(costs), shapley.values(worth), atol=1e-12)
    np.testing.assert_allclose(shapley.largest(costs).sum(axis=1), costs.max(axis=1))


def test_the_glove_game():
    # Two left gloves and one right one: 1/6, 1/6, 2/3 (Shapley and Shubik's textbook example).
    worth = [float(s & 4 > 0 and s & 3 > 0) for s in range(8)]
    np.testing.assert_allclose(shapley.values(worth), [[1 / 6, 1 / 6, 2 / 3]], atol=1e-14)


def test_overruns_beyond_a_slack_follow_the_definition(rng):
    over = np.round(rng.exponential(5, size=(25, 4)) * (rng.random((25, 4)) > 0.3), 1)
    slack = rng.uniform(0, 6, 25)
    found = shapley.beyond(over, slack)
    for o, free, share in zip(over, slack, found):
        truth = by_orders(lambda s, o=o, f=free: max(o[members(s, 4)].sum() - f, 0.0), 4)
        np.testing.assert_allclose(share, truth, atol=1e-12)
    np.testing.assert_allclose(
        found.sum(axis=1), np.maximum(over.sum(axis=1) - slack, 0), atol=1e-12
    )
    assert (found[over == 0] == 0).all()


def test_a_network_of_steps_is_late_by_its_longest_path(rng):
    before = [[], [0], [0], [1, 2]]  # 0, then 1 beside 2, then 3
    taken, kept = rng.uniform(1, 9, (12, 4)), rng.uniform(1, 9, (12, 4))
    kept = np.minimum(taken, kept)
    found = shapley.critical_path(taken, kept, before, 12.0)

    def worth(s, t, k):
        h = np.where([s >> i & 1 for i in range(4)], t, k)
        return max(h[0] + max(h[1], h[2]) + h[3] - 12.0, 0.0)

    for t, k, share in zip(taken, kept, found):
        truth = by_orders(lambda s, t=t, k=k: worth(s, t, k) - worth(0, t, k), 4)
        np.testing.assert_allclose(share, truth, atol=1e-12)


def test_a_network_in_one_line_is_the_sum_and_one_side_by_side_is_the_airport():
    over = np.array([[3.0, 0.0, 5.0]])
    line = shapley.critical_path(over + 4, np.full((1, 3), 4.0), [[], [0], [1]], 12 + 2)
    np.testing.assert_allclose(line, shapley.beyond(over, 2.0))
    side = shapley.critical_path(over + 4, np.full((1, 3), 4.0), [[], [], []], 4.0)
    np.testing.assert_allclose(side, shapley.largest(over))


def test_many_cases_are_worked_in_parts(rng, monkeypatch):
    over = rng.exponential(5, size=(300, 6))
    whole = shapley.beyond(over, 2.0)
    monkeypatch.setattr(shapley, "_CELLS", 500)
    np.testing.assert_allclose(shapley.beyond(over, 2.0), whole, rtol=1e-12)


def test_an_incomplete_list_of_coalitions_is_an_error():
    with pytest.raises(ValueError, match="coalitions"):
        shapley.values([[0.0, 1.0, 2.0]])


@pytest.fixture
def rng():
    return np.random.default_rng(5)

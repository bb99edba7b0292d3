"""Weights spread over the simplex: moments, limits, and places counted draw by draw."""

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import simplex


def test_uniform_weights_have_the_moments_of_a_flat_dirichlet(monkeypatch):
    monkeypatch.setattr(simplex, "_BLOCK", 7_000)
    blocks = list(simplex.uniform(20_000, 3, np.random.default_rng(1)))
    assert [len(b) for b in blocks] == [7_000, 7_000, 6_000]
    w = np.concatenate(blocks)
    assert w.sum(axis=1) == pytest.approx(np.ones(20_000))
    assert w.min() >= 0
    law = stats.dirichlet([1, 1, 1])
    assert w.mean(axis=0) == pytest.approx(law.mean(), abs=0.01)
    assert w.var(axis=0) == pytest.approx(law.var(), abs=0.003)


def test_bounded_weights_are_the_uniform_ones_between_the_limits():
    low, high = np.array([0.1, 0.0, 0.3]), np.array([0.3, 0.6, 0.5])
    w = np.concatenate(list(simplex.bounded(30_000, low, high, np.random.default_rng(2))))
    assert len(w) == 30_000
    assert w.sum(axis=1) == pytest.approx(np.ones(len(w)))
    assert ((w >= low) & (w <= high)).all()
    flat = np.random.default_rng(3).dirichlet([1, 1, 1], 400_000)
    flat = flat[((flat >= low) & (flat <= high)).all(axis=1)]
    for k in range(3):
        for q in (0.1, 0.5, 0.9):
            assert np.quantile(w[:, k], q) == pytest.approx(np.quantile(flat[:, k], q), abs=0.006)


def test_limits_that_leave_nothing_give_nothing(monkeypatch):
    monkeypatch.setattr(simplex, "_BLOCK", 50)
    rng = np.random.default_rng(4)
    assert list(simplex.bounded(10, np.array([0.6, 0.6]), np.array([0.9, 0.9]), rng)) == []
    narrow = list(simplex.bounded(120, np.zeros(2), np.array([0.5, 0.52]), rng))
    assert sum(map(len, narrow)) == 120


def test_places_counted_draw_by_draw_with_ties_shared():
    x = np.array([[5.0, 1], [1, 5], [3, 3], [5, 1]])
    w = np.random.default_rng(5).dirichlet([1, 1], 300)
    hits, central, draws = simplex.acceptability(iter([w[:100], w[100:]]), x)
    told, first = np.zeros((4, 4)), [[] for _ in range(4)]
    for own in w:
        score = x @ own
        for i in range(4):
            better, same = (
                (score > score[i] + 1e-12).sum(),
                (np.abs(score - score[i]) < 1e-12).sum(),
            )
            told[i, better : better + same] += 1 / same / 300
            if not better:
                first[i].append(own)
    assert draws == 300
    assert hits == pytest.approx(told)
    for i in (0, 1, 3):
        assert central[i] == pytest.approx(np.mean(first[i], axis=0))
    assert np.isnan(central[2]).all()  # in the middle, whatever the weights

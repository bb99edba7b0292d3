"""Incomplete round robins: an offset is in no part, effects sum to zero, and forms are written out."""

from __future__ import annotations

import numpy as np
import pytest

from svcmetrics.numeric import round_robin


def cells(units=7, seed=1):
    rng = np.random.default_rng(seed)
    actor, partner = (v.ravel() for v in np.indices((units, units)))
    kept = (actor != partner) & (rng.random(units**2) < 0.8)
    actor, partner = actor[kept], partner[kept]
    return rng.normal(size=(2, len(actor))) + actor, actor, partner


def by_matrices(x, y, actor, partner):
    """tr(C V C W) and x'C V C y, each part a matrix of zeros and ones."""
    a, b = actor[:, None], partner[:, None]
    parts = [a == actor, b == partner, a == partner, b == actor,
             (a == actor) & (b == partner), (a == partner) & (b == actor)]  # fmt: skip
    parts = [p.astype(float) for p in parts]
    centre = np.eye(len(x)) - 1 / len(x)
    gram = [[np.trace(centre @ v.T @ centre @ w) for w in parts] for v in parts]
    return np.linalg.solve(gram, [x @ centre @ v @ centre @ y for v in parts])


def test_the_parts_of_a_covariance_are_those_of_matrices_and_know_no_offset():
    (x, y), actor, partner = cells()
    made_of = round_robin.parts(actor, partner, 7, round_robin.reverse(actor, partner, 7))
    found = round_robin.solved(x, y, made_of)[0]
    np.testing.assert_allclose(found, by_matrices(x, y, actor, partner), atol=1e-9)
    moved = round_robin.solved(x + 50, y - 80, made_of)[0]
    np.testing.assert_allclose(moved, found, atol=1e-9)


def test_effects_are_least_squares_and_sum_to_zero_over_those_seen():
    (x, _), actor, partner = cells()
    kept = actor != 6  # the last one is rated, and rates nobody
    kept &= ~((actor == 5) & (partner != 0))  # and one rates once
    x, actor, partner = x[kept], actor[kept], partner[kept]
    mean, a, b = round_robin.effects(x, actor, partner, 7)
    assert [a[:6].sum(), b.sum(), a[6]] == pytest.approx([0, 0, 0], abs=1e-9)
    dummies = np.hstack([np.eye(7)[actor], np.eye(7)[partner]])
    fitted = dummies @ np.linalg.lstsq(dummies, x, rcond=None)[0]
    np.testing.assert_allclose(mean + a[actor] + b[partner], fitted, atol=1e-10)


def test_errors_by_leaving_out_are_the_jackknife(monkeypatch):
    (x, _), actor, partner = cells()
    monkeypatch.setattr(round_robin, "DENSE", 1)
    found = round_robin.fitted(x, actor, partner, 7)
    rows = []
    for g in range(7):
        kept = (actor != g) & (partner != g)
        six = by_matrices(x[kept], x[kept], actor[kept], partner[kept])
        rows.append([six[0], six[1], six[2], six[4], six[5]])
    away = np.array(rows) - np.mean(rows, axis=0)
    np.testing.assert_allclose(found.errors, np.sqrt(6 / 7 * (away**2).sum(axis=0)), rtol=1e-7)
    assert (found.other >= -1).all()
    for k in np.flatnonzero(found.other >= 0):
        assert (actor[found.other[k]], partner[found.other[k]]) == (partner[k], actor[k])

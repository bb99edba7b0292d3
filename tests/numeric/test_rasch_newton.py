"""Newton's equations of the many-facet model: slopes and bends by differences, steps by whole matrices."""

from dataclasses import replace

import numpy as np
import pytest

from svcmetrics.numeric import rasch, rasch_newton
from tests.numeric.test_rasch import SIZES, rated


def free(sizes=SIZES):
    return tuple(np.full(n, np.nan) for n in sizes)


NONE = free()


def log_likelihood(data, place, thresholds, weight):
    """Places enter with a plus, whatever the facet."""
    at = sum(m[c] for m, c in zip(place, data.facets, strict=True))
    steps = np.concatenate([np.zeros((data.groups, 1)), thresholds.cumsum(axis=1)], axis=1)
    logits = at[:, None] * np.arange(data.top + 1) - steps[data.group]
    own = logits[np.arange(len(at)), data.x] - np.log(np.exp(logits).sum(axis=1))
    return weight @ own


def whole(p, s):
    """All blocks in one matrix: the facet that is eliminated first, then the rest."""
    return np.block([[np.diag(s.diagonal), s.cross], [s.cross.T, s.rest]])


def in_order(p, parts):
    """Facets as eliminated and kept, then thresholds."""
    return np.concatenate([parts[p.first], *(parts[k] for k in p.rest), parts[-1]])


def at(seed, data):
    rng = np.random.default_rng(seed)
    place = [rng.normal(0, 0.5, n) for n in data.sizes]
    return place, rng.normal(0, 0.8, (data.groups, data.top))


@pytest.mark.parametrize("sets", [1, 2, 3])
@pytest.mark.parametrize("first", [None, 1])
@pytest.mark.parametrize("sizes", [SIZES, (7, 5)])
def test_slopes_and_bends_are_those_of_the_likelihood(sets, first, sizes):
    data = rated(1, sizes, sets, weight=True)
    p = rasch_newton.plan(data, free(sizes), first)
    assert p.first == (0 if first is None else first)
    place, thresholds = at(2, data)
    weight = data.times
    s = rasch_newton.system(p, place, thresholds, weight)
    start = in_order(p, [*place, thresholds.ravel()])

    def value(v):
        order = [p.first, *p.rest]
        pieces = np.split(v, np.cumsum([data.sizes[k] for k in order]))
        own = dict(zip(order, pieces[:-1], strict=True))
        return log_likelihood(
            data, [own[k] for k in range(len(sizes))], pieces[-1].reshape(thresholds.shape), weight
        )

    h, eye = 1e-3, np.eye(len(start))
    slope = [(value(start + h * e) - value(start - h * e)) / (2 * h) for e in eye]
    assert in_order(p, s.gradient) == pytest.approx(np.array(slope), abs=1e-4)
    bends = whole(p, s)
    rng = np.random.default_rng(4)
    for _ in range(25):
        one, two = rng.normal(size=(2, len(start)))
        ends = [
            value(start + h * (a * one + b * two)) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))
        ]
        told = -(ends[0] - ends[1] - ends[2] + ends[3]) / (4 * h * h)
        assert one @ bends @ two == pytest.approx(told, rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("anchored", [(), (1,), (2,), (1, 2), (0,), (0, 1)])
@pytest.mark.parametrize("first", [None, 1])
def test_a_step_solves_the_whole_system_and_keeps_means_and_anchors(anchored, first):
    sets = 1 if 2 in anchored else 3  # an item's own set has no mean to hold where it is anchored
    data = rated(5, sets=sets)
    anchors = tuple(a.copy() for a in NONE)
    for k in anchored:
        anchors[k][:2] = 0.0
    p = rasch_newton.plan(data, anchors, first)
    place, thresholds = at(6, data)
    place = [m * ~h for m, h in zip(place, p.held, strict=True)]
    thresholds -= thresholds.mean(axis=1, keepdims=True)
    s = rasch_newton.system(p, place, thresholds, data.times)
    moves = rasch_newton.solved(p, s)
    for k, (move, held) in enumerate(zip(moves[:-1], p.held, strict=True)):
        assert (move[held] == 0).all()
        assert s.gradient[k][held].tolist() == [0] * held.sum()
        if not held.any() and k != p.floating:
            assert move.sum() == pytest.approx(0, abs=1e-9)
    assert moves[-1].reshape(sets, 3).sum(axis=1) == pytest.approx(np.zeros(sets), abs=1e-9)
    # What is left of the equations pulls along the means alone, which are held.
    left = in_order(p, s.gradient) - whole(p, s) @ in_order(p, moves)
    order = [p.first, *p.rest]
    pieces = np.split(left, np.cumsum([data.sizes[k] for k in order]))
    for k, piece in zip(order, pieces[:-1], strict=True):
        left = piece[~p.held[k]]
        assert left == pytest.approx(np.full(len(left), left.mean()), abs=1e-8)
        if k == p.floating or p.held[k].any():
            assert left == pytest.approx(np.zeros(len(left)), abs=1e-8)
    for piece in pieces[-1].reshape(sets, 3):
        assert piece == pytest.approx(np.full(3, piece.mean()), abs=1e-8)
    loose = [k for k in order if not p.held[k].any()]
    assert p.floating == loose[0]


@pytest.mark.parametrize("sets", [1, 2, 3])
def test_what_is_left_to_do_is_the_largest_pull(sets):
    data = rated(7, sets=sets)
    p = rasch_newton.plan(data, NONE)
    place, thresholds = at(8, data)
    s = rasch_newton.system(p, place, thresholds, data.times)
    steps = s.gradient[-1].reshape(sets, 3)
    pulls = [*s.gradient[:-1], *(own - own.mean() for own in steps)]
    assert s.residual == pytest.approx(max(np.abs(g).max() for g in pulls))
    found = rasch.fit(data, close=1e-9)
    place = [sign * m for sign, m in zip((1, -1, -1), found.measures, strict=True)]
    assert rasch_newton.system(p, place, found.thresholds, data.times).residual < 1e-6


def test_ratings_that_reached_a_step_are_counted_where_the_highest_is_never_given():
    data = rated(12, sets=2, weight=True)
    data.x[:] = np.minimum(data.x, 2)
    seen = rasch_newton.plan(data, NONE).seen
    told = [
        [data.times[(data.group == g) & (data.x >= k)].sum() for k in (1, 2, 3)] for g in (0, 1)
    ]
    assert seen == pytest.approx(np.array(told))


def test_few_meetings_are_multiplied_one_by_one_to_the_same_product(monkeypatch):
    cross, inverse = np.random.default_rng(9).normal(size=(30, 8)), np.linspace(0.1, 2, 30)
    cross[np.random.default_rng(1).random(cross.shape) < 0.95] = 0
    dense = rasch_newton._product(cross, inverse)
    monkeypatch.setattr(rasch_newton, "_LARGE", 10)
    assert rasch_newton._product(cross, inverse) == pytest.approx(dense)
    assert dense == pytest.approx(cross.T @ np.diag(inverse) @ cross)


def test_targets_without_information_do_not_move():
    data = rated(10)
    p = rasch_newton.plan(data, NONE)
    s = rasch_newton.system(p, *at(11, data), data.times)
    none = s.diagonal.copy()
    none[2] = 0.0
    cross = s.cross.copy()
    cross[2] = 0.0
    moves = rasch_newton.solved(p, replace(s, diagonal=none, cross=cross))
    assert moves[0][2] == 0
    assert np.isfinite(np.concatenate(moves)).all()


def test_a_matrix_without_a_root_is_said_to_have_none():
    sound = np.array([[4.0, 1.0], [1.0, 9.0]])
    scale, lower = rasch_newton.root(sound)
    assert scale == pytest.approx([2, 3])
    assert np.tril(lower) @ np.tril(lower).T == pytest.approx(sound / np.outer(scale, scale))
    assert rasch_newton.root(np.array([[1.0, 1.0], [1.0, 1.0]]))[1] is None
    assert rasch_newton.root(np.array([[1.0, 2.0], [2.0, 1.0]]))[1] is None
    assert rasch_newton.root(np.array([[1.0, 0], [0, 0.0]]))[1] is None
    near = 1 - 1e-6
    assert rasch_newton.root(np.array([[1.0, near], [near, 1.0]]))[1] is not None


def test_no_facet_floats_where_all_are_anchored():
    anchors = tuple(a.copy() for a in NONE)
    for a in anchors:
        a[0] = 0.0
    assert rasch_newton.plan(rated(5), anchors).floating == -1

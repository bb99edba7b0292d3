"""The many-facet Rasch model: what the likelihood asks of its highest point, and where a search begins."""

import numpy as np
import pytest

from svcmetrics.numeric import rasch

SIZES = (9, 6, 3)


def rated(seed, sizes=SIZES, sets=1, weight=False, top=3):
    """Every rater on every target and item but for a sixth, from known places."""
    rng = np.random.default_rng(seed)
    codes = [v.ravel() for v in np.indices(sizes)]
    codes = [c[kept] for kept in [rng.random(len(codes[0])) < 5 / 6] for c in codes]
    places = [rng.normal(0, s, n) for s, n in zip((1.0, 0.6, 0.4), sizes, strict=False)]
    at = places[0][codes[0]]
    for place, code in zip(places[1:], codes[1:], strict=True):
        at = at - place[code]
    steps = np.sort(rng.normal(0, 1, (sets, top)), axis=1)
    group = codes[-1] % sets
    p = np.stack([chances(a, steps[g]) for a, g in zip(at, group, strict=True)])
    x = (rng.random(len(at))[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(0, top)
    times = rng.uniform(0.5, 2, len(x)) if weight else None
    return rasch.Data(x, codes[0], tuple(codes[1:]), sizes, group, top, times)


def chances(at, steps):
    log = np.r_[0.0, np.cumsum(at - steps)]
    return np.exp(log - log.max()) / np.exp(log - log.max()).sum()


def likelihood_chances(data, found):
    places = found.location(data)
    return np.stack(
        [chances(a, found.thresholds[g]) for a, g in zip(places, data.group, strict=True)]
    )


@pytest.mark.parametrize(("sets", "weight"), [(1, False), (3, False), (1, True), (3, True)])
def test_at_the_highest_point_every_total_is_the_one_expected(sets, weight):
    """The score equations: points of every element, and ratings in every category."""
    data = rated(1, sets=sets, weight=weight)
    found = rasch.fit(data, close=1e-9)
    assert found.converged
    p, times = likelihood_chances(data, found), data.times
    expected = p @ np.arange(4)
    for codes, size in zip(data.facets, data.sizes, strict=True):
        for element in range(size):
            own = codes == element
            assert (times * data.x)[own].sum() == pytest.approx((times * expected)[own].sum())
    for g in range(sets):
        own = data.group == g
        seen = [times[own & (data.x == k)].sum() for k in range(4)]
        assert seen == pytest.approx((times[own, None] * p[own]).sum(axis=0))
    assert [m.mean() for m in found.measures[1:]] == pytest.approx([0, 0], abs=1e-12)
    assert found.thresholds.mean(axis=1) == pytest.approx(np.zeros(sets), abs=1e-12)


def test_the_facet_that_floats_is_not_centred_and_nothing_else_moves():
    data = rated(2)
    plain, other = rasch.fit(data, close=1e-9), rasch.fit(data, floats=1, close=1e-9)
    assert other.measures[0].mean() == pytest.approx(0, abs=1e-12)
    assert other.location(data) == pytest.approx(plain.location(data))


def test_anchored_elements_stay_and_all_others_meet_their_totals():
    data = rated(3)
    anchors = tuple(np.full(n, np.nan) for n in SIZES)
    anchors[1][:2] = [0.5, -0.7]
    anchors[2][0] = 0.3
    found = rasch.fit(data, anchors, close=1e-9)
    assert found.measures[1][:2] == pytest.approx([0.5, -0.7])
    assert found.measures[2][0] == pytest.approx(0.3)
    expected = likelihood_chances(data, found) @ np.arange(4)
    for facet, free in ((0, range(9)), (1, range(2, 6)), (2, (1, 2))):
        for element in free:
            own = data.facets[facet] == element
            assert data.x[own].sum() == pytest.approx(expected[own].sum())


def test_a_rating_of_weight_two_is_two_ratings():
    data = rated(4)
    once = np.where(np.arange(len(data.x)) % 3, 1.0, 2.0)
    twice = np.repeat(np.arange(len(data.x)), once.astype(int))
    weighted = rasch.Data(data.x, data.target, data.others, SIZES, data.group, 3, once)
    repeated = rasch.Data(
        data.x[twice], data.target[twice], tuple(c[twice] for c in data.others), SIZES,
        data.group[twice], 3,
    )  # fmt: skip
    one, two = rasch.fit(weighted, close=1e-9), rasch.fit(repeated, close=1e-9)
    for a, b in zip((*one.measures, one.thresholds), (*two.measures, two.thresholds), strict=True):
        assert a == pytest.approx(b)
    for a, b in zip(one.errors, two.errors, strict=True):
        assert a == pytest.approx(b)


def test_sums_over_facets_are_counted_rating_by_rating():
    data = rated(5)
    columns = np.random.default_rng(1).normal(size=(len(data.x), 2))
    for part, codes, size in zip(data.by_facet(columns), data.facets, data.sizes, strict=True):
        told = np.stack([columns[codes == e].sum(axis=0) for e in range(size)])
        assert part == pytest.approx(told)
    assert data.of_targets(columns) == pytest.approx(data.by_facet(columns)[0])


def test_first_thresholds_are_log_ratios_of_neighbouring_categories():
    """Half a rating is added to each category, so that an empty one has a ratio, too."""
    none = np.zeros(8, int)
    data = rasch.Data(
        np.array([0, 0, 0, 1, 0, 1, 1, 2]),
        none,
        (none,),
        (1, 1),
        np.repeat([0, 1], 4),
        2,
    )
    first, second = np.log([3.5 / 1.5, 1.5 / 0.5]), np.log([1.5 / 2.5, 2.5 / 1.5])
    found = rasch.first_thresholds(data)
    assert found[0] == pytest.approx(first - first.mean())
    assert found[1] == pytest.approx(second - second.mean())


@pytest.mark.parametrize("seed", range(6))
def test_a_search_begins_near_where_it_ends(seed):
    """Near enough for a few of Newton's steps; measures to begin with run along those at the end."""
    data = rated(seed, (40, 12, 4))
    found = rasch.fit(data)
    assert 1 <= found.steps <= 5
    places, thresholds = rasch.started(data, tuple(np.full(n, np.nan) for n in data.sizes))
    assert np.abs(thresholds - found.thresholds).max() < 0.55
    for sign, begun, ended in zip((1, -1, -1), places, found.measures, strict=True):
        assert np.abs(begun - begun.mean() - sign * (ended - ended.mean())).max() < 0.55


def test_elements_without_a_finite_measure_have_a_finite_beginning():
    data = rated(6)
    data.x[data.target == 0] = 0
    data.x[data.target == 1] = 3
    (targets, *_), _ = rasch.started(data, tuple(np.full(n, np.nan) for n in SIZES))
    assert np.isfinite(targets).all()
    assert (targets.argmin(), targets.argmax()) == (0, 1)

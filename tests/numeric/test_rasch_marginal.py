"""Targets as a sample: the likelihood averaged on a fine grid, its slopes and bends by differences."""

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import rasch, rasch_marginal
from tests.numeric.test_rasch import chances, rated

SIZES = (30, 5, 3)
GRID = np.linspace(-7, 7, 141)


def by_grid(data, measures, thresholds, mean, sd):
    """-2 log likelihood, and the posterior mean and spread of each target."""
    away = sum(m[c] for m, c in zip(measures[1:], data.others, strict=True))
    steps = np.concatenate([np.zeros((len(thresholds), 1)), thresholds.cumsum(axis=1)], axis=1)
    k = np.arange(steps.shape[1])
    logits = (GRID[None, :] - away[:, None])[:, :, None] * k - steps[data.group][:, None, :]
    own = np.take_along_axis(logits, data.x[:, None, None], axis=2)[:, :, 0]
    own = (own - np.log(np.exp(logits).sum(axis=2))) * data.times[:, None]
    log = np.tile(stats.norm.logpdf(GRID, mean, sd) + np.log(GRID[1] - GRID[0]), (data.sizes[0], 1))
    np.add.at(log, data.target, own)
    top = log.max(axis=1)
    p = np.exp(log - top[:, None])
    total = p.sum(axis=1)
    middle = p @ GRID / total
    spread = np.sqrt((p * (GRID - middle[:, None]) ** 2).sum(axis=1) / total)
    return -2 * (top + np.log(total)).sum(), np.array([middle, spread])


def parts(found):
    """All that is estimated beside the targets, as one vector, and the way back."""
    sizes = [len(m) for m in found.measures[1:]]
    mean, sd = found.population
    vector = np.concatenate([*found.measures[1:], found.thresholds.ravel(), [mean, np.log(sd)]])

    def back(v):
        *others, rest = np.split(v, np.cumsum(sizes))
        return (
            (found.measures[0], *others),
            rest[:-2].reshape(found.thresholds.shape),
            rest[-2],
            np.exp(rest[-1]),
        )

    return vector, back


def ways(found):
    """The directions left open: every facet and every set of thresholds keeps its mean."""
    blocks = [len(m) for m in found.measures[1:]] + [found.thresholds.shape[1]] * len(
        found.thresholds
    )
    total, out, start = sum(blocks) + 2, [], 0
    for n in blocks:
        for k in range(n - 1):
            way = np.zeros(total)
            way[start + k], way[start + n - 1] = 1, -1
            out.append(way)
        start += n
    return np.array([*out, *np.eye(total)[-2:]])


@pytest.mark.parametrize(
    ("sets", "weight", "sizes"), [(1, False, SIZES), (3, True, SIZES), (2, True, (30, 6))]
)
def test_the_fit_is_the_highest_point_of_the_averaged_likelihood(sets, weight, sizes):
    data = rated(7, sizes, sets, weight)
    found, posterior = rasch_marginal.fit(data)
    assert found.converged
    assert 1 <= found.steps < 40
    vector, back = parts(found)
    deviance, moments = by_grid(data, *back(vector))
    assert found.deviance == pytest.approx(deviance, abs=1e-4)
    assert found.measures[0] == pytest.approx(moments[0], abs=1e-4)
    assert found.errors[0] == pytest.approx(moments[1], abs=1e-4)
    assert posterior.mean == pytest.approx(moments[0], abs=1e-4)
    for measure in found.measures[1:]:
        assert measure.mean() == pytest.approx(0, abs=1e-9)
    h = 1e-3
    for way in ways(found):
        up, down = (by_grid(data, *back(vector + side * way))[0] for side in (h, -h))
        assert (up - down) / (2 * h) == pytest.approx(0, abs=5e-3)
        assert up + down > 2 * deviance


def test_errors_are_near_those_of_the_bends_of_the_averaged_likelihood():
    data = rated(8, (40, 4, 2))
    found, _ = rasch_marginal.fit(data)
    vector, back = parts(found)
    open_ways, h = ways(found), 2e-3
    n = len(open_ways)
    bend = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            ends = [
                by_grid(data, *back(vector + h * (a * open_ways[i] + b * open_ways[j])))[0]
                for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))
            ]
            bend[i, j] = bend[j, i] = (ends[0] - ends[1] - ends[2] + ends[3]) / (8 * h * h)
    errors = np.sqrt(np.diagonal(open_ways.T @ np.linalg.inv(bend) @ open_ways))
    assert found.errors[1] == pytest.approx(errors[:4], rel=0.05)
    assert found.errors[2] == pytest.approx(errors[4:6], rel=0.05)
    # Thresholds are given the room that the linear approximation lacks.
    assert found.threshold_errors.ravel() == pytest.approx(errors[6:9], rel=0.1)


def test_an_anchored_rater_stays_and_pulls_nobody_to_the_other_side():
    data = rated(9, SIZES)
    free, _ = rasch_marginal.fit(data)
    anchors = tuple(np.full(n, np.nan) for n in SIZES)
    anchors[1][0] = free.measures[1][0] + 1.0
    found, _ = rasch_marginal.fit(data, anchors)
    assert found.measures[1][0] == pytest.approx(anchors[1][0])
    # All raters move along, and the targets with them.
    assert found.measures[1] == pytest.approx(free.measures[1] + 1, abs=1e-4)
    assert found.population == pytest.approx((free.population[0] + 1, free.population[1]), abs=1e-4)
    assert found.deviance == pytest.approx(free.deviance, abs=1e-5)


def test_another_facet_may_float_in_place_of_the_targets():
    data = rated(10, SIZES)
    plain, _ = rasch_marginal.fit(data)
    other, _ = rasch_marginal.fit(data, floats=1)
    assert other.population == pytest.approx((0, plain.population[1]))
    assert other.location(data) == pytest.approx(plain.location(data))
    assert other.measures[1].mean() == pytest.approx(-plain.population[0])


def test_with_many_ratings_the_errors_are_those_of_the_joint_likelihood():
    data = rated(11, (60, 12, 4))
    one, _ = rasch_marginal.fit(data)
    joint = rasch.fit(data)
    assert one.errors[1] == pytest.approx(joint.errors[1], rel=0.05)
    assert np.corrcoef(one.measures[0], joint.measures[0])[0, 1] > 0.99
    assert chances(0.0, one.thresholds[0]) == pytest.approx(
        chances(0.0, joint.thresholds[0]), abs=0.03
    )

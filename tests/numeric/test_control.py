"""Control charts against the laws of the distributions, and Nelson's rules against plain counting."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import control

ALL = np.ones(6, bool)
HITS = np.array([0.0, 4.0, 5.0, 9.0, 20.0, 2.0])
SIZE = np.array([10.0, 12.0, 20.0, 9.0, 50.0, 4.0])
SOME = np.array([True, True, True, False, True, True])


def two_sided(below, above):
    return min(1.0, 2 * min(below, above))


def test_shares_of_a_run_have_binomial_limits_and_probabilities():
    run = control.shares(HITS, SIZE, SOME)
    p = 31 / 96
    assert run.centre == pytest.approx(np.full(6, p))
    for k in range(6):
        se = math.sqrt(p * (1 - p) / SIZE[k])
        assert run.point[k] == pytest.approx(HITS[k] / SIZE[k])
        assert run.z[k] == pytest.approx((HITS[k] / SIZE[k] - p) / se)
        assert run.lower[k] == pytest.approx(max(0, p - 3 * se))
        assert run.upper[k] == pytest.approx(min(1, p + 3 * se))
        law = stats.binom(SIZE[k], p)
        assert run.p[k] == pytest.approx(two_sided(law.cdf(HITS[k]), law.sf(HITS[k] - 1)))
    assert (run.lower == 0).sum() in range(1, 6)  # some limits are cut at nought, some are not
    assert (run.upper == 1).any()
    assert run.p.max() == 1


@pytest.mark.parametrize("chart", [control.shares, control.rates])
def test_a_single_hit_where_hardly_any_is_expected_is_rare(chart):
    hits, size = np.array([0.0, 1.0, 0.0]), np.array([90.0, 2.0, 9.0])
    p = 1 / 101
    law = stats.binom(2, p) if chart is control.shares else stats.poisson(2 * p)
    assert chart(hits, size, hits < 2).p == pytest.approx([1, 2 * law.sf(0), 1], abs=0.2)
    assert chart(hits, size, hits < 2).p[1] == pytest.approx(2 * law.sf(0))


def test_shares_without_any_spread_lie_at_the_centre_or_infinitely_far_away():
    run = control.shares(
        np.array([5.0, 8.0, 3.0]), np.array([5.0, 8.0, 4.0]), np.array([1, 1, 0]) > 0
    )
    assert run.z.tolist() == [0, 0, -np.inf]
    assert run.p == pytest.approx([1, 1, 0])


def test_rates_of_a_run_have_poisson_limits_and_probabilities():
    run = control.rates(HITS, SIZE, SOME)
    u = 31 / 96
    for k in range(6):
        se = math.sqrt(u / SIZE[k])
        assert run.z[k] == pytest.approx((HITS[k] / SIZE[k] - u) / se)
        assert run.lower[k] == pytest.approx(max(0, u - 3 * se))
        assert run.upper[k] == pytest.approx(u + 3 * se)
        law = stats.poisson(u * SIZE[k])
        assert run.p[k] == pytest.approx(two_sided(law.cdf(HITS[k]), law.sf(HITS[k] - 1)))
    assert run.upper.max() > 1  # no ceiling


@pytest.mark.parametrize("chart", [control.shares, control.rates])
def test_laney_widens_by_the_moving_range_of_z(chart):
    plain, wide = chart(HITS, SIZE, SOME), chart(HITS, SIZE, SOME, laney=True)
    z = plain.z[SOME]
    sigma = np.mean([abs(b - a) for a, b in pairwise(z)]) / 1.128
    assert plain.sigma_z == wide.sigma_z == pytest.approx(sigma)
    assert wide.z == pytest.approx(plain.z / sigma)
    assert wide.p == pytest.approx([math.erfc(abs(v) / math.sqrt(2)) for v in wide.z])
    p = 31 / 96
    se = math.sqrt((p * (1 - p) if chart is control.shares else p) / SIZE[4])
    assert wide.upper[4] == pytest.approx(p + 3 * sigma * se)
    assert wide.lower[4] == pytest.approx(max(0, p - 3 * sigma * se))


def test_individual_values_and_their_moving_ranges_by_hand():
    x = np.array([10.0, 12.0, 9.0, 15.0, 40.0])
    first = np.array([1, 1, 1, 1, 0]) > 0
    run, ranges = control.individuals(x, first), control.moving_ranges(x, first)
    mean = (2 + 3 + 6) / 3
    sd = mean / 1.128
    assert run.centre == pytest.approx(np.full(5, 11.5))
    assert run.z == pytest.approx((x - 11.5) / sd)
    assert (run.lower[0], run.upper[0]) == pytest.approx((11.5 - 3 * sd, 11.5 + 3 * sd))
    assert run.p == pytest.approx(2 * stats.norm.sf(np.abs((x - 11.5) / sd)))
    assert np.isnan(ranges.point[0])
    assert ranges.point[1:] == pytest.approx([2, 3, 6, 25])
    assert ranges.centre == pytest.approx(np.full(5, mean))
    assert ranges.lower == pytest.approx(np.zeros(5))
    assert ranges.upper == pytest.approx(np.full(5, 3.267 * mean))
    assert ranges.z[1:] == pytest.approx((ranges.point[1:] - mean) * 3 / (2.267 * mean))
    # A difference of two normal values varies by sd * sqrt(2).
    assert ranges.p[1:] == pytest.approx(2 * stats.norm.sf([2, 3, 6, 25], scale=sd * 2**0.5))


def test_the_upper_limit_of_ranges_is_three_of_its_standard_errors_away():
    x = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1 + 2.267])
    run = control.moving_ranges(x, np.array([1, 1, 1, 1, 1, 0]) > 0)
    assert run.point[-1] == pytest.approx(run.upper[-1])
    assert run.z[-1] == pytest.approx(3)


def test_one_point_has_no_moving_range():
    assert np.isnan(control.moving_range(np.array([3.0, 4.0]), np.array([True, False])))
    assert control.moving_range(np.array([3.0, 7.0]), np.array([True, True])) == 4


def test_cases_between_events_are_geometric():
    count = np.array([0.0, 4.0, 11.0, 1.0, 90.0])
    first = np.array([1, 1, 1, 1, 0]) > 0
    run = control.gaps(count, first)
    sd = math.sqrt(4 * 5)
    assert run.centre == pytest.approx(np.full(5, 4))
    assert run.z == pytest.approx((count - 4) / sd)
    assert run.lower == pytest.approx(np.zeros(5))
    assert run.upper == pytest.approx(np.full(5, 4 + 3 * sd))
    law = stats.geom(1 / 5, loc=-1)  # failures before the first success, with this mean
    assert run.p == pytest.approx([two_sided(law.cdf(c), law.sf(c - 1)) for c in count])


def test_cases_between_events_that_follow_closely():
    count = np.array([0.0, 1.0, 0.0, 1.0, 2.0])
    run = control.gaps(count, count < 2)
    law = stats.geom(1 / 1.5, loc=-1)
    assert run.p == pytest.approx([two_sided(law.cdf(c), law.sf(c - 1)) for c in count])


def test_events_without_any_case_between():
    run = control.gaps(np.array([0.0, 0.0, 3.0]), np.array([True, True, False]))
    assert run.z.tolist() == [0, 0, np.inf]
    assert run.p == pytest.approx([1, 1, 0])
    assert run.upper == pytest.approx(np.zeros(3))


def test_times_are_judged_where_they_are_nearly_normal():
    hours = np.array([5.0, 30.0, 2.0, 80.0, 11.0])
    run = control.times(hours, np.ones(5, bool))
    y = hours**0.2777
    sd = np.abs(np.diff(y)).mean() / 1.128
    assert run.z == pytest.approx((y - y.mean()) / sd)
    assert run.centre[0] == pytest.approx(y.mean() ** (1 / 0.2777))
    assert run.upper[0] == pytest.approx((y.mean() + 3 * sd) ** (1 / 0.2777))
    assert run.lower[0] == 0  # cut: three errors below the mean would be a negative time
    assert y.mean() < 3 * sd
    calm = np.array([50.0, 60.0, 55.0, 58.0])
    run, y = control.times(calm, np.ones(4, bool)), calm**0.2777
    sd = np.abs(np.diff(y)).mean() / 1.128
    assert run.lower[0] == pytest.approx((y.mean() - 3 * sd) ** (1 / 0.2777))
    assert run.point.tolist() == calm.tolist()


# Nelson's rules, counted point by point


def last(values, at, count):
    return list(values[at - count + 1 : at + 1]) if at + 1 >= count else []


def counted(x, z, at):
    """The eight patterns that end at a point, in Nelson's words."""

    def beyond(least, window, far):
        own = z[max(0, at - window + 1) : at + 1]
        up = z[at] > far and sum(v > far for v in own) >= least
        return up or (z[at] < -far and sum(v < -far for v in own) >= least)

    nine, six, fourteen = last(z, at, 9), last(x, at, 6), last(x, at, 14)
    steps = [b - a for a, b in pairwise(fourteen)]
    fifteen, eight = last(z, at, 15), last(z, at, 8)
    return [
        abs(z[at]) > 3,
        bool(nine) and (all(v > 0 for v in nine) or all(v < 0 for v in nine)),
        bool(six) and (six == sorted(set(six)) or six == sorted(set(six), reverse=True)),
        bool(steps) and all(a * b < 0 for a, b in pairwise(steps)),
        beyond(2, 3, 2),
        beyond(4, 5, 1),
        bool(fifteen) and all(abs(v) < 1 for v in fifteen),
        bool(eight) and all(abs(v) > 1 for v in eight),
    ]


def runs():
    rng = np.random.default_rng(8)
    for far in (0.4, 0.9, 1.6, 3.0):
        yield rng.normal(0, far, 60).round(1)
        yield (rng.normal(0, far, 60) + np.repeat(rng.normal(0, 1, 6), 10)).round(1)
    yield np.tile([1.2, -1.4], 20) + rng.normal(0, 0.05, 40)  # to and fro, and outside of one
    yield np.tile([1.0, -1.0, 0.0], 20)  # on the very borders
    yield np.tile([2.0, 3.0, -3.0, -2.0, 2.5], 8)
    yield np.r_[np.linspace(-3.5, 3.5, 20), np.linspace(3.5, -3.5, 20), np.full(20, 0.5)]
    yield np.r_[np.arange(5), np.arange(4, -1, -1), np.arange(6), np.full(9, -0.1)] * 1.0
    yield np.r_[np.full(8, 0.3), 0.0, np.full(9, 0.3), np.full(8, -0.3)]
    yield np.tile([1.0, -1.0], 7) * 0.9
    yield np.r_[0.5, np.tile([1.0, -1.0], 6), -0.5] * 0.9
    yield np.r_[np.full(9, 0.3), np.full(9, -0.3)]
    for size in (1, 2, 4, 5):
        yield np.full(size, 2.5)


@pytest.mark.parametrize("z", list(runs()), ids=str)
def test_nelsons_rules_point_by_point(z):
    found = control.nelson(z, z)
    told = np.array([counted(z, z, at) for at in range(len(z))])
    assert found.shape == (len(z), 8)
    for rule in range(8):
        assert found[:, rule].tolist() == told[:, rule].tolist(), rule + 1


def test_every_rule_is_met_by_some_of_these_runs():
    assert np.concatenate([control.nelson(z, z) for z in runs()]).any(axis=0).all()


def test_no_point_no_pattern_and_a_missing_z_is_at_the_centre():
    assert control.nelson(np.zeros(0), np.zeros(0)).shape == (0, 8)
    z = np.array([np.nan, 5.0])
    assert control.nelson(np.array([1.0, 2.0]), z)[:, 0].tolist() == [False, True]


def test_dispersion_is_a_mean_square_with_one_degree_of_freedom_less():
    z = np.array([1.0, -2.0, 0.5, 9.0])
    first = np.array([1, 1, 1, 0]) > 0
    value, chance = control.dispersion(z, first)
    assert value == pytest.approx((1 + 4 + 0.25) / 2)
    assert chance == pytest.approx(stats.chi2.sf(5.25, 2))
    assert control.dispersion(z, np.array([1, 1, 0, 0]) > 0)[0] == pytest.approx(5)
    assert np.isnan(control.dispersion(z, np.array([1, 0, 0, 0]) > 0)).all()

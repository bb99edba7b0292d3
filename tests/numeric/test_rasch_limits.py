"""Limits of thresholds: exact expectations given totals, slopes of the log information, coverage."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from benchmarks import facets as studies
from svcmetrics import verify
from svcmetrics.numeric import (
    rasch,
    rasch_conditional,
    rasch_correct,
    rasch_leverage,
    rasch_newton,
    rasch_terms,
)

STEPS = np.array([[-1.0, 0.2, 0.8], [-0.4, 0.1, 0.3]])


def small(rng, targets=5, raters=4, items=2):
    """Every rater rates every target on every item; two sets of thresholds."""
    codes = [v.ravel() for v in np.indices((targets, raters, items))]
    x = rng.integers(0, 4, len(codes[0]))
    return rasch.Data(x, codes[0], tuple(codes[1:]), (targets, raters, items), codes[2], 3)


def test_expectations_given_the_total_are_those_of_all_patterns():
    data = small(np.random.default_rng(1), targets=3, raters=2, items=2)
    place = np.random.default_rng(2).normal(0, 0.7, len(data.x))
    those = rasch_conditional.few(data, np.zeros(3, bool))
    assert those.which.all()
    p = rasch.chances(place, STEPS, data.group)
    found = rasch_conditional.differences(data, those, place, STEPS)
    for t in range(3):
        own = np.flatnonzero(data.target == t)
        sums = np.zeros((3, len(own)))
        whole = 0.0
        for pattern in itertools.product(range(4), repeat=len(own)):
            if sum(pattern) == data.x[own].sum():
                chance = p[own, list(pattern)].prod()
                whole += chance
                sums += chance * (np.array(pattern) >= np.arange(1, 4)[:, None])
        above = p[own][:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:].T
        np.testing.assert_allclose(found[:, own], sums / whole - above, atol=1e-12)


def test_targets_with_weights_many_ratings_or_an_anchor_are_left_to_the_saddlepoint():
    data = small(np.random.default_rng(1))
    weighted = rasch.Data(data.x, data.target, data.others, data.sizes, data.group, 3,
                          np.where(data.target == 0, 2.0, 1.0))  # fmt: skip
    held = np.arange(5) == 1
    assert set(data.target[rasch_conditional.few(weighted, held).which]) == {2, 3, 4}
    wide = small(np.random.default_rng(1), raters=13)
    assert not rasch_conditional.few(wide, np.zeros(5, bool)).places


@pytest.mark.parametrize("raters", [4, 9])
def test_slopes_are_those_of_half_the_log_information(raters):
    """By differences, measures solved anew at each set of thresholds; targets' own part apart."""
    data = small(np.random.default_rng(3), raters=raters, targets=7)
    plan = rasch_newton.plan(data, tuple(np.full(n, np.nan) for n in data.sizes))

    def at(steps):
        place = [np.zeros(n) for n in data.sizes]
        for _ in range(60):
            location = sum(m[c] for m, c in zip(place, data.facets, strict=True))
            terms = rasch_terms.swept(location, steps, data.group, data.x, data.times, third=True)
            system = rasch_newton.assembled(plan, terms)
            x = np.zeros((len(data.x), sum(data.sizes)))
            ends = np.cumsum([0, *data.sizes])
            for codes, start in zip(data.facets, ends, strict=False):
                x[np.arange(len(x)), codes + start] = 1.0
            information = (x * terms.columns[:, 1:2]).T @ x
            move = np.linalg.pinv(information, rcond=1e-10) @ np.concatenate(system.gradient[:-1])
            place = [m + move[a:b] for m, a, b in zip(place, ends, ends[1:], strict=False)]
        keep = np.linalg.svd(x, full_matrices=False)[2][: np.linalg.matrix_rank(x)]
        own = np.bincount(data.target, terms.columns[:, 1])
        value = np.linalg.slogdet(keep @ information @ keep.T)[1] - np.log(own).sum()
        return value / 2, system, terms

    _, system, terms = at(STEPS)
    found = rasch_leverage.slopes(plan, system, terms)
    for k in range(6):
        move = 1e-4 * np.eye(6)[k].reshape(2, 3)
        slope = (at(STEPS + move)[0] - at(STEPS - move)[0]) / 2e-4
        assert found[k] == pytest.approx(slope, abs=1e-5)


def test_errors_grow_where_the_information_seen_is_less():
    taken = np.array([[3.0, -1.0], [-1.0, 2.0]])
    assert rasch_correct.wider(taken / 4, taken) == pytest.approx([2, 2])
    assert rasch_correct.wider(taken * 4, taken) == pytest.approx([1, 1])


@pytest.mark.parametrize("method", ["joint", "joint_corrected", "marginal"])
def test_limits_of_thresholds_hold_the_truth_where_each_target_has_three_ratings(method):
    # Three of 20 raters, one item: before, 0.83 of the limits held, and 0.75 of the outer ones.
    hits = n = 0
    for seed in range(12):
        table, _ = studies.study(np.random.default_rng(500 + seed), 300, 20, 1, 3)
        found = verify.facets(table, **studies.NAMES, method=method).table
        hits += 4 * studies._thresholds(found, studies.STEPS[None])
        n += 4
    least = stats.binom.ppf(0.02, n, 0.93)
    assert hits >= least and stats.binom.cdf(least - 1, n, 0.80) > 0.6

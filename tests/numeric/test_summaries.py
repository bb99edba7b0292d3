"""Quantiles, means and their limits against SciPy; too few values have none."""

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import multiplicity, summaries

VALUES = np.array([1.0, 2, 2.5, 4, 7, 9, 12, 13, 20, 21, 30])


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_means_with_students_limits(level):
    told = stats.t.interval(level, 10, VALUES.mean(), stats.sem(VALUES))
    assert summaries.mean(VALUES, level) == pytest.approx((VALUES.mean(), *told))
    logs = np.log(VALUES)
    told = np.exp(stats.t.interval(level, 10, logs.mean(), stats.sem(logs)))
    assert summaries.geometric_mean(VALUES, level) == pytest.approx((stats.gmean(VALUES), *told))


def test_too_few_values():
    assert np.isnan(summaries.mean(VALUES[:0])).all()
    assert np.isnan(summaries.quantile(VALUES[:0], 0.5)).all()
    one = summaries.mean(VALUES[:1])
    assert one[0] == 1
    assert np.isnan(one[1:]).all()
    two = stats.t.interval(0.95, 1, 1.5, stats.sem(VALUES[:2]))
    assert summaries.mean(VALUES[:2]) == pytest.approx((1.5, *two))
    assert np.isnan(summaries.quantile(VALUES[:3], 0.5)[1:]).all()


@pytest.mark.parametrize("n", range(1, 12))
@pytest.mark.parametrize("share", [0.5, 0.2, 0.9])
def test_limits_of_a_quantile_cover_as_often_as_they_say(n, share):
    """Of both limits each is missed by 2.5% at most, as binomial counts tell."""
    value, low, high = summaries.quantile(VALUES[:n], share)
    assert value == pytest.approx(np.quantile(VALUES[:n], share))
    law = stats.binom(n, share)
    if np.isfinite(low):
        assert law.cdf(np.flatnonzero(low == VALUES)[0]) <= 0.025
    else:
        assert law.cdf(0) > 0.025
    if np.isfinite(high):
        assert law.sf(np.flatnonzero(high == VALUES)[0]) <= 0.025
    else:
        assert law.sf(n - 1) > 0.025


def test_adjusted_chances_by_their_definitions():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.9, 0.04, 0.0001])
    known = np.isfinite(p)
    assert multiplicity.benjamini_hochberg(p)[known] == pytest.approx(
        stats.false_discovery_control(p[known])
    )
    assert np.isnan(multiplicity.benjamini_hochberg(p)[1])
    left = sorted(p[known])
    told = {v: min(1, max(left[k] * (6 - k) for k in range(left.index(v) + 1))) for v in left}
    told[0.04] = max(told[0.04], 0.04 * 3)  # ties share the larger one
    assert multiplicity.holm(p)[known] == pytest.approx([told[v] for v in p[known]])
    assert np.isnan(multiplicity.holm(p)[1])
    for adjust in (multiplicity.holm, multiplicity.benjamini_hochberg):
        assert np.isnan(adjust([np.nan])).all()
        assert adjust([0.7, 0.8]).max() <= 1

"""The published matrix with and without direction."""

import numpy as np
import pytest

from svcmetrics import weigh
from svcmetrics.problems import TableError
from tests.weigh.samples import AIRCRAFT, BETTER, GRID, long


def test_direction_is_applied_before_correlation():
    table = weigh.critic(long(AIRCRAFT), better=BETTER, **GRID).table
    expected = [0.23587444, 0.20881846, 0.12700027, 0.13061547, 0.12092616, 0.1767652]
    np.testing.assert_allclose(table["estimate"], expected, atol=5e-9)
    ignored = weigh.critic(long(AIRCRAFT), better=dict.fromkeys(BETTER, "higher"), **GRID).table
    expected = [0.16910353, 0.15848412, 0.17058255, 0.15987483, 0.16284205, 0.17911292]
    np.testing.assert_allclose(ignored["estimate"], expected, atol=5e-9)


def test_a_constant_criterion_gets_nothing_and_is_named():
    x = AIRCRAFT.copy()
    x[:, 1] = 7
    result = weigh.critic(long(x), better=BETTER, **GRID)
    assert result.table["estimate"].iloc[1] == 0
    named = next(f for f in result.findings if f.key == "critic.constant")
    assert named.values["names"] == ["c2"]


def test_a_direction_must_be_given_and_two_units_are_refused():
    with pytest.raises(TableError) as caught:
        weigh.critic(long(AIRCRAFT), better={"c1": "higher"}, **GRID)
    assert caught.value.problems[0].key == "direction_missing"
    result = weigh.critic(long(AIRCRAFT[:2]), better=BETTER, **GRID)
    assert result.findings[0].level == "refused"


def test_three_departments_and_two_criteria_that_differ_are_enough():
    x = AIRCRAFT[:3].copy()
    x[:, 2:] = 7
    result = weigh.critic(long(x), better=BETTER, **GRID)
    # Two alone share 1 - r; what is left is their spread after scaling.
    scaled = (x[:, :2] - x[:, :2].min(axis=0)) / np.ptp(x[:, :2], axis=0)
    spread = scaled.std(axis=0, ddof=1)
    found = result.table["estimate"].to_numpy()
    np.testing.assert_allclose(found[:2], spread / spread.sum(), rtol=1e-12)
    assert (found[2:] == 0).all()
    told = next(f for f in result.findings if f.key == "entropy.first")
    assert told.values["share"] == pytest.approx(100 * found.max())
    assert weigh.critic(long(x[:2]), better=BETTER, **GRID).table["estimate"].isna().all()
    x[:, 1] = 7
    assert weigh.critic(long(x), better=BETTER, **GRID).table["estimate"].isna().all()

"""Alpha of many units from sums, against the coincidences of the definition."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import krippendorff_many


def by_definition(unit, value):
    """One minus observed over expected squared difference of pairable values."""
    groups = [value[unit == u] for u in np.unique(unit) if (unit == u).sum() > 1]
    all_ = np.concatenate(groups)
    n = len(all_)
    seen = sum(((a - b) ** 2) / (len(g) - 1) for g in groups for a, b in permutations(g, 2)) / n
    chance = sum((a - b) ** 2 for a, b in permutations(all_, 2)) / (n * (n - 1))
    return 1 - seen / chance


def table(seed):
    rng = np.random.default_rng(seed)
    unit = np.r_[np.repeat([0, 2, 3, 5], [2, 3, 2, 4]), 1, 4, 4, 6]  # 1 and 6 are rated once
    return unit, rng.integers(1, 6, len(unit)) + 0.5 * (unit % 3)


@pytest.mark.parametrize("seed", range(4))
def test_alpha_of_squared_differences_and_of_ranks(seed):
    unit, score = table(seed)
    sums = krippendorff_many.unit_sums(unit, score, "quadratic")
    assert len(sums) == 5
    assert sums[:, 0].tolist() == [2, 3, 2, 2, 4]
    assert krippendorff_many.alpha(sums.sum(axis=0)) == pytest.approx(by_definition(unit, score))
    twice = np.isin(unit, [0, 2, 3, 4, 5])
    ranks = stats.rankdata(score[twice])
    sums = krippendorff_many.unit_sums(unit, score, "ordinal")
    assert krippendorff_many.alpha(sums.sum(axis=0)) == pytest.approx(
        by_definition(unit[twice], ranks)
    )


def test_resamples_at_once_and_nothing_to_tell():
    unit, score = table(5)
    sums = krippendorff_many.unit_sums(unit, score, "quadratic")
    many = krippendorff_many.alpha(np.stack([sums.sum(axis=0), 2 * sums.sum(axis=0)]))
    assert many.shape == (2,)
    assert many[0] == pytest.approx(by_definition(unit, score))
    flat = krippendorff_many.unit_sums(unit, np.full(len(unit), 3.0), "quadratic")
    assert np.isnan(krippendorff_many.alpha(flat.sum(axis=0)))


def test_ranks_share_their_mean():
    values = np.array([3.0, 1, 3, 2, 3])
    assert krippendorff_many.mid_ranks(values).tolist() == stats.rankdata(values).tolist()

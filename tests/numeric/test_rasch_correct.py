"""Corrections of the many-facet model: shares of ratings by hand, totals met, wider errors."""

import numpy as np
import pytest

from svcmetrics.numeric import rasch, rasch_correct
from tests.numeric.test_rasch import SIZES, chances, rated


def test_shares_that_the_joint_likelihood_leaves():
    """(L - 1) / L with L the ratings of a target, over the targets that tell of a facet."""
    target = np.array([0, 0, 0, 1, 1, 2, 3, 3])
    rater = np.array([0, 1, 2, 0, 0, 1, 1, 1])  # two raters on the first target only
    item = np.array([0, 0, 0, 0, 1, 0, 0, 1])
    none, x = np.zeros(8, int), np.array([0, 1, 2, 0, 1, 2, 0, 1])
    data = rasch.Data(x, target, (rater, item, none), (4, 3, 2, 1), none, 2)
    others, steps = rasch_correct.factors(data)
    assert others == pytest.approx([(3 - 1) / 3, (4 - 2) / 4, 1.0])
    assert steps == pytest.approx((7 - 3) / 7)


@pytest.mark.parametrize("weight", [False, True])
def test_offsets_meet_the_totals_of_every_code(weight):
    data = rated(1, sets=3, weight=weight)
    rng = np.random.default_rng(2)
    codes, base = rng.integers(0, 4, len(data.x)), rng.normal(0, 0.8, len(data.x))
    thresholds = rng.normal(0, 0.7, (3, 3))
    for start in (0.0, 2.5, -2.5):
        found, information = rasch_correct.offsets(
            data, codes, 4, base, thresholds, np.full(4, start)
        )
        p = np.stack([
            chances(b + found[c], thresholds[g])
            for b, c, g in zip(base, codes, data.group, strict=True)
        ])  # fmt: skip
        mean = p @ np.arange(4)
        spread = p @ np.arange(4) ** 2 - mean**2
        for k in range(4):
            own = codes == k
            assert (data.times * data.x)[own].sum() == pytest.approx((data.times * mean)[own].sum())
            assert information[k] == pytest.approx((data.times * spread)[own].sum(), rel=1e-4)


def test_extreme_totals_are_moved_by_the_room_asked_for():
    data = rated(3)
    data.x[data.target == 0], data.x[data.target == 1] = 0, 3
    data.x[data.target == 2] = np.r_[1, np.zeros((data.target == 2).sum() - 1, int)]
    none = np.zeros(len(data.x))
    thresholds = np.array([[-0.5, 0.0, 0.5]])
    found, _ = rasch_correct.offsets(
        data, data.target, SIZES[0], none, thresholds, np.zeros(9), 0.3
    )
    n = np.bincount(data.target)
    for target, total in ((0, 0.3), (1, 3 * n[1] - 0.3), (2, 1.0)):
        assert n[target] * chances(found[target], thresholds[0]) @ np.arange(4) == pytest.approx(
            total
        )
    one = rasch.Data(
        data.x[:1] * 0, data.target[:1], (np.zeros(1, int),), (1, 1), np.zeros(1, int), 1
    )
    half, _ = rasch_correct.offsets(
        one, np.zeros(1, int), 1, none[:1], np.zeros((1, 1)), np.zeros(1), 0.8
    )
    assert half == pytest.approx([0])  # more room than there is: the middle


def test_errors_of_thresholds_are_wider_by_the_root_of_the_variances():
    """Of three thresholds with mean zero, inverse within that plane; never narrower."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 9, 3))
    taken = x.T @ x + 3 * np.eye(3)
    plane = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])

    def variances(m):
        return np.diagonal(plane.T @ np.linalg.inv(plane @ m @ plane.T) @ plane)

    seen = taken / 2 + 0.01 * (y.T @ y)
    told = np.sqrt(np.maximum(variances(seen) / variances(taken), 1))
    assert rasch_correct.wider(seen, taken) == pytest.approx(told)
    assert (told > 1).any()
    assert rasch_correct.wider(taken * 2, taken).tolist() == [1, 1, 1]


def test_a_corrected_fit_is_less_drawn_apart_and_keeps_anchors_and_means():
    data = rated(5, (60, 4, 2))
    plain = rasch.fit(data)
    none = tuple(np.full(n, np.nan) for n in data.sizes)
    found = rasch_correct.corrected(data, plain, none)
    assert found.converged
    assert found.thresholds.std() < plain.thresholds.std()
    assert np.std(found.measures[1]) < np.std(plain.measures[1])
    assert [m.mean() for m in found.measures[1:]] == pytest.approx([0, 0], abs=1e-9)
    anchors = tuple(a.copy() for a in none)
    anchors[1][0] = 0.4
    held = rasch_correct.corrected(data, rasch.fit(data, anchors), anchors)
    assert held.measures[1][0] == pytest.approx(0.4)
    # The anchor moves the whole facet, and the targets with it.
    assert held.measures[1] - held.measures[1][0] == pytest.approx(
        found.measures[1] - found.measures[1][0], abs=2e-3
    )


def test_raters_of_blocks_have_mean_zero_in_each():
    data = rated(6)
    found = rasch.fit(data)
    loose = rasch.Fitted(
        found.measures, found.thresholds, 1, 0.0, True, found.errors, found.threshold_errors, (1,)
    )
    targets, raters = np.arange(9) % 2, np.array([0, 0, 0, 1, 1, 1])
    said = rasch_correct.within_blocks(loose, targets, raters)
    mean = [found.measures[1][raters == k].mean() for k in (0, 1)]
    assert said.measures[1] == pytest.approx(found.measures[1] - np.repeat(mean, 3))
    assert said.measures[0] == pytest.approx(found.measures[0] - np.array(mean)[targets])
    assert rasch_correct.within_blocks(loose, targets * 0, raters * 0) is loose
    assert rasch_correct.within_blocks(found, targets, raters) is found or found.loose

"""Several that stand out at once: Rosner's example, exact chances, and honest groups left alone."""

from __future__ import annotations

from functools import partial
from math import comb

import numpy as np
import pytest
from scipy import special, stats

from svcmetrics.numeric import masking, outlier_counts, outliers
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.numeric.outliers import Against

# Rosner 1983, Technometrics 25, 165-172; NIST/SEMATECH e-Handbook of Statistical Methods 1.3.5.17.3.
ROSNER = np.array([
    -0.25, 0.68, 0.94, 1.15, 1.20, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58, 1.65, 1.69,
    1.70, 1.76, 1.77, 1.81, 1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.10, 2.14, 2.15, 2.23, 2.24, 2.26, 2.35,
    2.37, 2.40, 2.47, 2.54, 2.62, 2.64, 2.90, 2.92, 2.92, 2.93, 3.21, 3.26, 3.30, 3.59, 3.68, 4.30, 4.64,
    5.34, 5.42, 6.01,
])  # fmt: skip
# Printed there: number taken out, statistic and critical value (5%, two-sided), digits cut off.
PRINTED = [
    (3.118, 3.158), (2.942, 3.151), (3.179, 3.143), (2.810, 3.136), (2.815, 3.128),
    (2.848, 3.120), (2.279, 3.111), (2.310, 3.103), (2.101, 3.094), (2.067, 3.085),
]  # fmt: skip
# So small an error of their own that values count as they are.
SURE = 1e-9


def extreme(t: float, n: int) -> float:
    """The distance from the mean of all n, in their standard deviations, that a deleted t belongs to."""
    return (n - 1) * t / np.sqrt(n * (n - 2 + t**2))


def cut(value: float) -> float:
    return np.floor(1000 * value) / 1000


def test_the_table_of_rosner_as_printed():
    apart, held = np.zeros(54, bool), []
    for step, (statistic, critical) in enumerate(PRINTED):
        n = 54 - step
        found = outliers.deleted(ROSNER, np.full(54, SURE), apart)
        far = np.abs(np.where(apart, 0, found.t))
        assert cut(extreme(far.max(), n)) == statistic
        limit = special.stdtrit(n - 2, 1 - 0.05 / (2 * n))
        assert cut(extreme(limit, n)) == critical
        # One alone: the chance that a set of one is that far, times all such sets.
        assert n * outliers.together(np.array([limit]), 1, n - 1)[0] == pytest.approx(0.025)
        held.append(far.max() > limit)
        apart[far.argmax()] = True
    assert np.flatnonzero(held).tolist() == [2]  # so three, the first two hidden by the third


def test_the_search_finds_the_three_of_rosner():
    found = masking.several(partial(outliers.deleted, ROSNER, np.full(54, SURE)), 54)
    adjusted = benjamini_hochberg(found.p)
    assert np.flatnonzero(adjusted <= 0.05).tolist() == [51, 52, 53]
    # The third holds by Rosner's value, one-sided, among the 52 that are left.
    third = outliers.deleted(ROSNER[:52], np.full(52, SURE)).p[-1]
    assert adjusted[51] == pytest.approx(52 * third) and adjusted[52] == adjusted[51]
    assert 2 * 52 * third == pytest.approx(0.0430, abs=5e-5)


# One-sided critical values at 5% of Grubbs & Beck 1972, Technometrics 14, 847-854, table 1.
@pytest.mark.parametrize(("n", "printed"), [(6, 1.822), (8, 2.032), (10, 2.176), (20, 2.557)])
def test_one_alone_has_the_critical_values_of_grubbs(n, printed):
    high, low = printed - 0.0005, printed + 0.0005
    t = np.array([x * np.sqrt(n * (n - 2) / ((n - 1) ** 2 - n * x**2)) for x in (high, low)])
    above, below = n * outliers.together(t, 1, n - 1)
    assert below <= 0.05 <= above


@pytest.mark.parametrize("others", [4, 6, 60, 400])
def test_a_set_of_one_is_students_t(others):
    t = np.array([-1.0, 0.0, 1.5, 4.0, 12.0])
    np.testing.assert_allclose(
        outliers.together(t, 1, others), stats.t.sf(t, others - 1), rtol=1e-6
    )


@pytest.mark.parametrize(("groups", "many", "limit"), [(8, 2, 3.0), (8, 3, 2.96), (12, 2, 2.7)])
def test_a_set_of_several_is_as_likely_as_in_normal_samples(groups, many, limit):
    y = np.sort(np.random.default_rng(1).normal(size=(100_000, groups)), axis=1)
    rest = y[:, : groups - many]
    error = rest.std(axis=1, ddof=1) * np.sqrt(1 + 1 / rest.shape[1])
    often = ((y[:, groups - many] - rest.mean(axis=1)) / error > limit).mean()
    chance = comb(groups, many) * outliers.together(np.array([limit]), many, groups - many)[0]
    # Three standard errors of 100,000 samples.
    assert chance == pytest.approx(often, abs=3 * np.sqrt(0.05 * 0.95 / 100_000))


def test_two_that_hide_one_another_are_judged_by_those_who_do_not():
    y = np.array([0.1, -0.1, 0.0, 0.2, -0.2, 0.05, 3.0, 2.0])
    v = np.full(8, 0.01)
    alone = outliers.deleted(y, v)
    assert benjamini_hochberg(alone.p).min() > 0.05
    found = masking.several(partial(outliers.deleted, y, v), 8)
    apart = np.arange(8) > 5
    clean = outliers.deleted(y, v, apart)
    assert (found.p[apart] < 1e-3).all() and found.p[6] == found.p[7]
    for mine, those, before in zip(found[:2], clean[:2], alone[:2], strict=True):
        assert mine.tolist() == np.where(apart, those, before).tolist()
    assert found.p[:6].tolist() == np.minimum(alone.p[:6] / 0.9, 1).tolist()
    assert found.expected[6] == pytest.approx(np.mean(y[:6]))


def test_those_set_apart_are_nobodys_others():
    rng = np.random.default_rng(4)
    y, v = rng.normal(0, 1, 9), rng.uniform(0.05, 2, 9)
    apart = np.isin(np.arange(9), [2, 5])
    found = outliers.deleted(y, v, apart)
    fewer = outliers.deleted(y[~apart], v[~apart])
    for own in (2, 5):
        one = outliers.deleted(np.append(y[~apart], y[own]), np.append(v[~apart], v[own]))
        assert [a[own] for a in found[:3]] == pytest.approx([a[-1] for a in one[:3]])
    for mine, other in zip(found[:3], fewer[:3], strict=True):
        np.testing.assert_allclose(mine[~apart], other)
    assert found.together[apart].tolist() == outliers.together(found.t[apart], 2, 7).tolist()
    one = outliers.deleted(y, v, np.arange(9) == 2)
    np.testing.assert_allclose(one.together, one.p, rtol=1e-6)


class Said:
    """A judge that says what it is told, by how many are set apart, and remembers who they were.

    A way: p of each, and the chance of the set; the last one is of so many or more.
    """

    def __init__(self, *ways: tuple[list[float], float]) -> None:
        self.ways, self.asked = ways, []

    def __call__(self, apart: np.ndarray | None = None) -> Against:
        self.asked.append([] if apart is None else np.flatnonzero(apart).tolist())
        many = len(self.asked[-1])
        p, together = self.ways[min(many, len(self.ways) - 1)]
        return Against(*np.full((2, len(p)), float(many)), np.array(p), np.full(len(p), together))


@pytest.mark.parametrize(
    ("groups", "most"), [(5, 0), (6, 2), (7, 3), (8, 3), (9, 4), (20, 9), (21, 10), (30, 10)]
)
def test_fewer_than_half_are_set_apart_and_four_are_left(groups, most):
    p = np.linspace(0.5, 0.9, groups)
    judge = Said((p.tolist(), 1.0))
    found = masking.several(judge, groups)
    assert judge.asked == [[], *(list(range(m)) for m in range(1, most + 1))]
    # Where nobody can be set apart, all of the chance stays with one alone.
    assert found.p.tolist() == (p if most == 0 else np.minimum(p / 0.9, 1)).tolist()


ALONE = [0.36, 0.18, 0.27, 0.45, 0.54, 0.63, 0.72, 0.95]
SECOND = [0.36, 0.18, 0.1, 0.45, 0.54, 0.63, 0.72, 0.9]


def said(least: float, together: float, third: float = 1.0) -> Against:
    """p of eight groups of which the second and the third are set apart, then the first, too."""
    two = [0.3, 0.01, least, 0.45, 0.54, 0.63, 0.72, 0.9]
    three = [third, 0.01, 0.01, 0.45, 0.54, 0.63, 0.72, 0.9]
    judge = Said((ALONE, 1.0), (SECOND, 1.0), (two, together), (three, 1e-5))
    found = masking.several(judge, 8)
    assert judge.asked == [[], [1], [1, 2], [0, 1, 2]]
    return found


def test_the_chance_of_a_set_counts_all_sets_and_ways():
    """Alone with nine tenths of the chance, two and three at once with a twentieth each."""
    found = said(0.02, 4e-4)
    # In seven sets of two of eight; the others stay what they are alone.
    assert found.p.tolist() == pytest.approx([0.4, 0.056, 0.056, 0.5, 0.6, 0.7, 0.8, 1.0])
    assert found.expected.tolist() == found.t.tolist() == [0, 2, 2, 0, 0, 0, 0, 0]
    # Clearer alone than as a set: 7 × 0.0015 / 0.05 = 0.21; the other is not.
    assert said(0.02, 1.5e-3).p[:3].tolist() == pytest.approx([0.4, 0.2, 0.21])


def test_who_is_as_clear_alone_stays_alone():
    p = [0.9, 0.18, 0.39375, 0.9, 0.9, 0.9, 0.9, 0.9]
    two = [0.9, 0.01, 0.25, 0.9, 0.9, 0.9, 0.9, 0.9]
    found = masking.several(Said((p, 1.0), (p, 1.0), (two, 1e-9), (p, 1.0)), 8)
    assert 0.25 * 7 * 2 / 8 == found.p[2] == 0.4375 and found.t[2] == 0


def test_the_least_clear_of_a_set_must_hold_by_rosners_value():
    """Seven are left when the last of two is judged: times 7, as p of two among eight times 8 / 2."""
    assert said(0.04, 4e-4).p[:3].tolist() == pytest.approx([0.4, 0.07, 0.07])
    # As one of three: six are left, and 21 sets of three hold one group.
    assert said(0.04, 4e-4, third=0.02).p[:3].tolist() == pytest.approx([0.045] * 3)
    assert said(0.04, 4e-4, third=0.01).p[:3].tolist() == pytest.approx([0.0225] * 3)


@pytest.mark.parametrize("groups", [6, 8, 20])
def test_honest_groups_are_seldom_flagged_alone_or_together(groups):
    rng, runs, alarms = np.random.default_rng(6), 200, 0
    for _ in range(runs):
        v = rng.uniform(0.1, 0.6, groups)
        y = rng.normal(0, np.sqrt(v + 0.65))
        p = masking.several(partial(outliers.deleted, y, v), groups).p
        alarms += benjamini_hochberg(p).min() <= 0.05
    assert alarms <= stats.binom.ppf(0.999, runs, 0.05)


def test_two_and_three_of_eight_are_seen_in_counts():
    """A fifth of the cases in departments of 150 to 1,500, of which 2% are honest hits."""
    rng, alone, several = np.random.default_rng(7), np.zeros(2), np.zeros(2)
    for _ in range(15):
        for k, many in enumerate((2, 3)):
            trials = np.exp(rng.uniform(np.log(150), np.log(1500), 8)).round()
            odds = special.logit(0.02) + 0.3 * rng.normal(size=8)
            hits = rng.binomial(trials.astype(int), special.expit(odds)).astype(float)
            hits[:many] += rng.binomial((trials - hits)[:many].astype(int), 0.3)
            judge = outlier_counts.above(hits, trials)
            alone[k] += (benjamini_hochberg(judge().p)[:many] <= 0.05).all()
            several[k] += (benjamini_hochberg(masking.several(judge, 8).p)[:many] <= 0.05).all()
    assert (alone <= 2).all() and (several >= 8).all()

"""Mean squares of resamples, one at a time and in stacks; the reading of one rater and of many."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import agreement, agreement_sums, icc


def test_resamples_have_the_mean_squares_of_the_targets_drawn():
    rng = np.random.default_rng(1)
    table = rng.integers(1, 8, (9, 4)).astype(float)
    sums = icc.unit_sums(table)
    times = rng.multinomial(9, np.full(9, 1 / 9), (2, 5))
    found = icc.mean_squares_of_sums(times @ sums, 9)
    for a in range(2):
        for b in range(5):
            drawn = np.repeat(table, times[a, b], axis=0)
            expected = icc.mean_squares(drawn)
            alone = icc.mean_squares_of_sums(times[a, b] @ sums, 9)
            for k in range(4):
                assert found[k][a, b] == pytest.approx(float(expected[k]))
                assert float(alone[k]) == pytest.approx(float(expected[k]))


def test_mean_squares_are_those_of_the_analysis_of_variance():
    rng = np.random.default_rng(2)
    table = rng.normal(size=(6, 5)) + 1e6
    ms = icc.mean_squares(table)
    n, k = table.shape
    grand, rows, columns = table.mean(), table.mean(axis=1), table.mean(axis=0)
    rest = table - rows[:, None] - columns + grand
    expected = [k * rows.var(ddof=1), n * columns.var(ddof=1), (rest**2).sum() / 20,
                table.var(axis=1, ddof=1).mean()]  # fmt: skip
    np.testing.assert_allclose([float(v) for v in ms[:4]], expected, rtol=1e-8)
    f, df1, df2, p = icc.f_tests(ms)
    assert f[0] == pytest.approx(stats.f_oneway(*table).statistic)
    assert p[0] == pytest.approx(stats.f_oneway(*table).pvalue)
    assert df1.tolist() == [5] * 6 and df2.tolist() == [24, 20, 20] * 2
    assert f[1] == pytest.approx(expected[0] / expected[2])
    assert p[2] == pytest.approx(stats.f.sf(f[2], 5, 20))


def test_the_mean_of_many_is_stepped_up_and_its_limits_with_it():
    table = np.random.default_rng(3).normal(size=(8, 3)) + np.arange(8.0)[:, None]
    forms = icc.six_forms(icc.mean_squares(table))
    np.testing.assert_allclose(icc.stepped_up(forms[:3], 3), forms[3:])
    low, high = icc.six_limits(icc.mean_squares(table))
    assert (low < forms).all() and (forms < high).all()
    np.testing.assert_allclose(icc.stepped_up(low[:3], 3), low[3:])
    np.testing.assert_allclose(icc.stepped_up(high[:3], 3), high[3:])
    assert np.isnan(icc.stepped_up(np.nan, 3)) and icc.stepped_up(-1.0, 3) == -np.inf


def test_the_kappa_of_a_category_is_that_of_it_against_all_others():
    """Fleiss 1971: kappa of a category is kappa of the answers written as this one or another."""
    rng = np.random.default_rng(4)
    code = rng.integers(0, 3, (12, 5))
    unit, rater = (v.ravel() for v in np.indices(code.shape))

    def units(codes, size):
        ratings = agreement_sums.Ratings(unit, rater, codes.ravel(), 12, 5)
        return agreement_sums.unit_sums(ratings, np.arange(float(size)), "nominal")

    place = agreement.COEFFICIENTS.index("fleiss")
    found = agreement.category_kappas(units(code, 4))  # the fourth is never given
    for k in range(3):
        own = units((code == k).astype(int), 2)
        assert found[k] == pytest.approx(agreement.coefficients(own.stats.sum(axis=0), own)[place])
    assert np.isnan(found[3])

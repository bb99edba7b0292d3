"""Covariance within forms of two waves, and rises of raters, one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import steadiness


def test_forms_are_compared_over_the_items_answered_both_times():
    rng = np.random.default_rng(1)
    wave = np.repeat([0, 1, 2], 6)
    answers = rng.integers(1, 8, (18, 5)).astype(float)
    answers[rng.random(answers.shape) < 0.15] = np.nan
    now, before = np.arange(6, 18), np.arange(12)
    cross, square = steadiness.apart(answers, wave, now, before)
    away = answers.copy()
    for w in range(3):
        away[wave == w] -= np.nanmean(answers[wave == w], axis=0)
    for k, (i, j) in enumerate(zip(now, before, strict=True)):
        both = np.isfinite(away[i]) & np.isfinite(away[j])
        one, two = away[i, both], away[j, both]
        if both.sum() > 1:
            assert cross[k] == pytest.approx(np.cov(one, two)[0, 1])
            assert square[k] == pytest.approx(one.var(ddof=1))


def test_a_rise_is_that_against_the_own_first_wave():
    rng = np.random.default_rng(2)
    rater, wave = np.tile(np.repeat(np.arange(7), 2), 3), np.repeat([0, 1, 2], 14)
    values = rng.normal(size=42) + 0.5 * wave
    values[[3, 17]] = np.nan
    values[(rater == 6) & (wave == 0)] = np.nan  # begins in the second wave
    p = steadiness.risen(values, wave, rater + 10, 3)

    def total(r, w):
        return values[(rater == r) & (wave == w) & np.isfinite(values)]

    for w, who in ((1, range(6)), (2, range(7))):
        first = {r: total(r, 0) if r < 6 else total(r, 1) for r in who}
        away = np.array([total(r, w).sum() - len(total(r, w)) * first[r].mean() for r in who])
        spread = np.sqrt(((away - away.mean()) ** 2).sum())
        assert p[w] == pytest.approx(stats.norm.sf(away.sum() / spread))
    assert np.isnan(p[0])


def test_five_raters_are_enough_and_equal_ones_tell_nothing():
    for raters in (4, 5):
        rater, wave = np.tile(np.arange(raters), 2), np.repeat([0, 1], raters)
        values = np.r_[np.zeros(raters), np.arange(raters) - 1.0]
        p = steadiness.risen(values, wave, rater, 2)
        assert np.isnan(p[1]) == (raters == 4)
        same = steadiness.risen(np.zeros(2 * raters), wave, rater, 2)
        assert np.isnan(same[1]) if raters == 4 else same[1] == 1.0

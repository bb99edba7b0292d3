"""Trends of raters: straight lines by hand, with the scatter of all about them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import drift
from svcmetrics.numeric.within import centred


def forms():
    rng = np.random.default_rng(2)
    raters, waves, targets = 6, 5, 4
    rater, wave, target = (
        x.ravel() for x in np.meshgrid(range(raters), range(waves), range(targets))
    )
    kept = rng.random(len(rater)) < 0.8
    kept &= ~((rater == 5) & (wave > 1))  # two waves only: no trend of its own
    rater, wave, target = rater[kept], wave[kept], target[kept]
    y = rng.normal(size=len(rater)) + 0.4 * (rater == 2) * wave
    return y, rater, rater * targets + target, wave, target * waves + wave


def test_a_trend_is_the_weighted_line_through_the_means_of_a_rater():
    y, rater, pair, wave, moment = forms()
    pair = np.unique(pair, return_inverse=True)[1]
    moment = np.unique(moment, return_inverse=True)[1]
    slope, p = drift.trends(y, rater, pair, wave, moment)
    away = centred(y, [pair, moment])
    lines, scatter, free, square = {}, 0.0, 0, {}
    for r in range(5):
        t = np.unique(wave[rater == r]).astype(float)
        assert len(t) > 2
        cells = [(rater == r) & (wave == w) for w in t]
        n, m = np.array([c.sum() for c in cells]), np.array([away[c].mean() for c in cells])
        lines[r] = np.polyfit(t, m, 1, w=np.sqrt(n))
        scatter += (n * (m - np.polyval(lines[r], t)) ** 2).sum()
        square[r] = (n * (t - np.average(t, weights=n)) ** 2).sum()
        free += len(t) - 2
    for r in range(5):
        assert slope[r] == pytest.approx(lines[r][0])
        value = abs(lines[r][0]) / np.sqrt(scatter / free / square[r])
        assert p[r] == pytest.approx(2 * stats.t.sf(value, free))
    assert np.isnan(slope[5]) and np.isnan(p[5]) and len(slope) == len(p) == 6


def test_without_a_degree_of_freedom_there_is_no_trend():
    rater, wave = np.repeat([0, 1], 4), np.tile([0, 0, 1, 1], 2)
    y = np.arange(8.0)
    slope, p = drift.trends(y, rater, rater, wave, wave)
    assert np.isnan(slope).all() and np.isnan(p).all()

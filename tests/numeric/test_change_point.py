"""Steps of a series, over-dispersed counts, trends and summaries beside plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import counts, drift, summaries, within
from svcmetrics.numeric.change_point import change_point, multiplier_noise


def test_the_largest_step_of_all_splits_with_waves_weighed_by_precision():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(400, 6)) * np.array([1, 2, 1, 1, 0.5, 1])
    series = np.array([0.0, 1.0, np.nan, 0.2, 4.0, 4.4])
    found = change_point(series, noise)
    known = np.array([0, 1, 3, 4, 5])
    w, x, e = 1 / noise[:, known].var(axis=0), series[known], noise[:, known]

    def step(values, split):
        late = np.average(values[..., split:], weights=w[split:], axis=-1)
        return late - np.average(values[..., :split], weights=w[:split], axis=-1)

    ratio = [abs(step(x, s)) / step(e, s).std() for s in range(1, 5)]
    best = 1 + int(np.argmax(ratio))
    top = np.max([np.abs(step(e, s)) / step(e, s).std() for s in range(1, 5)], axis=0)
    error = step(e, best).std()
    assert found.first == known[best] == 4
    assert found.size == pytest.approx(step(x, best))
    half = np.quantile(top, 0.95) * error
    assert (found.low, found.high) == pytest.approx((found.size - half, found.size + half))
    assert found.p == pytest.approx((1 + (top >= max(ratio)).sum()) / 401)
    assert change_point(series[:2], noise[:, :2]) is None
    assert change_point(series[:3], noise[:, :3]) is None  # two of the three are known
    assert change_point(series, np.zeros_like(noise)) is None
    assert change_point(np.zeros(3), noise[:, :3]) is not None


def test_noise_has_the_covariance_of_the_deviations():
    moved = np.array([[1.0, 0.5], [0.0, 2.0], [-1.0, 1.0]])
    drawn = multiplier_noise(moved, 40_000, np.random.default_rng(2))
    np.testing.assert_allclose(np.cov(drawn.T), moved.T @ moved, atol=0.12)


def test_counts_on_the_log_scale_are_those_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(3)
    x = np.column_stack([np.ones(40), np.arange(40.0) / 40, rng.normal(size=40)])
    offset = np.log(rng.uniform(1, 4, 40))
    y = rng.poisson(np.exp(offset + x @ [0.5, 0.7, -0.3])).astype(float)
    fit = counts.poisson(y, x, offset)
    peer = sm.GLM(y, x, family=sm.families.Poisson(), offset=offset).fit(tol=1e-12)
    np.testing.assert_allclose(fit.beta, peer.params, rtol=1e-8)
    np.testing.assert_allclose(fit.covariance, peer.cov_params(), rtol=1e-6)
    assert fit.df == 37
    assert fit.dispersion == pytest.approx(peer.pearson_chi2 / 37)
    assert np.isnan(counts.poisson(y[:3], x[:3], offset[:3]).dispersion)
    robust = sm.GLM(y, x, family=sm.families.Poisson(), offset=offset).fit(
        tol=1e-12, cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True}
    )
    np.testing.assert_allclose(counts.autocorrelated(fit, y, x, 3), robust.cov_params(), rtol=1e-6)


def test_a_season_is_the_same_one_period_later():
    at = np.array([0.0, 2.0, 5.0])
    waves = counts.harmonics(at, 12, 2)
    np.testing.assert_allclose(waves, counts.harmonics(at + 12, 12, 2), atol=1e-12)
    np.testing.assert_allclose(waves[0], [0, 0, 1, 1], atol=1e-12)
    np.testing.assert_allclose(waves[1], [np.sin(np.pi / 3), np.sin(2 * np.pi / 3), 0.5, -0.5])


def test_means_and_quantiles_of_one_sample():
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    middle, low, high = summaries.mean(values)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 6, middle, stats.sem(values)))
    middle, low, high = summaries.geometric_mean(values)
    assert middle == pytest.approx(8.0) and middle**2 == pytest.approx(low * high)
    assert summaries.quantile(values, 0.5) == (8.0, 1.0, 64.0)
    assert np.isnan(summaries.quantile(values, 0.99)[2])
    assert np.isnan(summaries.quantile(values, 0.01)[1])
    assert summaries.mean(values[:1])[0] == 1.0 and np.isnan(summaries.mean(values[:1])[1:]).all()
    assert np.isfinite(summaries.mean(values[:2])).all()
    assert np.isnan(summaries.mean(values[:0])).all()
    assert np.isnan(summaries.quantile(values[:0], 0.5)).all()


def test_trends_of_raters_are_slopes_of_their_means_with_pooled_scatter():
    rng = np.random.default_rng(4)
    rater, wave, target = (v.ravel() for v in np.indices((5, 4, 6)))
    y = rng.normal(size=len(rater)) + 0.4 * wave * (rater == 2)
    pair, moment = rater * 6 + target, target * 4 + wave
    slope, p = drift.trends(y, rater, pair, wave, moment)
    away = within.centred(y, [pair, moment])
    time, rest = np.arange(4.0), 0.0
    for r in range(5):
        means = [away[(rater == r) & (wave == w)].mean() for w in range(4)]
        line = stats.linregress(time, means)
        assert slope[r] == pytest.approx(line.slope)
        rest += 6 * ((np.array(means) - line.intercept - line.slope * time) ** 2).sum()
    error = np.sqrt(rest / (5 * 4 - 2 * 5) / (6 * 5))  # 5: the squares of -1.5, -0.5, 0.5, 1.5
    np.testing.assert_allclose(p, 2 * stats.t.sf(np.abs(slope) / error, 10))
    # In two waves there is no scatter about a line.
    two = wave < 2
    none, p = drift.trends(y[two], rater[two], pair[two], wave[two], moment[two])
    assert np.isnan(none).all() and np.isnan(p).all()


def test_a_slope_within_groups_has_the_jackknife_error_of_its_clusters():
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(4), 6)
    x, y = rng.normal(size=(2, 24))
    found = within.slope_of_centred(y, x, cluster)
    assert found.estimate == pytest.approx((x @ y) / (x @ x))
    left = np.array([(x @ y - x[c] @ y[c]) / (x @ x - x[c] @ x[c])
                     for c in (cluster == k for k in range(4))])  # fmt: skip
    error = np.sqrt(3 / 4 * ((left - found.estimate) ** 2).sum())
    half = stats.t.ppf(0.975, 3) * error
    assert (found.low, found.high) == pytest.approx((found.estimate - half, found.estimate + half))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.estimate) / error, 3))
    assert found.clusters == 4
    some = within.slope_of_centred(y, np.where(cluster < 2, x, 0.0), cluster)
    assert np.isnan(some.estimate) and some.clusters == 2
    assert np.isfinite(within.slope_of_centred(y, np.where(cluster < 3, x, 0.0), cluster).p)
    exact = within.slope_of_centred(2 * x, x, cluster)
    assert exact.estimate == pytest.approx(2) and exact.p < 1e-6

"""Consistency of items: every shortcut beside the long way round."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from svcmetrics.numeric import consistency


def table(missing=0.0, persons=25, items=4):
    rng = np.random.default_rng(1)
    x = np.rint(3 + rng.normal(size=(persons, 1)) + rng.normal(size=(persons, items)))
    x[rng.random(x.shape) < missing] = np.nan
    return x


def plain_alpha(x):
    k = x.shape[1]
    return k / (k - 1) * (1 - x.var(axis=0, ddof=1).sum() / x.sum(axis=1).var(ddof=1))


def test_covariances_of_pairs_are_those_of_the_persons_who_have_both():
    x = table(0.3)
    x[:, 3] = np.nan
    x[0, 3] = 2.0
    found, n = consistency.covariances(x)
    np.testing.assert_allclose(found[:3, :3], pd.DataFrame(x[:, :3]).cov().to_numpy(), atol=1e-12)
    known = np.isfinite(x).astype(int)
    assert n.tolist() == (known.T @ known).tolist()
    assert np.isnan(found[3, 3])  # one answer
    nothing, none = consistency.covariances(np.full((3, 2), np.nan))
    assert np.isnan(nothing).all() and (none == 0).all()
    flat, _ = consistency.covariances(np.tile([0.1, 1e9], (5, 1)))
    assert (flat == 0).all()
    r = consistency.correlations(found[:3, :3])
    np.testing.assert_allclose(np.diag(r), 1.0)
    assert np.isnan(consistency.correlations(np.array([[1.0, 0], [0, 0]]))[1]).all()


def test_alpha_and_alpha_without_an_item():
    x = table()
    c = consistency.covariances(x)[0]
    assert consistency.alpha(c) == pytest.approx(plain_alpha(x))
    expected = [plain_alpha(np.delete(x, i, axis=1)) for i in range(4)]
    np.testing.assert_allclose(consistency.alpha_without(c), expected)
    assert np.isnan(consistency.alpha_without(c[:2, :2])).all()
    assert np.isfinite(consistency.alpha_without(c[:3, :3])).all()
    rest = [np.corrcoef(x[:, i], np.delete(x, i, axis=1).sum(axis=1))[0, 1] for i in range(4)]
    np.testing.assert_allclose(consistency.item_rest(c), rest)
    assert np.isnan(consistency.alpha(np.zeros((3, 3))))
    assert np.isnan(consistency.alpha(np.array([[1.0, -1], [-1, 1]])))


def test_lambda6_takes_what_the_others_cannot_predict_for_error():
    x = table()
    c = consistency.covariances(x)[0]
    z = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    error = 0.0
    for i in range(4):
        others = np.delete(z, i, axis=1)
        away = z[:, i] - others @ np.linalg.lstsq(others, z[:, i], rcond=None)[0]
        error += away @ away / (len(z) - 1)
    r = consistency.correlations(c)
    assert consistency.lambda6(r) == pytest.approx(1 - error / r.sum())
    assert np.isnan(consistency.lambda6(np.ones((2, 2))))
    assert np.isnan(consistency.lambda6(np.empty((0, 0))))


def test_limits_of_alpha_are_quantiles_of_f():
    low, high = consistency.feldt(np.array(0.8), 41, 5)
    assert low == pytest.approx(1 - 0.2 * stats.f.ppf(0.975, 40, 160))
    assert high == pytest.approx(1 - 0.2 * stats.f.ppf(0.025, 40, 160))


def test_alpha_of_resamples_from_sums_is_that_of_the_persons_drawn():
    x, rng = table(), np.random.default_rng(2)
    drawn = rng.integers(0, 25, (6, 25))
    sums = consistency.alpha_sums(x)[drawn].sum(axis=1)
    expected = [plain_alpha(x[d]) for d in drawn]
    np.testing.assert_allclose(consistency.alpha_of_sums(sums, 25), expected)
    same = consistency.alpha_sums(np.full((5, 3), 2.0)).sum(axis=0)
    assert np.isnan(consistency.alpha_of_sums(same, 5))


def test_pairwise_alpha_of_resamples_goes_through_pairwise_covariances():
    x, rng = table(0.3), np.random.default_rng(3)
    drawn = rng.integers(0, 25, (6, 25))
    sums = consistency.pairwise_sums(x)[drawn].sum(axis=1)
    for d, found, alpha in zip(drawn, consistency.covariances_of_pairwise(sums, 4),
                               consistency.alpha_of_pairwise(sums, 4), strict=True):  # fmt: skip
        peer = pd.DataFrame(x[d]).cov().to_numpy()
        np.testing.assert_allclose(found, peer, atol=1e-10)
        assert alpha == pytest.approx(4 / 3 * (1 - np.trace(peer) / peer.sum()))
    apart = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, 1.0], [np.nan, 4.0]])
    none = consistency.covariances_of_pairwise(consistency.pairwise_sums(apart).sum(axis=0), 2)
    assert np.isnan(none[0, 1]) and none[0, 0] == pytest.approx(0.5)

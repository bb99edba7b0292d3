"""Every index of a form by a plain loop over the form, with and without missing answers."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from svcmetrics.numeric import careless, careless_indices


def table(missing: float, seed=1, forms=40, items=6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.clip(
        np.rint(3 + rng.normal(0, 0.8, (forms, 1)) + rng.normal(0, 0.9, (forms, items))), 1, 5
    )
    x[0] = 4.0
    x[rng.random(x.shape) < missing] = np.nan
    return x


@pytest.fixture(params=[0.0, 0.25], ids=["whole", "missing"])
def x(request) -> np.ndarray:
    found = table(request.param)
    if request.param:
        found[1], found[2, 1:] = np.nan, np.nan  # nothing, and one answer
        found[2, 0] = 3.0
    return found


def given(row: np.ndarray) -> np.ndarray:
    return row[np.isfinite(row)]


def test_runs_and_spread(x):
    runs = [[len(list(g)) for _, g in itertools.groupby(given(row))] for row in x]
    np.testing.assert_array_equal(careless.longstring(x), [max(r, default=0) for r in runs])
    mean = [np.mean(r) if r else np.nan for r in runs]
    np.testing.assert_allclose(careless.avgstring(x), mean)
    spread = [given(row).std(ddof=1) if len(given(row)) > 1 else np.nan for row in x]
    np.testing.assert_allclose(careless.irv(x), spread, atol=1e-12)
    same = [len(set(given(row))) <= 1 for row in x]
    np.testing.assert_array_equal(careless.all_same(x)[np.isfinite(x).any(axis=1)],
                                  np.array(same)[np.isfinite(x).any(axis=1)])  # fmt: skip


def test_chance_of_equal_answers_throughout(x):
    shares = careless.marginals(x)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    codes = np.where(np.isfinite(x), x - 1, -1).astype(int)
    np.testing.assert_array_equal(careless.marginals_of(codes), shares)
    known = np.isfinite(x)
    expected = [shares[k].prod(axis=0).sum() for k in known]
    np.testing.assert_allclose(careless.chance_all_same(shares, known), expected)


def test_correlations_of_items_are_pairwise(x):
    peer = pd.DataFrame(x).corr().to_numpy()
    both = np.isfinite(x).astype(float)
    n = both.T @ both
    found = careless_indices.correlations(x)
    if np.isfinite(x).all():
        np.testing.assert_allclose(found, peer)
    else:  # means over the pair, as pandas has them, too
        for i, j in itertools.combinations(range(6), 2):
            here = both[:, i] * both[:, j] > 0
            assert found[i, j] == pytest.approx(np.corrcoef(x[here, i], x[here, j])[0, 1])
            assert n[i, j] == here.sum()
    pairs = careless_indices.similar_pairs(x, 0.35)
    expected = [(i, j) for j in range(6) for i in range(j + 1, 6) if found[i, j] > 0.35]
    assert [tuple(p) for p in pairs] == expected and expected
    turned = x.copy()
    turned[:, 2] = 6 - turned[:, 2]
    against = careless_indices.similar_pairs(turned, -0.35)
    assert all(2 in p for p in against.tolist()) and len(against)


def within(a, b) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if len(a) < 2 or a.std() < 1e-9 or b.std() < 1e-9:
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])


def test_synonyms_correlate_within_a_form(x):
    pairs = np.array([[1, 0], [3, 2], [5, 4], [4, 0]])
    expected = [within(row[pairs[:, 0]], row[pairs[:, 1]]) for row in x]
    np.testing.assert_allclose(careless_indices.synonyms(x, pairs=pairs), expected, atol=1e-9)
    assert np.isnan(careless_indices.synonyms(x, pairs=pairs[:1])).all()
    np.testing.assert_allclose(careless_indices.synonyms(x + 100, pairs=pairs), expected, atol=1e-9)


def test_even_and_odd_items_of_each_scale(x):
    scale = np.array([0, 0, 1, 1, 2, 2])
    x = np.concatenate([x, x[:, [1, 0, 3]]], axis=1)
    scale = np.r_[scale, 0, 1, 3]  # the last scale has one item, and no halves
    expected = []
    for row in x:
        halves = []
        for s in range(3):
            own = row[scale == s]
            halves.append([np.mean(given(h)) if len(given(h)) else np.nan
                           for h in (own[0::2], own[1::2])])  # fmt: skip
        odd, even = np.array(halves).T
        r = within(odd, even)
        stepped_up = 2 * r / (1 + r) if np.isnan(r) or r > -1 + 1e-9 else -1.0
        expected.append(np.maximum(stepped_up, -1.0))
    np.testing.assert_allclose(careless_indices.even_odd(x, scale), expected, atol=1e-9)
    assert np.isnan(careless_indices.even_odd(x[:, :4], np.array([0, 0, 1, 2]))).all()


def test_distance_of_whole_forms_is_mahalanobis_and_leaving_out_adds_the_own_pull():
    x = table(0.0)
    away = x - x.mean(axis=0)
    inverse = np.linalg.inv(np.cov(x.T))
    found = careless_indices.mahalanobis(x)
    np.testing.assert_allclose(found, np.einsum("ij,jk,ik->i", away, inverse, away))
    among = np.arange(len(x)) > 0
    as_member = careless_indices.mahalanobis(x, among=among)
    assert as_member[0] == pytest.approx(found[0])  # as if the first had been among the others
    np.testing.assert_allclose(as_member[1:], careless_indices.mahalanobis(x[1:]))
    assert np.isnan(careless_indices.mahalanobis(x[:2])).all()
    assert np.isfinite(careless_indices.mahalanobis(x[:3])).all()


def test_distance_of_forms_with_gaps_is_over_the_items_answered():
    x = table(0.25)
    known = np.isfinite(x)
    away = np.where(known, x - np.nanmean(x, axis=0), 0.0)
    pairs = known.astype(float).T @ known.astype(float) - 1
    inverse = np.linalg.inv(away.T @ away / pairs)
    share = known.mean(axis=1)
    expected = np.einsum("ij,jk,ik->i", away, inverse, away) / np.where(share > 0, share, np.nan)
    np.testing.assert_allclose(careless_indices.mahalanobis(x), expected)


def test_fit_of_a_form_is_its_standardised_log_likelihood(x):
    values = np.arange(1.0, 6.0)
    share = np.array([[(x[:, i] == v).sum() + 0.5 for v in values] for i in range(6)])
    share /= share.sum(axis=1, keepdims=True)
    mean = (share * np.log(share)).sum(axis=1)
    spread = (share * np.log(share) ** 2).sum(axis=1) - mean**2
    expected = []
    for row in x:
        here = np.flatnonzero(np.isfinite(row))
        got = sum(np.log(share[i, int(row[i]) - 1]) - mean[i] for i in here)
        expected.append(got / np.sqrt(spread[here].sum()) if len(here) else np.nan)
    np.testing.assert_allclose(careless_indices.person_fit(x), expected)


def test_fit_compares_forms_of_a_similar_level_fifty_at_least():
    x = table(0.0, forms=120)
    level, values = x.mean(axis=1), np.unique(x)
    found, expected = careless_indices.person_fit(x), np.empty(120)
    low = level <= np.sort(level)[60]  # two groups of at least fifty; who is at the limit is low
    for here in (low, ~low):
        part = x[here]
        expected[here] = careless_indices._fit(
            part, np.isfinite(part), values, np.ones(len(part), bool)
        )
    np.testing.assert_allclose(found, expected)
    one = x[:99]
    whole = careless_indices._fit(one, np.isfinite(one), np.unique(one), np.ones(99, bool))
    np.testing.assert_allclose(careless_indices.person_fit(one), whole)

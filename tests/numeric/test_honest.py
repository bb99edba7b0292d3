"""Attentive raters: what is fitted by hand, and what is drawn keeps shares and resemblances."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import honest


def forms(seed=1, raters=30, targets=6, items=4, missing=0.05):
    """Answers 1 to 5 with something of the rater and of the rater on a target in common."""
    rng = np.random.default_rng(seed)
    rater, target = (v.ravel() for v in np.indices((raters, targets)))
    latent = rng.normal(0, 1, (len(rater), items)) * np.sqrt(0.5)
    latent += rng.normal(0, np.sqrt(0.3), raters)[rater][:, None]
    latent += rng.normal(0, np.sqrt(0.2), len(rater))[:, None]
    out = np.clip(np.round(latent * 1.2 + 3 + np.arange(items) * 0.3), 1, 5)
    out[rng.random(out.shape) < missing] = np.nan
    return out, rater, rater * targets + target


def in_common(z, group):
    """Mean product of two answers on different forms of the same group, pair by pair."""
    products = [
        z[a, i] * z[b, j]
        for a in range(len(z)) for b in range(len(z)) if a != b and group[a] == group[b]
        for i in range(z.shape[1]) for j in range(z.shape[1])
        if np.isfinite(z[a, i]) and np.isfinite(z[b, j])
    ]  # fmt: skip
    return np.mean(products) if products else 0.0


def normal_scores(column):
    """Mean of a standard normal within each category, over the variance of these means."""
    labels, times = np.unique(column[np.isfinite(column)], return_counts=True)
    edges = stats.norm.ppf(np.r_[0, np.cumsum(times)] / times.sum())
    means = [stats.truncnorm.mean(a, b) for a, b in pairwise(edges)]
    share = times / times.sum()
    return dict(zip(labels, means / (share @ np.square(means)), strict=True)), edges[1:-1]


def test_normal_scores_and_cuts():
    data, *_ = forms(2)
    z, cuts = honest._normal_scores(data)
    for j, column in enumerate(data.T):
        scores, edges = normal_scores(column)
        assert cuts[j][0] == pytest.approx(edges)
        assert cuts[j][1].tolist() == sorted(scores)
        told = [scores.get(v, 0.0) for v in column]
        assert z[:, j] == pytest.approx(told)


def test_one_answer_only_has_no_score():
    z, cuts = honest._normal_scores(np.array([[3.0, np.nan], [3.0, np.nan]]))
    assert z.tolist() == [[0, 0], [0, 0]]
    assert [len(edges) for edges, _ in cuts] == [0, 0]
    assert [labels.tolist() for _, labels in cuts] == [[3.0], []]


def test_what_forms_have_in_common_pair_by_pair():
    data, rater, _ = forms(3, raters=4, targets=3)
    z, _ = honest._normal_scores(data)
    known = np.isfinite(data)
    told = in_common(np.where(known, z, np.nan), rater)
    assert honest._in_common(z, known * 1.0, rater) == pytest.approx(told)
    assert honest._in_common(z, known * 1.0, np.arange(len(data))) == 0.0


def test_shares_in_common_and_the_rest_make_the_correlations_of_items():
    data, rater, pair = forms(4)
    twice = np.concatenate([data, forms(5)[0]])  # two forms of every rater on every target
    found = honest.fitted(twice, np.tile(rater, 2), np.tile(pair, 2))
    z, _ = honest._normal_scores(twice)
    known = np.isfinite(twice)
    by_rater = honest._in_common(z, known * 1.0, np.tile(rater, 2))
    by_pair = honest._in_common(z, known * 1.0, np.tile(pair, 2)) - by_rater
    assert found.shared == pytest.approx([max(by_rater, 0), max(by_pair, 0)])
    rest = found.root @ found.root.T
    assert np.diagonal(rest) == pytest.approx(np.ones(4))
    total = rest * (1 - sum(found.shared)) + sum(found.shared)
    for i in range(4):
        for j in range(i):
            both = known[:, i] & known[:, j]
            assert total[i, j] == pytest.approx(np.mean(z[both, i] * z[both, j]), abs=1e-9)


def test_items_that_are_the_same_are_taken_for_very_close():
    data, rater, pair = forms(6, missing=0)
    found = honest.fitted(np.column_stack([data[:, 0], data[:, 0]]), rater, pair)
    rest = (found.root @ found.root.T)[0, 1]
    assert rest * (1 - sum(found.shared)) + sum(found.shared) == pytest.approx(0.98)
    alone = honest.fitted(data[:, :1], rater, pair)
    assert alone.shared == [0.0, 0.0]


def test_draws_keep_the_places_the_shares_and_the_resemblances():
    data, rater, pair = forms(7, raters=60)
    found = honest.fitted(data, rater, pair)
    rng = np.random.default_rng(8)
    draws = [found.draw(rng) for _ in range(60)]
    for drawn in draws:
        assert (np.isfinite(drawn) == np.isfinite(data)).all()
    together = np.concatenate(draws)
    for j in range(4):
        for label in range(1, 6):
            seen, told = ((v[:, j] == label).mean() for v in (together, data))
            assert seen == pytest.approx(told, abs=0.02)
    known = np.isfinite(data) * 1.0
    again = [honest._in_common(honest._normal_scores(d)[0], known, rater) for d in draws]
    assert np.mean(again) == pytest.approx(found.shared[0], abs=0.03)
    many = [honest.fitted(d, rater, pair).root for d in draws[:20]]
    mean = np.mean([r @ r.T for r in many], axis=0)
    assert mean == pytest.approx(found.root @ found.root.T, abs=0.06)

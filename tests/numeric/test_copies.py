"""Equal answers counted one by one; what honest raters repeat follows a beta-binomial law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from svcmetrics.numeric import copies, information
from svcmetrics.numeric.categories import coded


def forms(seed=1, n=40, items=5):
    rng = np.random.default_rng(seed)
    answers = rng.integers(0, 4, (n, items))
    answers[rng.random((n, items)) < 0.15] = -1
    rater = rng.integers(0, 6, n)
    rater[:6] = range(6)
    now, before = rng.integers(0, n, (2, 50))
    return answers, rater, now, before


def test_equal_answers_and_their_chance_one_by_one():
    answers, rater, now, before = forms()
    equal, common = copies.equal_answers(answers, now, before)
    chance = copies.chance_equal(answers, rater, now, before)
    for pair, (a, b) in enumerate(zip(now, before, strict=True)):
        both = [i for i in range(5) if answers[a, i] >= 0 and answers[b, i] >= 0]
        assert common[pair] == len(both)
        assert equal[pair] == sum(answers[a, i] == answers[b, i] for i in both)
        expected = 1.0
        for i in both:
            own = answers[rater == rater[a], i]
            share = np.unique(own[own >= 0], return_counts=True)[1] / (own >= 0).sum()
            expected *= (share**2).sum()
        assert chance[pair] == pytest.approx(expected)


def test_histograms_leave_out_forms_with_fewer_than_three_common_answers():
    equal, common = np.array([3, 2, 2, 4, 0, 3]), np.array([3, 3, 2, 4, 4, 3])
    unit = np.array([0, 0, 0, 1, 1, 1])
    found = copies.histograms(equal, common, unit, 2)
    assert list(found) == [3, 4]
    assert found[3].tolist() == [[0, 0, 1, 1], [0, 0, 0, 1]]
    assert found[4].tolist() == [[0, 0, 0, 0, 0], [1, 0, 0, 0, 1]]
    many = np.repeat(np.arange(3, 13), np.arange(3, 13))
    assert list(copies.histograms(many, many, many * 0, 1)) == list(range(5, 13))


@pytest.mark.parametrize("near", [0, 1])
def test_honest_raters_are_expected_to_repeat_what_they_do(near):
    """Beta-binomial forms without any copier: the copies found are those expected."""
    law = stats.betabinom(6, 3.0, 2.0)
    counts = {6: 20_000 * law.pmf(np.arange(7))[None]}
    ((found, honest, forms_),) = copies.copying([counts], near)
    assert forms_[0] == pytest.approx(20_000)
    assert found[0] == pytest.approx(20_000 * law.pmf(np.arange(6 - near, 7)).sum())
    assert honest[0] == pytest.approx(found[0], rel=0.03)
    planted = {6: counts[6] + np.eye(7)[6] * 2_000}
    ((found, more, forms_),) = copies.copying([planted], near)
    assert more[0] == pytest.approx(honest[0], rel=0.01)
    assert copies.excess(found, more, forms_)[0] == pytest.approx(
        (found[0] - more[0]) / (22_000 - more[0])
    )
    assert copies.copying([]) == []


def test_raters_are_compared_with_the_first_wave_of_their_own():
    def wave(hits, size):
        counts = np.zeros((6, 4))
        counts[:, 3], counts[:, 0] = hits, np.array(size) - hits
        return {3: counts}

    first = wave(np.array([1, 0, 2, 1, 0, 0]), [4, 4, 4, 4, 4, 0])
    second = wave(np.array([4, 4, 4, 4, 4, 1]), [4, 4, 4, 4, 4, 4])
    last = wave(np.array([3, 2, 4, 3, 1, 2]), [4] * 6)
    z, share = copies.rise([first, second, last], 0)
    hits, forms_ = np.array([3, 2, 4, 3, 1, 2.0]), np.full(6, 4.0)
    old, before = np.array([1, 0, 2, 1, 0, 1.0]), np.full(6, 4.0)
    away = hits - forms_ * old / before
    p = (hits.sum() + old.sum() + 0.5) / (48 + 1)
    spread = np.sqrt(max(((away - away.mean()) ** 2).sum(), p * (1 - p) * (forms_ + 4).sum()))
    assert (z, share) == (pytest.approx(away.sum() / spread), pytest.approx(old.sum() / 24))
    few = [{3: w[3] * (np.arange(6) < 4)[:, None]} for w in (first, last)]
    assert np.isnan(copies.rise(few, 0)).all()


def test_bits_of_a_coin_of_a_copy_and_contexts_one_by_one():
    answers, _, _, _ = forms(n=30)
    last = np.roll(answers, 1, axis=0)
    group = np.arange(30) % 2
    counts = information.contexts(answers, last, group, 2)
    v = answers.max() + 2
    expected = np.zeros((2, v, v, v))
    for f in range(30):
        before = 0
        for i in range(5):
            expected[group[f], before, last[f, i] + 1, answers[f, i] + 1] += 1
            before = answers[f, i] + 1
    np.testing.assert_array_equal(counts, expected.reshape(2, v * v, v)[:, :, 1:])
    fair = np.array([[[500.0, 500.0]]])
    assert information.bits_per_answer(fair)[0] == pytest.approx(1 + 1 / (2000 * np.log(2)))
    assert information.bits_per_answer(np.array([[[7.0, 0.0], [0.0, 9.0]]]))[0] == 0


@pytest.mark.parametrize(
    ("values", "step"),
    [([1, 2, 3, 4, 5], 1), ([1, 2, 5], 1), ([0, 1000], 1), ([0, 1001], 1), ([0.5, 1.25], 1),
     (list(range(127)), 1), (list(range(128)), 1), (list(range(0, 400, 2)), 1), (np.linspace(0, 1, 300), 1)],
)  # fmt: skip
def test_answers_as_places_among_the_values(values, step):
    rng = np.random.default_rng(step)
    values = np.asarray(values, float)
    answers = np.concatenate([np.stack([values, values[::-1]], axis=1),
                              rng.choice(values, (9000, 2))])  # fmt: skip
    answers[5::7, 1] = np.nan
    place, found = coded(answers)
    np.testing.assert_array_equal(found, values[np.isin(values, answers)])
    known = np.isfinite(answers)
    np.testing.assert_array_equal(found[place[known]], answers[known])
    assert (place[~known] == -1).all() and place.shape == answers.shape
    nothing, none = coded(np.full((2, 2), np.nan))
    assert len(none) == 0 and (nothing == -1).all()

"""Runs, spread and chance of single forms, answer by answer."""

from itertools import groupby, product

import numpy as np
import pytest

from svcmetrics.numeric import careless

NAN = np.nan
FORMS = np.array([
    [1, 1, 2, 2, 2, 1], [3, 3, 3, 3, 3, 3], [1, 2, 1, 2, 1, 2], [NAN, 4, NAN, 4, 4, 1], [NAN] * 6,
    [5, NAN, NAN, NAN, NAN, NAN], [NAN, NAN, NAN, NAN, 2, 2], [1, 2, 2, 3, 3, 3], [2, NAN, 2, 1, NAN, 1],
])  # fmt: skip


def many(seed, missing):
    rng = np.random.default_rng(seed)
    forms = rng.integers(1, 4, (60, 7)).astype(float)
    forms[rng.random(forms.shape) < missing] = NAN
    return forms


TABLES = [
    FORMS,
    FORMS[:3],
    FORMS[4:5],
    FORMS[:0],
    many(1, 0),
    many(2, 0.2),
    many(3, 0.7),
    FORMS[:, :1],
]


def runs(form):
    return [len(list(own)) for _, own in groupby(v for v in form if np.isfinite(v))]


@pytest.mark.parametrize("forms", TABLES, ids=range(len(TABLES)))
def test_runs_and_spread_of_each_form(forms, monkeypatch):
    longest = [max(runs(f), default=0) for f in forms]
    mean = [np.mean(runs(f)) if runs(f) else NAN for f in forms]
    known = [f[np.isfinite(f)] for f in forms]
    spread = [np.std(v, ddof=1) if len(v) > 1 else NAN for v in known]
    for block in (4096, 4):
        monkeypatch.setattr(careless, "BLOCK", block)
        assert careless.longstring(forms).tolist() == longest
        assert careless.avgstring(forms) == pytest.approx(mean, nan_ok=True)
        assert careless.irv(forms) == pytest.approx(spread, nan_ok=True)
    answered = [bool(len(v)) for v in known]
    same = [len(set(v)) == 1 for v in known]
    assert careless.all_same(forms)[answered].tolist() == [
        s for s, a in zip(same, answered, strict=True) if a
    ]


def test_an_offset_costs_the_spread_no_digits():
    assert careless.irv(FORMS[:3] + 1e9) == pytest.approx(careless.irv(FORMS[:3]))
    assert careless.irv(FORMS[1:2]).tolist() == [0]


def test_shares_of_every_value_of_every_item():
    found = careless.marginals(FORMS)
    values = np.unique(FORMS[np.isfinite(FORMS)])
    told = [[(c == v).sum() / np.isfinite(c).sum() for v in values] for c in FORMS.T]
    assert found == pytest.approx(np.array(told))
    codes = np.where(np.isfinite(FORMS), np.searchsorted(values, np.nan_to_num(FORMS)), -1)
    assert careless.marginals_of(codes) == pytest.approx(found)
    none = np.column_stack([FORMS[:, 0], np.full(len(FORMS), NAN)])
    assert careless.marginals(none)[1].tolist() == [0] * 4  # an item without answers
    assert careless.marginals_of(np.array([[0, -1], [1, -1]])).tolist() == [[0.5, 0.5], [0, 0]]


SHARES = np.array([[0.2, 0.5, 0.3], [0.0, 0.6, 0.4], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]])


def test_the_chance_of_equal_answers_is_a_product():
    answered = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0]], bool)
    told = [sum(np.prod(SHARES[own, v]) for v in range(3)) for own in answered]
    assert careless.chance_all_same(SHARES, answered) == pytest.approx(told)
    assert told[2:] == pytest.approx([1, 3])


@pytest.mark.parametrize("items", [1, 2, 3, 4])
def test_the_longest_run_by_chance_is_the_mean_over_all_forms(items):
    told = 0.0
    for form in product(range(3), repeat=items):
        chance = np.prod([SHARES[i, v] for i, v in enumerate(form)])
        told += chance * max(runs(np.array(form, float)))
    assert careless.chance_longstring(SHARES[:items]) == pytest.approx(told)

"""The ratings behind a cell: who is in it, with which weight, under which mark, and what a shown mean says."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from svcmetrics.privacy import Behind
from svcmetrics.privacy.behind import cell_bounds
from svcmetrics.problems import TableError

KEY, OTHER = b"k" * 32, b"o" * 32


def frame(**columns) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    plain = {"unit": "HR", "who": [f"p{i}" for i in range(size)], "score": [3] * size}
    return pd.DataFrame(plain | columns)


def behind(table: pd.DataFrame, **more) -> Behind:
    words = {"by": ["unit"], "rater": "who", "score": "score", "scale": (1, 5)}
    return Behind(table, **(words | more))


# Cells


def test_cells_are_numbered_as_they_are_named_and_a_missing_name_is_a_name():
    mine = behind(frame(unit=["IT", None, "HR", "IT"]))
    names = mine.names()["unit"]
    assert len(names) == 3
    assert names.isna().tolist() == [False, False, True]
    assert names.iloc[:2].tolist() == ["HR", "IT"]
    assert mine.cells().tolist() == [1, 2, 0, 1]


def test_without_names_all_ratings_are_one_cell():
    mine = behind(frame(score=[1, 2, 3]), by=[])
    assert mine.cells().tolist() == [0, 0, 0]
    assert mine.names().shape == (1, 0)


@pytest.mark.parametrize("missing", ["who", "unit", "score", "w", "form"])
def test_a_column_that_is_not_there_is_named(missing):
    table = frame(w=[1, 2], form=[1, 2]).drop(columns=missing)
    with pytest.raises(TableError, match=missing):
        behind(table, weight="w", rating=["form"])


def test_from_counts_alone_scores_and_weights_need_not_be_there():
    alone = behind(frame(score=[1, 2]).drop(columns="score"), scale=None, weight="w")
    assert alone.weights().tolist() == [1, 1]
    assert not alone.whole


def test_the_ends_of_the_scale_are_on_it():
    assert behind(frame(score=[1, 5])).whole
    for wrong in (0, 6):
        with pytest.raises(TableError):
            behind(frame(score=[3, wrong]))


# Numbers


@pytest.mark.parametrize(
    ("weights", "whole"),
    [
        ([1.0, 1.0], [1, 1]),
        ([0.5, 1.0, 1.5], [1, 2, 3]),
        ([2, 4, 6], [1, 2, 3]),
        ([0.1, 0.25], [2, 5]),
        ([0.000001, 0.5], [1, 500_000]),
        ([1e-9, 1.0], [1, 1_000_000]),  # next to nothing is not nothing
        ([12, 18], [2, 3]),
    ],
)
def test_weights_are_whole_numbers_in_their_ratio(weights, whole):
    made = behind(frame(w=weights), weight="w").weights()
    assert made.dtype == np.int64
    assert made.tolist() == whole
    assert behind(frame(w=weights)).weights().tolist() == [1] * len(weights)


def test_ratings_known_to_the_decimals_only_are_whole_when_all_of_them_are():
    assert behind(frame(score=[1.0, 2.0])).unit == 1
    half = behind(frame(score=[1.0, 2.5]))
    exact = behind(frame(score=[1, 2]), decimals=None)
    counted = behind(frame(score=[1, 2]), scale=None)
    assert [b.whole for b in (half, exact, counted)] == [False] * 3
    assert [b.unit for b in (half, exact, counted)] == [0.5] * 3


# Marks


def marks(table: pd.DataFrame, key: bytes = KEY, **more) -> list[bytes]:
    return behind(table, **more).marked(key)["mark"].tolist()


def test_the_same_rating_in_two_cells_has_one_mark():
    twice = frame(unit=["HR", "all"], who=["a", "a"], score=[4, 4])
    one, other = marks(twice)
    assert one == other


def test_the_same_words_twice_in_one_cell_are_two_ratings_also_without_names():
    twice = frame(who=["a", "a", "a"], score=[4, 4, 4])
    assert len(set(marks(twice))) == 3
    assert len(set(marks(twice, by=[]))) == 3


def test_a_corrected_rating_has_another_mark_and_the_same_person():
    before, after = (behind(frame(who=["a"], score=[s])).marked(KEY) for s in (4, 5))
    assert before["mark"][0] != after["mark"][0]
    assert before["person"][0] == after["person"][0] != before["mark"][0]


def test_what_tells_ratings_apart_is_part_of_the_mark():
    table = frame(who=["a", "a"], score=[4, 4], unit=["HR", "IT"], form=["1", "2"])
    assert len(set(marks(table))) == 1
    assert len(set(marks(table, rating=["form"]))) == 2
    shifted = frame(who=["a", "ab"], form=["bc", "c"], unit=["HR", "IT"], score=[4, 4])
    assert len(set(marks(shifted, rating=["form"]))) == 2


def test_marks_cannot_be_made_without_the_key():
    table = frame(who=["a", "b"], score=[4, 4])
    one, other = marks(table), marks(table, OTHER)
    assert marks(table) == one
    assert not set(one) & set(other)
    people = [set(behind(table).marked(k)["person"]) for k in (KEY, OTHER)]
    assert not people[0] & people[1]
    assert all(len(mark) >= 12 for mark in one)


def test_from_counts_alone_the_answer_is_not_in_the_mark():
    tables = [behind(frame(score=[s, s]), scale=None).marked(KEY) for s in (1, 5)]
    assert tables[0]["mark"].tolist() == tables[1]["mark"].tolist()
    assert tables[0]["score"].isna().all()
    assert behind(frame(score=[2, 4])).marked(KEY)["score"].tolist() == [2, 4]


# What a shown mean leaves open


def ones(n: int) -> np.ndarray:
    return np.ones(n, dtype=np.int64)


@pytest.mark.parametrize(
    ("n", "mean", "shown"),
    [
        (10, 4.5, (4.5, 5, "at_least")),  # (5 − 1 + 1) / 10 below the end
        (10, 5.0, (4.5, 5, "at_least")),
        (10, 4.4, (4.395, 4.405, "")),
        (10, 1.5, (1, 1.5, "at_most")),
        (10, 1.0, (1, 1.5, "at_most")),
        (10, 1.6, (1.595, 1.605, "")),
        (8, 4.375, (4.37, 5, "at_least")),  # a band ends at a number that can be written
        (8, 1.625, (1, 1.63, "at_most")),
        (3, 3.0, (2.995, 3.005, "")),
        (3, 3.3333333, (3.33, 5, "at_least")),
        (2, 3.0, (1, 5, "hidden")),  # the bands would meet
        (1, 4.0, (1, 5, "hidden")),
    ],
)
def test_the_ends_of_the_scale_are_bands_as_wide_as_one_insider_needs(n, mean, shown):
    low, high, bound = cell_bounds(mean, ones(n), (1, 5), 1.0, 2)
    assert bound == shown[2]
    assert (low, high) == pytest.approx(shown[:2], abs=1e-7)
    if bound == "":
        assert low <= mean <= high


def test_the_band_is_as_wide_as_the_heaviest_needs():
    heavy = np.array([3, 1, 1, 1, 1, 1, 1, 1])
    assert cell_bounds(4.9, heavy, (1, 5), 1.0, 2) == (3.5, 5, "at_least")
    assert cell_bounds(3.4, heavy, (1, 5), 1.0, 2)[2] == ""


def test_a_mean_next_to_a_band_says_no_more_than_that_it_is_outside():
    low, high, bound = cell_bounds(4.4999, ones(10), (1, 5), 1.0, 2)
    assert (bound, high) == ("", 4.5)
    assert low == pytest.approx(4.495)
    low, high, bound = cell_bounds(1.5001, ones(10), (1, 5), 1.0, 2)
    assert (bound, low) == ("", 1.5)
    assert high == pytest.approx(1.505)


def test_decimals_decide_how_much_is_open():
    low, high, _ = cell_bounds(3.14, ones(10), (1, 5), 1.0, 1)
    assert (low, high) == pytest.approx((3.05, 3.15))
    assert cell_bounds(math.pi, ones(10), (1, 5), 0.5, None) == (math.pi, math.pi, "")
    assert cell_bounds(4.55, ones(10), (1, 5), 0.5, None) == (4.55, 5, "at_least")


def test_a_scale_that_does_not_begin_at_one():
    assert cell_bounds(9.0, ones(11), (0, 10), 1.0, 2) == (9, 10, "at_least")
    assert cell_bounds(1.0, ones(11), (0, 10), 1.0, 2) == (0, 1, "at_most")
    assert cell_bounds(8.9, ones(11), (0, 10), 1.0, 2)[2] == ""

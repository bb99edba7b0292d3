"""Answers in words, codes and lists."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics.io.answer_words import (
    SCALES,
    guess_scores,
    seconds,
    split_choices,
    split_ranking,
    to_numbers,
)


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_runs_from_best_to_worst(scale):
    assert list(guess_scores(pd.Series(scale)).values()) == [
        float(n) for n in range(len(scale), 0, -1)
    ]


def test_words_of_two_scales_are_not_guessed():
    assert guess_scores(pd.Series(["非常满意", "经常"])) == {}


def test_words_numbers_codes_and_blanks_are_told_apart():
    answers = pd.Series(["非常满意", "4", "４分", "A.满意", "-3", "(空)", None, "还行"])
    read = to_numbers(answers, {"非常满意": 5, "满意": 4})
    assert read["score"].tolist()[:4] == [5, 4, 4, 4]
    assert read["na_reason"].tolist()[4:7] == ["skipped", "blank", "blank"]
    assert read["unread"].tolist()[7] == "还行"
    filled = read.notna().sum(axis=1)
    assert (filled == 1).all()


def test_time_spent():
    given = pd.Series(["125秒", "2分5秒", "1小时0分10秒", "61", None, "?"])
    assert seconds(given).fillna(-1).tolist() == [125, 125, 3610, 61, -1, -1]


def test_lists_of_choices_and_rankings():
    chosen = split_choices(pd.Series(["速度┋态度", "质量", "(空)", None]))
    assert chosen["速度"].fillna(-1).tolist() == [1, 0, -1, -1]
    assert list(chosen) == ["速度", "态度", "质量"]
    places = split_ranking(pd.Series(["速度→态度→质量", "质量→速度", "-3"]))
    assert places["质量"].fillna(-1).tolist() == [3, 1, -1]
    assert places["态度"].fillna(-1).tolist() == [2, -1, -1]

"""Sentences that count: one is not many, and other numbers stay as they are."""

from __future__ import annotations

import re

import pytest

from svcmetrics import lang


@pytest.mark.parametrize(
    ("template", "values", "said"),
    [
        ("{count} rows refer to ids.", {"count": 1}, "{count} row refers to ids."),
        ("{count} rows refer to ids.", {"count": 2}, "{count} rows refer to ids."),
        ("{count} hidden or filtered rows were read.", {"count": 1},
         "{count} hidden or filtered row was read."),
        ("{n} cases have no end.", {"n": 1}, "{n} case has no end."),
        ("{count:,} entries are left out.", {"count": 1}, "{count:,} entry is left out."),
        ("{n} departments, {rows} rows", {"n": 1, "rows": 3}, "{n} department, {rows} rows"),
        ("{rate:.0f} returns per 100 cases", {"rate": 1.0}, "{rate:.0f} returns per 100 cases"),
        ("{yes} rows", {"yes": True}, "{yes} rows"),
    ],
)  # fmt: skip
def test_one_is_not_many(template, values, said):
    assert lang.singular(template, values) == said


def test_every_english_sentence_survives_a_count_of_one():
    for key, text in lang.phrases("en").items():
        assert lang.blanks(lang.singular(text, dict.fromkeys(lang.blanks(text), 1))) == lang.blanks(
            text
        ), key


def test_chinese_sentences_use_chinese_punctuation():
    half = re.compile(r"[\u4e00-\u9fff”）][,;:?!(]|[,;?!)][\u4e00-\u9fff“（]")
    wrong = [
        f"{key}: {text}"
        for key, text in lang.phrases("zh").items()
        if half.search(re.sub(r"\{\{.*?\}\}|\{[^{}]*\}|`[^`]*`|\w+=\([^)]*\)", "x", text))
    ]
    assert not wrong


def test_counts_have_separators_and_other_numbers_have_none():
    told = lang.say("volume.overall", "en", cases=5618, events=40000)
    assert "5,618 cases" in told and "40,000 events" in told
    assert "20240901" in lang.say("where.row", "en", value=20240901)

"""The same data give the same numbers as in the version before (``tests/unchanged.py``)."""

from __future__ import annotations

import pytest

from tests import unchanged
from tests.records.subjects import subjects

ALL = [(question, name) for question, named in subjects().items() for name in named]
REMEDY = (
    "Meant? Say it in CHANGELOG.md and run `python3 dev.py unchanged --write`. Otherwise mend it."
)


@pytest.mark.parametrize(("question", "name"), ALL, ids=[name for _, name in ALL])
def test_the_same_data_give_the_same_answers(question, name):
    subject, before = subjects()[question][name], unchanged.record(question).get(name)
    assert before, f"{name} has no record. Run `python3 dev.py unchanged --write`."
    told = [
        f"{name} | {case} | {line}"
        for case, said in before.items()
        for line in unchanged.differences(said, unchanged.answer(subject, case))
    ]
    assert not told, "\n".join(
        [*(line[: unchanged.WIDE] for line in told[:20]), f"… {len(told)} in all", REMEDY]
    )


def test_what_is_on_record_is_still_there():
    kept = {(q, name) for q in subjects() for name in unchanged.record(q)}
    assert kept == set(ALL), REMEDY


def test_bad_input_is_refused_in_words_and_nothing_else_falls():
    falls = [
        f"{name} | {case} | {said['falls']}"
        for question in subjects()
        for name, cases in unchanged.record(question).items()
        for case, said in cases.items()
        if "falls" in said
    ]
    assert falls == []


def test_a_changed_number_name_or_finding_is_noticed():
    before = {"table": {"estimate": [1.0, 2.0], "": 2}, "findings": [["icc.low", "note", {}]]}
    assert not list(unchanged.differences(before, before))
    near = {**before, "table": {"estimate": [1.0, 2.0000001], "": 2}}
    assert not list(unchanged.differences(before, near))
    for other in (
        {**before, "table": {"estimate": [1.0, 2.00001], "": 2}},
        {**before, "table": {"estimates": [1.0, 2.0], "": 2}},
        {**before, "findings": [["icc.low", "warning", {}]]},
        {**before, "findings": []},
    ):
        assert list(unchanged.differences(before, other))
    long = unchanged.plain(list(range(40)))
    swapped = unchanged.plain([1, 0, *range(2, 40)])
    assert list(unchanged.differences(long, swapped))

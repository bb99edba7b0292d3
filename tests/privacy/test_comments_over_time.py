"""Comments over several months: whoever lays all lists side by side finds no fewer than ten writers."""

from __future__ import annotations

import sqlite3

import numpy as np
import pandas as pd
import pytest

from svcmetrics.privacy import Ledger, comments, publish_comments
from svcmetrics.problems import TableError

HOW = {"text": "text", "rater": "who", "by": "unit"}


def said(people, *, unit: str = "财务部", month: int = 0) -> pd.DataFrame:
    return pd.DataFrame({
        "unit": unit, "who": [f"person{i}" for i in people],
        "text": [f"{month} 月的意见 {'甲乙丙丁戊己庚辛壬癸'[i % 10]}{'子丑寅卯辰巳午未申酉'[i // 10]}"
                 for i in people],
    })  # fmt: skip


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open("company", tmp_path) as opened:
        yield opened


def test_one_new_comment_waits_and_ten_do_not(ledger):
    first = publish_comments(said(range(12)), ledger=ledger, **HOW)
    assert len(first.table) == 12
    later = publish_comments(said(range(13)), ledger=ledger, **HOW)
    pd.testing.assert_frame_equal(later.table, first.table)
    assert later.findings[-1].key == "comments.held_back"
    assert len(publish_comments(said(range(22)), ledger=ledger, **HOW).table) == 22


def test_one_comment_withdrawn_is_not_told_by_what_is_missing(ledger):
    publish_comments(said(range(30)), ledger=ledger, **HOW)
    left = publish_comments(said(range(1, 30)), ledger=ledger, **HOW)
    assert left.table.empty and "10" in left.say("en")
    assert len(publish_comments(said(range(10, 30)), ledger=ledger, **HOW).table) == 20


def test_months_of_their_own_and_the_same_list_again_are_shown(ledger):
    for month in range(3):
        for _ in range(2):
            shown = publish_comments(said(range(11), month=month), ledger=ledger, **HOW)
            assert len(shown.table) == 11 and not shown.hidden


def test_three_lists_tell_what_no_two_of_them_do(ledger):
    a, b, c, d = (list(range(k * 8, k * 8 + 8)) for k in range(4))
    shown = [
        len(publish_comments(said(people), ledger=ledger, **HOW).table)
        for people in (a + b + c + d, a + b, a + c)
    ]
    assert shown == [32, 16, 0]  # the third would leave each of four eights alone


def test_floors_are_refused_before_anything_is_kept(ledger):
    with pytest.raises(TableError):
        publish_comments(said(range(30)), ledger=ledger, min_raters=9, **HOW)
    assert len(publish_comments(said(range(29)), ledger=ledger, **HOW).table) == 29


def test_no_name_and_no_word_is_in_the_ledger(ledger):
    publish_comments(said(range(12)), ledger=ledger, **HOW)
    kept = b"".join(f.read_bytes() for f in ledger.path.parent.glob("*.sqlite*"))
    assert b"person1" not in kept and "意见".encode() not in kept


@pytest.mark.parametrize("seed", range(12))
def test_an_attacker_with_every_list_singles_nobody_out(ledger, seed):
    """People join and leave from month to month; lists of all so far, of the month, of the last two."""
    rng = np.random.default_rng(seed)
    lists, naive = [], []
    wrote = pd.DataFrame(columns=["unit", "who", "text", "month"])
    for month in range(5):
        people = rng.choice(60, size=int(rng.integers(6, 25)), replace=False)
        wrote = pd.concat([wrote, said(people, month=month).assign(month=month)])
        for window in (1, 2, 9):
            asked = wrote[wrote["month"] > month - window]
            for found, shown in ((lists, publish_comments(asked, ledger=ledger, **HOW)),
                                 (naive, comments(asked, **HOW))):  # fmt: skip
                found.append(frozenset(shown.table["comment"]))
    writer = wrote.drop_duplicates("text").set_index("text")["who"]
    assert fewest(lists, writer) >= 10
    assert sum(map(bool, lists)) >= 3
    assert seed != 0 or fewest(naive, writer) < 10  # ten writers per list alone are not enough


def fewest(lists: list[frozenset[str]], writer: pd.Series) -> int:
    """The fewest persons behind comments that nobody can tell apart by the lists they stand in."""
    lists = [one for one in lists if one]
    every = sorted(frozenset().union(*lists))
    pattern = pd.Series(["".join("01"[t in one] for one in lists) for t in every], index=every)
    return int(writer.reindex(every).groupby(pattern).nunique().min())


def test_departments_with_too_few_writers_are_hidden_and_not_held_back(ledger):
    both = pd.concat([said(range(12)), said(range(9), unit="人事部")])
    first = publish_comments(both, ledger=ledger, **HOW)
    assert [f.key for f in first.findings] == [
        "comments.shown", "comments.read_first", "comments.hidden"
    ]  # fmt: skip
    assert (len(first.table), first.hidden, first.min_n) == (12, 1, 10)
    # One more in each: the first waits, the second has ten of its own now.
    more = pd.concat([said(range(13)), said(range(10), unit="人事部")])
    later = publish_comments(more, ledger=ledger, **HOW)
    assert len(later.table) == 22 and later.hidden == 1
    assert later.findings[-1].values == {"groups": 1, "least": 10}
    # Both wait: one shows its older list again.
    most = pd.concat([said(range(14)), said(range(11), unit="人事部")])
    last = publish_comments(most, ledger=ledger, **HOW)
    assert len(last.table) == 22 and last.findings[-1].values["groups"] == 2


def test_what_an_unknown_person_wrote_is_neither_shown_nor_kept(ledger):
    table = said(range(12))
    table.loc[11, "who"], table.loc[10, "text"] = None, " "
    assert len(publish_comments(table, ledger=ledger, **HOW).table) == 10
    with sqlite3.connect(ledger.path) as other:
        writers, texts = other.execute("SELECT writers, comments FROM comment_list").fetchone()
    other.close()
    # Twelve bytes each, for as long as there are old lists to be read.
    assert len(writers) == len(texts) == 10 * 12


def test_the_largest_older_list_is_shown_again_and_a_higher_floor_is_kept(ledger):
    for people in (range(10), range(20)):
        assert len(publish_comments(said(people), ledger=ledger, **HOW).table) == len(people)
    again = publish_comments(said(range(21)), ledger=ledger, **HOW)
    assert len(again.table) == 20 and again.min_n == 10
    higher = publish_comments(said(range(31)), ledger=ledger, min_raters=12, **HOW)
    assert len(higher.table) == 20 and higher.min_n == 12  # eleven new ones are too few for it
    assert len(publish_comments(said(range(31)), ledger=ledger, **HOW).table) == 31


def test_without_departments_all_is_one_list(ledger):
    how = {k: v for k, v in HOW.items() if k != "by"}
    table = pd.concat([said(range(6)), said(range(6, 12), unit="人事部")])
    assert len(publish_comments(table, ledger=ledger, **how).table) == 12

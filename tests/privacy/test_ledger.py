"""The ledger: append-only, reruns free, floors locked, nobody's name or answer in it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from svcmetrics.privacy import Behind, Ledger, leaning, load_key, publish_means
from svcmetrics.privacy.means import ask
from svcmetrics.privacy.pseudonyms import stem
from svcmetrics.problems import OutputError, StudyError, TableError

SCORES = [4, 3, 5, 2, 4, 3, 4, 1, 5, 3, 4, 2]


def behind(people: list[int], *, by: str = "HR", scores: list[int] = SCORES, **more) -> Behind:
    frame = pd.DataFrame({
        "unit": by, "rater": [f"person{i}" for i in people], "score": [scores[i] for i in people],
    })  # fmt: skip
    settings = {"by": ["unit"], "rater": "rater", "score": "score", "scale": (1, 5), **more}
    return Behind(frame, **settings)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open("company", tmp_path) as opened:
        yield opened


def shown(ledger: Ledger, people: list[int], **more) -> bool:
    return bool(publish_means(behind(people, **more), ledger=ledger).table["shown"].iloc[0])


def test_the_same_cell_again_is_free_and_written_once(ledger):
    first = publish_means(behind(list(range(8))), ledger=ledger)
    again = publish_means(behind(list(range(8))[::-1]), ledger=ledger)
    pd.testing.assert_frame_equal(first.table, again.table)
    assert len(ledger.cells()) == 1


def test_one_late_vote_is_not_shown_and_five_are(ledger):
    assert shown(ledger, list(range(6)))
    assert not shown(ledger, list(range(7)))
    assert shown(ledger, list(range(11)))


def test_a_withdrawal_is_not_shown(ledger):
    assert shown(ledger, list(range(10)))
    assert not shown(ledger, list(range(9)))


def test_a_correction_is_not_shown(ledger):
    assert shown(ledger, list(range(10)))
    assert not shown(ledger, list(range(10)), scores=[5, *SCORES[1:]])


def test_other_quantities_tell_nothing_about_one_another(ledger):
    assert shown(ledger, list(range(10)))
    table = publish_means(behind(list(range(9))), ledger=ledger, quantity="speed").table
    assert table["shown"].all()


def test_a_ledger_outlives_the_program(tmp_path):
    with Ledger.open("company", tmp_path) as ledger:
        assert shown(ledger, list(range(6)))
    with Ledger.open("company", tmp_path) as ledger:
        assert not shown(ledger, list(range(7)))
    with Ledger.open("another", tmp_path) as ledger:
        assert shown(ledger, list(range(7)))


def test_a_unanimous_group_reads_or_more(ledger):
    table = publish_means(behind(list(range(10)), scores=[5] * 12), ledger=ledger).table
    assert table[["estimate", "bound"]].to_numpy().tolist() == [[4.5, "at_least"]]
    low = publish_means(behind(list(range(10)), scores=[1] * 12, by="IT"), ledger=ledger).table
    assert low[["estimate", "bound"]].to_numpy().tolist() == [[1.5, "at_most"]]


def test_whether_a_group_is_capped_does_not_tell_how_near_the_end_it_is(ledger):
    scores = [5] * 8 + [4, 4, 5, 5]
    table = publish_means(behind(list(range(10)), scores=scores), ledger=ledger).table
    assert table[["estimate", "bound"]].to_numpy().tolist() == [[4.5, "at_least"]]


def test_who_weighs_almost_all_hides_the_cell(ledger):
    frame = behind(list(range(8))).ratings.assign(weight=[1000, *[1] * 7])
    heavy = Behind(frame, by=["unit"], rater="rater", score="score", scale=(1, 5), weight="weight")
    assert not publish_means(heavy, ledger=ledger).table["shown"].any()


def by_wave_and_unit(sizes: dict[str, int]) -> Behind:
    units = [unit for unit, size in sizes.items() for _ in range(size)]
    frame = pd.DataFrame({"wave": "2025", "unit": units, "who": range(len(units))})
    frame["score"] = [SCORES[i % len(SCORES)] for i in frame["who"]]
    return Behind(frame, by=["wave", "unit"], rater="who", score="score", scale=(1, 5))


def test_hidden_cells_are_named_without_their_numbers(ledger):
    published = publish_means(by_wave_and_unit({"HR": 8, "IT": 2}), ledger=ledger)
    hidden = published.table[~published.table["shown"]]
    assert hidden[["estimate", "n"]].isna().all(axis=None)
    assert "2025 · IT" in published.say("en")
    # All ten together would give the two away, so nothing larger can be offered.
    assert "No larger group" in published.say("en")
    assert "暂无更大的一组" in published.say("zh")
    assert published.say("en").splitlines() == [f.say("en") for f in published.findings]


def test_a_larger_group_is_offered_where_it_is_safe(ledger):
    published = publish_means(by_wave_and_unit({"HR": 8, "IT": 3, "Law": 4}), ledger=ledger)
    assert published.hidden == 2
    assert published.say("en").endswith("A larger group may be shown instead: 2025.")
    # Asking has published nothing.
    assert ledger.cells()["label"].tolist() == ["2025 · HR"]


def test_floors_rise_and_never_fall(ledger):
    ledger.lock(["W1"], raters=5, comments=10)
    ledger.lock(["W1", "W2"], raters=7, comments=10)
    with pytest.raises(StudyError) as caught:
        ledger.lock(["W1"], raters=6, comments=10)
    assert "W1" in caught.value.say("en")
    assert "7" in caught.value.say("zh")
    ledger.lock(["W3"], raters=5, comments=10)
    with pytest.raises(StudyError):
        ledger.lock(["W3"], raters=5, comments=9)


def test_floors_below_five_are_refused(ledger):
    with pytest.raises(TableError, match="below 5"):
        publish_means(behind(list(range(8))), ledger=ledger, min_n=4)


def test_rows_of_the_ledger_are_never_changed_or_deleted(ledger):
    assert shown(ledger, list(range(8)))
    with sqlite3.connect(ledger.path) as other:
        for words in ("DELETE FROM cell", "UPDATE cell SET low = 0", "DELETE FROM rating"):
            with pytest.raises(sqlite3.IntegrityError, match="append only"):
                other.execute(words)
    other.close()


def test_no_name_is_in_the_ledger_and_only_its_owner_reads_it(ledger):
    assert shown(ledger, list(range(8)))
    files = list(ledger.path.parent.glob("*.sqlite*"))
    assert not any(b"person" in f.read_bytes().replace(b"person BLOB", b"") for f in files)
    assert ledger.path.stat().st_mode & 0o077 == 0
    assert ledger.path.parent == next(ledger.path.parent.glob("*.key")).parent


def test_a_ledger_that_cannot_be_used_is_a_clear_error(tmp_path):
    with Ledger.open("company", tmp_path) as ledger:
        path = ledger.path
    for left in path.parent.glob("*.sqlite-*"):
        left.unlink()
    path.write_bytes(b"not a data base" * 100)
    with pytest.raises(OutputError) as caught:
        Ledger.open("company", tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_a_key_that_cannot_be_read_names_no_path(tmp_path):
    home = tmp_path / "zhang.wei"
    load_key("study", home)
    key = next(home.glob("*.key"))
    key.unlink()
    key.mkdir()
    with pytest.raises(StudyError) as caught:
        load_key("study", home)
    assert "zhang.wei" not in str(caught.value)


def test_a_score_off_the_scale_is_refused():
    with pytest.raises(TableError, match="1"):
        behind([0, 1], scores=[9, 9])


def test_ratings_that_are_no_whole_numbers_are_not_taken_for_such():
    assert behind([0, 1]).whole
    assert not behind([0, 1], scores=[3.5, 4]).whole
    assert behind([0, 1], scores=[3.5, 4]).unit == 0.5


def test_a_weight_of_zero_is_refused_with_its_count():
    heavy = behind([0, 1, 2])
    for weights, count in (([2.0, 0.0, 1.0], 1), ([-1.0, 0.0, 1.0], 2)):
        asked = Behind(
            heavy.ratings.assign(w=weights), ["unit"], "rater", "score", (1, 5), weight="w"
        )
        with pytest.raises(TableError) as caught:
            asked.weights()
        assert caught.value.problems[0].count == count


def test_cells_tell_on_how_many_ratings_they_rest(ledger):
    assert shown(ledger, list(range(10)))
    assert shown(ledger, list(range(5)), by="IT")
    cells = ledger.cells()
    assert cells["ratings"].tolist() == [10, 5]
    assert cells[["quantity", "label"]].to_numpy().tolist() == [["mean", "HR"], ["mean", "IT"]]


def in_cells(members: dict[str, list[int]], weights: dict[str, int] | None = None) -> Behind:
    rows = [
        (c, f"person{i}", SCORES[i], (weights or {}).get(c, 1))
        for c, m in members.items()
        for i in m
    ]
    table = pd.DataFrame(rows, columns=["unit", "rater", "score", "w"])
    return Behind(table, by=["unit"], rater="rater", score="score", scale=(1, 5), weight="w")


def test_two_names_for_the_same_people_are_one_cell(ledger):
    both = in_cells({"A": list(range(8)), "B": list(range(8))})
    assert publish_means(both, ledger=ledger).table["shown"].all()
    assert len(ledger.cells()) == 1


def test_what_was_shown_stays_shown_beside_what_is_new(ledger):
    """Later cells are numbered on from those that are there: nobody is mistaken for somebody else."""
    assert shown(ledger, list(range(6)))
    assert shown(ledger, [6, 7, 8, 9, 10, 11])
    # The first of both cells and the last: each difference would be one person.
    assert not shown(ledger, [0, 1, 2, 3, 4])
    assert not shown(ledger, [7, 8, 9, 10, 11])
    assert not shown(ledger, [*range(6), 6])
    assert shown(ledger, list(range(12)))


def test_two_cells_that_differ_by_their_weights_give_the_heavier_away(ledger):
    members = list(range(8))
    plain, heavy = in_cells({"A": members}), in_cells({"A": members})
    heavy.ratings.loc[0, "w"] = 2
    assert publish_means(plain, ledger=ledger).table["shown"].all()
    assert not publish_means(heavy, ledger=ledger).table["shown"].any()


def test_an_insider_counts_wherever_they_rated(ledger):
    """One person has all ratings but one of a cell: for them it is the rating of the other."""
    who = ["a", "a", "a", "a", "a", "b"]
    table = pd.DataFrame({"unit": "A", "rater": who, "score": [3, 4, 2, 3, 4, 2], "form": range(6)})
    asked = Behind(table, ["unit"], "rater", "score", (1, 5), rating=["form"])
    assert not publish_means(asked, ledger=ledger).table["shown"].any()


def test_locking_the_same_sizes_again_is_no_entry(ledger):
    for _ in range(3):
        ledger.lock(["W1"], raters=6, comments=10)
    with sqlite3.connect(ledger.path) as other:
        assert other.execute("SELECT count(*) FROM floor").fetchone() == (1,)
    other.close()
    ledger.lock(["W1"], raters=6, comments=12)
    with pytest.raises(StudyError):
        ledger.lock(["W1"], raters=6, comments=11)


def test_means_are_weighted_rounded_and_counted_by_persons(ledger):
    table = pd.DataFrame({
        "unit": ["B"] * 6 + ["A"] * 7, "rater": [*"abcdef", *"abcdeff"],
        "score": [1, 2, 3, 4, 5, 2, 4, 4, 2, 3, 3, 2, 4], "w": [2] + [1] * 12, "form": range(13),
    })  # fmt: skip
    asked = Behind(table, ["unit"], "rater", "score", (1, 5), ["form"], weight="w")
    out = publish_means(asked, ledger=ledger).table
    assert out["unit"].tolist() == ["A", "B"]
    assert out["estimate"].tolist() == [3.14, 2.57]
    assert out["n"].tolist() == [6, 6]
    fine = replace(asked, by=["unit"], decimals=1)
    assert ask(fine)[1]["estimate"].tolist() == [3.1, 2.6]


def test_one_mean_of_all_ratings_has_no_name(ledger):
    one = publish_means(behind(list(range(9)), by="HR"), ledger=ledger)
    assert one.hidden == 0 and one.findings == ()
    whole = replace(behind(list(range(9))), by=[])
    table = publish_means(whole, ledger=ledger, quantity="other").table
    assert table["shown"].tolist() == [True] and table["n"].tolist() == [9]


def test_the_floor_of_a_table_may_be_raised(ledger):
    table = publish_means(by_wave_and_unit({"HR": 9, "IT": 8}), ledger=ledger, min_n=9)
    assert table.table["shown"].tolist() == [True, False]
    assert table.hidden == 1 and table.min_n == 9


def test_a_cell_of_an_old_ledger_is_known_for_ever(tmp_path):
    """Marks and identities stay what they were: what was published years ago is still the same cell."""
    key = tmp_path / f"{stem('old')}.key"
    key.write_text("00" * 32)
    with Ledger.open("old", tmp_path) as ledger:
        assert shown(ledger, list(range(8)))
        identity, ids, weights = ledger._store.execute(
            "SELECT identity, ratings, weights FROM cell"
        ).fetchone()
    assert identity.hex()[:16] == "0aa1c2aa60494b46"
    assert list(np.frombuffer(ids, "<i8")) == list(range(1, 9))
    assert list(np.frombuffer(weights, "<i8")) == [1] * 8


def test_from_counts_alone_the_ledger_holds_no_value(ledger):
    counted = replace(behind(list(range(8))), scale=None)
    table = publish_means(counted, ledger=ledger).table
    assert table["shown"].tolist() == [True]
    assert ledger._store.execute("SELECT low, high FROM cell").fetchone() == (0, 0)


@pytest.mark.parametrize(("score", "written"), [(4.8, 4.55), (1.2, 1.45), (3.14159, 3.14)])
def test_means_of_no_whole_numbers_are_written_with_two_decimals(ledger, score, written):
    table = pd.DataFrame({"unit": "A", "rater": range(10), "score": score})
    exact = Behind(table, ["unit"], "rater", "score", (1, 5), decimals=None)
    assert ask(exact)[1]["estimate"].tolist() == [written]


def by_three(sizes: dict[tuple[str, str, str], int]) -> Behind:
    rows = [key for key, size in sizes.items() for _ in range(size)]
    table = pd.DataFrame(rows, columns=["year", "unit", "team"])
    table["who"] = range(len(table))
    table["score"] = [SCORES[i % len(SCORES)] for i in table["who"]]
    return Behind(table, ["year", "unit", "team"], "who", "score", (1, 5))


def test_the_nearest_larger_group_is_offered_first(ledger):
    sizes = {("25", "HR", "a"): 3, ("25", "HR", "b"): 4, ("25", "IT", "a"): 2, ("24", "IT", "a"): 4}
    published = publish_means(by_three(sizes), ledger=ledger)
    assert published.hidden == 4
    *_, offered = published.findings
    # For HR its department; for the two of IT the whole year; nothing for the year of four.
    assert offered.values["names"] == ["25", "25 · HR"]
    assert ledger.cells().empty


def test_a_larger_group_is_offered_at_the_floor_of_groups_not_of_sums(ledger):
    """Sums over two persons may be computed here; a group that is shown has five all the same."""
    few = by_wave_and_unit({"HR": 2, "IT": 2})
    published = publish_means(few, ledger=ledger, min_computed=2)
    assert published.hidden == 2
    assert "No larger group" in published.say("en")


@pytest.mark.parametrize(
    ("scale", "apart", "both"), [(None, 2, False), (None, 3, True), ((1, 5), 3, True)]
)
def test_from_counts_alone_a_computed_sum_rests_on_one_more(ledger, scale, apart, both):
    """One insider of two knows the other; with the answers at hand that is looked into by itself."""
    members = {"A": list(range(11)), "B": list(range(apart, 11))}
    asked = replace(in_cells(members), scale=scale)
    table = publish_means(asked, ledger=ledger, min_computed=2).table
    assert table["shown"].all() == both
    assert table["shown"].any()


@pytest.mark.parametrize("scale", [None, (1, 5)])
@pytest.mark.parametrize("by", [[], ["unit"]])
def test_without_any_answer_nothing_is_shown_and_nothing_kept(ledger, scale, by):
    nobody = replace(behind(list(range(6))), by=by, scale=scale)
    nobody = replace(nobody, ratings=nobody.ratings.iloc[:0])
    published = publish_means(nobody, ledger=ledger)
    assert len(published.table) == (0 if by else 1)
    assert not published.table["shown"].any() and published.table["estimate"].isna().all()
    assert ledger.cells().empty


def test_what_an_insider_weighs_is_a_rating_or_all_parts_of_one_answer():
    """Ten ratings of five persons: a tenth of the whole each, or a fifth as parts of one answer."""
    table = pd.DataFrame({"unit": "A", "rater": [*"abcde"] * 2, "score": 5, "form": range(10)})
    asked = Behind(table, ["unit"], "rater", "score", (1, 5), ["form"])
    for parts, band in ((False, 4.5), (True, 4.0)):
        [cell], shown = ask(asked, parts=parts)
        assert shown["estimate"].tolist() == [band]
        assert (cell.low, cell.high) == pytest.approx((10 * band, 50))
    assert ask(asked)[1]["estimate"].tolist() == [4.5]


def test_the_floor_of_sums_is_two_persons_at_least_and_never_above_that_of_groups(ledger):
    with pytest.raises(TableError, match="2"):
        publish_means(behind(list(range(8))), ledger=ledger, min_computed=1)
    apart = in_cells({"A": list(range(11)), "B": list(range(5, 11))})
    # Five persons make the difference: as many as a group must have, whatever more was asked for.
    assert publish_means(apart, ledger=ledger, min_computed=9).table["shown"].all()


def test_adjusted_scores_of_too_many_answers_are_not_shown_and_that_is_on_record(
    ledger, monkeypatch
):
    """One row for a department of eight: shown up to the limit of rows times answers that are audited, not beyond."""
    asked = behind(list(range(8)))
    cells, _ = ask(asked)
    told = asked.ratings.assign(other="x")
    found = leaning.leaning(
        replace(asked, ratings=told),
        {"adjusted": {"rater": 0.4, "pair": 0.0, "residual": 0.6}},
        target="other",
        taken_out=[],
    )
    score = [("adjusted", 0)]

    def admitted(most: int) -> list[bool]:
        monkeypatch.setattr(leaning, "MOST", most)
        return ledger.admit_leaning("mean", asked, found, score, cells, least=5)

    assert admitted(2 * 8 - 1) == [False]
    assert ledger.refused().to_dict("list") == {"quantity": ["mean"], "cells": [2], "ratings": [8]}
    assert admitted(2 * 8) == [True]
    assert len(ledger.refused()) == 1

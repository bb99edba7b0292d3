"""Ratings that were acknowledged are there, once, as they came; weights that were frozen stay."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import duckdb
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics.io.rating_store import STORE, RatingStore
from svcmetrics.problems import OutputError, StudyError


def ratings(plan: str = "P1", scores=(4.0, 5.0)) -> pd.DataFrame:
    return pd.DataFrame({
        "plan_id": plan, "item_id": [f"q{i}" for i in range(len(scores))], "score": list(scores),
        "submitted_at": "2025-01-20 09:00",
    })  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with RatingStore.open(tmp_path) as opened:
        yield opened


def test_what_is_appended_is_read_back(store):
    assert store.append(ratings()) == [1, 2]
    read = store.ratings()
    assert read["score"].tolist() == [4.0, 5.0]
    assert str(read["submitted_at"].iloc[0]) == "2025-01-20 09:00:00+08:00"


def test_an_analysis_asks_the_ratings_with_sql(store):
    store.append(ratings())
    kept = store.ratings()
    mean = duckdb.query("SELECT avg(score) FROM kept").fetchone()[0]
    assert mean == kept["score"].mean() == 4.5


def test_the_same_form_sent_twice_counts_once(store):
    assert store.append(ratings()) == store.append(ratings())
    assert len(store.ratings()) == 2


def test_another_answer_is_refused_whole_unless_it_is_a_correction(store):
    store.append(ratings())
    both = pd.concat([ratings("P2"), ratings(scores=(1.0, 5.0))])
    with pytest.raises(StudyError, match="correcting=True"):
        store.append(both)
    assert len(store.ratings()) == 2
    assert store.append(ratings(scores=(1.0, 5.0)), correcting=True) == [3, 2]
    assert store.ratings()["score"].tolist() == [5.0, 1.0]
    assert store.ratings(history=True)["revision"].tolist() == [1, 1, 2]


@pytest.mark.parametrize(
    ("bad", "key"),
    [
        (ratings().assign(score="good"), "not_number"),
        (ratings().drop(columns="plan_id"), "rating_of_nobody"),
        (ratings().drop(columns="item_id"), "columns_missing"),
        (ratings().assign(item_id="q1"), "rating_twice"),
    ],
)
def test_bad_ratings_are_refused_with_a_sentence_and_nothing_is_kept(store, bad, key):
    with pytest.raises(StudyError) as told:
        store.append(bad)
    assert key in {p.key for p in told.value.problems}, told.value
    assert store.ratings().empty


@pytest.mark.parametrize("order", ["UPDATE rating SET score = 1", "DELETE FROM rating"])
def test_nobody_changes_what_was_received(store, tmp_path, order):
    store.append(ratings())
    other = sqlite3.connect(tmp_path / STORE)
    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        other.execute(order)
    other.close()


def test_frozen_weights_stay_as_they_are(store):
    weights = pd.DataFrame({
        "set_id": "2025", "node": ["time", "quality"], "weight": [0.4, 0.6], "method": "ahp",
    })  # fmt: skip
    digest = store.freeze(weights)
    assert store.freeze(weights.iloc[::-1]) == digest
    assert store.weights()["digest"].unique().tolist() == [digest]
    assert store.weights()["frozen_at"].notna().all()
    with pytest.raises(StudyError, match="set_id"):
        store.freeze(weights.assign(weight=[0.5, 0.5]))
    with pytest.raises(StudyError):
        store.freeze(weights.assign(set_id=["a", "b"]))


def test_a_study_reads_its_store_beside_its_files_and_counts_nothing_twice(tmp_path):
    (tmp_path / "study.toml").write_text('name = "s"\ntimezone = "Asia/Shanghai"\n')
    ratings().drop(columns="submitted_at").to_csv(tmp_path / "rating.csv", index=False)
    with RatingStore.open(tmp_path) as store:
        store.append(pd.concat([ratings(scores=(2.0,)), ratings("P2")]))
    read = svc.read_study(tmp_path).rating
    assert sorted(zip(read["plan_id"], read["item_id"], read["score"])) == [
        ("P1", "q0", 2.0), ("P1", "q1", 5.0), ("P2", "q0", 4.0), ("P2", "q1", 5.0)
    ]  # fmt: skip


def test_a_study_may_have_its_ratings_in_the_store_alone(tmp_path):
    (tmp_path / "study.toml").write_text('name = "s"\ntimezone = "Asia/Shanghai"\n')
    with RatingStore.open(tmp_path) as store:
        store.append(ratings())
    assert len(svc.read_study(tmp_path).rating) == 2


def test_a_folder_that_holds_a_store_is_never_replaced(tmp_path):
    with RatingStore.open(tmp_path) as store:
        store.append(ratings())
    study = svc.Study({"rating": ratings()})
    with pytest.raises(OutputError):
        svc.write_study(study, tmp_path)


def test_kill_nine_four_writers_and_a_full_disk_lose_nothing():
    """The short form of ``python -m tests.store.harness --kills 200``."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.harness", "--kills", "10", "--batches", "6"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'kills': 10" in done.stdout and "'lost': 0" in done.stdout
    assert "磁盘" in done.stdout and "space on the disk" in done.stdout

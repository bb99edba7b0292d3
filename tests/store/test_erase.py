"""Who leaves is found nowhere afterwards: tables, store, journal, caches, pages; and the others stay."""

from __future__ import annotations

import json
import tomllib

import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import cli
from svcmetrics.io.erase import erase_person
from svcmetrics.io.persons import files_of, left_in, words
from svcmetrics.io.rating_store import STORE, RatingStore
from svcmetrics.privacy import Behind, Ledger, load_key, pseudonym, publish_means
from svcmetrics.privacy.record import erasures
from svcmetrics.simulate import simulate

NAME, STUDY = "张晓明", "离职研究"
PEOPLE = [NAME, *(f"员工{i}" for i in range(10))]


@pytest.fixture
def keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))
    return load_key(STUDY)


def tables(keys: bytes) -> dict[str, pd.DataFrame]:
    who = [pseudonym(p, keys) for p in PEOPLE]
    plan = pd.DataFrame({
        "plan_id": [f"P{i}" for i in range(11)], "wave": "1", "rater_key": who, "rater_unit_id": "B",
        "rater_role": "employee", "target_id": "A", "mode": "confidential", "form_version": "F",
    })  # fmt: skip
    rating = pd.DataFrame({
        "plan_id": plan["plan_id"], "item_id": "q1", "score": [5.0, *[2.0, 3.0, 4.0] * 3, 2.0],
        "reason": [None, f"{NAME}很配合", *[None] * 9],
    })  # fmt: skip
    item = pd.DataFrame({
        "form_version": ["F"], "item_id": "q1", "dimension": "d", "aspect": "result",
        "min": 1.0, "max": 5.0,
    })  # fmt: skip
    unit = pd.DataFrame({"unit_id": ["A", "B"], "name_zh": ["甲", "乙"], "is_service_unit": True})
    event = pd.DataFrame({
        "case_id": "C1", "seq": [0, 1], "service_id": "S", "action": ["submit", "close"],
        "at": pd.to_datetime(["2025-01-01", "2025-01-02"], utc=True), "actor_key": [who[0], who[1]],
    })  # fmt: skip
    return {"unit": unit, "event": event, "item": item, "plan": plan, "rating": rating}


def write(folder, keys, form: str):
    settings = svc.study.Settings(name=STUDY)
    svc.write_study(svc.Study(tables(keys), settings), folder, form=form)
    late = pd.DataFrame({"plan_id": ["P0", "P1"], "item_id": "q2", "score": 4.0,
                         "reason": [None, f"谢谢{NAME}"]})  # fmt: skip
    with RatingStore.open(folder) as store:
        store.append(late)
    return folder


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_nothing_of_the_person_is_left_and_the_others_are_as_they_were(form, tmp_path, keys):
    folder = write(tmp_path / "study", keys, form)
    gone = (NAME, pseudonym(NAME, keys))
    assert left_in(files_of(folder), gone)
    done = erase_person(folder, NAME)
    assert done.rows == {"event": 1, "plan": 1, "rating": 4}
    assert done.left == ()
    after = svc.read_study(folder)
    assert len(after.plan) == 10 and len(after.rating) == 11 and len(after.event) == 2
    assert after.event["actor_key"].isna().tolist() == [True, False]
    assert sorted(after.rating["reason"].dropna()) == ["■■很配合", "谢谢■■"]
    raw = b"".join(f.read_bytes() for f in files_of(folder))
    assert not any(g.encode() in raw for g in gone)
    assert not left_in(files_of(folder), gone)
    [told] = erasures(STUDY)
    assert told["rows"] == done.rows
    assert not any(g in json.dumps(told, ensure_ascii=False) for g in gone)


def test_the_store_still_refuses_changes_afterwards(tmp_path, keys):
    folder = write(tmp_path / "study", keys, "csv")
    erase_person(folder, pseudonym(NAME, keys))
    import sqlite3

    store = sqlite3.connect(folder / STORE)
    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        store.execute("DELETE FROM rating")
    store.close()


def test_pages_caches_and_checks_go_and_reports_stay(tmp_path, keys):
    folder = write(tmp_path / "study", keys, "csv")
    pages = folder / "outputs"
    (pages / "notebooks").mkdir(parents=True)
    (folder / ".import-x").mkdir()
    made = {
        "04_verify.html": "x", "notebooks/04.ipynb": pseudonym(NAME, keys), "brief_zh.html": "x",
    }  # fmt: skip
    for name, text in made.items():
        (pages / name).write_text(text, "utf-8")
    manifest = {"notebooks": {}, "outputs": dict.fromkeys([*made, "../../beside.html"], "")}
    (pages / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (tmp_path / "beside.html").write_text("x")
    (folder / ".import-x" / "rating.csv").write_text(NAME, "gb18030")
    (folder / "checks.csv").write_text(NAME, "utf-8")
    assert erase_person(folder, NAME).left == ()
    assert [f.name for f in files_of(pages)] == ["brief_zh.html"]
    assert (tmp_path / "beside.html").exists()
    assert not (folder / "checks.csv").exists()


def test_a_file_that_is_no_table_is_told_and_left_alone(tmp_path, keys, capsys):
    folder = write(tmp_path / "study", keys, "csv")
    (folder / "notes.txt").write_text(f"{NAME} called", "utf-16-le")
    assert cli.main(["--lang", "en", "erase", str(folder), NAME, "--yes"]) == cli.PROBLEMS
    assert "notes.txt" in capsys.readouterr().out
    assert (folder / "notes.txt").exists()


@pytest.mark.parametrize(("code", "word"), [("zh", "评分"), ("en", "rating")])
def test_the_list_tells_tables_rows_and_files(code, word, tmp_path, keys, capsys):
    folder = write(tmp_path / "study", keys, "csv")
    assert cli.main(["--lang", code, "person", str(folder), NAME, "--rows"]) == cli.DONE
    said = capsys.readouterr().out
    assert word in said and "rating.csv" in said and "谢谢" in said and "P0" in said
    assert cli.main(["--lang", code, "person", str(folder), "李四"]) == cli.DONE
    assert capsys.readouterr().out.strip()


def test_nothing_is_erased_without_a_yes(tmp_path, keys, capsys):
    folder = write(tmp_path / "study", keys, "csv")
    before = {f: f.read_bytes() for f in files_of(folder)}
    assert cli.main(["--lang", "en", "erase", str(folder), NAME]) == cli.INPUT
    assert before == {f: f.read_bytes() for f in files_of(folder)}
    assert "--yes" in capsys.readouterr().err


def test_the_next_report_does_not_reveal_what_was_withdrawn(tmp_path, keys):
    folder = write(tmp_path / "study", keys, "csv")

    def shown() -> bool:
        ratings = svc.read_study(folder).long_ratings()
        asked = Behind(
            ratings[ratings["item_id"] == "q1"], by=["target_id"], rater="rater_key", score="score",
            scale=(1, 5), rating=["item_id"],
        )  # fmt: skip
        with Ledger.open(STUDY) as ledger:
            return bool(publish_means(asked, ledger=ledger).table["shown"].iloc[0])

    assert shown()
    erase_person(folder, NAME)
    assert not shown()


def test_short_latin_names_are_whole_words():
    found = words(["Li"])
    assert found.sub("■■", "Li asked; Lion, Ali; 请问Li吗") == "■■ asked; Lion, Ali; 请问■■吗"


def test_a_simulated_study_forgets_the_person_in_its_truth_too(tmp_path, keys, capsys):
    folder = simulate(tmp_path / "study", events=400, ratings=300, units=6)
    planted = tomllib.loads((folder / "truth.toml").read_text("utf-8"))
    stamper = planted["rubber_stamp"]["actor_key"]
    rater = next(iter(planted["copiers"]))
    for who in (stamper, rater):
        assert cli.main(["--lang", "en", "erase", str(folder), who, "--yes"]) == cli.DONE
        assert "truth.toml" in capsys.readouterr().out
        assert not left_in(files_of(folder), [who])
    after = tomllib.loads((folder / "truth.toml").read_text("utf-8"))
    assert after["rubber_stamp"]["actor_key"] == "■■"
    assert after["copiers"] == {k: v for k, v in planted["copiers"].items() if k != rater}
    assert after["quality"] == planted["quality"]


def test_a_truth_that_is_none_is_told_and_left_alone(tmp_path, keys):
    folder = write(tmp_path / "study", keys, "csv")
    (folder / "truth.toml").write_text(f"{NAME} wrote this", "utf-8")
    done = erase_person(folder, NAME)
    assert done.masked == () and [f.name for f in done.left] == ["truth.toml"]

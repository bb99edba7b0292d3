"""No page holds a pseudonym of the study, and two reports share none of their labels."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import lang, run
from svcmetrics.privacy.labels import relabelled, report_labels

KEYS = [f"p{i:024x}" for i in range(12)]
LABEL = r"R-[A-Z2-7]{8}"


def study(path=None, *, score: float = 4.0) -> svc.Study:
    rating = pd.DataFrame({
        "plan_id": None, "item_id": "q1", "score": score, "rater_key": [*KEYS, "张三丰", "财务部"],
        "target_id": "A", "reason": None,
    })  # fmt: skip
    unit = pd.DataFrame({"unit_id": ["A"], "name_zh": ["财务部"], "is_service_unit": [True]})
    return svc.Study({"unit": unit, "rating": rating}, svc.study.Settings(name="labels"), path=path)


def test_labels_are_steady_for_the_same_files_and_shared_by_no_two_reports():
    one, again = (report_labels(study(), {"rating.csv": "1"}) for _ in range(2))
    other = report_labels(study(), {"rating.csv": "2"})
    assert one == again
    assert set(one) == {*KEYS, "张三丰"}  # a department that rates is no person
    assert len(set(one.values())) == len(one)
    assert not set(one.values()) & set(other.values())
    assert not any(key in label for key in one for label in one.values())


def test_short_names_are_persons_unless_they_could_be_any_number():
    rating = pd.DataFrame(
        {"rater_key": ["张三", "王", "a1", "12345", "abc123", "Ω1"], "score": 1.0}
    )
    made = svc.Study({"rating": rating}, svc.study.Settings(name="short"))
    assert set(report_labels(made, {})) == {"张三", "abc123", "Ω1"}


def test_only_whole_names_are_replaced():
    labels = {"abc123": "R-1", "张三丰": "R-2"}
    assert relabelled("abc123 abc1234 张三丰说 x-abc123", labels) == "R-1 abc1234 R-2说 x-abc123"


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """Two runs, of two states of a study, of a notebook that tells everything it can."""
    cells = [
        {"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}, "outputs": [],
         "execution_count": None, "source": "folder = language = ''"},
        {"cell_type": "code", "id": "b", "metadata": {}, "outputs": [], "execution_count": None,
         "source": "import svcmetrics as svc\ns = svc.read_study(folder)\n"
                   "print(list(s.rating['rater_key']))\ns.rating"},
        {"cell_type": "code", "id": "c", "metadata": {}, "outputs": [], "execution_count": None,
         "source": "raise ValueError(s.rating['rater_key'][0])"},
    ]  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "x", "language": "python"}}
    notebook = tmp_path / "04_x.ipynb"
    notebook.write_text(
        json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})
    )
    monkeypatch.setattr(run, "notebooks", lambda: [notebook])
    monkeypatch.setattr(run, "_write_index", lambda *_: None)
    texts = []
    for number, score in enumerate((4.0, 3.0)):
        folder = tmp_path / f"study{number}"
        svc.write_study(study(score=score), folder)
        [step] = run.run(svc.read_study(folder), folder / "outputs", language="en")
        files = [
            f for f in (folder / "outputs").rglob("*") if f.suffix in (".html", ".ipynb", ".json")
        ]
        texts.append({f.name: f.read_text("utf-8") for f in files} | {"step": step.reason})
    return texts


def test_two_runs_hold_no_pseudonym_share_no_label_and_say_who_decides(pages):
    labels = []
    for texts in pages:
        assert {"04_x.html", "04_x.ipynb", "manifest.json", "impact.json"} <= set(texts)
        whole = "\n".join(texts.values())
        assert not any(key in whole for key in [*KEYS, "张三丰"])
        assert re.search(LABEL, texts["step"])
        labels.append(set(re.findall(LABEL, whole)))
        assert "a person decides" in texts["04_x.html"]
        assert "负责人" in texts["impact_zh.html"] and "a person decides" in texts["impact_en.html"]
    assert len(labels[0]) == len(labels[1]) == len(KEYS) + 1
    assert not labels[0] & labels[1]


def test_the_record_tells_fields_counts_and_files_and_no_person(pages):
    record = json.loads(pages[0]["impact.json"])
    used = record["tables"]["rating"]
    assert (used["rows"], used["persons"]) == (14, 14)
    assert used["fields"] == ["item_id", "score", "rater_key", "target_id"]
    assert set(record["inputs"]) == {"study.toml", "unit.csv", "rating.csv"}
    assert record["seen_by"] == "analysts" and record["least_persons"] == 5
    assert set(record["purpose"]) == set(lang.LANGUAGES) == set(record["retention"])


def test_of_two_names_one_of_which_begins_the_other_the_longer_is_read():
    labels = {"张三": "R-1", "张三丰": "R-2", "丰": "R-3"}
    assert relabelled("张三丰、张三、丰", labels) == "R-2、R-1、R-3"
    assert relabelled("abcdef abcde", {"abcdef": "R-1"}) == "R-1 abcde"
    assert relabelled("nothing to do", {}) == "nothing to do"


def test_persons_are_sought_in_every_table_that_names_them_and_forms_have_labels_of_their_own():
    def one(**columns):
        return pd.DataFrame(columns)

    tables = {
        "plan": one(plan_id=["form01", None], rater_key=["rater1", "rater2"]),
        "rating": one(rater_key=["rater2", None]),
        "event": one(actor_key=["actor1"]),
        "judgement": one(judge_key=["judge1"]),
        "relevance": one(score=[1.0]),  # without its column nobody is in it
        "service": one(service_id=["actor1"], name_en=["judge2"]),
    }
    found = report_labels(svc.Study(tables, svc.study.Settings(name="many")), {})
    assert set(found) == {"rater1", "rater2", "judge1", "form01"}
    kinds = {k: v[:2] for k, v in found.items()}
    assert kinds == {"rater1": "R-", "rater2": "R-", "judge1": "R-", "form01": "F-"}

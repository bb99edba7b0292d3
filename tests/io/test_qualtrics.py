"""Qualtrics exports: three header rows, the zone of the third, previews out, persons dropped."""

from __future__ import annotations

import pytest

from svcmetrics import read_study
from svcmetrics.io.import_files import import_file, propose
from svcmetrics.io.qualtrics import read_qualtrics
from svcmetrics.problems import StudyError

from .foreign import QUALTRICS, leaked, write_csv


@pytest.fixture(autouse=True)
def _own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))


def changed(column, values):
    at = QUALTRICS[0].index(column)
    body = [[*row[:at], v, *row[at + 1 :]] for row, v in zip(QUALTRICS[3:], values)]
    return [*QUALTRICS[:3], *body]


def test_labels_zone_previews_and_blanks(tmp_path):
    report = import_file(write_csv(tmp_path / "q.csv", QUALTRICS, "utf-8"), tmp_path / "study")
    study = read_study(tmp_path / "study")
    assert report.left_out == {"preview": 1}
    assert study.settings.timezone == "America/Denver"
    assert str(study.rating["submitted_at"].iloc[0]) == "2024-03-05 09:12:00-07:00"
    assert study.rating["score"].fillna(-1).tolist() == [4, 1, 3, -1]
    assert study.item["text_en"].tolist() == [
        "How satisfied are you with... · Speed",
        "How satisfied are you with... · Courtesy",
    ]
    assert study.plan["target_id"].tolist() == ["Finance", "IT"]
    assert [p for p in study.check() if p.level == "error"] == []
    assert "unfinished" in " ".join(f.key for f in report.findings)


def test_persons_and_places_are_never_written(tmp_path):
    import_file(write_csv(tmp_path / "q.csv", QUALTRICS, "utf-8"), tmp_path / "study")
    assert leaked(tmp_path / "study", "jane", "Doe", "198.51", "104.9", "R_1abc") == []


def test_numbers_instead_of_labels(tmp_path):
    rows = changed("Q2_1", ["5", "4", "1"])
    rows = [
        *rows[:3],
        *(
            [*r[:18], {"Very satisfied": "5", "Neutral": "3"}.get(r[18], r[18]), *r[19:]]
            for r in rows[3:]
        ),
    ]
    rows = [
        *rows[:3],
        *([*r[:2], {"Survey Preview": "1", "IP Address": "0"}[r[2]], *r[3:]] for r in rows[3:]),
    ]
    import_file(write_csv(tmp_path / "q.csv", [*rows], "utf-8"), tmp_path / "study")
    assert read_study(tmp_path / "study").rating["score"].fillna(-1).tolist() == [4, 1, 3, -1]


def test_an_external_reference_is_the_rater(tmp_path):
    path = write_csv(tmp_path / "q.csv", changed("ExternalReference", ["E0", "E1", "E2"]), "utf-8")
    mapping = propose(path)
    assert mapping.source("plan.rater_key") == "ExternalReference"
    assert mapping.constant("plan.mode") == "confidential"


def test_missing_header_rows_are_named(tmp_path):
    path = write_csv(tmp_path / "q.csv", [QUALTRICS[0], *QUALTRICS[3:]], "utf-8")
    with pytest.raises(StudyError) as error:
        read_qualtrics(path)
    assert error.value.problems[0].key == "qualtrics_headers"

"""Real logs and real ratings: imported by the command line, then run with the notebooks that their tables allow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import svcmetrics as svc
from svcmetrics import cli, measure, verify
from svcmetrics.io.mapping import Mapping, save_mapping

pytestmark = pytest.mark.data


@pytest.fixture(autouse=True)
def _own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))


def _states(out: Path) -> dict[str, str]:
    found = json.loads((out / "manifest.json").read_text("utf-8"))["notebooks"]
    return {name[:2]: one["state"] for name, one in found.items()}


def test_travel_declarations_from_xes_to_pages(shared_data, tmp_path, capsys):
    folder, study, out = shared_data("bpi2020_domestic"), tmp_path / "study", tmp_path / "out"
    reference = json.loads((folder / "reference.json").read_text("utf-8"))["pm4py"]
    source = str(folder / "DomesticDeclarations.xes.gz")
    assert cli.main(["import", source, str(study), "--yes"]) == cli.DONE
    assert "55628" in capsys.readouterr().out
    assert cli.main(["check", str(study), "--no-sheet"]) == cli.DONE
    assert cli.main(["run", str(study), "--out", str(out), "--only", "02,04"]) == cli.DONE
    assert _states(out) == {"02": "done", "04": "skipped"}
    events = svc.read_study(study).event
    counts = measure.volume(events, by=None).table.set_index("variant")["estimate"]
    assert counts["events"] == reference["n_events  [len(read_xes(log))]"]
    assert counts["cases"] == reference["n_cases  [df['case:concept:name'].nunique()]"]
    span = measure.duration(events, of="span", by=None).table.set_index("variant")["estimate"]
    seconds = reference["case_duration_seconds  [get_all_case_durations]"]
    for name in ("mean", "median", "p25", "p75", "p90"):
        assert span[name] * 3600 == pytest.approx(seconds[name], rel=1e-9), name


def test_permits_with_their_deadlines(shared_data, tmp_path):
    folder, study, out = shared_data("permit_receipt"), tmp_path / "study", tmp_path / "out"
    call = ["import", str(folder / "events.parquet"), str(study), "--yes"]
    assert cli.main([*call, "--cases", str(folder / "cases.parquet")]) == cli.DONE
    assert cli.main(["run", str(study), "--out", str(out), "--only", "00,02,06"]) == cli.DONE
    assert _states(out) == {"00": "done", "02": "done", "06": "skipped"}
    read = svc.read_study(study)
    closing = read.event[read.event["action"] == "close"].merge(read.commitment, on="case_id")
    late = int((closing["at"] > closing["due_at"]).sum())
    # reference.json: 1,329 closed cases, 377 of them after their legal deadline (28.36719%)
    assert (len(closing), late) == (1_329, 377)
    assert late / len(closing) == pytest.approx(0.2836719, abs=5e-8)


def test_lecture_ratings_in_notebooks_04_and_06(shared_data, tmp_path):
    columns = {
        "s": ("plan.rater_key",), "d": ("plan.target_id",), "dept": ("unit.parent_id",), "y": ("rating.score",),
    }  # fmt: skip
    mapping = save_mapping(Mapping("ratings", columns), tmp_path / "insteval.toml")
    source, study, out = (
        shared_data("insteval") / "ratings.csv",
        tmp_path / "study",
        tmp_path / "out",
    )
    assert cli.main(["import", str(source), str(study), "--mapping", str(mapping)]) == cli.DONE
    assert cli.main(["run", str(study), "--out", str(out), "--only", "04,06"]) == cli.DONE
    assert _states(out) == {"04": "done", "06": "done"}
    ratings = svc.read_study(study).long_ratings()
    assert ratings["score"].notna().sum() == 73_421
    found = verify.generalizability(
        ratings, "score ~ target_id + rater_key", object="target_id"
    ).table
    raw = found[(found["metric"] == "component") & (found["variant"] == "raw")]
    raw = raw.set_index(raw.columns[0])["estimate"]
    # lme4 1.1.31, reference.json "m1 variance components, REML"
    assert raw["target_id"] == pytest.approx(0.273734859664044, rel=2e-4)
    assert raw["rater_key"] == pytest.approx(0.106214503878713, rel=2e-4)
    assert raw["residual"] == pytest.approx(1.38717970664344, rel=1e-5)

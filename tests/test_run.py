"""The notebooks run from top to bottom on the example study; a run leaves one folder that explains itself."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import lang
from svcmetrics.manifest import digest
from svcmetrics.pages import one_language
from svcmetrics.problems import StudyError
from svcmetrics.run import notebooks, run


@pytest.fixture(scope="module")
def outputs(tmp_path_factory, example_study_folder):
    """All notebooks on the example study, in English (the tests of pages read both languages)."""
    out = tmp_path_factory.mktemp("run")
    seen = []
    study = svc.read_study(example_study_folder)
    steps = run(study, out, language="en", progress=lambda *told: seen.append(told), command="test")
    return out, steps, seen


def test_every_notebook_of_the_example_runs(outputs):
    _, steps, seen = outputs
    assert [(s.name, s.state, s.reason) for s in steps] == [
        (p.stem, "done", "") for p in notebooks()
    ]
    assert [(number, total) for _, number, total in seen] == [(i + 1, 9) for i in range(9)]


def test_each_page_is_in_one_language_and_needs_no_network(outputs):
    out, steps, _ = outputs
    for step in steps:
        text = (out / f"{step.name}.html").read_text("utf-8")
        assert '<html lang="en"' in text
        assert '<div lang="zh">' not in text
        assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=\"https?://", text), (
            step.name
        )
        assert "Traceback" not in text


def test_pages_show_results_and_pictures(outputs):
    out, _, _ = outputs
    text = (out / "06_score.html").read_text("utf-8")
    assert "svc-result" in text
    assert "image/png;base64," in text or "data:image/png" in text
    assert "Procurement" in text


def test_no_rater_and_no_machine_word_is_left_in_the_leaders_page(outputs, example_study_folder):
    out, _, _ = outputs
    raters = set(pd.read_parquet(example_study_folder / "plan.parquet")["rater_key"])
    for name in ("08_report.html", "brief_zh.html", "brief_en.html"):
        text = (out / name).read_text("utf-8")
        assert not any(key in text for key in raters), name


def test_the_manifest_tells_what_went_in_and_what_came_out(outputs, example_study_folder):
    out, _, _ = outputs
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["inputs"]["rating.parquet"] == digest(example_study_folder / "rating.parquet")
    assert manifest["outputs"]["06_score.html"] == digest(out / "06_score.html")
    assert {"python", "svcmetrics", "pandas", "duckdb"} <= set(manifest["versions"])
    assert manifest["seed"] == 20240901
    assert all(n["state"] == "done" for n in manifest["notebooks"].values())


def test_the_index_links_every_page(outputs):
    out, steps, _ = outputs
    text = (out / "index.html").read_text("utf-8")
    assert all(f'href="{s.name}.html"' in text for s in steps)


@pytest.mark.parametrize("code", lang.LANGUAGES)
def test_a_notebook_without_its_tables_gets_a_page_that_says_which(code, tmp_path):
    units = pd.DataFrame(
        {"unit_id": ["A"], "name_zh": ["甲"], "name_en": ["A"], "is_service_unit": [True]}
    )
    study = svc.Study({"unit": units})
    steps = run(study, tmp_path, language=code, only=("02", "04"))
    assert [(s.state, s.missing) for s in steps] == [
        ("skipped", ("event", "service")),
        ("skipped", ("rating",)),
    ]
    text = (tmp_path / "04_verify.html").read_text("utf-8")
    assert lang.say("why.rating", code)[:10] in text
    assert "svcmetrics new" in text


def test_an_unknown_notebook_is_a_clear_error(tmp_path):
    with pytest.raises(StudyError, match="04_verify"):
        run(svc.Study({}), tmp_path, language="en", only=("11",))


def test_a_bilingual_cell_gives_its_half():
    cell = '<div lang="zh">\n\n# 中\n\n</div>\n<div lang="en">\n\n# E\n\n</div>'
    assert one_language(cell, "zh") == "# 中"
    assert one_language(cell, "en") == "# E"
    assert one_language("plain", "en") == "plain"

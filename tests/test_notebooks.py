"""Notebooks are thin, clean, bilingual, and they run."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from svcmetrics import lang
from svcmetrics.pages import one_language
from svcmetrics.run import needs
from svcmetrics.tables import TABLES

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [
    "00_start",
    "01_design",
    "02_measure",
    "03_rate",
    "04_verify",
    "05_weigh",
    "06_score",
    "07_pilot",
    "08_report",
]


def _cells(path: Path, kind: str) -> list[str]:
    content = json.loads(path.read_text("utf-8"))
    return ["".join(c["source"]) for c in content["cells"] if c["cell_type"] == kind]


def test_the_nine_notebooks_are_there():
    assert [p.stem for p in NOTEBOOKS] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_hygiene_stored_without_outputs_and_thin(path):
    content = json.loads(path.read_text("utf-8"))
    code = _cells(path, "code")
    assert all(
        not c.get("outputs") and c.get("execution_count") is None
        for c in content["cells"]
        if c["cell_type"] == "code"
    )
    assert len(content["cells"]) <= 30
    lines = [sum(bool(line.strip()) for line in cell.splitlines()) for cell in code]
    assert sum(lines) <= 60
    assert max(lines) <= 12


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_hygiene_no_definitions_and_no_loops(path):
    for cell in _cells(path, "code"):
        for node in ast.walk(ast.parse(cell)):
            assert not isinstance(
                node, (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While)
            ), cell


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_hygiene_begins_alike_and_takes_its_study_as_a_parameter(path):
    content = json.loads(path.read_text("utf-8"))
    tagged = [c for c in content["cells"] if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1
    assert set(re.findall(r"^(\w+) =", "".join(tagged[0]["source"]), flags=re.MULTILINE)) == {
        "folder",
        "language",
    }
    assert _cells(path, "code")[0].startswith("import svcmetrics as svc")
    assert set(needs(path)) <= {*TABLES, "criteria"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_hygiene_prose_is_in_both_languages(path):
    for cell in _cells(path, "markdown"):
        halves = [one_language(cell, code) for code in lang.LANGUAGES]
        assert halves[0] != cell and halves[1] != cell, cell
        assert re.search(r"[\u4e00-\u9fff]", halves[0])
        assert not re.search(r"[\u4e00-\u9fff]", halves[1])

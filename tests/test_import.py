"""`import svcmetrics` costs what pandas costs: nothing slow is loaded before it is used."""

import json
import subprocess
import sys

import pytest

SLOW = ("matplotlib", "seaborn", "scipy.stats", "statsmodels", "duckdb", "ibis")


def loaded_by(code: str) -> set[str]:
    """The modules a new Python has loaded after this code."""
    ending = "; import sys, json; print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run(
        [sys.executable, "-c", code + ending], capture_output=True, text=True, check=True
    )
    assert not out.stderr
    return set(json.loads(out.stdout))


@pytest.fixture(scope="module")
def modules():
    return loaded_by("import svcmetrics")


@pytest.mark.parametrize("slow", SLOW)
def test_not_loaded_by_import(modules, slow):
    assert slow not in modules


def test_import_says_nothing_and_starts_nothing():
    code = (
        "import threading, warnings; before = threading.active_count(); "
        "warnings.simplefilter('error'); import svcmetrics; "
        "assert threading.active_count() == before"
    )
    assert "svcmetrics" in loaded_by(code)

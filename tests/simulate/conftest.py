"""Companies that several tests look at; nobody changes them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from svcmetrics import simulate
from svcmetrics.io.study_files import read_study

SMALL = {"events": 2500, "ratings": 1200}
PILOT = Path(__file__).parents[2] / "data" / "pilot"


@pytest.fixture(scope="session")
def small():
    return simulate.company(**SMALL)


@pytest.fixture(scope="session")
def small_truth():
    return simulate.truth(**SMALL)


@pytest.fixture(scope="session")
def example():
    return read_study(PILOT)


@pytest.fixture(scope="session")
def example_truth():
    return tomllib.loads((PILOT / "truth.toml").read_text("utf-8"))

"""The committed example is what the program writes, and the data dictionary is up to date."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from svcmetrics import simulate
from svcmetrics.io.study_files import read_study
from svcmetrics.simulate.build import LONG
from svcmetrics.tables import TABLES

DATA = Path(__file__).parents[2] / "data"
PILOT = DATA / "pilot"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return simulate.simulate(tmp_path_factory.mktemp("pilot"))


@pytest.mark.parametrize("name", sorted(set(TABLES) - set(LONG)))
def test_small_tables_have_the_same_bytes(fresh, name):
    assert (fresh / f"{name}.csv").read_bytes() == (PILOT / f"{name}.csv").read_bytes()


@pytest.mark.parametrize("name", ["study.toml", "truth.toml"])
def test_settings_and_truth_have_the_same_bytes(fresh, name):
    assert (fresh / name).read_bytes() == (PILOT / name).read_bytes()


@pytest.mark.parametrize("name", LONG)
def test_long_tables_have_the_same_values(fresh, name):
    made, kept = (pq.read_table(folder / f"{name}.parquet") for folder in (fresh, PILOT))
    assert made.schema.equals(kept.schema)
    assert made.equals(kept)


def test_the_folder_holds_these_files_and_is_small(fresh):
    assert {p.name for p in PILOT.iterdir()} >= {p.name for p in fresh.iterdir()}
    assert sum((PILOT / p.name).stat().st_size for p in fresh.iterdir()) < 5_000_000


def test_reading_the_example_finds_no_problem(example):
    assert example.check() == []


def test_the_same_bytes_twice_and_the_same_in_memory(tmp_path):
    sizes = {"events": 2000, "ratings": 600}
    one, two = (simulate.simulate(tmp_path / name, **sizes) for name in ("one", "two"))
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes(), path.name
    read, made = read_study(one), simulate.company(**sizes)
    assert read.settings == made.settings
    for name in TABLES:
        assert_frame_equal(read.tables[name][list(made.tables[name])], made.tables[name])
    assert simulate.truth(**sizes) == tomllib.loads((one / "truth.toml").read_text("utf-8"))


def test_progress_is_told(tmp_path):
    said = []
    simulate.simulate(tmp_path, events=500, ratings=300, progress=lambda *step: said.append(step))
    assert said == [("event", 500, 500), ("rating", 300, 300)]


def test_a_run_that_fails_leaves_the_old_files(tmp_path):
    simulate.simulate(tmp_path, events=500, ratings=300)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate.simulate(tmp_path, seed=5, events=500, ratings=300, progress=stop)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_the_data_dictionary_is_up_to_date():
    assert (DATA / "README.md").read_text("utf-8") == simulate.data_dictionary()

"""Same inputs, same bytes: everything that must not matter is changed at once, on a small study."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.io import engine
from svcmetrics.simulate import company, simulate
from tests import same_bytes


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("same") / "study", events=1500, ratings=1000)


def test_hashes_threads_zone_locale_user_folder_and_optimisation_change_no_byte(study, tmp_path):
    one = same_bytes.outputs(study, tmp_path / "one", {})
    two = same_bytes.outputs(study, tmp_path / "two", same_bytes.TOGETHER)
    assert len(one) > 40
    assert same_bytes.differing(one, two) == []


def _shuffled(study, folder):
    """A copy of a study with the rows of every table in another order."""
    shutil.copytree(study, folder)
    draw = np.random.default_rng(3)
    for path in folder.glob("*.csv"):
        first, *rows = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(first + b"".join(rows[i] for i in draw.permutation(len(rows))))
    for path in folder.glob("*.parquet"):
        table = pd.read_parquet(path)
        table.iloc[draw.permutation(len(table))].to_parquet(path, index=False)
    return folder


def test_the_order_of_rows_changes_no_byte_but_the_hashes_of_the_files(study, tmp_path):
    other = _shuffled(study, tmp_path / "study")
    one = same_bytes.outputs(study, tmp_path / "one", {})
    two = same_bytes.outputs(other, tmp_path / "two", {})
    # These list the input files with their hashes.
    told = {"report.impact.json", "report.impact_zh.html", "report.impact_en.html",
            "report.manifest.json"}  # fmt: skip
    assert set(same_bytes.differing(one, two)) == told


def test_a_difference_would_be_seen():
    assert same_bytes.differing({"a": b"1", "b": b"2"}, {"a": b"1", "b": b"3", "c": b""}) == [
        "b",
        "c",
    ]


def test_sums_over_many_rows_are_the_same_on_one_two_and_four_threads():
    # Long enough for several pieces: the engine gives each thread a whole one.
    draw = np.random.default_rng(3)
    hours = pd.DataFrame({"h": draw.exponential(30, 400_000)})
    whole = engine.whole(engine.as_table(hours)["h"] * 3.6e9)
    sums = set()
    for threads in (1, 2, 4, 2, 4):
        engine.limit(threads=threads)
        sums.add(
            tuple(
                engine.row(
                    whole.as_table().aggregate(
                        s=engine.exact_sum(whole), q=engine.exact_sum(whole, whole)
                    )
                ).values()
            )
        )
    engine.limit(threads=2)
    assert len(sums) == 1
    us = np.rint(hours["h"].to_numpy() * 3.6e9).astype("int64").astype(object)
    assert next(iter(sums)) == pytest.approx((us.sum(), (us * us).sum()), rel=1e-15)


def test_the_order_of_rows_changes_no_number():
    made = company(events=1500, ratings=300)
    mixed = made.event.sample(frac=1, random_state=5)
    for name in ("on_time", "time_use", "responsibility"):
        book = (
            {"services": made.service, "steps": made.step}
            if name != "on_time"
            else {"services": made.service}
        )
        one, two = (getattr(measure, name)(e, **book) for e in (made.event, mixed))
        pd.testing.assert_frame_equal(one.table, two.table, check_exact=True)
        assert one.text == two.text

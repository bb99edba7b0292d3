"""Pseudonyms need the key; small groups do not leave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import privacy
from svcmetrics.privacy import pseudonyms
from svcmetrics.problems import StudyError, TableError
from svcmetrics.result import Finding, Result, estimates


@pytest.fixture
def result() -> Result:
    table = estimates(
        "icc",
        groups={"unit": ["财务部", "法务部", "审计部"]},
        estimate=[4.1, 4.9, 3.0],
        low=[4.0, 4.8, 2.5],
        high=[4.2, 5.0, 3.5],
        n=[30, 2, np.nan],
    )
    told = [
        Finding("where.table", {"value": "法务部"}),
        Finding("where.table", {"value": "财务部"}),
    ]
    return Result("icc", table, told)


def test_a_small_group_is_hidden_with_its_n(result):
    published = privacy.publish(result, count="n")
    small = published.table[~published.table["shown"]]
    assert published.hidden == 2
    assert small[["estimate", "low", "high", "n"]].isna().all(axis=None)
    assert published.table.loc[0, "estimate"] == 4.1


def test_a_sentence_that_names_a_hidden_group_is_not_published(result):
    text = privacy.publish(result, count="n").say("en")
    assert "法务部" not in text
    assert "财务部" in text


def test_an_unknown_count_hides(result):
    assert not privacy.publish(result, count="n").table["shown"].iloc[2]


def test_the_floor_can_be_raised_and_never_lowered(result):
    assert privacy.publish(result, min_n=31, count="n").hidden == 3
    with pytest.raises(TableError, match="may not be below 5"):
        privacy.publish(result, min_n=4)


def test_what_is_published_cannot_be_changed(result):
    published = privacy.publish(result, count="n")
    mine = published.table
    mine.loc[1, "estimate"] = 4.9
    assert np.isnan(published.table.loc[1, "estimate"])


def test_the_count_may_be_another_column(result):
    table = result.table.assign(raters=[3, 9, 9])
    assert privacy.publish(table, count="raters").table["shown"].tolist() == [False, True, True]
    with pytest.raises(TableError, match="people"):
        privacy.publish(table, count="people")


def test_pseudonyms_are_keyed_stable_and_keep_missing():
    names = pd.Series(["张伟", "李娜", "张伟", None])
    one, two = (privacy.pseudonymise(names, key) for key in (b"a" * 32, b"b" * 32))
    assert one[0] == one[2] != one[1]
    assert not set(one.dropna()) & set(two.dropna())
    assert one.isna().tolist() == [False, False, False, True]
    assert not one.dropna().str.contains("张伟").any()


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path):
    key = privacy.load_key("study", tmp_path / "keys")
    assert len(key) == 32
    assert privacy.load_key("study", tmp_path / "keys") == key
    assert privacy.load_key("other", tmp_path / "keys") != key
    (file, _) = sorted((tmp_path / "keys").iterdir())
    assert file.stat().st_mode & 0o077 == 0


def test_a_broken_key_is_a_clear_error(tmp_path):
    privacy.load_key("study", tmp_path)
    next(tmp_path.glob("*.key")).write_text("not hexadecimal")
    with pytest.raises(StudyError, match="SVCMETRICS_KEYS"):
        privacy.load_key("study", tmp_path)


def test_a_sentence_that_lists_persons_stays_with_the_analyst():
    table = estimates("icc", groups={"unit": ["A"]}, estimate=1.0, n=30)
    told = [Finding("oddities.flat", {"count": 1, "raters": ["p0123"]}, "warning")]
    assert "p0123" not in privacy.publish(Result("icc", table, told), count="n").say("en")


def test_keys_lie_in_the_home_folder_unless_told_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv("SVCMETRICS_KEYS", raising=False)
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    assert pseudonyms.keys_folder() == tmp_path / ".svcmetrics" / "keys"
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "own"))
    assert pseudonyms.keys_folder() == tmp_path / "own"
    assert pseudonyms.keys_folder(tmp_path) == tmp_path


def test_the_name_of_a_key_file_stays_what_it_was():
    # Another name would be another key: nobody could be linked with the imports before.
    assert pseudonyms.stem("x") == "2d711642b726b044"

"""JSON as text: ids keep their digits, size and depth are bounded, wrappers are opened."""

from __future__ import annotations

import pytest

from svcmetrics.io.json_file import instances, read_json, text_of
from svcmetrics.problems import StudyError


def test_numbers_stay_text(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"id": 202403050900000000001, "x": 1.50, "n": NaN}', "utf-8-sig")
    assert read_json(path) == [{"id": "202403050900000000001", "x": "1.50", "n": "NaN"}]


def test_size_is_bounded(tmp_path):
    (tmp_path / "a.json").write_text("[" + "1," * 1000 + "1]")
    with pytest.raises(StudyError) as error:
        read_json(tmp_path / "a.json", max_bytes=100)
    assert error.value.problems[0].key == "file_too_big"


def test_brackets_in_strings_are_not_depth(tmp_path):
    (tmp_path / "a.json").write_text('{"form": "' + "[" * 500 + '\\"{"}')
    assert len(read_json(tmp_path / "a.json")[0]["form"]) == 502


def test_instances_are_found_in_their_wrappers():
    data = [{"data": {"items": [{"k": "1"}, {"k": "2"}]}}, {"k": "3"}, {"error": "x"}, "y"]
    found, others = instances(data, lambda i: "k" in i)
    assert [f["k"] for f in found] == ["1", "2", "3"]
    assert others == 2


def test_an_entry_of_another_kind_is_none():
    assert text_of({"a": {"b": 1}, "c": " ", "d": "x"}, "a", "c", "d") == "x"
    assert text_of(None, "a") is None

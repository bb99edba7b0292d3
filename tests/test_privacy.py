"""Pseudonyms need the key; small groups do not leave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import lang, measure, privacy, rate, score, verify, weigh
from svcmetrics.privacy import pseudonyms
from svcmetrics.problems import StudyError, TableError
from svcmetrics.result import Finding, Result, estimates

# What stands behind a number is known of registered metrics only.
assert measure and rate and score and verify and weigh


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


def told(hidden: float, said: object, *, shown: float = 7.5) -> bool:
    """Whether a sentence with this value is published, when a row with that estimate is hidden."""
    table = estimates("adjust", groups={"unit": ["A", "B"]}, estimate=[shown, hidden], n=[9, 2])
    found = Finding("where.table", {"value": said})
    return len(privacy.publish(Result("adjust", table, [found])).findings) == 1


@pytest.mark.parametrize("said", [0.975, 97.5, -0.975, np.float64(-97.5), 0.9750000000001])
def test_a_number_of_a_hidden_row_is_not_told_in_percent_either(said):
    assert not told(0.975, said)
    assert not told(-0.975, said)


@pytest.mark.parametrize("said", [0.98, 9750.0, 98.5, 1.975, 7.5, 3, "0.975"])
def test_other_numbers_are_told(said):
    assert told(0.975, said)


@pytest.mark.parametrize("column", ["low", "high", "score", "raw", "shift"])
def test_every_number_of_a_hidden_row_counts(column):
    more = {column: [1.25, 2.625]}
    table = estimates("adjust", groups={"unit": ["A", "B"]}, estimate=[1.0, 2.0], n=[20, 2], **more)
    found = [Finding("where.table", {"value": v}) for v in (2.625, 1.25)]
    left = privacy.publish(Result("adjust", table, found)).findings
    assert [f.values["value"] for f in left] == [1.25]


def rows(metric: str, n: list[float], **more) -> Result:
    groups = {"unit": [f"u{i}" for i in range(len(n))]}
    return Result(metric, estimates(metric, groups=groups, estimate=1.0, n=n, **more))


@pytest.mark.parametrize("column", ["sd", "se", "variance", "range", "min", "max", "shift"])
def test_spread_needs_twenty_persons_and_no_more(column):
    for metric in ("adjust", "ahp"):
        table = privacy.publish(rows(metric, [19, 20, 21], **{column: 0.5})).table
        assert table[column].isna().tolist() == [True, False, False]
        assert table["shown"].all()


def test_the_spread_of_cases_and_plans_is_no_spread_of_opinions():
    cases = privacy.publish(rows("on_time", [4, 5, 19], se=0.1)).table
    assert cases["se"].isna().tolist() == [True, False, False]
    plan = privacy.publish(rows("connectivity", [1, 2], se=0.1)).table
    assert plan["se"].notna().all()


def test_persons_given_decide_over_n():
    one = rows("connectivity", [1, 1])
    assert privacy.publish(one).table["shown"].tolist() == [True, True]
    assert privacy.publish(one, persons=[4, 5]).table["shown"].tolist() == [False, True]
    assert privacy.publish(one, count="n").table["shown"].tolist() == [False, False]
    spread = rows("aggregation", [50, 50])
    assert privacy.publish(spread, persons=[19, 20]).table["shown"].tolist() == [False, True]


def test_a_column_of_raters_tells_how_many_spoke():
    result = rows("icc", [99, 99, 99], raters=[5, 4, np.nan])
    assert privacy.publish(result).table["shown"].tolist() == [True, False, False]


def test_a_missing_count_hides_in_every_type():
    for counts in (pd.array([5, None], "Int64"), pd.array([5, None], "int64[pyarrow]")):
        table = pd.DataFrame({"unit": ["A", "B"], "estimate": [1.0, 2.0], "n": counts})
        out = privacy.publish(table).table
        assert out["shown"].tolist() == [True, False]
        assert out["estimate"].isna().tolist() == [False, True]


def test_all_but_the_names_of_a_hidden_row_goes_whatever_its_type():
    result = rows("adjust", [9, 2], word=["up", "down"], flag=[True, False], k=[1, 2])
    out = privacy.publish(result).table
    assert out.loc[1, ["estimate", "low", "high", "n", "word", "flag", "k"]].isna().all()
    assert out.loc[0, ["word", "flag", "k"]].tolist() == ["up", 1, 1]
    assert out["unit"].tolist() == ["u0", "u1"]
    plain = pd.DataFrame({"unit": ["A", "B"], "mark": ["x", "y"], "n": [9, 2]})
    out = privacy.publish(plain).table
    assert out["mark"].isna().tolist() == [False, True] and out["unit"].tolist() == ["A", "B"]


@pytest.mark.parametrize("kind", [list, tuple])
def test_names_in_a_list_count_as_names(kind):
    result = rows("adjust", [9, 2])
    found = [
        Finding("publish.hidden_cells", {"names": kind(names), "count": 1})
        for names in (["u0"], ["u0", "u1"])
    ]
    left = privacy.publish(Result("adjust", result.table, found)).findings
    assert [list(f.values["names"]) for f in left] == [["u0"]]
    listed = Finding("oddities.flat", {"count": 1, "raters": kind(["p1"])}, "warning")
    whole = rows("adjust", [9, 9]).table
    assert privacy.publish(Result("adjust", whole, [listed])).findings == ()


def test_the_smallest_group_that_may_be_shown_has_five():
    assert privacy.publish(rows("adjust", [4, 5, 6])).table["shown"].tolist() == [False, True, True]
    assert privacy.publish(rows("adjust", [4, 5, 6]), min_n=6).hidden == 2
    assert privacy.publish(rows("adjust", [5]), min_n=5).min_n == 5


def test_pseudonyms_stay_what_they_were():
    # Others would not be linked with the imports before; shorter ones could be shared by two.
    key = bytes(range(32))
    assert (
        privacy.pseudonym(" 张伟 ", key)
        == privacy.pseudonym("张伟", key)
        == "pf166b29bcd89c3497597ad0d"
    )


def test_the_folder_of_keys_is_made_where_it_is_wanted_for_its_owner_only(tmp_path):
    folder = tmp_path / "a" / "b" / "keys"
    privacy.load_key("study", folder)
    assert folder.stat().st_mode & 0o077 == 0
    assert [p.name for p in folder.iterdir()] == [f"{pseudonyms.stem('study')}.key"]


def test_a_key_that_cannot_be_written_says_why(tmp_path):
    (tmp_path / "keys").write_text("a file is in the way")
    with pytest.raises(StudyError) as caught:
        privacy.load_key("study", tmp_path / "keys")
    reason = caught.value.problems[0].values["reason"]
    assert reason and reason != lang.say("publish.not_a_key")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / f"{pseudonyms.stem('study')}.key").write_text("xyz")
    with pytest.raises(StudyError) as caught:
        privacy.load_key("study", tmp_path / "own")
    assert caught.value.problems[0].values["reason"] == lang.say("publish.not_a_key")

"""Group sizes are on record with their day: after a wave has opened they may rise and never fall."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import cli
from svcmetrics.criteria import locks_told, on_record
from svcmetrics.privacy.record import (
    criteria_then,
    erasures,
    keep_criteria,
    keep_erasure,
    keep_floors,
    locked_floors,
)
from svcmetrics.run import run
from svcmetrics.study import Settings, Study, Wave

DAY = pd.Timestamp("2026-03-01", tz="UTC")
WAVES = (
    Wave("W1", DAY, DAY + pd.Timedelta(days=7)),
    Wave("W2", DAY + pd.Timedelta(days=30), DAY + pd.Timedelta(days=37)),
)


@pytest.fixture(autouse=True)
def _records_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))


def day(number: int) -> pd.Timestamp:
    return DAY + pd.Timedelta(days=number)


def sizes(now: int) -> list[tuple[str, int, int, bool]]:
    found = locked_floors("s", WAVES, now=day(now))
    return [(w.wave, w.raters, w.comments, w.late) for w in found]


def test_a_wave_is_locked_with_the_sizes_it_opened_with_and_each_rise_since():
    keep_floors("s", raters=9, comments=12, at=day(-9))
    keep_floors("s", raters=6, comments=10, at=day(-2))  # lowered before the opening: free
    assert sizes(-1) == []
    assert sizes(1) == [("W1", 6, 10, False)]
    keep_floors("s", raters=5, comments=10, at=day(3))  # lowered after it: locked all the same
    assert sizes(4) == [("W1", 6, 10, False)]
    keep_floors("s", raters=8, comments=10, at=day(5))
    assert sizes(31) == [("W1", 8, 10, False), ("W2", 8, 10, False)]
    assert locked_floors("s", WAVES, now=day(31))[0].at == day(5)


def test_a_wave_may_open_with_smaller_groups_than_the_one_before():
    keep_floors("s", raters=8, comments=10, at=day(-1))
    keep_floors("s", raters=5, comments=10, at=day(20))
    assert sizes(31) == [("W1", 8, 10, False), ("W2", 5, 10, False)]


def test_a_record_that_came_after_the_opening_says_so():
    keep_floors("s", raters=7, comments=11, at=day(2))
    assert sizes(3) == [("W1", 7, 11, True)]


def study(raters: int, comments: int = 10) -> Study:
    return Study({}, Settings(name="s", waves=WAVES, min_raters=raters, min_comments=comments))


@pytest.mark.parametrize("code", ["zh", "en"])
def test_what_was_lowered_is_told_with_the_day(code):
    keep_floors("s", raters=7, comments=12, at=day(-1))
    assert on_record(study(7, 12)) == []
    told = [p.say(code) for p in on_record(study(5, 11))]
    assert len(told) == 2
    assert all("W1" in t and "2026-02-28" in t and "study.toml" in t for t in told)
    assert "7" in told[0] and "12" in told[1]
    with svc.lang.speaking(code):
        assert "2026-02-28" in locks_told(study(5))[0]


def test_check_tells_and_run_and_report_refuse(tmp_path, capsys):
    folder = tmp_path / "pilot"
    shutil.copytree(Path(__file__).parents[2] / "data" / "pilot", folder)
    toml = folder / "study.toml"
    text = toml.read_text("utf-8")
    toml.write_text(text.replace("raters = 5", "raters = 6"), "utf-8")
    assert cli.main(["--lang", "en", "check", str(folder), "--no-sheet"]) == 0
    assert "6 raters, 10 for comments" in capsys.readouterr().out
    toml.write_text(text, "utf-8")
    assert cli.main(["--lang", "zh", "check", str(folder), "--no-sheet"]) == 1
    assert "只能调高,不能调低".replace(",", "，") in capsys.readouterr().out
    lowered = svc.read_study(folder)
    with pytest.raises(svc.StudyError):
        run(lowered, tmp_path / "out", language="en")
    assert cli.main(["report", str(folder), "--out", str(tmp_path / "out")]) != 0
    assert not (tmp_path / "out").exists()


def test_sizes_of_the_very_moment_of_the_opening_are_those_it_opened_with():
    keep_floors("s", raters=9, comments=12, at=day(-2))
    keep_floors("s", raters=6, comments=10, at=day(0))
    assert sizes(0) == [("W1", 6, 10, False)]
    assert locked_floors("s", WAVES, now=DAY)[0].at == DAY
    assert locked_floors("s", WAVES, now=DAY - pd.Timedelta(seconds=1)) == []


def test_the_day_on_record_is_that_of_the_last_rise():
    keep_floors("s", raters=6, comments=10, at=day(-2))
    keep_floors("s", raters=6, comments=12, at=day(1))
    keep_floors("s", raters=7, comments=11, at=day(2))
    keep_floors("s", raters=7, comments=12, at=day(3))
    [found] = locked_floors("s", WAVES, now=day(4))
    assert (found.raters, found.comments, found.at) == (7, 12, day(2))


def test_without_a_record_nothing_is_locked_and_today_is_the_day_when_none_is_told():
    assert locked_floors("s", WAVES, now=day(4)) == []
    keep_floors("s", raters=6, comments=10)
    keep_floors("s", raters=6, comments=10)
    assert locked_floors("s", ()) == []
    [found] = locked_floors("s", WAVES[:1], now=day(4))
    assert abs(found.at - pd.Timestamp.now("UTC")) < pd.Timedelta(minutes=10)
    assert found.late is (WAVES[0].start < found.at)
    past = Wave("W0", day(-999), day(-900))
    assert [w.wave for w in locked_floors("s", (past,))] == ["W0"]


CRITERIA = {"response": {"at_least": 0.6}}


def test_criteria_are_those_that_stood_at_the_moment_else_the_first_that_came():
    assert criteria_then("s", DAY) is None
    keep_criteria("s", {}, at=day(-9))
    assert criteria_then("s", DAY) is None  # no criteria are no record
    for number, least in ((1, 0.6), (2, 0.6), (3, 0.7)):
        keep_criteria("s", {"response": {"at_least": least}}, at=day(number))
    found = [criteria_then("s", when) for when in (None, day(0), day(1), day(2), day(3), day(9))]
    assert [f.at for f in found] == [day(1)] * 4 + [day(3)] * 2
    assert found[0].criteria == CRITERIA and found[-1].criteria["response"] == {"at_least": 0.7}
    keep_criteria("t", CRITERIA)
    today = criteria_then("t", None).at
    assert abs(today - pd.Timestamp.now("UTC")) < pd.Timedelta(minutes=10)


def test_erasures_are_told_oldest_first_and_without_a_name():
    assert erasures("s") == []
    keep_erasure("s", {"rating": 3}, files=1, left=0)
    keep_erasure("s", {"rating": 1, "event": 2}, files=0, left=4)
    told = [{k: v for k, v in e.items() if k != "at"} for e in erasures("s")]
    assert told == [
        {"rows": {"rating": 3}, "files_removed": 1, "files_left": 0},
        {"rows": {"rating": 1, "event": 2}, "files_removed": 0, "files_left": 4},
    ]

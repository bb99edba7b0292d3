"""A calendar comes into a study by itself: the right days, nothing twice, nothing of the user's changed."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics.cli import main
from svcmetrics.io.add_calendar import add_calendar
from svcmetrics.io.calendars import working_calendar
from svcmetrics.io.study_files import read_study, write_study
from svcmetrics.problems import InputError
from svcmetrics.study import Settings, Study


@pytest.fixture
def folder(tmp_path):
    event = pd.DataFrame({
        "case_id": ["A", "A"], "seq": [0, 1], "service_id": "S",
        "at": pd.to_datetime(["2024-12-30 10:00", "2025-01-06 10:00"]).tz_localize("Asia/Shanghai"),
        "action": ["submit", "close"],
    })  # fmt: skip
    return write_study(Study({"event": event}, Settings(name="s")), tmp_path / "s")


def test_the_years_of_the_log_are_covered_with_holidays_and_make_up_days(folder):
    done = add_calendar(folder)
    assert (done.first, done.last, done.days, done.kept) == ("2024-01-01", "2025-12-31", 731, 0)
    calendar = read_study(folder).calendar
    days = calendar.drop_duplicates("date").set_index("date")["is_workday"]
    # Notices of the State Council for 2024 and 2025: weekends, festivals and make-up days told off.
    assert [days[days.index.year == y].sum() for y in (2024, 2025)] == [251, 248]
    assert done.worked == 251 + 248
    assert not days[pd.Timestamp("2025-01-01")]
    assert days[pd.Timestamp("2025-01-26")]  # a Sunday that is worked
    assert not days[pd.Timestamp("2025-01-28")]  # the eve of the Spring Festival
    pd.testing.assert_series_equal(
        calendar["open"].reset_index(drop=True),
        working_calendar("2024-01-01", "2025-12-31")["open"], check_dtype=False,
    )  # fmt: skip


def test_days_of_the_user_stay_as_they_are(folder):
    add_calendar(folder, first="2025-05-01", last="2025-05-31", hours=[("10:00", "16:00")])
    before = read_study(folder).calendar
    done = add_calendar(folder, first="2025-05-01", last="2025-06-30")
    assert (done.days, done.kept) == (30, 31)
    after = read_study(folder).calendar
    pd.testing.assert_frame_equal(after.head(len(before)), before)
    assert add_calendar(folder, first="2025-05-01", last="2025-06-30").files == []


def test_deadlines_count_and_years_that_are_not_announced_are_provisional(tmp_path):
    due = pd.to_datetime(["2090-03-01 18:00"]).tz_localize("Asia/Shanghai")
    agreed = pd.to_datetime(["2090-01-05 09:00"]).tz_localize("Asia/Shanghai")
    table = pd.DataFrame({"case_id": ["A"], "rev": [1], "agreed_at": agreed, "due_at": due})
    study = Study({"commitment": table}, Settings(name="s"))
    done = add_calendar(write_study(study, tmp_path / "s"))
    assert (done.first, done.last) == ("2090-01-01", "2090-12-31")
    assert done.provisional == done.days == 365


def test_what_cannot_be_known_is_asked_for(tmp_path, folder, capsys):
    unit = pd.DataFrame({"unit_id": ["A"], "is_service_unit": [True]})
    bare = write_study(Study({"unit": unit}, Settings(name="s")), tmp_path / "bare")
    cases = [(bare, {}, "calendar_no_range"), (tmp_path / "none", {}, "file_missing"),
             (folder, {"first": "2025-13-01"}, "calendar_empty"),
             (folder, {"country": "XX"}, "calendar_country")]  # fmt: skip
    for path, how, key in cases:
        with pytest.raises(InputError) as error:
            add_calendar(path, **how)
        assert [p.key for p in error.value.problems] == [key]
    assert main(["calendar", str(folder), "--hours", "8 to 5", "--lang", "en"]) == 3
    assert "8 to 5" in capsys.readouterr().err


def test_the_command_says_what_it_did_and_check_asks_for_it(folder, capsys):
    main(["check", str(folder), "--no-sheet", "--lang", "en"])
    assert "no working calendar" in capsys.readouterr().out
    assert main(["calendar", str(folder), "--hours", "08:30-17:30", "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "731 days added" in said and "08:30-17:30" in said and "calendar.csv" in said
    main(["check", str(folder), "--no-sheet", "--lang", "en"])
    assert "no working calendar" not in capsys.readouterr().out
    main(["calendar", str(folder), "--lang", "en"])
    assert "731 days were in the table already" in capsys.readouterr().out

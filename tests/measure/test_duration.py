"""Durations: quantiles by hand, gaps charged to the later event, open cases counted and left out."""

import pandas as pd
import pytest

from svcmetrics import measure
from tests.measure.logs import CALENDAR, log

HOURS = range(1, 11)
LINES = [
    line
    for h in HOURS
    for line in (
        f"c{h:02} PAY 2024-09-02T09:00 submit",
        f"c{h:02} PAY 2024-09-02T{9 + h:02}:00 close",
    )
]
EVENTS = log("\n".join(LINES))


def _row(result, variant: str) -> pd.Series:
    return result.table.set_index("variant").loc[variant]


def test_quantiles_are_type_7_and_their_limits_order_statistics():
    found = measure.duration(EVENTS)
    assert _row(found, "median")["estimate"] == 5.5
    assert _row(found, "p25")["estimate"] == 3.25
    # n = 10: the 2nd and the 9th value hold the median with 97.9%.
    assert _row(found, "median")[["low", "high"]].tolist() == [2.0, 9.0]
    assert _row(found, "mean")["estimate"] == 5.5


def test_the_mean_has_students_limits():
    # mean 5.5, s = 3.02765, t(9; .975) = 2.26216: 5.5 -+ 2.16585
    row = _row(measure.duration(EVENTS), "mean")
    assert row[["low", "high"]].tolist() == pytest.approx([3.33415, 7.66585], abs=1e-5)


def test_an_open_case_is_counted_and_not_guessed():
    found = measure.duration(log("\n".join([*LINES, "open PAY 2024-09-02T09:00 submit"])))
    assert _row(found, "median")["n"] == 10
    assert [f for f in found.findings if 1 in f.values.values()]


def test_with_a_calendar_there_are_working_hours_too():
    one = log("a PAY 2024-09-27T16:00 submit\na PAY 2024-10-08T10:00 close")
    found = measure.duration(one, calendar=CALENDAR)
    assert _row(found, "mean")["estimate"] == 258.0
    # Friday 2, the make-up Sunday 8, Monday 8, Tuesday 1 (09:00-12:00 and 13:00-18:00)
    assert _row(found, "business_mean")["estimate"] == 19.0


def test_gaps_belong_to_the_later_event():
    one = log(
        """a PAY 2024-09-02T09:00 submit
        a PAY 2024-09-02T11:00 deliver 1
        a PAY 2024-09-02T16:00 close"""
    )
    table = measure.duration(one, of="gap", by="action").table
    means = table[table["variant"] == "mean"].set_index("action")["estimate"]
    assert means.to_dict() == {"deliver": 2.0, "close": 5.0}

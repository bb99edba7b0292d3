"""Cases worked out part by part as arrays: the same numbers as in the engine."""

from dataclasses import replace

import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.io import engine, held
from svcmetrics.measure import in_order
from svcmetrics.measure.cases import timed_once
from svcmetrics.measure.clocks import clocks
from svcmetrics.measure.inputs import ODD, read_cases
from svcmetrics.measure.log import KINDS, read_log, tally
from svcmetrics.simulate import company
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS, log
from tests.measure.test_in_order import _cut

ZONE = "Asia/Shanghai"
STUDY = company(events=3000, ratings=300, units=6)
TWO = pd.concat([CALENDAR, CALENDAR.assign(calendar_id="other")])
OWN = SERVICES.assign(calendar_id=["other", CALENDAR["calendar_id"].iloc[0], None])
# Stamps out of order, stops within waits, an end before the start, nothing submitted.
ODD_LOG = log("""
    x PAY 2024-09-02T08:00 submit
    x PAY 2024-09-02T09:00 return 1
    x PAY 2024-09-02T09:00 pause 1
    x PAY 2024-09-02T12:00 resume 1
    x PAY 2024-09-02T10:00 pause 1
    x PAY 2024-09-02T11:00 resume 1
    x PAY 2024-09-02T12:00 resubmit
    x PAY 2024-09-02T13:00 return
    x PAY 2024-09-02T14:00 pause
    y PAY 2024-09-03T09:00 submit
    y PAY 2024-09-02T17:00 close
    z BUY 2024-09-02T09:00 accept 1
    z BUY 2024-09-02T10:00 return
    z BUY 2024-09-02T11:00 withdraw
    z BUY 2024-09-02T12:00 comment
    w PAY 2024-09-02T08:00 submit
    w PAY 2024-09-02T09:00 pause 1
    w PAY 2024-09-02T10:00 return 1
    w PAY 2024-09-02T15:00 resubmit
    w PAY 2024-09-02T16:00 resume 1
    w PAY 2024-09-02T17:00 close
""")
STUDIES = {
    "small": (SMALL, SERVICES, STEPS, CALENDAR),
    "odd": (ODD_LOG, SERVICES, STEPS, CALENDAR),
    "no calendar": (SMALL, SERVICES, STEPS, None),
    "no catalogue": (SMALL, None, None, CALENDAR),
    "several clocks": (SMALL, OWN, STEPS, TWO),
    "company": (STUDY.event, STUDY.service, STUDY.step, STUDY.calendar),
    "half known": (STUDY.event, STUDY.service.head(3), STUDY.step.head(9),
                   STUDY.calendar.iloc[200:500]),
    "empty": (SMALL.head(0), SERVICES, STEPS, CALENDAR),
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_held():
    held.forget()


def _same(one, two):
    first, second = (engine.frame(t).sort_values("case_id", ignore_index=True) for t in (one, two))
    pd.testing.assert_frame_equal(first[list(second.columns)], second)
    assert dict(one.schema().items()) == dict(two.schema().items())


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("parts", [1, 12])
def test_times_of_cases(name, parts, monkeypatch):
    events, services, steps, calendar = STUDIES[name]
    monkeypatch.setattr(in_order.stream, "parts", _cut(max(len(events) // parts, 2)))
    found = read_log(events, ZONE)
    assert found.ready
    book = clocks(calendar, ZONE) if calendar is not None else {}
    one, two = (
        timed_once(replace(found, ready=ready, mark=None), services, steps, book)
        for ready in (found.ready, {})
    )
    assert one.parts
    assert not two.parts
    _same(one.table, two.table)


def _worse(services):
    """A catalogue in which a promise begins and ends, and something is out of scope."""
    later = [None, *["2024-11"] * (len(services) - 1)]
    last = [True] * (len(services) - 1) + [False]
    return services.assign(in_scope=last, valid_from="2024-09-03", valid_to=later)


@pytest.mark.parametrize(
    ("name", "zone", "change"),
    [("small", ZONE, _worse), ("odd", "America/New_York", _worse), ("no catalogue", ZONE, None),
     ("several clocks", ZONE, None), ("company", "Europe/Berlin", _worse), ("half known", ZONE, None),
     ("empty", ZONE, None)],
)  # fmt: skip
def test_what_the_questions_about_cases_have_in_common(name, zone, change, monkeypatch):
    events, services, steps, calendar = STUDIES[name]
    services = change(services) if change else services
    given = {"services": services, "steps": steps, "calendar": calendar, "timezone": zone}
    found = []
    for arrays in (True, False):
        held.forget()
        if not arrays:
            monkeypatch.setattr("svcmetrics.measure.log.pieces", lambda *_, **__: None)
        found.append(read_cases(events, **given))
    one, two = found
    _same(one.table, two.table)
    assert [one.dropped, one.odd] == [two.dropped, two.odd]
    assert set(one.odd) == set(ODD)


def test_cases_of_an_engine_are_asked_as_arrays_and_changed_ones_are_not(tmp_path):
    path = tmp_path / "event.parquet"
    STUDY.event.assign(at=STUDY.event["at"].dt.as_unit("us")).to_parquet(path)
    study = {"services": STUDY.service, "steps": STUDY.step, "calendar": STUDY.calendar}
    cases = measure.cases(engine.as_table(path), **study)
    given = {"services": STUDY.service, "steps": None, "calendar": None, "timezone": ZONE}
    assert held.found(held.mark(cases), "parts")
    one = read_cases(cases, **given)
    two = read_cases(engine.keep(cases), **given)
    _same(one.table, two.table)
    assert [one.dropped, one.odd] == [two.dropped, two.odd]
    closed = cases.filter(cases["status"] == "closed")
    assert held.found(held.mark(closed), "parts") is None
    frame = engine.frame(read_cases(closed, **given).table)
    assert set(frame["status"]) == {"closed"}
    # Grouped by what is not held.
    counts = read_cases(cases, **given | {"by": "n_events"}).table
    assert engine.frame(counts.aggregate(n=counts.count()))["n"][0] == len(engine.frame(one.table))


@pytest.mark.parametrize("size", [100, 122_880])
def test_events_are_counted_by_kind_as_they_are_read(tmp_path, size, monkeypatch):
    monkeypatch.setattr(in_order, "_ROWS", size)
    path = tmp_path / "event.parquet"
    events = STUDY.event.assign(at=STUDY.event["at"].dt.as_unit("us"))
    first = events.index < 40
    events = events.assign(
        unit_id=events["unit_id"].mask(first), is_auto=events["is_auto"].astype("boolean").mask(first),
        step_no=events["step_no"].astype("Int64") * 10 - 25,
    )  # fmt: skip
    events.to_parquet(path, row_group_size=500)
    found = read_log(path, ZONE)
    assert "tally" in found.ready
    one, two = tally(found), tally(replace(found, ready={}, mark=None))
    assert dict(one.schema().items()) == dict(two.schema().items())
    first, second = (
        engine.frame(t).sort_values(list(KINDS), ignore_index=True) for t in (one, two)
    )
    pd.testing.assert_frame_equal(first[list(second.columns)], second)
    bare = tmp_path / "bare.parquet"
    events[["case_id", "seq", "service_id", "at", "action"]].to_parquet(bare)
    assert engine.frame(tally(read_log(bare, ZONE)))["events"].sum() == len(events)

"""What must not change a number, and what must not look like an improvement."""

import inspect

import numpy as np
import pandas as pd
import pytest

from svcmetrics import Result, measure
from tests.measure import odd_log
from tests.measure.every import BOOK, NAMES, clean, run, same
from tests.measure.logs import SERVICES, SMALL, STEPS, two_years

COUNTS = {
    "loops": ["count"],
    "on_time": ["n", "on_time", "late", "pending", "not_assessable"],
    "reasons": ["count"],
    "returns": ["returns", "outputs"],
    "volume": ["estimate"],
}


@pytest.mark.parametrize("name", NAMES)
def test_order_of_rows_and_the_zone_that_shows_them_change_nothing(name):
    turned = SMALL.sample(frac=1, random_state=5).reset_index(drop=True)
    same(run(name, turned.assign(at=turned["at"].dt.tz_convert("America/New_York"))), clean(name))


BY_SERVICE = [
    name
    for name in NAMES
    if {"by", "services"} <= set(inspect.signature(getattr(measure, name)).parameters)
    and name != "duration"  # of services and of what events say of themselves
]
OF_CASES = [
    (name, "cases") for name in ("first_pass", "on_time", "shortening", "survival", "time_ratio")
]


@pytest.mark.parametrize(("name", "data"), [*((name, "events") for name in BY_SERVICE), *OF_CASES])
def test_a_column_of_the_catalogue_groups_as_the_provider_that_it_repeats(name, data):
    book = {**BOOK, "services": BOOK["services"].assign(office=SERVICES["provider_id"])}
    events = SMALL if data == "events" else measure.cases(SMALL, **BOOK)
    wanted = run(name, events, **book, by="provider_id")
    found = run(name, events, **book, by="office")
    table = found.table.rename(columns={"office": "provider_id"})
    pd.testing.assert_frame_equal(_in_order(table), _in_order(wanted.table))
    assert [f.key for f in found.findings] == [f.key for f in wanted.findings]


@pytest.mark.parametrize("name", BY_SERVICE)
def test_services_of_which_the_catalogue_says_nothing_are_a_group_as_well(name):
    office = SERVICES["provider_id"].where(SERVICES["provider_id"] != "HR")
    book = {**BOOK, "services": BOOK["services"].assign(office=office)}
    found = run(name, SMALL, **book, by="office")
    wanted = run(name, SMALL, **book, by="provider_id")
    tables = []
    for table in (found.table.rename(columns={"office": "provider_id"}), wanted.table):
        group = table["provider_id"].astype("object")
        tables.append(_in_order(table.assign(provider_id=group.where(group.notna(), "HR"))))
    pd.testing.assert_frame_equal(*tables)
    # A sentence names them with a dash.
    said = [f.say("en").replace("—", "HR") for f in found.findings]
    assert said == [f.say("en").replace("—", "HR") for f in wanted.findings]


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["provider_id", "variant"], kind="stable").reset_index(drop=True)


def _doubled(events: pd.DataFrame, service: str) -> pd.DataFrame:
    """Every case of a service takes twice as long, seen from its first event."""
    start = events.groupby("case_id")["at"].transform("first")
    longer = start + 2 * (events["at"] - start)
    return events.assign(at=events["at"].mask(events["service_id"] == service, longer))


# PAY and BUY, side by side for two years, on a clock that never stops.
YEARS, CATALOGUE = two_years()
LONGER = _doubled(YEARS, "BUY")
RELATIVE = {
    "on_time": {"by": "provider_id"},
    "time_ratio": {"by": "provider_id"},
    "shortening": {},
    "standardised": {},
    "first_pass": {"by": "provider_id"},
}


@pytest.mark.parametrize("name", RELATIVE)
def test_doubling_time_and_promise_of_one_service_changes_nothing_relative(name):
    book = CATALOGUE.copy()
    book.loc[book["service_id"] == "BUY", "promise_h"] *= 2
    function = getattr(measure, name)
    one = function(YEARS, services=CATALOGUE, **RELATIVE[name])
    two = function(LONGER, services=book, **RELATIVE[name])
    same(two, one)
    # The law has something to say: time alone, without the promise, does change it.
    if name == "time_ratio":
        alone = function(LONGER, services=CATALOGUE, **RELATIVE[name])
        assert not np.allclose(alone.table["estimate"], one.table["estimate"], equal_nan=True)


@pytest.mark.parametrize("name", COUNTS)
def test_the_counts_of_two_halves_add_up_to_those_of_the_whole(name):
    half = SMALL["case_id"] < "d"
    whole = clean(name).table
    parts = pd.concat([run(name, SMALL[k], until=SMALL["at"].max()).table for k in (half, ~half)])
    names = [*whole.columns[: list(whole.columns).index("metric")], "variant"]
    count = COUNTS[name]
    if name == "on_time":  # a log ends with its last event: an open case is judged by it
        count = [c for c in count if c not in ("n", "pending")]
    sums = (t.groupby(names, dropna=False)[count].sum() for t in (whole, parts))
    pd.testing.assert_frame_equal(*sums, check_dtype=False)


def test_a_log_put_together_again_is_the_whole_log():
    parts = [SMALL[SMALL["case_id"] >= "d"], SMALL[SMALL["case_id"] < "d"]]
    last = SMALL["at"].max()
    for name in ("cases", "passages"):
        function = getattr(measure, name)
        whole = function(SMALL, **BOOK)
        again = function(pd.concat(parts, ignore_index=True), **BOOK)
        pd.testing.assert_frame_equal(again, whole)
        apart = pd.concat([function(p, **BOOK, until=last) for p in parts])
        apart = apart.sort_values(["case_id", *(["visit_no"] if "visit_no" in apart else [])])
        pd.testing.assert_frame_equal(apart.reset_index(drop=True), whole)


def _seasons(slow: float = 1.0) -> pd.DataFrame:
    """Two years of cases, five a month and service; in summer all take ``slow`` times as long."""
    rows = []
    for service, hours in (("PAY", 8.0), ("BUY", 80.0)):
        for month in pd.period_range("2024-01", "2025-12", freq="M"):
            factor = slow if month.month in (7, 8) else 1.0
            for day in range(1, 6):
                case = f"{service}{month}{day}"
                start = month.to_timestamp() + pd.Timedelta(days=day, hours=9)
                end = start + pd.Timedelta(hours=hours * factor * (1 + 0.05 * day))
                rows += [(case, 1, service, start, "submit"), (case, 2, service, end, "close")]
    return pd.DataFrame(rows, columns=["case_id", "seq", "service_id", "at", "action"])


def test_the_end_of_a_slow_season_is_no_improvement():
    # The baseline year ends in a slow summer; the next year has seen no summer yet. Raw hours fall.
    book = CATALOGUE.assign(baseline_from="2024-01-01", baseline_to="2024-12-31")
    events = _seasons(slow=3.0)
    seen = events[events["at"] < "2025-07-01"]
    seen = seen[seen.groupby("case_id")["seq"].transform("count") == 2]
    table = measure.shortening(seen, services=book).table
    table = table.set_index([table.columns[0], "variant"])["estimate"]
    # The same months of both years took the same; all months together look like a saving.
    assert np.allclose(table.xs("same_month", level="variant"), 1)
    assert (table.xs("all_months", level="variant") < 0.95).all()


def test_a_department_without_a_case_changes_nothing():
    empty = pd.DataFrame(
        {"service_id": ["NEW"], "provider_id": ["EMPTY"], "routine": ["routine"], "in_scope": [True],
         "promise_h": [8.0], "clock": ["business"], "calendar_id": ["cn"]}
    )  # fmt: skip
    step = pd.DataFrame(
        {"service_id": ["NEW"], "step_no": [1], "unit_id": ["EMPTY"], "is_final": [True]}
    )
    more = pd.concat([BOOK["services"], empty], ignore_index=True)
    steps = pd.concat([STEPS, step], ignore_index=True)
    for name in ("automatic", "first_pass", "loops", "on_time", "responsibility", "returns"):
        same(run(name, SMALL, services=more, steps=steps), clean(name))


def test_services_named_otherwise_are_the_same_services():
    names = {"PAY": "发放", "IT1": "系统", "FIRE": "抢修"}
    book = {"services": SERVICES.assign(service_id=SERVICES["service_id"].map(names)),
            "steps": STEPS.assign(service_id=STEPS["service_id"].map(names))}  # fmt: skip
    events = SMALL.assign(service_id=SMALL["service_id"].map(names))
    for name in ("loops", "on_time", "returns"):
        own = ["estimate", "low", "high", "n"]
        one = run(name, events, **book, by=None).table[own]
        pd.testing.assert_frame_equal(one, run(name, SMALL, by=None).table[own])


# In a log in which everything happens, every case is somewhere

ODD = {
    "services": odd_log.SERVICES, "steps": odd_log.STEPS, "calendar": odd_log.CALENDAR,
}  # fmt: skip
PARTS = ("on_time", "late", "open_overdue", "pending", "not_assessable")


def _odd(name: str, events: pd.DataFrame = odd_log.EVENTS, **more: object) -> Result:
    function = getattr(measure, name)
    taken = inspect.signature(function).parameters
    return function(events, **{k: v for k, v in ODD.items() if k in taken}, **more)


def _counted(name: str, events: pd.DataFrame, by: str | None) -> tuple[int, int]:
    """Cases that a measure counts, over its groups, and those that it says it left out."""
    more = {"of": "case"} if name == "duration" else {}
    if name == "standardised":
        more, by = {"mix": ()}, by or "service_id"
    result = _odd(name, events, by=by, **more)
    table, left = result.table, dict(result.about["dropped"])
    own = {
        "duration": ("median",), "first_pass": ("case", "emergency_case"), "time_use": ("queue",),
        "loops": ("looped", "emergency_looped"), "on_time": ("promise", "emergency_promise"),
        "requester_input": tuple(p + "returned" for p in ("", "small_", "emergency_", "small_emergency_")),
        "standardised": ("late",), "survival": ("done",),
    }  # fmt: skip
    rows = table[table["variant"].isin(own.get(name, ()))]
    if name == "responsibility":
        return int(result.about["judged_cases"]), sum(left.values())
    left.pop("outside_calendar", None)  # counted, but for its working hours
    counted = rows[list(PARTS)].sum().sum() if name == "on_time" else rows["n"].sum()
    return int(counted), sum(left.values())


@pytest.mark.parametrize(
    "name",
    ["duration", "first_pass", "loops", "on_time", "requester_input", "responsibility",
     "standardised", "survival", "time_use"],
)  # fmt: skip
def test_every_case_is_counted_once_or_left_out_for_one_reason(name):
    events = odd_log.EVENTS
    counted, left = _counted(name, events, "service_id" if len(name) % 2 else None)
    assert left >= 5
    assert counted + left == events["case_id"].nunique()


@pytest.mark.parametrize("name", ["first_pass", "loops", "on_time", "returns", "volume"])
def test_the_counts_of_groups_add_up_to_those_of_all(name):
    columns = {"on_time": list(PARTS), "returns": ["returns", "outputs"]}.get(name, ["n"])
    groups, whole = (
        _odd(name, by=by).table.groupby("variant")[columns].sum() for by in ("service_id", None)
    )
    kept = [v for v in whole.index if v in groups.index]
    assert len(kept) >= (1 if name == "returns" else 2)
    pd.testing.assert_frame_equal(groups.loc[kept], whole.loc[kept], check_dtype=False)


@pytest.mark.parametrize("name", ["first_pass", "loops", "on_time", "time_use", "survival"])
def test_a_service_asked_for_alone_says_what_its_row_says(name):
    """Whatever is counted within a service does not hang on the other services."""
    events = odd_log.EVENTS[odd_log.EVENTS["service_id"] == "BUY"]
    until = odd_log.EVENTS["at"].max()  # the log ends for all at the same moment
    last = events.iloc[[-1]].assign(case_id="end", seq=1, at=until, service_id="OLD")
    alone = _odd(name, pd.concat([events, last], ignore_index=True), by="service_id").table
    own = ["variant", "estimate", "low", "high", "n"]
    one, two = (t[t["service_id"] == "BUY"][own].reset_index(drop=True)
                for t in (_odd(name, by="service_id").table, alone))  # fmt: skip
    assert len(one)
    pd.testing.assert_frame_equal(one, two, check_dtype=False)

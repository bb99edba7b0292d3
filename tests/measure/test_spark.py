"""The same log in the embedded engine and on Spark: the same tables, the same findings.

Counts, shares and quantiles are exact on both sides: quantiles are taken from sorted values in
NumPy, so that the two engines' own quantile functions, which differ, are never asked. Sums of
hours are whole microseconds until the last division.
"""

import inspect

import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.io import engine
from svcmetrics.metric import REGISTRY
from svcmetrics.simulate import company
from tests.spark import on_spark

pytestmark = pytest.mark.xdist_group("spark")  # one session, on one worker

STUDY = company(events=2000, ratings=300, units=6)
_CATALOGUE = {"services": STUDY.service, "steps": STUDY.step}
_ALL = {**_CATALOGUE, "calendar": STUDY.calendar}
CALLS = {
    "automatic": {"steps": STUDY.step},
    "duration": {**_ALL, "of": "gap", "by": "action"},
    "first_pass": {**_CATALOGUE, "by": "service_id"},
    "log_check": _ALL,
    "loops": _CATALOGUE,
    "on_time": {**_ALL, "commitments": STUDY.commitment, "by": ["provider_id", "month"]},
    "reasons": {"services": STUDY.service, "by": "service_id", "rare": 1},
    "rejections": _CATALOGUE,
    "requester_input": {"services": STUDY.service, "by": "requester_unit_id"},
    "responsibility": _ALL,
    "returns": {**_CATALOGUE, "by": ["unit_id", "month"]},
    "shortening": _ALL,
    "standardised": _ALL,
    "survival": _ALL,
    "time_ratio": _ALL,
    "time_use": _CATALOGUE,
    "volume": {"services": STUDY.service, "by": ["provider_id", "month"]},
}


@pytest.fixture(scope="module")
def events(spark_session, tmp_path_factory):
    """The log as a table of files, with a column that had another name: as a warehouse has it."""
    path = tmp_path_factory.mktemp("warehouse") / "event.parquet"
    STUDY.event.rename(columns={"case_id": "ticket"}).to_parquet(path)
    return spark_session.read.parquet(str(path)).withColumnRenamed("ticket", "case_id")


@pytest.fixture(scope="module")
def cases(events):
    """The cases, computed on Spark and held there."""
    return engine.keep(measure.cases(events, **_ALL))


def test_every_metric_of_events_is_here():
    first = {
        name: next(iter(inspect.signature(entry.function).parameters))
        for name, entry in REGISTRY.items()
        if entry.question == "measure"
    }
    assert {name for name, parameter in first.items() if parameter == "events"} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_metric(name, events):
    here = getattr(measure, name)(STUDY.event, **CALLS[name])
    there = getattr(measure, name)(events, **CALLS[name])
    assert len(here.table)
    _equal(here.table, there.table)
    assert here.text == there.text
    assert here.about == there.about


def test_a_column_renamed_twice_is_still_one_column(events):
    # Spark itself refused this: kept rows joined with those that they were made from.
    again = events.withColumnRenamed("case_id", "x").withColumnRenamed("x", "case_id")
    cases = engine.frame(measure.cases(again, services=STUDY.service))
    assert len(cases) == STUDY.event["case_id"].nunique()


def test_cases(cases):
    _equal(measure.cases(STUDY.event, **_ALL), engine.frame(cases.order_by("case_id")))


def test_metrics_of_cases_that_stay_on_spark(cases):
    here = measure.cases(STUDY.event, **_ALL)
    for name in ("on_time", "time_ratio"):
        one, two = (getattr(measure, name)(t, services=STUDY.service).table for t in (here, cases))
        _equal(one, two)


def test_passages(events):
    there = measure.passages(events, **_ALL).order_by("case_id", "visit_no")
    _equal(measure.passages(STUDY.event, **_ALL), engine.frame(there))


def test_working_hours(spark_session):
    case = STUDY.event.groupby("case_id")["at"]
    rows = pd.DataFrame({"a": case.min(), "b": case.max()}).reset_index()
    arguments = {"start": "a", "end": "b", "calendar": STUDY.calendar}
    there = measure.working_hours(on_spark(spark_session, rows), **arguments)
    here = measure.working_hours(rows, **arguments).sort_values("case_id")
    _equal(here.reset_index(drop=True), engine.frame(there.order_by("case_id")))


def _equal(here: pd.DataFrame, there: pd.DataFrame) -> None:
    """Counts and words the same, fractions to the ninth digit; instants whatever zone shows them."""
    zone = {c: there[c].dt.tz_convert("Asia/Shanghai") for c in there.select_dtypes("datetimetz")}
    pd.testing.assert_frame_equal(here, there.assign(**zone), rtol=1e-9, atol=1e-12)

"""Time relative to the promise: by hand, and free of the scale of a service."""

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import measure
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS

STUDY = {"services": SERVICES, "steps": STEPS, "calendar": CALENDAR}


def test_ratios_by_hand():
    # a 7, b 40, c 6, e 6 of 16 working hours; d was rejected, f is open.
    table = measure.time_ratio(SMALL, **STUDY).table
    hr = table[table["provider_id"] == "HR"].set_index("variant")
    assert hr.loc["median", ["estimate", "n", "open_cases"]].tolist() == [6.5 / 16, 4, 1]
    assert hr.loc["geometric_mean", "estimate"] == pytest.approx((7 * 40 * 6 * 6) ** 0.25 / 16)
    fire = table[table["variant"] == "emergency_median"]
    assert fire["estimate"].tolist() == [2.5 / 4]


def test_doubling_time_and_promise_of_a_service_changes_nothing():
    clock = SERVICES.assign(clock="calendar", promise_h=[48.0, 24.0, 4.0])
    start = SMALL["at"].min()
    slow = SMALL.assign(at=start + 2 * (SMALL["at"] - start))
    before = measure.time_ratio(SMALL, services=clock, steps=STEPS).table
    after = measure.time_ratio(
        slow, services=clock.assign(promise_h=clock["promise_h"] * 2), steps=STEPS
    )
    pd.testing.assert_frame_equal(after.table, before)


def test_no_promise_at_all_is_refused_with_a_reason():
    out = measure.time_ratio(SMALL, **STUDY | {"services": SERVICES.assign(promise_h=None)})
    assert out.table["estimate"].isna().all()
    assert out.findings[0].level == "refused"


def many(times: list[float], still: int = 0) -> pd.DataFrame:
    end = pd.Timestamp("2024-10-01 00:00")
    rows = []
    for k in range(len(times) + still):
        took = times[k] if k < len(times) else 1.0
        rows.append((f"c{k:02}", 1, "s", end - pd.Timedelta(hours=took), "submit"))
        if k < len(times):
            rows.append((f"c{k:02}", 2, "s", end, "close"))
    return pd.DataFrame(rows, columns=["case_id", "seq", "service_id", "at", "action"])


TEN = pd.DataFrame(
    {"service_id": ["s"], "provider_id": ["HR"], "promise_h": [10.0], "clock": ["calendar"]}
)


@pytest.mark.parametrize(("still", "told"), [(2, False), (3, True)])
def test_more_than_one_in_ten_open_is_told(still, told):
    out = measure.time_ratio(many([5.0] * 18, still), services=TEN)
    found = {f.key: f.values for f in out.findings}
    assert ("time_ratio.many_open" in found) is told
    assert not told or found["time_ratio.many_open"]["share"] == 3 / 21
    assert out.table["open_cases"].tolist() == [still] * 2
    assert out.about["dropped"] == {"open": still}


def test_a_hundredth_of_the_promise_is_the_least():
    out = measure.time_ratio(many([0.0, 0.05, 0.1, 10.0]), services=TEN)
    assert out.about["dropped"] == {"floored": 2}
    mean = out.table.set_index("variant").loc["geometric_mean", "estimate"]
    assert mean == pytest.approx((0.01**3) ** 0.25)


@pytest.mark.parametrize(("hour", "slower"), [(10.0, False), (11.0, True)])
def test_slower_is_surely_more_than_the_promise(hour, slower):
    out = measure.time_ratio(many([hour] * 12), services=TEN)
    named = [f.values["groups"] for f in out.findings if f.key == "time_ratio.slower"]
    assert named == ([["HR"]] if slower else [])


@pytest.mark.parametrize(
    ("open_", "low", "keys"),
    [(1, 1.0, ["overall"]), (2, 1.0, ["overall", "many_open"]), (1, 1.01, ["overall", "slower"])],
)
def test_more_than_a_tenth_still_open_and_groups_above_their_promise_are_said(open_, low, keys):
    module = importlib.import_module("svcmetrics.measure.time_ratio")
    closed, still = [0.5, 1.0, 1.5] * 3, [2.0] * open_
    rows = pd.DataFrame({"is_emergency": [False, False, True], "status": ["closed", "open", "closed"],
                         "ratio": [np.array(closed), np.array(still), np.array([9.0])]})  # fmt: skip
    table = pd.DataFrame({"unit": ["a", "b"], "variant": ["median", "p90"], "low": [low, 5.0]})
    cases = SimpleNamespace(by=["unit"], findings=list)
    found = module._findings(table, rows, cases)
    assert [f.key for f in found] == [f"time_ratio.{k}" for k in keys]
    assert found[0].values["ratio"] == 1.0 and found[0].values["n"] == 9
    if "many_open" in keys:
        assert found[1].values == {"share": 2 / 11}
    if "slower" in keys:
        assert found[1].values == {"groups": ["a"]}
    none = module._findings(table, rows.iloc[1:], cases)
    assert [(f.key, f.level) for f in none] == [("time_ratio.none", "refused")]

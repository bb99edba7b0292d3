"""Time relative to the promise: by hand, and free of the scale of a service."""

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

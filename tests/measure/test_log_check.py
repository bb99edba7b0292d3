"""The check of the log: every oddity counted and named, and none on a clean log."""

import pandas as pd

from svcmetrics import measure
from svcmetrics.io import engine
from svcmetrics.measure.instants import local_micros
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS, log


def _odd(result) -> dict[str, int]:
    table = result.table
    return table[table["count"] > 0].set_index("variant")["count"].to_dict()


def test_a_clean_log_says_so():
    out = measure.log_check(SMALL, services=SERVICES, steps=STEPS, calendar=CALENDAR)
    assert out.findings[0].key == "log_check.clean"


def test_every_oddity_is_counted_and_named():
    events = log("""
        a PAY 2024-09-02T09:00 submit
        a PAY 2024-09-02T12:00 accept 1 @HR
        a PAY 2024-09-02T11:00 deliver 1 @HR
        a PAY 2024-09-02T11:00 deliver 1 @HR
        a PAY 2024-09-02T13:00 close
        a PAY 2024-09-02T14:00 deliver 1 @HR
        b OTHER 2024-09-02T09:00 accept 1 @HR <nobody
        b OTHER 2035-09-02T09:00 close
        c PAY 2024-09-03T09:00 submit
        c PAY 2024-09-02T09:00 close
    """)
    events.loc[len(events)] = events.iloc[0].to_dict() | {"case_id": None, "seq": 99}
    result = measure.log_check(events, services=SERVICES, calendar=CALENDAR)
    found = _odd(result)
    assert found == {
        "incomplete": 1, "out_of_order": 2, "repeated": 1, "unknown_service": 2,
        "outside_calendar": 1, "no_start": 1, "after_close": 1, "negative": 1, "broken_link": 1,
    }  # fmt: skip
    assert {f.key for f in result.findings} == {f"log.{key}" for key in found}


def test_the_measures_name_the_oddities_that_touch_them():
    events = pd.concat([SMALL, log("z PAY 2024-09-02T09:00 close")])
    out = measure.on_time(events, services=SERVICES, steps=STEPS, calendar=CALENDAR)
    assert out.about["dropped"]["no_start"] == 1
    assert "log.no_start" in [f.key for f in out.findings]


def test_an_hour_that_the_clock_skips_or_has_twice_is_counted_where_no_offset_is_written():
    """In Berlin clocks went from 02:00 to 03:00 on 31 March 2024, and from 03:00 to 02:00 on 27 October."""
    hours = ["2024-03-31 01:59:59", "2024-03-31 02:00", "2024-03-31 02:59:59", "2024-03-31 03:00",
             "2024-10-27 01:59:59", "2024-10-27 02:00", "2024-10-27 03:00"]  # fmt: skip
    events = pd.DataFrame({"case_id": [f"c{k}" for k in range(7)], "seq": 1, "service_id": "PAY",
                           "action": "submit", "at": pd.to_datetime(hours, format="ISO8601")})  # fmt: skip
    odd = _odd(measure.log_check(events, timezone="Europe/Berlin"))
    assert (odd["skipped_hour"], odd["doubled_hour"]) == (2, 1)
    told = events.assign(at=events["at"].dt.tz_localize("UTC"))
    assert not {"skipped_hour", "doubled_hour"} & set(
        _odd(measure.log_check(told, timezone="Europe/Berlin"))
    )
    calm = events[~events["at"].dt.hour.eq(2)]
    assert not {"skipped_hour", "doubled_hour"} & set(
        _odd(measure.log_check(calm, timezone="Europe/Berlin"))
    )


def test_an_instant_on_the_clock_of_a_zone_is_that_of_the_zones_own_rules():
    at = pd.date_range("1990-01-01", "2030-01-01", freq="1003h", tz="UTC", unit="us")
    for zone in ("Europe/Berlin", "Asia/Shanghai", "America/Santiago"):
        table = engine.as_table(pd.DataFrame({"us": at.asi8}))
        found = engine.frame(table.mutate(local=local_micros(table["us"], zone)))
        expected = pd.Series(at.tz_convert(zone).tz_localize(None).asi8, at.asi8)
        assert (found.set_index("us")["local"] == expected).all(), zone

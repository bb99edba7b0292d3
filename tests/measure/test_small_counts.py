"""First pass, volume, automatic approvals and the check of the log, by hand."""

import pandas as pd
import pytest

from svcmetrics import measure
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS, log


def test_first_pass_by_case_and_by_request():
    # Finished: a b c d e i (h is an emergency); clean: b, e, i. Without e, a re-submission: 2 of 5.
    table = measure.first_pass(SMALL, services=SERVICES, steps=STEPS, by=None).table
    found = table.set_index("variant")
    assert found.loc["case", ["estimate", "n"]].tolist() == [3 / 6, 6]
    assert found.loc["request", ["estimate", "n"]].tolist() == [2 / 5, 5]
    assert found.loc["emergency_case", "n"] == 1


def test_volume_counts_cases_events_and_actions():
    counts = measure.volume(SMALL, by=None).table.set_index("variant")["estimate"]
    assert counts["cases"] == 9
    assert counts["events"] == len(SMALL)
    assert counts.drop(["cases", "events"]).sum() == len(SMALL)
    assert counts["return"] == 2
    by_action = measure.volume(SMALL, by="action").table
    assert set(by_action["variant"]) == {"cases", "events"}


def test_automatic_approvals_are_counted_apart_and_stamps_are_named():
    lines = []
    for i in range(60):
        lines += [
            f"s{i} PAY 2024-09-02T09:00 submit",
            f"s{i} PAY 2024-09-02T09:00:10 approve 2 @FIN",
        ]
        word = "approve" if i % 2 else "return"
        lines += [f"t{i} IT1 2024-09-02T09:00 submit", f"t{i} IT1 2024-09-02T12:00 {word} 1 @IT"]
    out = measure.automatic(log("\n".join(lines)), by="unit_id")
    table = out.table.set_index(["unit_id", "variant"])["estimate"]
    assert table["FIN", "fast"] == 1
    assert table["FIN", "seconds"] == 10
    assert table["IT", "sent_back"] == 0.5
    stamps = [f.values["place"] for f in out.findings if f.key == "automatic.stamp"]
    assert stamps == ["FIN"]
    assert "FIN" in out.say("zh")


def test_automatic_never_groups_by_person():
    with pytest.raises(ValueError, match="actor_key"):
        measure.automatic(SMALL, by="actor_key")


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

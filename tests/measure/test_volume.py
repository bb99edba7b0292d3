"""Counts of cases, events and actions, by hand."""

from svcmetrics import measure
from tests.measure.logs import SMALL


def test_volume_counts_cases_events_and_actions():
    counts = measure.volume(SMALL, by=None).table.set_index("variant")["estimate"]
    assert counts["cases"] == 9
    assert counts["events"] == len(SMALL)
    assert counts.drop(["cases", "events"]).sum() == len(SMALL)
    assert counts["return"] == 2
    by_action = measure.volume(SMALL, by="action").table
    assert set(by_action["variant"]) == {"cases", "events"}

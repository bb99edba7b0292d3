"""Public event logs: counts and durations against process-mining software and two SQL engines."""

import json

import pandas as pd
import pytest

from svcmetrics import measure

pytestmark = pytest.mark.data
_QUANTILES = {"median": "median", "p25": "p25", "p75": "p75", "p90": "p90", "mean": "mean"}


def _events(folder, actions=None) -> pd.DataFrame:
    """The event table of a public log: every activity a step, its words mapped to actions."""
    raw = pd.read_parquet(folder / "events.parquet")
    steps = {name: i + 1 for i, name in enumerate(sorted(raw["activity"].unique()))}
    return pd.DataFrame(
        {
            "case_id": raw["case_id"].astype(str),
            "seq": raw["event_no"],
            "service_id": folder.name,
            "at": raw["timestamp"],
            "step_no": raw["activity"].map(steps),
            "unit_id": raw["activity"],
            "action": raw["activity"].map(actions or (lambda _: "comment")),
        }
    )


def _reference(folder) -> dict:
    return json.loads((folder / "reference.json").read_text("utf-8"))


@pytest.mark.parametrize(
    "name",
    [
        "bpi2020_domestic",
        "bpi2020_prepaid",
        "permit_receipt",
        "bpi2013_problems",
        "bpi2012_loans",
        "running_example",
    ],
)
def test_counts_and_durations_equal_pm4py(shared_data, name):
    folder = shared_data(name)
    events, peer = _events(folder), _reference(folder)["pm4py"]
    peer = {k.split("  [")[0]: v for k, v in peer.items()}
    counts = measure.volume(events, by=None).table.set_index("variant")["estimate"]
    assert counts["events"] == peer["n_events"]
    assert counts["cases"] == peer["n_cases"]
    span = measure.duration(events, of="span", by=None).table.set_index("variant")["estimate"]
    for ours, theirs in _QUANTILES.items():
        assert span[ours] * 3600 == pytest.approx(
            peer["case_duration_seconds"][theirs], rel=1e-9, abs=1e-6
        )


def _domestic(activity: str) -> str:
    if "REJECTED by EMPLOYEE" in activity:
        return "comment"  # the document returns to the employee: not a rejection of its own
    words = {
        "SUBMITTED": "submit",
        "REJECTED": "return",
        "APPROVED": "approve",
        "Payment Handled": "close",
    }
    return next((action for word, action in words.items() if word in activity), "comment")


def test_travel_declarations_from_first_submission_to_payment(shared_data):
    folder = shared_data("bpi2020_domestic")
    reference = _reference(folder)
    derived = next(v for k, v in reference.items() if k.startswith("derived"))
    events = _events(folder, _domestic)
    submitted = events["action"].eq("submit")
    later = submitted & submitted.groupby(events["case_id"]).cumsum().gt(1)
    events.loc[later, "action"] = "resubmit"
    days = derived["days_first_submission_to_last_payment_handled"]
    table = measure.duration(events, of="case", by=None).table.set_index("variant")
    # 9,912 payments: one of the paid cases was never submitted, so it cannot be timed.
    assert table.loc["median", "n"] == days["n"]
    for name in _QUANTILES:
        assert table.loc[name, "estimate"] / 24 == pytest.approx(days[name], rel=1e-9)
    counts = measure.volume(events, by=None).table.set_index("variant")["estimate"]
    back = derived["rejection_events_by_step"]
    assert counts["return"] == sum(back.values()) - back["Declaration REJECTED by EMPLOYEE"]
    assert (
        counts["resubmit"]
        == derived["resubmissions_total (submissions beyond the first, cases with at least one)"]
    )
    first = measure.cases(events)
    assert (first["n_returns"] > 0).sum() == derived["cases_with_any_rejection"]


def test_gaps_between_steps_of_the_permit_log(shared_data):
    folder = shared_data("permit_receipt")
    derived = next(v for k, v in _reference(folder).items() if k.startswith("derived"))
    peer = derived["hours_since_previous_event_by_step (median, n)"]
    table = measure.duration(_events(folder), of="gap", by="unit_id").table
    median = table[table["variant"] == "median"].set_index("unit_id")
    assert len(median) >= len(peer)
    for step, (hours, n) in peer.items():
        assert median.loc[step, "n"] == n
        assert median.loc[step, "estimate"] == pytest.approx(hours, abs=5e-6)


def test_working_hours_of_the_permit_log(shared_data):
    folder = shared_data("permit_receipt")
    derived = next(v for k, v in _reference(folder).items() if k.startswith("derived"))
    peer = next(v for k, v in derived.items() if k.startswith("case_duration_business_hours"))
    weekdays = measure.working_calendar(
        "2010-01-01", "2013-12-31", hours=[("09:00", "17:00")], country=""
    )
    table = measure.duration(
        _events(folder), of="span", by=None, calendar=weekdays, timezone="Europe/Amsterdam"
    ).table.set_index("variant")
    for name in _QUANTILES:
        assert table.loc[f"business_{name}", "estimate"] == pytest.approx(
            peer[name], rel=1e-9, abs=1e-9
        )

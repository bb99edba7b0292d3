"""Input quality of requesters by hand; and that no number points at a person."""

import pytest

from svcmetrics import measure
from svcmetrics.numeric import intervals
from svcmetrics.problems import TableError
from tests.measure.logs import SERVICES, asked

EVENTS = asked()


def _rows(variant, events=EVENTS, **arguments):
    table = measure.requester_input(events, services=SERVICES, **arguments).table
    return table[table["variant"] == variant]


def test_by_hand():
    # p2 once, p3 twice, p5 (his own unit had approved) and z1 before any output; p4 after it.
    row = _rows("returned", by=None).iloc[0]
    assert row[["count", "n", "requesters"]].tolist() == [4, 12, 12]
    assert (row["low"], row["high"]) == pytest.approx([float(v) for v in intervals.wilson(4, 12)])
    assert _rows("sent_back", by=None)["count"].tolist() == [6]  # p6 and q5 were rejected
    rate = _rows("per_100", by=None).iloc[0]
    assert rate[["estimate", "count"]].tolist() == [pytest.approx(100 * 5 / 12), 5]
    assert (rate["low"], rate["high"]) == pytest.approx(
        [float(v) for v in intervals.garwood(5, 0.12)]
    )


def test_what_nobody_has_looked_at_yet_is_left_out_and_named():
    out = measure.requester_input(EVENTS, services=SERVICES)
    assert out.about["dropped"] == {"not_yet_judged": 1}
    assert "requester_input.not_yet_judged" in [f.key for f in out.findings]


def test_a_re_submission_is_no_first_submission():
    again = EVENTS.assign(prev_case_id=EVENTS["case_id"].where(EVENTS["case_id"] == "c06"))
    out = measure.requester_input(
        again.assign(prev_case_id=again["prev_case_id"].replace("c06", "c04"))
    )
    assert out.about["dropped"]["resubmission"] == 1


def test_units_with_few_people_are_taken_together_with_the_next_smallest():
    table = measure.requester_input(EVENTS, services=SERVICES, by="requester_unit_id").table
    shown = table[table["variant"] == "returned"]
    assert shown["requester_unit_id"].tolist() == ["B1"]
    pool = table[table["variant"] == "small_returned"].iloc[0]
    assert pool[["requesters", "n", "count"]].tolist() == [6, 6, 1]  # B3 alone would be one person
    whole = table[table["variant"].isin(["returned", "small_returned"])]["n"].sum()
    assert whole == 12


def test_too_few_people_in_all_are_not_shown():
    out = measure.requester_input(EVENTS[EVENTS["case_id"].isin(["c00", "c01", "c02"])], by=None)
    assert out.table["estimate"].isna().all()
    assert {f.level for f in out.findings} == {"refused"}
    fire = _rows("small_emergency_returned")
    assert fire["estimate"].isna().all()


def test_not_knowing_who_submits_is_not_enough_for_a_unit_but_for_a_service():
    silent = EVENTS.assign(actor_key=None)
    assert measure.requester_input(silent, by="requester_unit_id").table["estimate"].isna().all()
    assert _rows("returned", silent)["n"].tolist() == [12]


@pytest.mark.parametrize("person", ["actor_key", "requester"])
def test_there_is_no_output_by_person(person):
    with pytest.raises(TableError, match=person):
        measure.requester_input(EVENTS, by=person)


def test_cases_without_a_submission_are_named():
    late = EVENTS[EVENTS["action"] != "submit"]
    out = measure.requester_input(late)
    assert out.about["dropped"] == {"no_start": 13}
    assert out.findings[0].level == "refused"

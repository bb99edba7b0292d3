"""Rejections and their re-submissions: by link, by rule, with and without."""

from svcmetrics import measure
from tests.measure.logs import SMALL, STEPS, log


def _count(events, **arguments):
    return (
        measure.rejections(events, steps=STEPS, by=None, **arguments)
        .table.set_index("variant")["count"]
        .to_dict()
    )


def test_one_rejection_found_both_ways():
    # Finished: a b c d e h i. Returned: a, c. Taken up again: d by e.
    assert _count(SMALL) == {
        "rejected": 1, "linked_by_id": 1, "linked_by_rule": 1, "linked": 1,
        "rework_within": 2, "rework": 3,
    }  # fmt: skip


def test_the_rule_needs_requester_service_and_time():
    assert _count(SMALL.assign(prev_case_id=None))["linked"] == 1
    assert _count(SMALL.assign(prev_case_id=None), days=1)["linked"] == 0
    other = SMALL.assign(prev_case_id=None, actor_key=SMALL["case_id"])
    assert _count(other)["linked"] == 0


def test_a_new_case_takes_up_one_rejection_only():
    events = log("""
        a PAY 2024-09-02T09:00 submit ~p
        a PAY 2024-09-02T10:00 reject 1
        b PAY 2024-09-02T09:30 submit ~p
        b PAY 2024-09-02T10:30 reject 1
        c PAY 2024-09-03T09:00 submit ~p
        c PAY 2024-09-03T10:00 close
    """)
    assert _count(events)["linked_by_rule"] == 1


def test_no_finished_case_is_refused():
    out = measure.rejections(log("a PAY 2024-09-02T09:00 submit ~p"))
    assert out.findings[0].level == "refused"

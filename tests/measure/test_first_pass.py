"""Cases that go through at the first attempt, by hand."""

from svcmetrics import measure
from tests.measure.logs import SERVICES, SMALL, STEPS


def test_first_pass_by_case_and_by_request():
    # Finished: a b c d e i (h is an emergency); clean: b, e, i. Without e, a re-submission: 2 of 5.
    table = measure.first_pass(SMALL, services=SERVICES, steps=STEPS, by=None).table
    found = table.set_index("variant")
    assert found.loc["case", ["estimate", "n"]].tolist() == [3 / 6, 6]
    assert found.loc["request", ["estimate", "n"]].tolist() == [2 / 5, 5]
    assert found.loc["emergency_case", "n"] == 1

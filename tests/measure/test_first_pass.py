"""Cases that go through at the first attempt, by hand."""

import pandas as pd

from svcmetrics import measure
from tests.measure.logs import SERVICES, SMALL, STEPS


def test_first_pass_by_case_and_by_request():
    # Finished: a b c d e i (h is an emergency); clean: b, e, i. Without e, a re-submission: 2 of 5.
    table = measure.first_pass(SMALL, services=SERVICES, steps=STEPS, by=None).table
    found = table.set_index("variant")
    assert found.loc["case", ["estimate", "n"]].tolist() == [3 / 6, 6]
    assert found.loc["request", ["estimate", "n"]].tolist() == [2 / 5, 5]
    assert found.loc["emergency_case", "n"] == 1


def test_a_case_that_is_not_over_is_counted_and_none_is_no_entry():
    def log(*ends):
        rows = [(f"c{k}", seq, "s", action, f"2024-09-0{2 + seq} 09:00")
                for k, end in enumerate(ends) for seq, action in enumerate(["submit", end], 1) if action]  # fmt: skip
        return pd.DataFrame(rows, columns=["case_id", "seq", "service_id", "action", "at"])

    one = measure.first_pass(log("close", ""), by=None)
    assert one.about["dropped"]["open_or_withdrawn"] == 1
    two = measure.first_pass(log("close", "", "withdraw", "reject"), by=None)
    assert two.about["dropped"]["open_or_withdrawn"] == 2
    assert two.table.set_index("variant").loc["case", ["estimate", "n"]].tolist() == [0.5, 2]
    none = measure.first_pass(log("close", "close"), by=None)
    assert "open_or_withdrawn" not in none.about["dropped"]
    assert none.findings[0].values["n"] == 2 and none.findings[0].values["share"] == 1

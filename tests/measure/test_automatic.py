"""Approvals by rule, and approvals too fast to have been looked at."""

import pandas as pd
import pytest

from svcmetrics import measure
from tests.measure import odd_log
from tests.measure.logs import SMALL, log


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


def test_a_minute_is_fast_and_a_second_more_is_not():
    """it1 is approved after 60 seconds, it2 after 61; gen1 and others take longer."""
    table = measure.automatic(odd_log.EVENTS, steps=odd_log.STEPS, by="service_id").table
    it = table[table["service_id"] == "IT1"].set_index("variant")
    assert it.loc["fast", ["estimate", "n"]].tolist() == [0.5, 2]
    assert it.loc["seconds", "estimate"] == 60.5
    # it3 and it4 were returned, no9 rejected: three of five decisions.
    assert it.loc["sent_back", ["estimate", "n"]].tolist() == [0.6, 5]
    more = measure.automatic(odd_log.EVENTS, steps=odd_log.STEPS, by="service_id", fast=61).table
    assert more[more["service_id"] == "IT1"].set_index("variant").loc["fast", "estimate"] == 1
    pay = table[table["service_id"] == "PAY"].set_index("variant")
    assert pay.loc["automatic", ["estimate", "n"]].tolist() == [0.2, 5]


def approvals(
    step: int, count: int, seconds: float, *, case: str, back: int = 0, auto: bool = False
):
    """So many cases that a step approves after so many seconds; ``back`` more that it sends back."""
    rows = []
    for k in range(count + back):
        at = pd.Timestamp("2024-09-02 09:00") + pd.Timedelta(days=k)
        word = "approve" if k < count else "return"
        rows += [(f"{case}{k}", 1, "S", at, "submit", None, False),
                 (f"{case}{k}", 2, "S", at + pd.Timedelta(seconds=seconds), word, step, auto)]  # fmt: skip
    columns = ["case_id", "seq", "service_id", "at", "action", "step_no", "is_auto"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(("count", "named"), [(19, False), (20, True)])
def test_twenty_fast_approvals_where_others_send_back_are_looked_at(count, named):
    slow = approvals(2, 40, 4000, case="b", back=20)
    out = measure.automatic(pd.concat([approvals(1, count, 5, case="a"), slow]), by="step_no")
    stamps = [f for f in out.findings if f.key == "automatic.stamp"]
    assert bool(stamps) is named
    if named:
        assert dict(stamps[0].values) == {"place": "1", "fast": 1.0, "back": 0.0, "seconds": 60}
    # A step that sends back as often as all others is no stamp, however fast.
    alike = measure.automatic(approvals(1, 40, 5, case="a", back=20), by="step_no")
    assert [f.key for f in alike.findings] == ["automatic.overall"]


def test_five_steps_at_most_are_named_the_fastest_first_and_rules_are_no_decisions():
    parts = [approvals(k, 30 + 2 * k, 5, case=f"c{k}") for k in range(1, 7)]
    parts += [approvals(k, 7 - k, 500, case=f"d{k}") for k in range(1, 7)]
    slow = approvals(9, 40, 4000, case="b", back=40)
    out = measure.automatic(pd.concat([*parts, slow]), by="step_no")
    named = [f.values["place"] for f in out.findings if f.key == "automatic.stamp"]
    assert named == ["6", "5", "4", "3", "2"]
    rule = approvals(1, 30, 5, case="a", auto=True)
    table = measure.automatic(pd.concat([rule, slow]), by="step_no").table
    one = table[table["step_no"] == 1].set_index("variant")
    assert one.loc["automatic", ["estimate", "n"]].tolist() == [1, 30]
    assert one.loc[["fast", "sent_back", "seconds"], "n"].tolist() == [0, 0, 0]
    assert one.loc[["fast", "sent_back", "seconds"], "estimate"].isna().all()

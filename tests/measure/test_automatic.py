"""Approvals by rule, and approvals too fast to have been looked at."""

import pytest

from svcmetrics import measure
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

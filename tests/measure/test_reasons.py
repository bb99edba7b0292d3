"""Reasons by hand: shares, their sum, the unnamed ones and texts that nobody repeats."""

import importlib

import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.numeric import intervals
from tests.measure.logs import SERVICES


def _back(counts: dict, **columns) -> pd.DataFrame:
    codes = [code for code, n in counts.items() for _ in range(n)]
    at = pd.date_range("2024-09-02 09:00", periods=len(codes), freq="h", tz="Asia/Shanghai")
    base = {"case_id": "a", "service_id": "PAY", "action": "return", "reason_code": codes, "at": at}
    return pd.DataFrame({**base, "seq": range(len(codes)), **columns})


# The defects of a printed Pareto table would do as well: any counts have these shares.
COUNTS = {"papers": 50, "amount": 30, "template": 10, "signature": 4, "odd text": 1, None: 5}


def test_shares_and_their_sum_by_hand():
    table = measure.reasons(_back(COUNTS)).table
    assert table["count"].tolist() == [50, 30, 10, 4, 1, 5]
    assert table["estimate"].tolist() == pytest.approx([0.5, 0.3, 0.1, 0.04, 0.01, 0.05])
    assert table["cumulative"].tolist() == pytest.approx([0.5, 0.8, 0.9, 0.94, 0.95, 1.0])
    assert table["variant"].tolist() == ["", "", "", "", "rare", "unnamed"]
    low, high = intervals.wilson(50, 100)
    assert table.loc[0, ["low", "high"]].tolist() == [float(low), float(high)]


def test_the_vital_few_and_the_unnamed_are_said():
    found = {f.key: f for f in measure.reasons(_back(COUNTS)).findings}
    assert found["reasons.overall"].values["few"] == 2  # 80 of 95 that name a reason
    assert found["reasons.overall"].values["sum"] == pytest.approx(80 / 95)
    assert found["reasons.unnamed"].values["count"] == 5
    assert found["reasons.unnamed"].level == "note"
    many = measure.reasons(_back({"papers": 5, None: 5}))
    assert [f.level for f in many.findings if f.key == "reasons.unnamed"] == ["warning"]


def test_texts_that_nobody_repeats_are_never_shown_by_themselves():
    out = measure.reasons(_back({f"张三{k}没盖章": 1 for k in range(9)}))
    assert out.table["reason_code"].isna().all()
    assert "张三" not in out.text
    assert out.findings[0].key == "reasons.scattered"
    assert len(measure.reasons(_back({"a": 1, "b": 1}), rare=1).table) == 2


def test_blank_reasons_are_unnamed_and_none_at_all_is_refused():
    out = measure.reasons(_back({" ": 3, "": 2, None: 1}))
    assert out.table["variant"].tolist() == ["unnamed"]
    assert out.findings[0].level == "refused"
    nothing = measure.reasons(_back({"x": 3}, action="submit"))
    assert nothing.findings[0].key == "reasons.none"
    assert nothing.table["estimate"].isna().all()


def test_returns_rejections_groups_and_emergencies():
    events = pd.concat(
        [
            _back({"papers": 4}),
            _back({"papers": 3}, case_id="b", action="reject"),
            _back({"amount": 5}, case_id="c", service_id="FIRE"),
        ]
    )
    assert measure.reasons(events, of="return", by="service_id").table["count"].tolist() == [5, 4]
    assert measure.reasons(events, of="reject").table["count"].tolist() == [3]
    table = measure.reasons(events, services=SERVICES).table
    assert table[["variant", "count"]].to_numpy().tolist() == [["", 7], ["emergency_reason", 5]]


def test_services_out_of_scope_are_counted():
    services = SERVICES.assign(in_scope=[False, True, True])
    assert measure.reasons(_back(COUNTS), services=services).about["dropped"] == {
        "out_of_scope": 100
    }


@pytest.mark.parametrize(
    ("counts", "unnamed", "found"),
    [
        # Of 100 named: 50 and 30 are four in five.
        ([50, 30, 20], 0, {"few": 2, "kinds": 3, "sum": 0.8}),
        ([50, 29, 21], 0, {"few": 3, "kinds": 3, "sum": 1.0}),
        ([80, 20], 25, {"few": 1, "kinds": 2, "sum": 0.8}),
        ([79, 21], 26, {"few": 2, "kinds": 2, "sum": 1.0}),
    ],
)
def test_the_vital_few_are_four_in_five_of_those_named(counts, unnamed, found):
    module = importlib.import_module("svcmetrics.measure.reasons")
    names = [*"abc"[: len(counts)], None, "a"]
    rows = pd.DataFrame({"reason_code": names, "count": [*counts, unnamed, 999],
                         "variant": [*[""] * len(counts), "unnamed", "emergency_reason"]})  # fmt: skip
    rows = rows[rows["count"] > 0]
    said = module._findings(rows)
    total = sum(counts) + unnamed
    assert said[0].values == pytest.approx(
        {"n": total, "top": "a", "share": counts[0] / total} | found
    )
    if unnamed:  # a fifth is not yet many
        assert said[1].values == {"count": unnamed, "share": unnamed / total}
        assert said[1].level == ("warning" if unnamed > 25 else "note")
    assert len(said) == 1 + bool(unnamed)


def test_reasons_that_are_all_rare_or_unnamed_have_no_vital_few():
    module = importlib.import_module("svcmetrics.measure.reasons")
    rows = pd.DataFrame({"reason_code": ["a", None], "count": [1, 9], "variant": ["", "rare"]})
    (said,) = module._findings(rows)
    assert said.key == "reasons.scattered" and said.values == {"n": 10, "named": 10}
    (said,) = module._findings(rows.assign(variant="unnamed"))
    assert (said.key, said.values, said.level) == ("reasons.unnamed_all", {"count": 10}, "refused")
    assert module._findings(rows.head(0))[0].key == "reasons.none"

"""Verdicts by hand: whole interval on one side, across the limit, between two limits."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics import pilot
from svcmetrics.problems import TableError

RULES = {"x": {"at_least": 0.5}}


def one(estimate: float, low: float, high: float, name: str = "x") -> pd.DataFrame:
    return pd.DataFrame({"metric": [name], "estimate": estimate, "low": low, "high": high, "n": 9})


def verdicts(result) -> list[str]:
    return result.table["variant"].tolist()


@pytest.mark.parametrize(
    ("numbers", "rule", "verdict"),
    [
        ((0.7, 0.5, 0.9), {"at_least": 0.5}, "pass"),
        ((0.7, 0.49, 0.9), {"at_least": 0.5}, "not_yet"),
        ((0.3, 0.2, 0.49), {"at_least": 0.5}, "fail"),
        ((0.3, 0.2, 0.5), {"at_most": 0.5}, "pass"),
        ((0.7, 0.51, 0.9), {"at_most": 0.5}, "fail"),
        ((0.7, 0.6, 0.8), {"at_least": 0.5, "at_most": 0.9}, "pass"),
        ((0.7, 0.4, 0.95), {"at_least": 0.5, "at_most": 0.9}, "not_yet"),
        ((0.3, 0.2, 0.4), {"at_least": 0.5, "at_most": 0.9}, "fail"),
        ((0.1, -0.2, 0.4), {"at_least": 0.0}, "not_yet"),
        ((-3.0, -4.0, -2.0), {"at_least": -5.0}, "pass"),
        ((0.7, np.nan, np.nan), {"at_least": 0.5}, "not_yet"),
    ],
)
def test_one_criterion(numbers, rule, verdict):
    assert verdicts(pilot.gate(one(*numbers), criteria={"x": rule}))[0] == verdict


def test_go_needs_all_and_stop_needs_one():
    both = pd.concat([one(0.7, 0.6, 0.8), one(0.7, 0.6, 0.8, "y")])
    rules = {"x": {"at_least": 0.5}, "y": {"at_least": 0.5}}
    assert verdicts(pilot.gate(both, criteria=rules, before=rules))[-1] == "go"
    rules = {**rules, "y": {"at_least": 0.65}}
    assert verdicts(pilot.gate(both, criteria=rules, before=rules))[-1] == "extend"
    rules = {**rules, "y": {"at_least": 0.9}}
    assert verdicts(pilot.gate(both, criteria=rules, before=rules))[-1] == "stop"


def test_criteria_that_were_changed_are_labelled_and_cannot_lead_to_go():
    result = pilot.gate(one(0.7, 0.6, 0.8), criteria=RULES, before={"x": {"at_least": 0.75}})
    assert result.about["verdict"] == "extend"
    assert result.about["changed"] == ["x"]
    dropped = pilot.gate(one(0.7, 0.6, 0.8), criteria=RULES, before={**RULES, "y": {"at_most": 1}})
    assert dropped.about["changed"] == ["y"]


def test_only_a_proven_go_drops_the_words_not_for_reward():
    def words(**more):
        return pilot.gate(one(0.7, 0.6, 0.8), criteria=RULES, **more).text

    assert "不用于奖惩" not in words(before=RULES)
    assert "不用于奖惩" in words()
    assert "不用于奖惩" in words(before={"x": {"at_least": 0.1}})


def test_a_measure_without_evidence_is_not_met():
    result = pilot.gate(one(0.7, 0.6, 0.8), criteria={**RULES, "y": {"at_least": 1}})
    assert verdicts(result) == ["pass", "not_yet", "extend"]
    assert result.table["n"].tolist() == [9, 0, 2]
    named = next(f for f in result.findings if f.key == "gate.no_evidence")
    assert named.values["names"] == ["y"]


@pytest.mark.parametrize("criteria", [{}, {"x": {}}, {"x": {"above": 1}}])
def test_criteria_without_a_limit_are_errors(criteria):
    with pytest.raises(TableError) as caught:
        pilot.gate(one(0.7, 0.6, 0.8), criteria=criteria)
    assert caught.value.problems[0].key == "criteria_unusable"
    assert all(caught.value.say(code) for code in ("zh", "en"))


def test_two_rows_of_one_measure_are_an_error():
    with pytest.raises(TableError):
        pilot.gate(pd.concat([one(0.7, 0.6, 0.8)] * 2), criteria=RULES)


@pytest.mark.parametrize(
    ("numbers", "rule", "verdict"),
    [
        ((0.3, 0.2, 0.5), {"at_least": 0.5}, "not_yet"),  # the best end just reaches it
        ((0.7, 0.5, 0.9), {"at_most": 0.5}, "not_yet"),
        ((0.7, 0.5, 0.9), {"at_least": 0.5, "at_most": 0.9}, "pass"),
        ((0.7, 0.2, 0.95), {"at_least": 0.5, "at_most": 0.9}, "not_yet"),  # what it holds may pass
        ((0.0, 0.0, 0.1), {"at_least": 0.0}, "pass"),
        ((-0.1, -0.2, -0.1), {"at_least": 0.0}, "fail"),
        ((np.nan, 0.6, 0.8), {"at_least": 0.5}, "not_yet"),  # no number, no evidence
    ],
)
def test_one_criterion_at_its_limit(numbers, rule, verdict):
    assert verdicts(pilot.gate(one(*numbers), criteria={"x": rule}))[0] == verdict


def test_margins_are_shares_of_the_nearer_limit():
    rule = {"x": {"at_least": 0.5, "at_most": 2.0}}
    row = pilot.gate(one(1.0, 0.4, 2.2), criteria=rule).table.iloc[0]
    assert row["margin"] == pytest.approx(min((1 - 0.5) / 0.5, (2 - 1) / 2))
    assert row["margin_low"] == pytest.approx(min((0.4 - 0.5) / 0.5, (2 - 2.2) / 2))
    # The best point of the interval is as far from one limit as from the other: 0.8.
    assert row["margin_high"] == pytest.approx((0.8 - 0.5) / 0.5)
    zero = pilot.gate(one(0.2, 0.1, 0.3), criteria={"x": {"at_least": 0.0}}).table.iloc[0]
    assert zero[["margin", "margin_low", "margin_high"]].tolist() == pytest.approx([0.2, 0.1, 0.3])
    below = pilot.gate(one(-3.0, -4.0, -2.0), criteria={"x": {"at_least": -5.0}}).table.iloc[0]
    assert below["margin"] == pytest.approx(0.4)


def test_findings_say_what_failed_what_is_open_and_what_is_not_there():
    rows = pd.concat([
        one(0.7, 0.6, 0.8, "a"), one(0.3, 0.2, 0.4, "b"), one(0.5, 0.4, 0.6, "c"),
        one(0.7, np.nan, np.nan, "d"), one(0.9, 0.8, 1.0, "unasked"),
    ])  # fmt: skip
    rules = {name: {"at_least": 0.5} for name in "abcde"}
    result = pilot.gate(rows, criteria=rules, before=rules)
    found = {f.key: dict(f.values) for f in result.findings}
    assert found["gate.stop"] == {"passed": 1, "criteria": 5}
    assert found["gate.failed"]["names"] == ["b"] and found["gate.open"]["names"] == ["c"]
    assert found["gate.no_evidence"]["names"] == ["d", "e"]
    assert "gate.not_for_reward" in found and "gate.undated" not in found
    assert result.about["dropped"] == {"no_criterion": 1}
    assert result.table["estimate"].iloc[-1] == 0.2
    late = pilot.gate(one(0.7, 0.6, 0.8), criteria=RULES, before=RULES, since="2026-03-01")
    keys = [f.key for f in late.findings]
    assert keys == ["gate.go", "gate.dated_late", "gate.not_for_reward"]
    with pytest.raises(TableError):
        pilot.gate(one(0.7, 0.6, 0.8), criteria=RULES, value=("estimate", "low"))


def test_an_index_with_the_name_of_a_column_is_no_column():
    rows = pd.concat([one(0.7, 0.6, 0.8), one(0.3, 0.2, 0.4, "y")])
    rules = {"x": {"at_least": 0.5}, "y": {"at_least": 0.5}}
    odd = rows.set_axis(pd.Index(["q", "q"], name="metric"))
    pd.testing.assert_frame_equal(
        pilot.gate(odd, criteria=rules).table, pilot.gate(rows, criteria=rules).table
    )

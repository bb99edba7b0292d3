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

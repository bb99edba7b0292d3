"""Criteria with a date: before the pilot they count, later it is said, and changes are named."""

from __future__ import annotations

import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import criteria
from svcmetrics.privacy.record import keep_criteria

RULES = {"x": {"at_least": 0.8}}
FOUND = pd.DataFrame({"metric": ["x"], "estimate": [0.9], "low": [0.85], "high": [0.95], "n": [99]})
BEGAN = pd.Timestamp("2025-03-01", tz="Asia/Shanghai")


@pytest.fixture(autouse=True)
def _keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path))


def keys(rules=RULES, *, began=BEGAN) -> list[str]:
    settings = svc.study.Settings(name="pilot", criteria=rules, pilot_from=began)
    return [f.key for f in criteria.gate(svc.Study({}, settings), FOUND).findings]


def test_without_a_record_nothing_proves_the_criteria():
    assert "gate.undated" in keys()


def test_a_copy_from_before_the_pilot_is_enough_for_a_go():
    keep_criteria("pilot", RULES, at=BEGAN - pd.Timedelta(days=3))
    keep_criteria("pilot", RULES, at=BEGAN + pd.Timedelta(days=30))
    assert keys() == ["gate.go"]


def test_a_copy_from_later_says_since_when():
    keep_criteria("pilot", RULES, at=BEGAN + pd.Timedelta(days=3))
    assert keys() == ["gate.go", "gate.dated_late", "gate.not_for_reward"]
    assert "gate.dated_late" in keys(began=None)


def test_a_change_after_the_pilot_began_is_named_and_forbids_go():
    keep_criteria("pilot", {"x": {"at_least": 0.95}}, at=BEGAN - pd.Timedelta(days=3))
    keep_criteria("pilot", RULES, at=BEGAN + pd.Timedelta(days=3))
    assert keys() == ["gate.extend", "gate.changed", "gate.not_for_reward"]


def test_a_change_before_the_pilot_began_is_no_change():
    keep_criteria("pilot", {"x": {"at_least": 0.95}}, at=BEGAN - pd.Timedelta(days=9))
    keep_criteria("pilot", RULES, at=BEGAN - pd.Timedelta(days=3))
    assert keys() == ["gate.go"]


def test_the_record_is_made_once_per_change():
    study = svc.Study({}, svc.study.Settings(name="pilot", criteria=RULES))
    for _ in range(2):
        criteria.on_record(study)
    assert "gate.undated" not in keys()

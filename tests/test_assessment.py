"""The main job claims no more than its tables show."""

from __future__ import annotations

import pytest

from svcmetrics.assessment import assess
from svcmetrics.simulate import company


@pytest.fixture(scope="module")
def results():
    return assess(company(events=3000, ratings=2000))


def test_every_result_of_the_full_study_is_there(results):
    assert {
        "weights",
        "on_time",
        "returns",
        "adjust",
        "formality",
        "composite",
        "groups",
        "gate",
    } <= set(results)


def test_the_gate_says_that_nothing_proves_the_criteria_unchanged(results):
    assert "gate.undated" in [f.key for f in results["gate"].findings]


def test_a_lite_study_gets_groups_and_no_gate():
    study = company(events=3000, ratings=2000)
    lite = type(study)({k: study.tables[k] for k in ("unit", "service", "rating", "plan")})
    found = assess(lite)
    assert "groups" in found
    assert not {"gate", "on_time", "weights"} & set(found)

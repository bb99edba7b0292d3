"""The invented company obeys the schema, and the same seed gives the same company."""

from __future__ import annotations

import re

import pytest

from svcmetrics import simulate
from svcmetrics.problems import StudyError
from svcmetrics.study import Study, long_ratings
from svcmetrics.tables import INLINE_PLAN, LITE, TABLES


@pytest.fixture
def study(small):
    return small


@pytest.mark.parametrize("name", TABLES)
def test_columns_words_bounds_and_keys(study, name):
    table, schema = study.tables[name], TABLES[name]
    assert set(schema.required) <= set(table.columns) <= set(schema.names)
    assert not table.duplicated([k for k in schema.key if k in table]).any()
    for column in (c for c in schema.columns if c.name in table):
        values = table[column.name].dropna()
        if column.required:
            assert len(values) == len(table), column.name
        if column.words:
            assert set(values) <= set(column.words), column.name
        if column.low is not None:
            assert (values >= column.low).all(), column.name
        if column.high is not None:
            assert (values <= column.high).all(), column.name


@pytest.mark.parametrize("name", TABLES)
def test_every_reference_is_found(study, name):
    for column in TABLES[name].columns:
        if column.refers and column.name in study.tables[name]:
            there, key = column.refers.split(".")
            given = set(study.tables[name][column.name].dropna())
            assert given <= set(study.tables[there][key]), column.name


def test_cases_of_other_tables_are_in_the_log(study):
    known = set(study.event["case_id"])
    assert set(study.commitment["case_id"]) <= known
    assert set(study.event["prev_case_id"].dropna()) <= known


def test_sizes_are_as_asked():
    study = simulate.company(units=20, events=2503, ratings=1001)
    assert (len(study.unit), len(study.event), len(study.rating)) == (20, 2503, 1001)


@pytest.mark.parametrize("units", [4, 6, 40])
def test_small_and_large_companies_hold_together(units):
    study = simulate.company(units=units, events=2000, ratings=600)
    assert set(study.step["unit_id"]) <= set(study.unit["unit_id"])
    own = study.plan.merge(study.unit, left_on="target_id", right_on="unit_id")
    assert own["is_service_unit"].all()


def test_the_default_company_is_the_one_described(study):
    unit, service = study.unit, study.service
    assert len(unit) == 14
    assert 6 <= unit["is_service_unit"].sum() <= 8
    assert 38 <= len(service) <= 42
    assert set(service["routine"]) == {"routine", "nonroutine", "emergency"}
    assert len(set(service["output_kind"])) == 4
    assert (~service["in_scope"]).any()


def test_one_lead_and_role_weights_of_one(study):
    leads = study.step["role"].eq("lead").groupby(study.step["service_id"]).sum()
    assert (leads == 1).all()
    weights = study.step.groupby("service_id")["role_weight"].sum()
    assert weights.to_numpy() == pytest.approx(1, abs=1e-9)
    assert set(study.step["service_id"]) == set(study.service["service_id"])


def test_another_seed_gives_another_company(study):
    other = simulate.company(seed=7, events=2500, ratings=1200)
    assert len(study.event) == len(other.event)
    assert not study.event.equals(other.event)
    assert not study.rating.equals(other.rating)
    assert not set(study.plan["rater_key"]) & set(other.plan["rater_key"])


def test_nobody_can_be_named(study):
    for name, table in study.tables.items():
        text = " ".join(table.astype("str").to_csv(index=False).split())
        assert "@" not in text, name
        assert not re.search(r"\b1[3-9]\d{9}\b", text), name  # a mobile number
    for name, column in (("event", "actor_key"), ("plan", "rater_key"), ("judgement", "judge_key")):
        assert study.tables[name][column].dropna().str.fullmatch("[0-9a-f]{24}").all()


def test_the_lite_subset_is_a_study(study):
    inline = study.rating.merge(study.plan[["plan_id", *INLINE_PLAN]], on="plan_id")
    tables = {
        "unit": study.unit,
        "service": study.service,
        "rating": inline.drop(columns="plan_id"),
    }
    lite = Study(tables, study.settings)
    assert set(tables) == set(LITE)
    assert [p.key for p in lite.check()] == ["scale_from_answers"]  # it has no items
    assert long_ratings(lite)["target_id"].notna().all()


def test_too_small_a_company_is_refused_in_both_languages():
    with pytest.raises(StudyError, match="At least 4 units"):
        simulate.company(units=2)

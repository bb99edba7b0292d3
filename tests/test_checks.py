"""Rules between tables: a clean study has no problem, and each broken rule has exactly its own name."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from svcmetrics import lang
from svcmetrics.checks import check_study
from svcmetrics.io.parquet_tables import engine
from svcmetrics.study import Settings, Source, Study, Wave

ROOT = Path(__file__).parents[1]


def _t(text):
    return pd.Timestamp(text, tz="Asia/Shanghai")


def _clean() -> dict[str, pd.DataFrame]:
    day = pd.Timestamp("2025-01-02")
    return {
        "unit": pd.DataFrame({
            "unit_id": ["HR", "FIN", "IT"], "name_zh": ["人力", "财务", "信息"], "parent_id": [None, "HR", None],
            "is_service_unit": [True, True, False], "headcount": [3, 4, 5]}),
        "service": pd.DataFrame({
            "service_id": ["s1", "s2"], "name_zh": ["入职", "报销"], "provider_id": ["HR",
            "FIN"], "output_kind": "service",
            "routine": ["routine", "nonroutine"], "in_scope": True, "scope_reason": "x", "promise_h": [8.0, None],
            "valid_from": [day, day], "valid_to": [pd.NaT, pd.NaT],
            "baseline_from": [day, day], "baseline_to": [day, day]}),
        "step": pd.DataFrame({
            "service_id": ["s1", "s1", "s2"], "step_no": [1, 2, 1], "unit_id": ["HR", "FIN", "FIN"],
            "role": ["lead", "approve", "lead"], "role_weight": [0.6, 0.4, 1.0]}),
        "event": pd.DataFrame({
            "case_id": ["c1", "c1", "c2"], "seq": [0, 1, 0], "service_id": ["s1", "s1", "s2"],
            "at": [_t("2025-03-03 09:00"), _t("2025-03-03 10:00"), _t("2025-03-04 09:00")], "step_no": [1, 2, 1],
            "to_step_no": [None, 1, None], "unit_id": ["HR", "FIN", "FIN"], "actor_key": ["pa1", "pa2", "pa2"],
            "action": ["submit", "return", "submit"], "prev_case_id": [None, None, "c1"]}),
        "commitment": pd.DataFrame({
            "case_id": ["c2", "c2"], "rev": [0, 1], "agreed_at": [_t("2025-03-03 09:00"), _t("2025-03-05 09:00")],
            "due_at": [_t("2025-03-06 09:00"), _t("2025-03-08 09:00")], "reason": [None, "材料未齐"]}),
        "calendar": pd.DataFrame({
            "calendar_id": "cn", "date": [day, day], "slot": [0, 1], "is_workday": True, "open": ["09:00", "13:00"],
            "close": ["12:00", "18:00"], "source": "x", "status": "official"}),
        "item": pd.DataFrame({
            "form_version": "f1", "item_id": ["q1", "q2"], "dimension": "speed", "aspect": "result", "text_zh": "x",
            "min": 1.0, "max": 5.0}),
        "plan": pd.DataFrame({
            "plan_id": ["a", "b"], "wave": "w1", "rater_key": ["p1", "p2"],
            "rater_unit_id": "IT", "rater_role": "employee",
            "target_id": ["HR", "FIN"], "service_id": ["s1", None], "mode": "confidential", "form_version": "f1"}),
        "rating": pd.DataFrame({
            "plan_id": ["a", "a", "b"], "case_id": [None, None, "c2"], "item_id": ["q1", "q2", "q1"],
            "score": [4.0, None, 5.0], "na_reason": [None, "无接触", None]}),
        "judgement": pd.DataFrame({
            "set_id": "j", "judge_key": "e1", "node_a": ["x"], "node_b": ["y"], "method": "ahp", "value": [3.0]}),
        "weight": pd.DataFrame({
            "set_id": "j", "node": ["x", "y"], "parent": "all", "weight": [0.75, 0.25],
            "low": [0.7, 0.2], "high": [0.8, 0.3],
            "method": "ahp"}),
        "relevance": pd.DataFrame({"form_version": "f1", "item_id": ["q1"], "judge_key": "e1", "relevance": "4"}),
    }  # fmt: skip


SETTINGS = Settings(waves=(Wave("w1", _t("2025-06-01"), _t("2025-06-30")),), pilot_units=("HR",))


def _keys(tables, settings=SETTINGS):
    problems = check_study(Study(tables, settings))
    for problem in problems:
        assert problem.say("zh")
        assert problem.say("en")
    return {p.key for p in problems}


def test_a_clean_study_has_no_problem():
    assert _keys(_clean()) == set()


BROKEN = [
    ("unit", "name_zh", 0, None, "name_missing"),
    ("unit", "parent_id", 0, "FIN", "parent_circle"),
    ("unit", "parent_id", 0, "XX", "reference_unknown"),
    ("unit", "headcount", 0, 0, "out_of_bounds"),
    ("unit", "unit_id", 1, "HR", "key_twice"),
    ("unit", "is_service_unit", 0, None, "required_blank"),
    ("service", "provider_id", 0, "HRR", "reference_unknown"),
    ("service", "promise_h", 1, 8.0, "promise_nonroutine"),
    ("service", "promise_h", 0, 0.0, "out_of_bounds"),
    ("service", "output_kind", 0, "servise", "word_unknown"),
    ("service", "valid_to", 0, pd.Timestamp("2024-01-01"), "period_reversed"),
    ("service", "baseline_to", 0, pd.Timestamp("2024-01-01"), "period_reversed"),
    ("step", "role", 1, "lead", "leads_two"),
    ("step", "role", 2, "do", "lead_missing"),
    ("step", "role_weight", 0, 0.5, "weights_sum"),
    ("event", "at", 1, _t("2025-03-03 08:00"), "events_back"),
    ("event", "service_id", 1, "s2", "case_two_services"),
    ("event", "step_no", 1, 7, "step_unknown"),
    ("event", "prev_case_id", 2, "c2", "case_own_previous"),
    ("event", "prev_case_id", 2, "c0", "previous_unknown"),
    ("event", "actor_key", 0, "王小明", "person_shown"),
    ("event", "seq", 1, 0, "key_twice"),
    ("commitment", "due_at", 0, _t("2025-03-03 08:00"), "due_before_agreed"),
    ("commitment", "reason", 1, None, "revision_unexplained"),
    ("commitment", "agreed_at", 0, _t("2025-03-04 10:00"), "promise_after_start"),
    ("commitment", "case_id", 0, "c9", "case_unknown"),
    ("calendar", "open", 0, None, "hours_missing"),
    ("calendar", "close", 0, "08:00", "hours_reversed"),
    ("calendar", "open", 1, "11:00", "slots_overlap"),
    ("item", "max", 0, 1.0, "scale_reversed"),
    ("item", "text_zh", 0, None, "text_missing"),
    ("plan", "wave", 0, "w2", "wave_unknown"),
    ("plan", "rater_unit_id", 0, "HR", "rates_own_unit"),
    ("plan", "form_version", 0, "f9", "form_version_unknown"),
    ("plan", "rater_key", 0, "wang@example.com", "person_shown"),
    ("plan", "rater_key", 0, "13812345678", "person_shown"),
    ("rating", "score", 0, 9.0, "score_off_scale"),
    ("rating", "score", 0, -99.0, "score_off_scale"),
    ("rating", "score", 0, float("inf"), "out_of_bounds"),
    ("rating", "score", 1, 3.0, "score_and_reason"),
    ("rating", "na_reason", 1, None, "score_missing"),
    ("rating", "plan_id", 0, "zz", "reference_unknown"),
    ("rating", "plan_id", 0, None, "rating_unplaced"),
    ("rating", "case_id", 2, "c99", "case_unknown"),
    ("rating", "item_id", 0, "q9", "reference_unknown"),
    ("rating", "item_id", 1, "q1", "key_twice"),
    ("judgement", "node_b", 0, None, "pair_missing"),
    ("judgement", "node_b", 0, "x", "pair_same"),
    ("judgement", "value", 0, 0.0, "out_of_bounds"),
    ("weight", "weight", 0, 0.7, "weights_sum"),
    ("weight", "low", 0, 0.76, "weight_outside"),
    ("weight", "high", 0, 0.74, "weight_outside"),
    ("relevance", "relevance", 0, "5", "word_unknown"),
]


@pytest.mark.parametrize(
    ("table", "column", "row", "value", "key"),
    BROKEN,
    ids=[f"{i}-{b[4]}" for i, b in enumerate(BROKEN)],
)
def test_a_broken_rule_is_named_with_its_row(table, column, row, value, key):
    tables = _clean()
    tables[table][column] = tables[table][column].astype(object)
    tables[table].loc[row, column] = value
    tables[table] = tables[table].infer_objects()
    study = Study(tables, SETTINGS, {table: Source(f"{table}.csv", first_row=2)})
    found = [p for p in check_study(study) if p.key == key]
    assert found, [p.key for p in check_study(study)]
    assert row + 2 in found[0].rows
    assert found[0].file == f"{table}.csv"


def test_an_exact_copy_and_a_contradiction_are_told_apart():
    tables = _clean()
    tables["rating"] = pd.concat([tables["rating"], tables["rating"].iloc[[0]]])
    assert _keys(tables) == {"row_twice"}


def test_one_service_twice_in_force():
    tables = _clean()
    tables["service"] = pd.concat(
        [tables["service"], tables["service"].iloc[[0]].assign(service_id="s3")]
    )
    assert "periods_overlap" in _keys(tables)
    first = tables["service"]["service_id"] == "s1"
    tables["service"].loc[first, "valid_to"] = pd.Timestamp("2025-01-01")
    tables["service"].loc[first, "valid_from"] = pd.Timestamp("2024-01-01")
    assert "periods_overlap" not in _keys(tables)


def test_settings():
    low = Settings(min_raters=3, waves=(Wave("w1", _t("2025-06-01"), _t("2025-06-30")),
        Wave("w2", _t("2025-06-15"), _t("2025-07-01"))),
                   pilot_units=("XX",))  # fmt: skip
    assert _keys(_clean(), low) == {"settings_floor", "waves_overlap", "pilot_unknown"}


def test_missing_tables_columns_and_rows():
    assert _keys({"unit": _clean()["unit"]}) == {"missing_table"}
    tables = _clean()
    assert "columns_missing" in _keys(tables | {"plan": tables["plan"].drop(columns="mode")})
    assert "table_no_rows" in _keys(tables | {"weight": tables["weight"].iloc[:0]})
    assert "plan_missing" in _keys({k: v for k, v in tables.items() if k != "plan"})


def test_a_lite_study_is_clean_and_its_typing_errors_are_found():
    rating = pd.DataFrame(
        {
            "rater_key": [f"p{i}" for i in range(40)],
            "target_id": "HR",
            "item_id": "q1",
            "score": [4.0, 5.0] * 20,
        }
    )
    tables = {k: _clean()[k] for k in ("unit", "service")} | {"rating": rating}
    assert _keys(tables) == {"scale_from_answers"}
    rating.loc[3, "score"] = 55.0
    assert _keys(tables) == {"scale_from_answers", "score_far_out"}
    rating.loc[3] = rating.loc[4]
    assert _keys(tables) == {"scale_from_answers", "row_twice"}


def test_a_guessed_scale_is_told_with_its_ends_since_one_error_of_typing_moves_every_score():
    answers = {"rater_key": [f"r{i}" for i in range(40)], "target_id": "HR", "item_id": "q1"}
    rating = pd.DataFrame(answers).assign(score=[4.0, 5.0] * 20)
    rating.loc[3, "score"] = 6.0  # on a scale from 1 to 5
    tables = {k: _clean()[k] for k in ("unit", "service")} | {"rating": rating}
    (told,) = check_study(Study(tables, SETTINGS))
    assert told.key == "scale_from_answers" and told.level == "warning"
    assert told.values == {"low": "4", "high": "6", "n": 40, "n_low": 20, "n_high": 1}
    tables["rating"] = rating.assign(score=float("nan"), na_reason="no_contact")
    assert "scale_from_answers" not in _keys(tables)


def test_persons_are_never_printed():
    tables = _clean()
    tables["plan"].loc[0, "rater_key"] = "王小明"
    text = "".join(p.say(c) for p in check_study(Study(tables, SETTINGS)) for c in lang.LANGUAGES)
    assert "王小明" not in text


def test_anonymous_ratings_that_can_be_linked_are_not_anonymous():
    tables = _clean()
    tables["plan"] = tables["plan"].assign(mode="anonymous", rater_key="p1")
    assert "anonymous_keyed" in _keys(tables)


def test_the_log_in_the_engine_obeys_the_same_rules():
    tables = _clean()
    event = tables["event"].astype({"to_step_no": "Int64"})
    tables["event"] = engine().create_table("event", event)
    assert _keys(tables) == set()
    broken = event.assign(seq=0, unit_id="XX", action=[None, "return", "submit"])
    tables["event"] = engine().create_table("event", broken)
    assert {"key_twice", "reference_unknown", "required_blank"} <= _keys(tables)


def test_checking_changes_nothing():
    tables = _clean()
    before = {k: v.copy(deep=True) for k, v in tables.items()}
    check_study(Study(tables, SETTINGS))
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_every_problem_that_is_named_has_words():
    keys = set()
    for file in [*ROOT.glob("svcmetrics/checks/*.py"), *ROOT.glob("svcmetrics/io/*.py")]:
        text = file.read_text("utf-8")
        called = r"(?:view\.say|_say|self\._say|file_problem|trouble|Problem)"
        keys |= set(re.findall(called + r'\(\s*(?:view,\s*)?"([a-z_0-9]+)"', text))
    assert len(keys) > 80
    lost = [
        f"{k}.{p}"
        for k in keys
        for p in ("found", "expected", "remedy")
        if not lang.has(f"problem.{k}.{p}")
    ]
    assert lost == []

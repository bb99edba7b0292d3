"""The plan rests on cases, and what was planted in the ratings can be found again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics.simulate.waves import WINDOW_DAYS

ANSWER = (
    "plan_id",
    "case_id",
    "item_id",
    "score",
    "na_reason",
    "submitted_at",
    "seconds",
    "reason",
)


@pytest.fixture(scope="module")
def study(example):
    return example


@pytest.fixture
def truth(example_truth):
    return example_truth


@pytest.fixture(scope="module")
def given(study):
    return study.rating[[*ANSWER]].merge(study.plan, on="plan_id", validate="many_to_one")


@pytest.fixture(scope="module")
def forms(given):
    """One row per form, a column per item; 0 is not answered."""
    keys = ["rater_key", "target_id", "wave"]
    given = given.assign(score=given["score"].fillna(0))
    return given.pivot(index=keys, columns="item_id", values="score").sort_index()


def test_each_answer_is_a_score_or_a_reason(study):
    assert (study.rating["score"].isna() == study.rating["na_reason"].notna()).all()
    assert study.rating["score"].dropna().between(1, 5).all()
    assert not study.plan.duplicated(["wave", "rater_key", "target_id"]).any()


def test_enough_waves_and_all_kinds_of_raters(study):
    assert study.plan["wave"].nunique() >= 6
    assert set(study.plan["rater_role"]) == {"employee", "downstream", "supervisor"}
    load = study.plan.groupby(["wave", "rater_key"]).size()
    assert load.max() <= 8


def test_nobody_rates_the_own_unit_and_only_service_units_are_rated(study):
    assert (study.plan["rater_unit_id"] != study.plan["target_id"]).all()
    functional = study.unit.loc[study.unit["is_service_unit"], "unit_id"]
    assert set(study.plan["target_id"]) <= set(functional)


def test_cases_in_window_can_be_counted_again(study):
    first = study.event[study.event["seq"] == 0].merge(study.service, on="service_id")
    wave = study.settings.waves[3]
    opens = wave.start
    near = first[(first["at"] >= opens - pd.Timedelta(days=WINDOW_DAYS)) & (first["at"] < opens)]
    plan = study.plan[study.plan["wave"] == wave.id]
    for role, left, right in (
        ("employee", "rater_key", "actor_key"),
        ("downstream", "rater_unit_id", "unit_id"),
    ):
        asked = plan[plan["rater_role"] == role]
        counts = near.groupby([right, "provider_id"]).size()
        pairs = pd.MultiIndex.from_frame(asked[[left, "target_id"]])
        assert (
            counts.reindex(pairs).fillna(0).to_numpy() == asked["cases_in_window"].to_numpy()
        ).all()
    assert plan.loc[plan["rater_role"] == "supervisor", "cases_in_window"].isna().all()


def test_who_rates_has_had_a_case(study):
    others = study.plan[study.plan["rater_role"] != "supervisor"]
    assert (others["cases_in_window"] > 0).all()


def test_about_a_sixth_does_not_answer(study):
    answered = study.plan["plan_id"].isin(study.rating["plan_id"])
    assert answered.mean() == pytest.approx(0.84, abs=0.02)


def test_answers_lie_within_their_wave_and_many_on_the_last_day(study, given):
    ends = {w.id: w.end for w in study.settings.waves}
    starts = {w.id: w.start for w in study.settings.waves}
    assert (given["submitted_at"] >= given["wave"].map(starts)).all()
    left = given["wave"].map(ends) - given["submitted_at"]
    assert (left >= pd.Timedelta(0)).all()
    december = left[given["wave"] == "2024-12"]
    assert (december < pd.Timedelta(hours=9)).mean() > 0.35


def test_mean_ratings_follow_the_planted_quality(given, truth):
    planted = pd.Series(truth["quality_overall"])
    assert given.groupby("target_id")["score"].mean().corr(planted, method="spearman") > 0.9


def test_copying_and_straight_lines_grow(forms, truth):
    waves = truth["formality"]["waves"]
    place = pd.Series(forms.index.get_level_values("wave").map(waves.index), index=forms.index)
    before = forms.groupby(level=[0, 1]).shift()
    next_month = place.groupby(level=[0, 1]).diff() == 1
    same = (forms == before).all(axis=1)[next_month]
    rate = same.groupby(level="wave").mean()
    assert rate.iloc[-3:].mean() > 2 * rate.iloc[:2].mean()
    assert rate.corr(pd.Series(truth["formality"]["copied_forms"], index=waves)) > 0.9
    straight = (forms.nunique(axis=1) == 1).groupby(level="wave").mean()
    assert straight.iloc[-3:].mean() > straight.iloc[:3].mean()


def test_named_forms_are_milder(given, truth):
    per_rater = given.groupby(["mode", "rater_key"])["score"].mean()
    gap = per_rater["named"].mean() - per_rater["confidential"].mean()
    assert gap == pytest.approx(truth["raters"]["named_mode"], abs=0.2)
    assert gap > 0.05
    assert given.groupby("rater_key")["mode"].nunique().max() == 1


def test_the_pair_of_departments_favours_one_another(given, truth):
    one, other = truth["reciprocity"]["units"]
    centred = given["score"] - given.groupby("rater_key")["score"].transform("mean")
    centred -= centred.groupby(given["target_id"]).transform("mean")
    for rater, target in ((one, other), (other, one)):
        own = (given["rater_unit_id"] == rater) & (given["target_id"] == target)
        assert centred[own].mean() > 0.2


def test_the_ill_item_goes_with_nothing(given, truth):
    bad = truth["ill_item"]["item_id"]
    wide = given.pivot(index="plan_id", columns="item_id", values="score")
    r = wide.corr()
    good = r.drop(index=bad, columns=bad).to_numpy()
    assert r.loc[bad].drop(bad).max() < good[~np.eye(len(good), dtype=bool)].min() - 0.1


def test_formal_answers_are_fast(given, truth):
    per_form = given.drop_duplicates("plan_id")
    assert per_form["seconds"].min() >= 3
    assert (per_form["seconds"] < 15).mean() > truth["formality"]["straight_share"][0]


def test_comments_are_given_mostly_for_low_scores(given):
    told = given[given["reason"].notna()]
    assert len(told) > 50
    assert told["score"].mean() < given["score"].mean()


def test_some_forms_ask_about_one_closed_case_of_the_rater(study, given):
    own = given[given["trigger"] == "case_close"].drop_duplicates("plan_id")
    assert len(own) > 100
    assert given["case_id"].notna().eq(given["trigger"] == "case_close").all()
    assert own["service_id"].notna().all()
    cases = study.event.groupby("case_id").agg(
        who=("actor_key", "first"), service=("service_id", "first"), last=("action", set), end=("at", "last"),
    )  # fmt: skip
    cases = cases.loc[own["case_id"]]
    assert (cases["who"].to_numpy() == own["rater_key"].to_numpy()).all()
    assert (cases["service"].to_numpy() == own["service_id"].to_numpy()).all()
    assert all("close" in actions for actions in cases["last"])
    assert (cases["end"].to_numpy() < own["submitted_at"].to_numpy()).all()


def test_severe_raters_give_less(given, truth):
    honest = given[~given["rater_key"].isin({*truth["copiers"], *truth["straight_liners"]})]
    centred = honest["score"] - honest.groupby("target_id")["score"].transform("mean")
    severity = pd.Series(truth["severity"])
    assert centred.groupby(honest["rater_key"]).mean().corr(severity) < -0.7


def test_straight_liners_are_straight_from_their_wave_on(forms, truth):
    rater, wave = (forms.index.get_level_values(n) for n in ("rater_key", "wave"))
    since = rater.map(truth["straight_liners"]).astype("str")
    formal = rater.isin(list(truth["straight_liners"])) & (wave >= since)
    assert formal.sum() > 50
    assert (forms[formal].nunique(axis=1) == 1).all()

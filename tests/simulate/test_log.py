"""The event log tells a possible story, and what was planted in it can be found again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import simulate
from svcmetrics.simulate.clock import Clock
from svcmetrics.tables import TABLES

SIZES = {"events": 100_000, "ratings": 600}


@pytest.fixture(scope="module")
def study():
    return simulate.company(**SIZES)


@pytest.fixture(scope="module")
def truth():
    return simulate.truth(**SIZES)


@pytest.fixture(scope="module")
def event(study):
    event = study.event.copy()
    event["worked"] = Clock(study.calendar).worked(event["at"].astype("int64").to_numpy() // 10**6)
    new = event["case_id"].ne(event["case_id"].shift())
    event["wait_s"] = event["at"].diff().dt.total_seconds().mask(new)
    return event


def test_each_case_is_told_in_order(event):
    first = event.groupby("case_id", sort=False).head(1)
    assert (first["action"] == "submit").all()
    assert (event["wait_s"].dropna() >= 0).all()
    counted = event.groupby("case_id", sort=False).cumcount()
    assert (event["seq"] == counted).all()
    last = event["action"].where(event["case_id"].ne(event["case_id"].shift(-1)))
    assert event["action"].eq("close").sum() == last.eq("close").sum()


def test_all_kinds_of_events_happen(event):
    words = TABLES["event"]["action"].words
    assert set(event["action"]) == set(words)
    assert event["reason_code"].notna().sum() == event["action"].isin(["return", "reject"]).sum()


def test_steps_are_done_by_the_unit_that_the_step_table_names(study, event):
    done = event[event["step_no"].notna()].merge(
        study.step, on=["service_id", "step_no"], suffixes=("", "_step")
    )
    assert len(done) == event["step_no"].notna().sum()
    assert (done["unit_id"] == done["unit_id_step"]).all()
    back = event[event["to_step_no"].notna()]
    assert (back["action"] == "return").all()
    assert (back["to_step_no"] < back["step_no"]).all()


def test_a_return_to_the_requester_is_submitted_again(event):
    nxt = event[["case_id", "action"]].shift(-1)
    own = (
        event["action"].eq("return")
        & event["to_step_no"].isna()
        & event["case_id"].eq(nxt["case_id"])
    )
    assert nxt["action"][own].isin(["resubmit", "comment"]).all()


def test_work_is_done_in_office_hours(study, event):
    work = event[event["action"].isin(["accept", "deliver"])].merge(study.service, on="service_id")
    work = work[work["routine"] != "emergency"]
    hour = work["at"].dt.hour + work["at"].dt.minute / 60
    # The closing instant itself counts; it is printed as 18:00.
    assert ((hour >= 9) & (hour <= 18)).all()
    days = study.calendar.groupby("date")["is_workday"].max()
    off = set(pd.to_datetime(days[~days.astype(bool)].index).date)
    assert not set(work["at"].dt.date) & off
    makeup = pd.Timestamp("2024-10-12").date()
    assert makeup in set(work["at"].dt.date)


def test_some_cases_stay_open_and_some_requests_come_at_night(event):
    last = event.groupby("case_id", sort=False)["action"].last()
    share = (~last.isin(["close", "reject", "withdraw"])).mean()
    assert 0.005 < share < 0.05
    submit = event[event["action"] == "submit"]
    night = ~submit["at"].dt.hour.between(8, 18)
    assert 0.01 < night.mean() < 0.1


def test_rejected_cases_come_again_as_new_ones(event, truth):
    linked = event[event["prev_case_id"].notna()]
    assert (linked["seq"] == 0).all()
    assert len(linked) == truth["links"]["linked"]
    assert 0.6 < truth["links"]["linked"] / truth["links"]["resubmitted"] < 0.8
    ends = event.groupby("case_id")["action"].agg(lambda a: "reject" in set(a))
    assert ends[linked["prev_case_id"]].all()
    who = event[event["seq"] == 0].set_index("case_id")["actor_key"]
    assert (who[linked["prev_case_id"]].to_numpy() == linked["actor_key"].to_numpy()).all()


def test_agreements_precede_the_request_and_changes_have_a_reason(study, event):
    start = event[event["seq"] == 0].set_index("case_id")["at"]
    agreed = study.commitment
    assert (agreed["due_at"] > agreed["agreed_at"]).all()
    first = agreed[agreed["rev"] == 0]
    assert (first["agreed_at"].to_numpy() < start[first["case_id"]].to_numpy()).all()
    assert agreed.loc[agreed["rev"] > 0, "reason"].notna().all()


def test_the_shortening_of_the_pilot_can_be_found(study, event, truth):
    cases = event.groupby("case_id", sort=False).agg(
        service_id=("service_id", "first"), start=("at", "first"), low=("worked", "first"), high=("worked", "last"),
    )  # fmt: skip
    odd, done = (
        set(event.loc[event["action"].isin(w), "case_id"]) for w in (["return", "pause"], ["close"])
    )
    cases = cases[cases.index.isin(done - odd)].merge(study.service, on="service_id")
    cases = cases[cases["routine"] != "emergency"]
    hours = np.log((cases["high"] - cases["low"]).clip(lower=1))
    after = cases["start"] >= pd.Timestamp(truth["pilot"]["from"], tz="Asia/Shanghai")
    change = hours.groupby([cases["service_id"], after]).mean().unstack()
    weight = cases.groupby("service_id").size()
    change = change[True] - change[False]
    pilot = study.service.set_index("service_id")["provider_id"].isin(truth["pilot"]["units"])[
        change.index
    ]
    weight = weight[change.index]
    one, other = (np.average(change[m], weights=weight[m]) for m in (pilot, ~pilot))
    assert np.exp(one - other) == pytest.approx(truth["pilot"]["time_factor"], abs=0.05)


def test_one_approver_never_looks(event, truth):
    key = truth["rubber_stamp"]["actor_key"]
    looks = event[event["action"].isin(["approve", "return", "reject"]) & ~event["is_auto"]]
    looks = looks[~looks["action"].shift().eq("comment")]
    own = looks["actor_key"] == key
    assert looks["wait_s"][own & looks["action"].eq("approve")].median() < 60
    assert looks["wait_s"][~own].median() > 1800
    sent_back = looks["action"].ne("approve")
    assert sent_back[own].mean() < 0.1 * sent_back[~own].mean()


def test_automatic_approvals_take_seconds_and_have_no_actor(event):
    auto = event[event["is_auto"] & event["action"].eq("approve")]
    assert len(auto) > 100
    assert auto["actor_key"].isna().all()
    assert auto["wait_s"].median() < 5


def test_poor_work_comes_back(study, event, truth):
    back = event[event["to_step_no"].notna()]
    back = back.merge(
        study.step, left_on=["service_id", "to_step_no"], right_on=["service_id", "step_no"]
    )
    sent = event[event["action"].isin(["deliver", "approve"])].groupby("unit_id").size()
    rate = back.groupby("unit_id_y").size() / sent
    planted = pd.Series(truth["work"]["return_factor"])
    # Processes differ too, so raw rates follow the truth only roughly.
    assert rate.corr(planted, method="spearman") > 0.4
    assert rate[planted.idxmax()] > 1.8 * rate[planted.idxmin()]


def test_the_log_comes_in_pieces_without_double_case_numbers(tmp_path, monkeypatch):
    from svcmetrics.simulate import log

    monkeypatch.setattr(log, "PIECE", 2000)
    event = simulate.company(events=9001, ratings=600).event
    assert len(event) == 9001
    assert not event.duplicated(["case_id", "seq"]).any()
    assert event["at"].iloc[0].month == 9
    assert event[event["seq"] == 0]["at"].dt.month.nunique() == 12


def test_approval_numbers_have_21_digits(event):
    ids = event["case_id"].drop_duplicates()
    numbers = ids[ids.str.fullmatch(r"\d{21}")]
    assert 0.3 < len(numbers) / len(ids) < 0.9
    assert numbers.str[:4].isin(["2024", "2025"]).all()

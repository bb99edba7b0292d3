"""The example study, whose truth was planted: the measures find it."""

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from svcmetrics import measure

FOLDER = Path(__file__).parents[2] / "data" / "pilot"
pytestmark = pytest.mark.skipif(not (FOLDER / "event.parquet").exists(), reason="no example study")


@pytest.fixture(scope="module")
def study() -> dict:
    tables = {n: pd.read_csv(FOLDER / f"{n}.csv") for n in ("service", "step", "calendar")}
    named = {"services": tables["service"], "steps": tables["step"], "calendar": tables["calendar"]}
    cases = measure.cases(FOLDER / "event.parquet", **named)
    return named | {
        "cases": cases,
        "truth": tomllib.loads((FOLDER / "truth.toml").read_text("utf-8")),
    }


def _services(study: dict) -> dict:
    return {"services": study["services"], "calendar": study["calendar"]}


def test_slow_departments_are_found_slow(study):
    table = measure.time_ratio(study["cases"], **_services(study)).table
    ratio = table[table["variant"] == "geometric_mean"].set_index("provider_id")["estimate"]
    planted = pd.Series(study["truth"]["work"]["time_factor"])
    assert ratio.corr(planted, method="spearman") > 0.7
    assert (ratio.idxmax(), ratio.idxmin()) in {("D03", "D06"), ("D03", "D08")}


def test_departments_whose_work_comes_back_are_found(study):
    table = measure.returns(
        FOLDER / "event.parquet", services=study["services"], steps=study["steps"]
    ).table
    rate = table[table["variant"] == ""].set_index("unit_id")["estimate"]
    planted = pd.Series(study["truth"]["work"]["return_factor"])
    assert rate.reindex(planted.index).corr(planted, method="spearman") > 0.6
    assert rate.idxmin() == "D06"


def test_the_rubber_stamp_is_found_at_its_step_and_named_without_the_person(study):
    out = measure.automatic(FOLDER / "event.parquet", steps=study["steps"])
    stamps = [f.values["place"] for f in out.findings if f.key == "automatic.stamp"]
    truth = study["truth"]["rubber_stamp"]
    assert len(stamps) == 1
    assert stamps[0].startswith(truth["unit"])
    assert truth["actor_key"] not in out.say("zh") + out.table.to_string()


def test_resubmissions_after_a_rejection_are_found_with_and_without_the_link(study):
    counts = measure.rejections(FOLDER / "event.parquet", by=None).table.set_index("variant")[
        "count"
    ]
    truth = study["truth"]["links"]
    assert counts["linked_by_id"] == truth["linked"]
    assert abs(counts["linked"] - truth["resubmitted"]) <= 3


def test_the_pilot_shortened_what_it_touched(study):
    table = measure.shortening(study["cases"], **_services(study)).table
    change = table[table["variant"] == "all_months"].set_index("provider_id")["estimate"]
    pilot = study["truth"]["pilot"]["units"]
    assert change[pilot].mean() < change.drop(pilot).mean() - 0.05


def test_visits_add_up_to_their_cases(study):
    visits = measure.passages(
        FOLDER / "event.parquet",
        services=study["services"],
        steps=study["steps"],
        calendar=study["calendar"],
    )
    total = visits.groupby("case_id")[["elapsed_h", "business_h", "paused_h"]].sum()
    cases = study["cases"].set_index("case_id")
    # A case of one event, lodged in the last moment of the log, has had no visit yet.
    whole = cases.loc[total.index]
    assert (total - whole[list(total.columns)]).abs().max().max() < 1e-6
    assert cases["elapsed_h"].drop(total.index).sum() == 0


def test_a_log_without_oddities_but_for_one_repeated_event(study):
    out = measure.log_check(
        FOLDER / "event.parquet", **{k: study[k] for k in ("services", "steps", "calendar")}
    )
    odd = out.table[out.table["count"] > 0]
    assert odd["variant"].tolist() in ([], ["repeated"])

"""Candidates for routine services: every number by hand on a small log, then the example study."""

import importlib

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import design
from svcmetrics.design.recurring import case_facts
from svcmetrics.numeric.summaries import quantile
from svcmetrics.problems import InputError

BOOK = pd.DataFrame(
    {
        "service_id": ["LEAK", "LAW", "PAY"],
        "routine": ["emergency", "nonroutine", "routine"],
        "name_zh": ["漏水抢修", "专项法律支持", "工资"],
    }
)


def log(service="LEAK", count=14, every="14D", hours=5.0, steps=((1, 2),), start="2024-01-05"):
    """Cases at a fixed pace; hours and steps are used in turn."""
    hours, rows = np.resize(hours, count), []
    for k, at in enumerate(pd.date_range(start, periods=count, freq=every)):
        path = steps[k % len(steps)]
        took = pd.Timedelta(hours=hours[k])
        events = [("submit", None, at)]
        events += [
            ("deliver", s, at + took * (i + 1) / (len(path) + 1)) for i, s in enumerate(path)
        ]
        events += [("close", None, at + took)]
        for seq, (action, step, when) in enumerate(events):
            rows.append((f"{service}{k:02d}", seq, service, when, action, step))
    return pd.DataFrame(rows, columns=["case_id", "seq", "service_id", "at", "action", "step_no"])


def row(result, kind="LEAK"):
    table = result.table
    return table[table["service_id"] == kind].set_index("variant")


def test_a_steady_emergency_is_a_candidate_with_numbers_that_can_be_counted():
    # 28 cases, every 14 days from 5 January to the January after: all thirteen months.
    hours = [2.0, 4.0, 4.0, 6.0]
    steps = ((1, 2), (1, 2), (1, 2), (1, 3, 2))
    result = design.promote(log(count=28, hours=hours, steps=steps), services=BOOK)
    found = row(result)
    assert found["estimate"].drop(["criteria", "quartile_ratio"]).round(4).to_dict() == {
        "cases": 28,
        "months": 1.0,
        "path": 0.75,
        # Steps 1 and 2 occur in all cases, step 3 in one of four: these have 2 of 3 in common.
        "common_steps": round((21 + 7 * 2 / 3) / 28, 4),
    }
    expected = np.quantile(np.resize(hours, 28), [0.25, 0.75])
    assert found.loc["quartile_ratio", "estimate"] == pytest.approx(expected[1] / expected[0])
    assert found["met"].all()
    assert [f.key for f in result.findings] == [
        "promote.overall",
        "promote.candidate",
        "promote.advice",
    ]


def test_chance_alone_makes_no_candidate():
    # 9 of 14 on one path is more than half, but half or less would often look like it.
    found = row(design.promote(log(steps=((1, 2), (1, 2), (1, 3, 2))), services=BOOK))
    assert found.loc["path", "estimate"] > 0.5 > found.loc["path", "low"]
    assert not found.loc["path", "met"]
    more = log(count=70, every="5D", steps=((1, 2), (1, 2), (1, 3, 2)))
    assert row(design.promote(more, services=BOOK)).loc["path", "met"]


def test_what_does_not_recur_or_has_no_path_is_none():
    # Of eleven cases nobody can say where the upper quartile surely ends.
    rare = design.promote(log(count=11, every="90D"), services=BOOK)
    assert row(rare)["met"].to_dict() == {
        "cases": False, "months": False, "quartile_ratio": False, "path": True, "common_steps": True,
        "criteria": False,
    }  # fmt: skip
    wild = log(steps=((1,), (2, 3), (4,), (5, 1), (6,)), hours=[1, 30, 4, 100])
    assert not row(design.promote(wild, services=BOOK))["met"][
        ["quartile_ratio", "path", "common_steps"]
    ].any()


def test_routine_services_are_not_looked_at():
    result = design.promote(pd.concat([log(), log("PAY", 40)]), services=BOOK)
    assert set(result.table["service_id"]) == {"LEAK"}


def test_a_share_of_months_counts_the_months_of_the_whole_log():
    long = pd.concat([log(count=12, every="D"), log("PAY", 2, every="360D")])
    result = design.promote(long, services=BOOK)
    assert result.about["months"] == 12
    assert row(result).loc["months", "estimate"] == pytest.approx(1 / 12)


def test_open_cases_count_as_recurrence_and_say_nothing_of_duration():
    events = log()
    still = events[~((events["case_id"] == "LEAK13") & (events["action"] == "close"))]
    found = row(design.promote(still, services=BOOK))
    assert found.loc["cases", "n"] == 14
    assert found.loc["path", "n"] == 13


def test_a_return_to_work_in_the_same_step_is_no_new_step():
    events = log(count=12, steps=((1, 1, 2),))
    facts = row(design.promote(events, services=BOOK))
    assert facts.loc["path", "estimate"] == 1.0
    assert facts.loc["common_steps", "estimate"] == 1.0


def test_thresholds_are_the_callers_and_are_reported():
    result = design.promote(log(), services=BOOK, needed={"cases": 20})
    assert not row(result).loc["cases", "met"]
    assert result.about["needed"]["cases"] == 20
    assert result.about["needed"]["path"] == 0.5
    assert "promote.near" in [f.key for f in result.findings]


def test_kinds_may_be_another_column():
    events = log(count=30).assign(why=lambda t: np.where(t["case_id"] < "LEAK15", "pipe", "roof"))
    table = design.promote(events, services=BOOK, by="why").table
    assert table.loc[table["variant"] == "cases", "estimate"].tolist() == [15, 15]


def test_too_few_and_none_are_refused():
    few = design.promote(log(count=3), services=BOOK)
    assert ("promote.few", "refused") in [(f.key, f.level) for f in few.findings]
    assert few.table.set_index("variant")["estimate"].isna().sum() == 3
    none = design.promote(log("PAY"), services=BOOK)
    assert none.table.empty
    assert [f.level for f in none.findings] == ["refused"]
    assert not none.plot().has_data()


def test_bad_input_is_named():
    with pytest.raises(svc.TableError, match="routine"):
        design.promote(log(), services=BOOK.drop(columns="routine"))
    with pytest.raises(svc.TableError, match="step_no"):
        design.promote(log().drop(columns="step_no"), services=BOOK)
    with pytest.raises(svc.TableError, match="LEAK00"):
        design.promote(pd.concat([log(), log()]), services=BOOK)


def test_the_example_study(example_study_folder):
    study = svc.read_study(example_study_folder)
    result = design.promote(study.event, services=study.service)
    rare = study.service["routine"].isin(["nonroutine", "emergency"])
    known = study.event["service_id"].isin(study.service.loc[rare, "service_id"])
    counted = study.event[known].groupby("service_id")["case_id"].nunique()
    cases = result.table[result.table["variant"] == "cases"].set_index("service_id")["estimate"]
    pd.testing.assert_series_equal(cases.astype(int), counted, check_names=False, check_dtype=False)
    from svcmetrics.io import engine

    again = design.promote(engine.as_table(study.event), services=study.service)
    pd.testing.assert_frame_equal(again.table, result.table)
    # Hardly any of the kinds of the example is steady beyond chance, and each is one by its numbers.
    wide = result.table.pivot(
        index="service_id", columns="variant", values=["estimate", "low", "high"]
    )
    steady = (
        (wide["estimate"]["cases"] >= 12)
        & (wide["low"]["months"] >= 0.5)
        & (wide["high"]["quartile_ratio"] <= 4)
        & (wide["low"]["path"] >= 0.5)
        & (wide["low"]["common_steps"] >= 0.7)
    )
    assert result.findings[0].values == {"kinds": 12, "candidates": int(steady.sum())}
    assert 0 < steady.sum() < 7


# At the thresholds themselves

# The module; its name in the folder is that of the function.
promote_module = importlib.import_module("svcmetrics.design.promote")


def test_a_limit_that_lies_on_the_threshold_clears_it():
    met = promote_module._is_met
    assert met("cases", (12.0, 6.2, 21.0), 12) and not met("cases", (11.0, 12.5, 21.0), 12)
    assert met("quartile_ratio", (2.0, 1.5, 4.0), 4.0)
    assert not met("quartile_ratio", (2.0, 1.5, 4.1), 4.0)
    assert met("path", (0.7, 0.5, 0.9), 0.5) and not met("path", (0.7, 0.49, 0.9), 0.5)
    assert not met("months", (np.nan, np.nan, np.nan), 0.5)


@pytest.mark.parametrize(("count", "known"), [(5, False), (6, True)])
def test_six_finished_cases_say_something_of_duration_and_path(count, known):
    result = design.promote(log(count=count), services=BOOK)
    found = row(result).loc[["quartile_ratio", "path", "common_steps"]]
    assert found["estimate"].notna().tolist() == [known] * 3
    assert found["n"].tolist() == [count] * 3
    refused = [f.values for f in result.findings if f.key == "promote.few"]
    assert refused == ([] if known else [{"kinds": ["LEAK"], "least": 6}])


def test_a_step_of_four_in_five_cases_is_common():
    paths = pd.Series(["1 2"] * 8 + ["1 3"] * 2)
    middle, low, high, n = promote_module._common(paths)
    # Eight have both of their steps in common with the others, two have one of two.
    each = np.array([1.0] * 8 + [0.5] * 2)
    half = 1.96 * each.std(ddof=1) / np.sqrt(10)
    assert (middle, low, high, n) == pytest.approx((0.9, 0.9 - half, 1.0, 10))
    fewer = promote_module._common(pd.Series(["1 2"] * 7 + ["1 3"] * 3))
    assert fewer[0] == 0.5
    assert promote_module._common(pd.Series(["1 1 2"] * 4))[0] == 1  # a step counts once per case
    wide = promote_module._common(pd.Series(["1"] * 8 + ["2"] * 2))
    assert wide[2] <= 1 and wide[1] >= 0
    assert np.isnan(promote_module._common(pd.Series(["", ""]))[0])


def test_the_quartiles_and_their_limits_make_a_cautious_ratio():
    hours = np.arange(1.0, 41)
    ratio, low, high = promote_module._spread(hours)
    lower, upper = (quantile(hours, q) for q in (0.25, 0.75))
    assert ratio == pytest.approx(upper[0] / lower[0])
    assert (low, high) == pytest.approx((upper[1] / lower[2], upper[2] / lower[1]))
    assert promote_module._spread(np.full(40, 5.0)) == (1, 1, 1)
    assert (
        promote_module._spread(np.array([1.0, 1, 1, 1, 1, 1.5] * 3))[1] == 1
    )  # no ratio is below 1


def test_a_case_is_finished_by_an_end_after_the_last_start_and_not_before_it():
    events = log(count=8)
    at = events["at"].max()

    def more(case, action, seq, when=at):
        return events.iloc[[0]].assign(case_id=case, seq=seq, action=action, at=when, step_no=None)

    start = events.loc[events["case_id"] == "LEAK03", "at"].iloc[0]
    rest = events[~((events["case_id"] == "LEAK03") & (events["seq"] > 0))]
    odd = pd.concat([
        rest,
        more("LEAK01", "return", 90),  # open again
        more("LEAK02", "resubmit", 90), more("LEAK02", "close", 91),  # and closed again
        more("LEAK03", "close", 5, start),  # took no time at all
        more("LEAK04", "withdraw", 90, events["at"].min()),  # ended before it began
    ])  # fmt: skip
    facts = case_facts(odd, BOOK, "service_id", "Asia/Shanghai").cases.set_index("case_id")["hours"]
    assert facts.isna().tolist() == [False, True, False, False, True, False, False, False]
    assert facts["LEAK03"] == 0
    result = design.promote(odd, services=BOOK)
    assert result.about["open_cases"] == 2
    assert row(result).loc["path", "n"] == 6


def test_what_cannot_be_used_is_counted():
    events = log(count=8)
    events.loc[1, "at"], events.loc[4, "action"] = pd.NaT, None
    named = events.assign(why=np.where(events["case_id"] == "LEAK05", None, "pipe"))
    facts = case_facts(named, BOOK, "why", "Asia/Shanghai")
    assert facts.dropped == {"incomplete_events": 2, "no_kind": 1}
    assert len(facts.cases) == 7
    assert case_facts(log(), BOOK, "service_id", "Asia/Shanghai").dropped == {}


def test_four_candidates_are_told_with_their_numbers_and_the_others_by_name():
    names = [f"L{k}" for k in range(6)]
    book = pd.DataFrame({"service_id": names, "routine": "emergency"})
    events = pd.concat([log(name, 28 - k) for k, name in enumerate(names)])
    result = design.promote(events, services=book)
    assert result.findings[0].values == {"kinds": 6, "candidates": 6}
    told = [f.values["kind"] for f in result.findings if f.key == "promote.candidate"]
    assert told == ["L0", "L1", "L2", "L3"]
    assert next(f for f in result.findings if f.key == "promote.more").values["kinds"] == [
        "L4",
        "L5",
    ]
    four = design.promote(events[events["service_id"] < "L4"], services=book)
    assert "promote.more" not in [f.key for f in four.findings]


def test_a_zone_that_does_not_exist_is_refused_in_words():
    services = pd.DataFrame({"service_id": ["LEAK"], "routine": ["emergency"]})
    with pytest.raises(InputError) as told:
        design.promote(log(), services=services, timezone="Nowhere/Town")
    assert told.value.problems[0].key == "import_zone_unknown"

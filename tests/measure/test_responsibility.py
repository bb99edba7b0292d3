"""Who answers for a shared delay: by hand, by law, and on the example study."""

import importlib

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import measure
from svcmetrics.measure import rules
from svcmetrics.measure.rules import RULES
from svcmetrics.numeric import shapley
from tests.measure.logs import log

SERVICES = pd.DataFrame({"service_id": ["S"], "promise_h": [12.0], "clock": ["calendar"]})
STEPS = pd.DataFrame(
    {
        "service_id": "S",
        "step_no": [1, 2, 3],
        "unit_id": ["A", "B", "A"],
        "role": ["lead", "consult", "do"],
        "role_weight": [0.5, 0.2, 0.3],
        "promise_h": [4.0, 4.0, 4.0],
        "is_final": [False, False, True],
    }
)
# Hours 6, 9, 1: over by 2, 5, 0; three hours saved by step 3, so 4 hours late.
ONE = """
x S 2024-09-02T00:00 submit
x S 2024-09-02T06:00 deliver 1
x S 2024-09-02T15:00 deliver 2
x S 2024-09-02T16:00 deliver 3
"""
STUDY = {"services": SERVICES, "steps": STEPS}


def visits(*hours, case="x", kind="step"):
    """What ``passages`` would make of a case whose steps took these hours, one after another."""
    end = pd.Timestamp("2024-09-02", tz="Asia/Shanghai") + pd.to_timedelta(np.cumsum(hours), "h")
    took = np.asarray(hours, dtype=float)
    number = np.arange(1, len(hours) + 1)
    return pd.DataFrame(
        {
            "case_id": case, "service_id": "S", "visit_no": number, "kind": kind,
            "step_no": number, "unit_id": ["A", "B", "A"], "start_at": end - pd.to_timedelta(took, "h"),
            "end_at": end, "elapsed_h": took, "business_h": np.nan, "paused_h": 0.0,
            "paused_business_h": 0.0, "open": False,
        }
    )  # fmt: skip


def hours(result, by="step_no"):
    return result.table.pivot(index=by, columns="variant", values="hours")


def test_four_rules_by_hand():
    found = hours(measure.responsibility(visits(6, 9, 1), **STUDY, by="step_no"))
    # Shapley with slack 3: alone, step 1 makes 0 hours late, step 2 makes 2; together 4.
    expected = {
        "own": [4 * 2 / 7, 4 * 5 / 7, 0],
        "role": [2.0, 0.8, 1.2],
        "equal": [1.0, 2.0, 1.0],
        "shapley": [1.0, 3.0, 0.0],
    }
    for rule, values in expected.items():
        np.testing.assert_allclose(found[rule], values, atol=1e-12)


def test_the_shares_add_up_to_the_delay_of_each_case(example, passages):
    result = measure.responsibility(passages, **tables(example), by=["case_id", "unit_id"])
    regular = result.table[result.table["variant"].isin(RULES)]
    np.testing.assert_allclose(regular.groupby("variant")["estimate"].sum(), 1.0, atol=1e-12)
    cases = measure.cases(example.event, **tables(example)).set_index("case_id")
    sums = result.table.groupby(["case_id", "variant"])["hours"].sum().unstack()
    promise = example.service.set_index("service_id")["promise_h"]
    own = sums.dropna(subset=["own"])
    c = cases.loc[own.index]
    net = c["business_h"] - c["paused_business_h"] - c["requester_business_h"]
    late = net - c["service_id"].map(promise)
    for rule in RULES:
        # The moment until the case is closed belongs to no step.
        assert ((late - own[rule]) >= -1e-9).all()
        assert (late - own[rule]).sum() < 0.01 * late.sum()


def test_who_kept_the_promise_answers_for_nothing_by_own_overrun_and_by_shapley():
    found = hours(measure.responsibility(visits(6, 9, 1), **STUDY, by="step_no"))
    assert found.loc[3, "own"] == 0 == found.loc[3, "shapley"]
    assert found.loc[3, "equal"] > 0


def test_steps_side_by_side_are_the_airport_game():
    steps = STEPS.assign(after=["", "", ""], promise_h=4.0)
    services = SERVICES.assign(promise_h=4.0)
    found = measure.responsibility(
        visits(5, 1, 1), services=services, steps=steps, by="step_no", after="after"
    )
    # Overruns of 1, 2 and 3 hours: Littlechild and Owen (1973).
    np.testing.assert_allclose(hours(found, "step_no")["shapley"], [1 / 3, 5 / 6, 11 / 6])


def test_a_network_in_one_line_equals_steps_one_after_another():
    steps = STEPS.assign(after=["", "1", "2"])
    line = measure.responsibility(visits(6, 9, 1), **STUDY, by="step_no").table
    network = measure.responsibility(
        visits(6, 9, 1), services=SERVICES, steps=steps, by="step_no", after="after"
    ).table
    pd.testing.assert_frame_equal(line, network)


def test_a_step_that_waits_for_a_later_one_is_an_error():
    steps = STEPS.assign(after=["2", "", ""])
    with pytest.raises(svc.TableError, match="2"):
        measure.responsibility(visits(6, 9, 1), services=SERVICES, steps=steps, after="after")


def test_hours_with_the_requester_and_stopped_clocks_are_nobodys():
    text = """
    x S 2024-09-02T00:00 submit
    x S 2024-09-02T02:00 return 1
    x S 2024-09-12T02:00 resubmit
    x S 2024-09-12T04:00 deliver 1
    x S 2024-09-12T04:30 pause 2
    x S 2024-09-22T04:30 resume 2
    x S 2024-09-22T05:00 deliver 2
    x S 2024-09-22T15:00 deliver 3
    """
    found = hours(measure.responsibility(log(text), **STUDY, by="step_no"))
    np.testing.assert_allclose(found["own"], [0, 0, 3.0], atol=1e-9)


def test_passages_serve_as_well_as_events(example, passages):
    one = measure.responsibility(example.event, **tables(example)).table
    two = measure.responsibility(passages, **tables(example)).table
    # Passages do not know of withdrawal, so that a few cases more are late.
    both = one.merge(two, on=["unit_id", "variant"])
    assert (both["estimate_x"] - both["estimate_y"]).abs().max() < 0.01


def test_doubling_time_and_promise_of_everything_changes_no_share():
    twice = {
        "services": SERVICES.assign(promise_h=24.0),
        "steps": STEPS.assign(promise_h=8.0),
    }
    one = measure.responsibility(visits(6, 9, 1), **STUDY).table
    two = measure.responsibility(visits(12, 18, 2), **twice).table
    np.testing.assert_allclose(one["estimate"], two["estimate"])
    np.testing.assert_allclose(2 * one["hours"], two["hours"])


def test_steps_without_hours_of_their_own_are_filled_and_said():
    steps = STEPS.assign(promise_h=[np.nan, 4.0, np.nan])
    result = measure.responsibility(visits(6, 9, 1), services=SERVICES, steps=steps, by="step_no")
    # 8 hours are left, shared 5 to 3: overruns of 1, 5 and 0.
    np.testing.assert_allclose(hours(result, "step_no")["own"], [4 / 6, 20 / 6, 0])
    assert "responsibility.filled" in [f.key for f in result.findings]


def test_without_role_weights_there_is_no_rule_by_role():
    result = measure.responsibility(
        visits(6, 9, 1), services=SERVICES, steps=STEPS.drop(columns="role_weight")
    )
    assert set(result.table["variant"]) == {"own", "equal", "shapley"}
    assert "responsibility.no_roles" in [f.key for f in result.findings]


def test_without_a_late_case_it_refuses():
    result = measure.responsibility(
        visits(6, 9, 1), services=SERVICES.assign(promise_h=99.0), steps=STEPS
    )
    assert result.table.empty
    assert [f.level for f in result.findings] == ["refused"]
    assert not result.plot().has_data()


def test_slow_departments_run_over_and_fast_ones_do_not(example, passages):
    # Planted in truth.toml: time factors of D03 1.16, D05 1.11, D06 0.86, D08 0.88.
    table = measure.responsibility(passages, **tables(example)).table
    own = table[table["variant"] == "own"].set_index("unit_id")["hours"]
    promised = passages.merge(example.step, on=["service_id", "step_no"])
    rate = own / promised.groupby("unit_id_y")["promise_h"].sum()
    assert min(rate["D03"], rate["D05"]) > max(rate["D06"], rate["D08"])


def test_intervals_cover_the_share_of_simulated_companies():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(60):
        delay = rng.exponential(5, 80)
        part = rng.beta(2, 3, 80)
        low, high = limits(delay * part, delay)
        hits += low <= 0.4 <= high
    assert 50 <= hits <= 60


def limits(x, d):
    from svcmetrics.measure.responsibility import _limits

    share = np.array([x.sum() / d.sum()])
    square = np.array([((x - share * d) ** 2).sum()])
    low, high = _limits(share, square, d.sum(), len(d))
    return low[0], high[0]


def tables(study):
    return {"services": study.service, "steps": study.step, "calendar": study.calendar}


@pytest.fixture(scope="module")
def example(example_study_folder):
    return svc.read_study(example_study_folder)


@pytest.fixture(scope="module")
def passages(example):
    return measure.passages(example.event, **tables(example))


def test_limits_of_a_share_by_hand():
    low, high = limits(np.array([1.0, 3, 2, 2]), np.full(4, 4.0))
    # Share 1/2, residuals -1, 1, 0, 0: standard error sqrt(2 · 4/3) / 16, t of 3 degrees 3.182.
    half = 3.182446 * np.sqrt(2 * 4 / 3) / 16 / 0.25
    assert (low, high) == pytest.approx((1 / (1 + np.exp(half)), 1 / (1 + np.exp(-half))), abs=1e-6)
    low, high = limits(np.array([1.0, 1, 1, 2]), np.full(4, 4.0))
    se = np.sqrt((3 * 0.25**2 + 0.75**2) * 4 / 3) / 16
    half = 3.182446 * se / (5 / 16 * 11 / 16)
    middle = np.log(5 / 11)
    assert low == pytest.approx(1 / (1 + np.exp(half - middle)), abs=1e-6)
    assert high == pytest.approx(1 / (1 + np.exp(-half - middle)), abs=1e-6)


def test_all_and_nothing_have_the_limit_of_as_many_cases_and_one_case_has_none():
    assert limits(np.full(5, 4.0), np.full(5, 4.0)) == (pytest.approx(0.025**0.2), 1)
    assert limits(np.zeros(5), np.full(5, 4.0)) == (0, pytest.approx(1 - 0.025**0.2))
    assert np.isnan(limits(np.array([1.0]), np.array([4.0]))).all()
    assert not np.isnan(limits(np.array([1.0, 2]), np.array([4.0, 4]))).any()


def test_a_case_of_which_the_named_steps_took_no_time_has_no_hours():
    """All of the delay passed outside any step: nobody's hours, and that is said."""
    from svcmetrics.measure.delays import _finished

    cases = pd.DataFrame({"case_id": ["x", "y"], "service_id": "S", "month": "2024-09",
                          "is_emergency": False, "promise_h": [4.0, 4.0], "net_h": [10.0, 9.0]})  # fmt: skip
    rows = pd.DataFrame({"case_id": ["x", "y", "y"], "visit_no": [1, 1, 2], "service_id": "S",
                         "kind": ["closing", "step", "step"], "step_no": [None, 1, 2],
                         "unit_id": [None, "A", "B"], "net_h": [10.0, 5.0, 3.0]})  # fmt: skip
    late = _finished(cases, rows, 7, {"open": 1})
    assert late.cases["delay_h"].tolist() == [6, 5]
    assert late.cases["shared_h"].tolist() == [0, 4]
    assert late.visits["done_h"].tolist() == [5, 8] and late.judged == 7


def test_a_promise_of_the_steps_is_filled_from_what_is_left():
    from svcmetrics.measure.delays import step_promises

    plan = STEPS.assign(promise_h=[4.0, np.nan, np.nan])
    found = step_promises(plan, SERVICES)
    assert found["promise_h"].tolist() == pytest.approx([4, 8 * 0.4, 8 * 0.6])  # by 0.2 to 0.3
    assert found["filled"].tolist() == [False, True, True]
    bare = step_promises(plan.drop(columns="role_weight"), SERVICES)
    assert bare["promise_h"].tolist() == [4, 4, 4]
    over = step_promises(plan.assign(promise_h=[14.0, np.nan, np.nan]), SERVICES)
    assert over["promise_h"].tolist() == [14, 0, 0]
    unknown = step_promises(plan.assign(service_id="T"), SERVICES)
    assert unknown["promise_h"].tolist() == [4, 0, 0]


@pytest.mark.parametrize(("hour", "late"), [(12.0, 0), (12.01, 1)])
def test_exactly_the_promise_is_not_late(hour, late):
    result = measure.responsibility(visits(6, hour - 7, 1), **STUDY)
    assert result.about["late_cases"] == late and result.about["judged_cases"] == 1
    assert (result.findings[0].level == "refused") is (late == 0)


def test_readings_of_who_is_first_and_of_what_lies_outside():
    result = measure.responsibility(visits(6, 9, 1), **STUDY, by="step_no")
    told = {f.key: dict(f.values) for f in result.findings if f.key != "responsibility.unit"}
    assert told["responsibility.overall"] == {"late": 1, "judged": 1, "hours": 4}
    assert told["responsibility.first_differs"] == {"groups": ["1", "2"]}
    # role 1/2, 1/5, 3/10; shapley 1/4, 3/4, 0: half of the distances is 0.55.
    assert told["responsibility.moved"]["share"] == pytest.approx(0.55)
    named = [f.values["group"] for f in result.findings if f.key == "responsibility.unit"]
    assert named == ["2", "3", "1"]  # 0.55, 0.30 and 0.25 apart
    table = result.table.set_index(["step_no", "variant"])
    assert table.loc[(2, "own"), "moves"] == pytest.approx(0.75 - 0.2)
    assert "responsibility.outside" not in told and "responsibility.filled" not in told
    assert (
        measure.responsibility(visits(6, 9, 1), **STUDY, by=None).table["estimate"].tolist()
        == [1] * 4
    )


def test_steps_that_promise_more_than_the_whole_are_cut_in_proportion():
    module = importlib.import_module("svcmetrics.measure.shared_delay")
    taken = pd.DataFrame({"case": ["a", "a", "b", "b", "c"], "promise_h": [6.0, 3, 2, 4, 9],
                          "whole_h": [6.0, 6, 6, 6, np.nan]})  # fmt: skip
    assert module._cut(taken).tolist() == pytest.approx([2 / 3, 2 / 3, 1, 1, 1])
    # Nine hours of promises in a whole of six: 4 and 2; taken 5 and 4, over by 1 and 2.
    steps = STEPS.head(2).assign(promise_h=[6.0, 3.0], is_final=[False, True])
    events = log("""
        x S 2024-09-02T00:00 submit
        x S 2024-09-02T05:00 deliver 1
        x S 2024-09-02T09:00 deliver 2
        x S 2024-09-02T09:00 close
    """)
    book = SERVICES.assign(promise_h=6.0)
    table = measure.responsibility(events, services=book, steps=steps).table
    own = table[table["variant"] == "own"].set_index("unit_id")["hours"]
    assert own.to_dict() == pytest.approx({"A": 1.0, "B": 2.0})


def test_an_index_with_the_name_of_a_column_is_no_column():
    plain = measure.responsibility(log(ONE), **STUDY).table
    odd = STEPS.set_axis(pd.Index([4, 4, 4], name="step_no"))
    same = measure.responsibility(log(ONE), services=SERVICES, steps=odd).table
    pd.testing.assert_frame_equal(same, plain)
    book = SERVICES.set_axis(pd.Index([9], name="service_id"))
    same = measure.responsibility(log(ONE), services=book, steps=STEPS).table
    pd.testing.assert_frame_equal(same, plain)


def test_steps_without_an_overrun_are_no_players_however_many():
    over = np.zeros((1, shapley.MOST_PLAYERS + 5))
    over[0, :2] = 3.0, 1.0
    # Either alone stays within the slack of three hours; together they are one hour late.
    shares = rules.shapley_in_line(np.array([1.0]), over)[0]
    np.testing.assert_allclose(shares, [0.5, 0.5, *np.zeros(shapley.MOST_PLAYERS + 3)], atol=1e-12)

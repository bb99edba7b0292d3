"""Returns: charged to the step whose output came back, with exact limits."""

import importlib

import pandas as pd
import pytest

from svcmetrics import measure
from tests.measure import odd_log
from tests.measure.logs import SERVICES, SMALL, STEPS, log

STUDY = {"services": SERVICES, "steps": STEPS}


def test_a_return_is_charged_to_whose_output_came_back_not_to_the_sender():
    table = measure.returns(SMALL, **STUDY).table.set_index(["unit_id", "variant"])
    assert table.loc[("HR", ""), ["returns", "outputs"]].tolist() == [1, 10]
    assert table.loc[("FIN", ""), ["returns", "outputs"]].tolist() == [0, 3]  # one was automatic


def test_printed_garwood_limits_come_through():
    lines = [f"x{i} PAY 2024-09-02T09:00 deliver 1 @HR" for i in range(100)]
    lines += [f"x{i} PAY 2024-09-02T10:00 return 2 >1 @FIN" for i in range(10)]
    row = measure.returns(log("\n".join(lines))).table.iloc[0]
    assert row["estimate"] == 10
    assert (row["low"], row["high"]) == pytest.approx((4.7954, 18.3904), abs=5e-5)


def test_no_return_has_an_upper_limit_and_no_output_has_no_rate():
    row = measure.returns(log("a PAY 2024-09-02T09:00 deliver 1 @HR")).table.iloc[0]
    assert (row["estimate"], row["low"]) == (0, 0)
    assert row["high"] == pytest.approx(368.8879, abs=1e-3)
    odd = measure.returns(log("a PAY 2024-09-02T09:00 return 2 >1 @FIN"), steps=STEPS)
    assert odd.table["estimate"].isna().all()
    assert odd.findings[0].level == "refused"


def test_what_goes_back_to_the_requester_is_charged_to_nobody():
    out = measure.returns(SMALL, **STUDY)
    assert out.about["dropped"] == {"to_requester": 1}
    assert "returns.to_requester" in [f.key for f in out.findings]


def test_the_next_step_tells_where_a_return_went_when_it_is_not_written():
    silent = SMALL.assign(to_step_no=None)
    pd.testing.assert_frame_equal(
        measure.returns(silent, **STUDY).table, measure.returns(SMALL, **STUDY).table
    )


def test_a_return_to_nowhere_is_named():
    events = log("""
        a PAY 2024-09-02T09:00 deliver 1 @HR
        a PAY 2024-09-02T10:00 return 2 @FIN
        a PAY 2024-09-02T11:00 close
    """)
    out = measure.returns(events)
    assert out.about["dropped"] == {"destination_unknown": 1}


def test_without_the_steps_the_unit_that_delivered_last_is_charged():
    here = measure.returns(SMALL, services=SERVICES).table
    pd.testing.assert_frame_equal(here, measure.returns(SMALL, **STUDY).table)


def test_halves_of_a_log_add_up():
    whole = measure.returns(SMALL, **STUDY).table.set_index(["unit_id", "variant"])
    first = SMALL["case_id"] < "d"
    parts = [measure.returns(SMALL[k], **STUDY).table for k in (first, ~first)]
    counts = pd.concat(parts).groupby(["unit_id", "variant"])[["returns", "outputs"]].sum()
    pd.testing.assert_frame_equal(counts, whole[["returns", "outputs"]].sort_index())


def test_other_groups():
    assert measure.returns(SMALL, **STUDY, by=None).table["returns"].sum() == 1
    by_step = measure.returns(SMALL, **STUDY, by=["service_id", "step_no"]).table
    assert by_step.loc[by_step["returns"] > 0, "step_no"].tolist() == [1]


def test_each_output_and_each_return_of_a_full_log_by_hand():
    out = measure.returns(
        odd_log.EVENTS, services=odd_log.SERVICES, steps=odd_log.STEPS, by=["service_id", "step_no"]
    )
    table = out.table.fillna({"step_no": 0}).set_index(["service_id", "step_no"])
    # PAY 1: on, late, gross (3), worse, worst (2), no8; of them gross came back twice, worst once.
    assert table.loc[("PAY", 1), ["returns", "outputs"]].tolist() == [3, 9]
    assert table.loc[("PAY", 2), ["returns", "outputs"]].tolist() == [0, 4]  # without the rule's
    # it3 names the step that returns; its delivery without a step has a row of its own.
    assert table.loc[("IT1", 1), ["returns", "outputs"]].tolist() == [1, 3]
    assert table.loc[("IT1", 0), ["returns", "outputs"]].tolist() == [0, 1]
    # new: nobody is named, so whoever works next.
    assert table.loc[("NEW", 7), ["returns", "outputs"]].tolist() == [1, 2]
    assert table.loc[("FIRE", 1), ["variant", "returns", "outputs"]].tolist() == ["emergency", 1, 3]
    assert out.about["dropped"] == {"to_requester": 4}  # gross, gone, it4, open2


@pytest.mark.parametrize(
    ("outputs", "apart", "keys"),
    [
        ([40, 10], (0, 0), ["overall"]),
        ([40, 0], (1, 0), ["overall", "to_requester", "no_outputs"]),
        ([0, 0], (0, 1), ["none", "unknown"]),
    ],
)
def test_what_is_said_of_returns(outputs, apart, keys):
    module = importlib.import_module("svcmetrics.measure.returns")
    table = pd.DataFrame(
        {"variant": ["", "", "emergency"], "returns": [3, 2, 50], "outputs": [*outputs, 50]}
    )
    found = module._findings(
        table, dict(zip(("to_requester", "destination_unknown"), apart, strict=True))
    )
    assert [f.key for f in found] == [f"returns.{k}" for k in keys]
    if keys[0] == "overall":
        n = sum(outputs)
        assert found[0].values["rate"] == 500 / n and found[0].values["n"] == n
        # Garwood: half of chi-square's 2.5% and 97.5% points with 10 and 12 degrees, per hundred.
        ends = [found[0].values[k] for k in ("low", "high")]
        assert ends == pytest.approx([1.6234864 * 100 / n, 11.6683320 * 100 / n], rel=1e-6)
    assert [dict(f.values) for f in found[1:]] == [{"count": 1}] * (len(keys) - 1)

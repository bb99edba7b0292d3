"""Pooling a department over services and steps: by hand, and the laws of a weighted mean."""

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import measure

STEPS = pd.DataFrame(
    {
        "service_id": ["P", "P", "H", "H"],
        "step_no": [1, 2, 1, 2],
        "unit_id": ["HR", "FIN", "HR", "HR"],
        "role_weight": [0.6, 0.4, 0.7, 0.3],
    }
)
PARTS = pd.DataFrame(
    {
        "unit_id": ["HR", "FIN", "HR", "HR"],
        "service_id": ["P", "P", "H", "H"],
        "step_no": [1, 2, 1, 2],
        "estimate": [10.0, 6.0, 2.0, 4.0],
        "low": [8.0, 5.0, 1.0, 3.0],
        "high": [13.0, 8.0, 4.0, 5.0],
        "n": [100, 100, 50, 50],
    }
)


def wide(result, column="estimate"):
    return result.table.pivot(index="unit_id", columns="variant", values=column)


def test_three_sets_of_weights_by_hand():
    found = wide(measure.pooled(PARTS, steps=STEPS))
    hr = found.loc["HR"]
    assert hr["by_volume"] == pytest.approx((100 * 10 + 50 * 2 + 50 * 4) / 200)
    weight = np.array([60, 35, 15])
    assert hr["by_role"] == pytest.approx(weight @ [10, 2, 4] / 110)
    assert hr["by_service"] == pytest.approx((10 + (0.7 * 2 + 0.3 * 4)) / 2)
    assert (found.loc["FIN"] == 6.0).all()


def test_the_interval_recovers_the_variance_of_the_parts():
    table = measure.pooled(PARTS, steps=STEPS).table.set_index(["unit_id", "variant"])
    row = table.loc[("HR", "by_volume")]
    share = np.array([0.5, 0.25, 0.25])
    assert row["low"] == pytest.approx(6.5 - np.sqrt((share**2) @ np.array([2, 1, 1]) ** 2))
    assert row["high"] == pytest.approx(6.5 + np.sqrt((share**2) @ np.array([3, 2, 1]) ** 2))
    # A single part keeps its own interval.
    assert table.loc[("FIN", "by_role"), ["low", "high"]].tolist() == [5.0, 8.0]


def test_shares_stay_within_their_bounds():
    parts = PARTS.assign(estimate=1.0, low=0.8, high=1.0)
    assert (measure.pooled(parts, steps=STEPS).table["high"] == 1.0).all()


def test_how_far_the_parts_lie_apart():
    calm = PARTS.assign(estimate=5.0, low=4.0, high=6.0)
    assert wide(measure.pooled(calm, steps=STEPS), "apart").loc["HR"].eq(0).all()
    y, se = np.array([10.0, 2, 4]), np.array([5, 3, 2]) / (2 * 1.959964)
    w = 1 / se**2
    q = (w * (y - w @ y / w.sum()) ** 2).sum()
    found = measure.pooled(PARTS, steps=STEPS)
    assert wide(found, "apart").loc["HR", "by_role"] == pytest.approx((q - 2) / q)
    assert "pooled.apart" in [f.key for f in found.findings]


def test_the_number_of_a_service_is_charged_to_all_its_departments_by_role():
    services = pd.DataFrame(
        {
            "service_id": ["P", "H"],
            "estimate": [0.9, 0.5],
            "low": [0.8, 0.4],
            "high": [0.95, 0.6],
            "n": [100, 100],
        }
    )
    found = wide(measure.pooled(services, steps=STEPS))
    assert found.loc["FIN", "by_role"] == 0.9
    assert found.loc["HR", "by_role"] == pytest.approx((0.6 * 0.9 + 1.0 * 0.5) / 1.6)
    assert found.loc["HR", "by_service"] == pytest.approx(0.7)


def test_splitting_a_part_in_two_equal_ones_changes_no_estimate():
    halves = PARTS.assign(n=PARTS["n"] / 2)
    twice = pd.concat([halves, halves.assign(service_id=halves["service_id"] + "2")])
    steps = pd.concat([STEPS, STEPS.assign(service_id=STEPS["service_id"] + "2")])
    one, two = wide(measure.pooled(PARTS, steps=STEPS)), wide(measure.pooled(twice, steps=steps))
    np.testing.assert_allclose(one, two)


def test_parts_without_number_or_role_are_left_out_and_counted():
    holes = pd.concat([PARTS, PARTS.head(1).assign(service_id="X")], ignore_index=True)
    holes.loc[1, "estimate"] = np.nan
    result = measure.pooled(holes, steps=STEPS)
    assert result.about["dropped"] == {"no_number": 1, "no_role": 1}
    assert set(result.table["unit_id"]) == {"HR"}
    nothing = measure.pooled(PARTS.assign(estimate=np.nan), steps=STEPS)
    assert [f.level for f in nothing.findings] == ["refused"]
    assert not nothing.plot().has_data()


def test_two_rows_for_one_part_or_two_metrics_are_an_error():
    with pytest.raises(svc.TableError, match="HR"):
        measure.pooled(pd.concat([PARTS, PARTS]), steps=STEPS)
    with pytest.raises(svc.TableError, match="volume"):
        measure.pooled(PARTS.assign(metric=["volume", "returns"] * 2), steps=STEPS)


def test_the_example_study_by_step_and_by_service(example_study_folder):
    study = svc.read_study(example_study_folder)
    by = ["unit_id", "service_id", "step_no"]
    parts = measure.returns(study.event, services=study.service, steps=study.step, by=by).table
    parts = parts[parts["variant"] == ""]
    result = measure.pooled(parts, steps=study.step)
    # By volume it is the rate of the department itself.
    whole = parts.groupby("unit_id")[["returns", "outputs"]].sum()
    found = wide(result)["by_volume"]
    np.testing.assert_allclose(found, 100 * whole["returns"] / whole["outputs"])
    assert found.idxmax() == "D03" and found.idxmin() == "D06"


def test_reasons_to_leave_a_part_out_are_counted_one_by_one():
    holes = pd.concat([PARTS, PARTS.head(1).assign(service_id="X"), PARTS.head(1).assign(step_no=9)],
                      ignore_index=True)  # fmt: skip
    holes.loc[1, "n"], holes.loc[2, ["estimate", "n"]] = 0, np.nan
    result = measure.pooled(holes, steps=STEPS)
    assert result.about["dropped"] == {"no_number": 2, "no_role": 2}
    table = result.table.set_index("variant")
    assert table["parts"].unique().tolist() == [2] and table["services"].unique().tolist() == [2]
    assert table.loc["by_volume", "n"] == 150
    assert table.loc["by_volume", "largest"] == pytest.approx(100 / 150)
    assert table.loc["by_role", "largest"] == pytest.approx(60 / 75)
    assert table.loc["by_service", "largest"] == pytest.approx(0.5)


def test_the_reading_names_who_moves_most_and_whose_place_changes():
    result = measure.pooled(PARTS, steps=STEPS)
    told = {f.key: dict(f.values) for f in result.findings}
    assert told["pooled.overall"] == {"units": 2, "parts": 4}
    assert told["pooled.moves"]["group"] == "HR"
    assert told["pooled.moves"]["by_volume"] == pytest.approx(6.5)
    assert "pooled.order" not in told  # HR stands behind FIN by every way
    turned = PARTS.assign(estimate=[10.0, 6.4, 2.0, 4.0])
    order = {f.key: dict(f.values) for f in measure.pooled(turned, steps=STEPS).findings}
    assert order["pooled.order"]["groups"] == ["FIN", "HR"]  # 6.5, 6.22 and 6.3 against 6.4
    same = measure.pooled(PARTS.assign(estimate=5.0, low=4.0, high=6.0), steps=STEPS)
    assert [f.key for f in same.findings] == ["pooled.overall"]


def test_six_groups_are_named_at_most():
    names = [f"U{k}" for k in range(8)]
    steps = pd.DataFrame({"service_id": ["P", "H"] * 8, "step_no": 1,
                          "unit_id": np.repeat(names, 2), "role_weight": 0.5})  # fmt: skip
    steps["step_no"] = np.arange(16)
    parts = steps.assign(estimate=[1.0, 9.0] * 8, low=[0.5, 8.5] * 8, high=[1.5, 9.5] * 8, n=10)
    result = measure.pooled(parts.drop(columns="role_weight"), steps=steps)
    apart = next(f for f in result.findings if f.key == "pooled.apart")
    assert apart.values["groups"] == names[:6]
    y, v = np.array([1.0, 9.0]), 1 / (1 / (2 * 1.959964)) ** 2
    q = (v * (y - 5) ** 2).sum()
    assert result.table["apart"].iloc[0] == pytest.approx((q - 1) / q)

"""Closed forms, simulation as a check of the intervals, and the rules for missing indicators."""

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import score
from svcmetrics.problems import TableError


def table(values: dict[str, list[float]], half: float | None = None) -> pd.DataFrame:
    rows = [(unit, f"i{j}", x) for unit, points in values.items() for j, x in enumerate(points)]
    frame = pd.DataFrame(rows, columns=["unit", "metric", "estimate"])
    if half is not None:
        frame = frame.assign(low=frame["estimate"] - half, high=frame["estimate"] + half)
    return frame


def run(frame, weights=None, **more):
    weights = {"i0": 0.5, "i1": 0.3, "i2": 0.2} if weights is None else weights
    return score.composite(frame, weights=weights, target="unit", **more)


def test_three_means_of_one_table():
    frame = table({"A": [80, 40, 20]})
    assert run(frame).table["estimate"].item() == pytest.approx(56)
    product = 80**0.5 * 40**0.3 * 20**0.2
    assert run(frame, method="geometric").table["estimate"].item() == pytest.approx(product)
    assert run(frame, method="minimum").table["estimate"].item() == 20
    zero = run(table({"A": [80, 40, 0]}), method="geometric")
    assert zero.table["estimate"].item() == 0
    assert "composite.zero_product" in {f.key for f in zero.findings}


def test_without_any_interval_there_is_none_and_it_is_said():
    result = run(table({"A": [80, 40, 20], "B": [70, 50, 30]}))
    assert result.table[["low", "high"]].isna().all(axis=None)
    assert result.findings[0].key == "composite.exact"


@pytest.mark.parametrize("method", ["arithmetic", "geometric"])
def test_limits_agree_with_a_simulation_of_data_and_weights(method):
    rng = np.random.default_rng(11)
    x, se = np.array([80.0, 60.0, 40.0]), np.array([3.0, 2.0, 4.0])
    w, w_se = np.array([0.5, 0.3, 0.2]), np.array([0.04, 0.03, 0.02])
    frame = table({"A": list(x)}).assign(low=x - 1.959964 * se, high=x + 1.959964 * se)
    weights = pd.DataFrame(
        {
            "node": ["i0", "i1", "i2"],
            "weight": w,
            "low": w - 1.959964 * w_se,
            "high": w + 1.959964 * w_se,
        }
    )
    got = score.composite(frame, weights=weights, target="unit", method=method).table.iloc[0]
    xs = rng.normal(x, se, (200_000, 3))
    ws = rng.normal(w, w_se, (200_000, 3))
    ws /= ws.sum(axis=1, keepdims=True)
    means = (
        (ws * xs).sum(axis=1) if method == "arithmetic" else np.exp((ws * np.log(xs)).sum(axis=1))
    )
    np.testing.assert_allclose(
        got[["low", "high"]].astype(float), np.quantile(means, [0.025, 0.975]), rtol=0.01
    )
    assert 0 < got["from_weights"] < 1


def test_not_measuring_a_weak_point_does_not_pay():
    full = {"A": [90, 80, 20], "B": [70, 70, 30], "C": [60, 65, 25]}
    hidden = {**full, "A": [90, 80, np.nan]}
    honest = run(table(full)).table.set_index("unit")["estimate"]
    cautious = run(table(hidden)).table.set_index("unit")["estimate"]
    assert cautious["A"] <= honest["A"] + 0.2 * (25 - 20)
    scaled = run(table(hidden), missing="renormalise").table.set_index("unit")["estimate"]
    assert scaled["A"] == pytest.approx((0.5 * 90 + 0.3 * 80) / 0.8)
    zero = run(table(hidden), missing="zero").table.set_index("unit")["estimate"]
    assert zero["A"] == pytest.approx(0.5 * 90 + 0.3 * 80)
    assert (cautious[["B", "C"]] == honest[["B", "C"]]).all()


def test_below_three_quarters_of_the_weight_there_is_no_score():
    result = run(table({"A": [90, np.nan, 20], "B": [70, 70, 30]}))
    assert result.table["estimate"].isna().tolist() == [True, False]
    refused = [f for f in result.findings if f.level == "refused"]
    assert refused[0].values["names"] == ["A"]


def test_an_indicator_that_nobody_has_counts_for_nobody():
    result = run(table({"A": [90, 60, np.nan], "B": [70, 70, np.nan]}))
    assert result.table["coverage"].tolist() == [1, 1]
    assert result.table["estimate"].iloc[0] == pytest.approx((0.5 * 90 + 0.3 * 60) / 0.8)


def test_weights_come_from_a_weight_table_or_a_result_with_any_name_of_its_column():
    frame = table({"A": [80, 40, 20]}, half=2)
    result_like = pd.DataFrame(
        {"step": ["i2", "i0", "i1"], "metric": "ahp", "variant": "", "estimate": [0.2, 0.5, 0.3],
         "low": [0.1, 0.4, 0.2], "high": [0.3, 0.6, 0.4], "n": 5}
    )  # fmt: skip
    nodes = pd.DataFrame({"node": ["i0", "i1", "i2"], "weight": [0.5, 0.3, 0.2]})
    one, two = run(frame, weights=result_like), score.composite(frame, weights=nodes, target="unit")
    assert one.table["estimate"].item() == two.table["estimate"].item() == pytest.approx(56)
    assert one.table["low"].item() < two.table["low"].item()


def test_the_table_goes_on_to_groups():
    frame = table({"A": [90, 90, 90], "B": [60, 60, 60], "C": [30, 30, 30]}, half=3)
    found = score.groups(run(frame).table, target="unit").table
    assert found["group"].tolist() == ["above", "unclear", "below"]


@pytest.mark.parametrize(
    ("weights", "key"),
    [
        ({"i0": 0.5, "i9": 0.5}, "weights_unmatched"),
        ({"i0": -1, "i1": 1, "i2": 1}, "weights_unusable"),
        ({"i0": 0, "i1": 0, "i2": 0}, "weights_unusable"),
    ],
)
def test_weights_that_do_not_fit_are_named(weights, key):
    with pytest.raises(TableError) as caught:
        run(table({"A": [1, 2, 3]}), weights=weights)
    assert caught.value.problems[0].key == key
    assert all(caught.value.say(code) for code in ("zh", "en"))


def test_weights_that_do_not_sum_to_one_are_scaled_and_said():
    result = run(table({"A": [80, 40, 20]}), weights={"i0": 5, "i1": 3, "i2": 2})
    assert result.table["estimate"].item() == pytest.approx(56)
    assert "weighted.rescaled" in {f.key for f in result.findings}


def test_without_a_count_n_is_unknown_and_nothing_is_published():
    table = pd.DataFrame({"unit": ["A", "A", "B", "B"], "metric": ["time", "returns"] * 2,
                          "estimate": [80.0, 60.0, 50.0, 90.0], "n": [9.0, np.nan, 9.0, 12.0]})  # fmt: skip
    weights = {"time": 0.6, "returns": 0.4}
    bare = score.composite(table.drop(columns="n"), weights=weights, target="unit")
    assert bare.table["n"].isna().all()
    assert "composite.uncounted" in [f.key for f in bare.findings]
    assert not svc.publish(bare).table["shown"].any()
    half = score.composite(table, weights=weights, target="unit").table.set_index("unit")["n"]
    assert np.isnan(half["A"]) and half["B"] == 9


@pytest.mark.parametrize(("weight", "scored"), [(0.75, True), (0.74, False)])
def test_three_quarters_of_the_weights_must_be_measured(weight, scored):
    frame = table({"A": [80, np.nan], "B": [60, 40]})
    result = run(frame, {"i0": weight, "i1": 1 - weight}, missing="renormalise")
    row = result.table.set_index("unit").loc["A"]
    assert row["coverage"] == pytest.approx(weight)
    assert row["estimate"] == pytest.approx(80 if scored else np.nan, nan_ok=True)
    told = {f.key: dict(f.values) for f in result.findings}
    assert ("composite.refused" in told) is not scored
    assert ("composite.renormalise" in told) is scored
    if not scored:
        assert told["composite.refused"] == {"names": ["A"], "count": 1, "share": 75}
        assert told["composite.exact"]["targets"] == 1


@pytest.mark.parametrize("count", [8, 9])
def test_eight_names_are_told_and_more_are_only_hinted_at(count):
    frame = table({f"D{k}": [80, np.nan] for k in range(count)} | {"Z": [60, 40]})
    dots = ["…"] * (count - 8)
    part = run(frame, {"i0": 0.8, "i1": 0.2}, missing="zero").findings
    names = {f.key: f.values for f in part}
    assert names["composite.zero"]["names"] == [f"D{k}" for k in range(8)] + dots
    assert names["composite.zero"]["count"] == count
    few = {f.key: f.values for f in run(frame, {"i0": 0.5, "i1": 0.5}).findings}
    assert few["composite.refused"]["names"] == [f"D{k}" for k in range(8)] + dots


def test_values_without_limits_and_scores_without_a_count_are_told():
    frame = table({"A": [80, 40], "B": [60, 50]}, half=4.0).assign(n=[9, 7, 8, np.nan])
    frame.loc[0, "low"] = np.nan
    result = run(frame, {"i0": 0.5, "i1": 0.5})
    told = {f.key: dict(f.values) for f in result.findings}
    assert told["composite.bare"] == {"count": 1} and told["composite.uncounted"] == {"count": 1}
    assert result.table["n"].tolist()[0] == 7 and np.isnan(result.table["n"].tolist()[1])
    assert told["composite.range"]["targets"] == 2
    # B has a half width of 4 √½ on both sides, A on one side of one indicator less.
    row = result.table.set_index("unit").loc["B"]
    assert row["high"] - row["estimate"] == pytest.approx(4 * np.sqrt(0.5))
    rescaled = run(frame, {"i0": 1.0, "i1": 1.0}).findings
    assert {f.key: f.values for f in rescaled}["weighted.rescaled"]["total"] == 2
    assert "weighted.rescaled" not in told


def test_rows_without_a_weight_or_a_name_are_counted_and_weights_must_be_met():
    frame = pd.concat([table({"A": [80, 40, 5], "B": [60, 50, 5]}),
                       pd.DataFrame({"unit": [None, "A"], "metric": ["i0", None], "estimate": 1.0})])  # fmt: skip
    result = run(frame, {"i0": 0.5, "i1": 0.5, "unused": 0.0})
    assert result.about["dropped"] == {"no_id": 2, "no_weight": 2}
    assert {f.key: f.values for f in result.findings}["weighted.unweighted"]["names"] == ["i2"]
    for weights in ({"i0": -0.1, "i1": 1.1}, {"i0": 0.0, "i1": 0.0}, {"i0": 0.5, "unmet": 0.5}):
        with pytest.raises(TableError):
            run(frame, weights)
    # In a result that is grouped, the column before "metric" names what is weighed.
    weighed = pd.DataFrame({"panel": ["x", "x"], "name": ["i0", "i1"], "metric": "ahp",
                            "estimate": [0.5, 0.5]})  # fmt: skip
    assert run(frame, weighed).table["estimate"].tolist() == [60, 55]

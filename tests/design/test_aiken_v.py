"""Published formulas evaluated by hand, then the comparison of two panels."""

import importlib

import numpy as np
import pandas as pd
import pytest

from svcmetrics import design
from svcmetrics.problems import TableError

# Score interval of Penfield & Giacobbi (2004), evaluated apart from this package.
CASES = [
    ([5, 5, 4, 5, 4, 5, 5], (0.928571, 0.773546, 0.980188)),
    ([4, 4, 3, 4, 4], (0.7, 0.481027, 0.854523)),
    ([1, 2, 1], (0.083333, 0.014865, 0.353880)),
    ([5, 5, 5, 5, 5, 5], (1.0, 0.862024, 1.0)),
]


def panel(ratings: list[int], side: str = "x", item: str = "a") -> pd.DataFrame:
    keys = [f"{side}{k}" for k in range(len(ratings))]
    return pd.DataFrame({"item_id": item, "judge_key": keys, "relevance": ratings, "side": side})


@pytest.mark.parametrize(("ratings", "expected"), CASES)
def test_v_and_its_score_interval(ratings, expected):
    row = design.aiken_v(panel(ratings), scale=(1, 5)).table.iloc[0]
    assert tuple(row[["estimate", "low", "high"]]) == pytest.approx(expected, abs=1e-6)


def test_two_panels_that_differ_and_two_that_do_not():
    data = pd.concat([
        panel([4, 4, 4, 4, 4, 4, 4, 4], "x", "a"), panel([1, 1, 2, 1, 1, 2, 1, 1], "y", "a"),
        panel([3, 4, 3, 4], "x", "b"), panel([3, 3, 4, 4], "y", "b"),
    ])  # fmt: skip
    table = design.aiken_v(data, panel="side").table
    gaps = table[table["metric"] == "aiken_v_difference"].set_index("item_id")
    assert gaps.loc["a", "verdict"] == "differs"
    assert gaps.loc["b", "verdict"] == "unclear"
    one = table[(table["side"] == "x") & (table["item_id"] == "a")].iloc[0]
    two = table[(table["side"] == "y") & (table["item_id"] == "a")].iloc[0]
    assert gaps.loc["a", "estimate"] == pytest.approx(one["estimate"] - two["estimate"])
    half = np.hypot(one["estimate"] - one["low"], two["high"] - two["estimate"])
    assert gaps.loc["a", "low"] == pytest.approx(gaps.loc["a", "estimate"] - half)


def test_three_panels_are_an_error_and_so_is_half_a_step():
    data = pd.concat([panel([4, 4], s) for s in "xyz"])
    with pytest.raises(TableError) as caught:
        design.aiken_v(data, panel="side")
    assert caught.value.problems[0].key == "two_panels"
    with pytest.raises(TableError):
        design.aiken_v(panel([1, 2]), scale=(1, 2.5))


@pytest.mark.parametrize(("count", "named"), [(8, 8), (9, 9), (1, 1)])
def test_eight_items_are_named_and_more_are_only_counted(count, named):
    sides = [panel([4] * 8, "x", f"i{k}") for k in range(count)]
    other = [panel([1] * 8, "y", f"i{k}") for k in range(count)]
    found = design.aiken_v(pd.concat(sides + other), panel="side").findings
    values = found[1].values
    assert (values["count"], values["items"]) == (count, count)
    assert values["names"] == [f"i{k}" for k in range(min(count, 8))] + ["…"] * (count > 8)
    assert found[0].values == {"items": count, "kept": 0}  # an item is kept by both panels


def test_items_that_one_panel_alone_has_seen_are_not_compared():
    data = pd.concat([panel([4] * 8, "x", "a"), panel([4] * 8, "y", "a"), panel([4] * 8, "x", "b")])
    result = design.aiken_v(data, panel="side")
    gaps = result.table[result.table["metric"] == "aiken_v_difference"]
    assert gaps["item_id"].tolist() == ["a"] and gaps["n"].tolist() == [16]
    assert gaps["estimate"].tolist() == [0] and gaps["verdict"].tolist() == ["unclear"]
    assert result.findings[0].values == {"items": 2, "kept": 2}
    assert result.findings[1].key == "aiken_v.panels_unclear"


def test_what_is_missing_is_counted_by_its_column():
    data = panel([4, 4, 4, 4, 4, 4])
    data.loc[0, "relevance"], data.loc[1, "item_id"], data.loc[2, "judge_key"] = np.nan, None, None
    result = design.aiken_v(data.assign(side=["x", "x", "x", "y", "x", None]), panel="side")
    assert result.about["dropped"] == {"no_score": 1, "no_id": 2, "no_panel": 1}
    both = data.assign(item_id=None)  # neither a rating nor a name is one row, not two
    assert design.aiken_v(both).about["dropped"] == {"no_score": 1, "no_id": 5}
    assert design.aiken_v(both).findings[0].level == "refused"


def test_limits_of_the_difference_stay_between_minus_one_and_one():
    data = pd.concat([panel([4] * 30, "x"), panel([1] * 30, "y")])
    rows = design.aiken_v(data, panel="side").table.set_index("metric")
    gap = rows.loc["aiken_v_difference"]
    assert (gap["estimate"], gap["high"], gap["n"]) == (1, 1, 60)
    ends = rows.loc["aiken_v"].sort_values("estimate")
    reach = np.hypot(1 - ends["low"].iloc[1], ends["high"].iloc[0])
    assert gap["low"] == pytest.approx(1 - reach)
    turned = pd.concat([panel([1] * 30, "x"), panel([4] * 30, "y")])
    row = design.aiken_v(turned, panel="side").table.set_index("metric").loc["aiken_v_difference"]
    assert (row["low"], row["high"]) == (-1, pytest.approx(reach - 1))


@pytest.mark.parametrize(("scale", "fits"), [((1, 2), True), ((1, 1), False), ((0, 0.5), False)])
def test_a_scale_has_one_whole_step_at_least(scale, fits):
    data = panel([scale[0]] * 4)
    if fits:
        assert design.aiken_v(data, scale=scale).table["verdict"].tolist() == ["drop"]
        return
    with pytest.raises(TableError):
        design.aiken_v(data, scale=scale)


def test_an_index_with_the_name_of_a_column_is_no_column():
    data = pd.concat([panel([4, 4, 3, 4], "x"), panel([1, 2, 1, 1], "y")])
    odd = data.set_axis(pd.Index([7] * 8, name="side"))
    for more in ({}, {"panel": "side"}):
        plain, same = (design.aiken_v(d, **more).table for d in (data, odd))
        pd.testing.assert_frame_equal(same, plain)
    by_judge = data.set_axis(pd.Index([7] * 8, name="judge_key"))
    pd.testing.assert_frame_equal(design.aiken_v(by_judge).table, design.aiken_v(data).table)


@pytest.mark.parametrize(("end", "verdict"), [(0.5, "unclear"), (0.46875, "differs")])
def test_a_difference_that_touches_nought_is_unclear(end, verdict):
    """0.125 less 0.75 is -0.625, and the upper arm is the root of (end - 0.125)^2 + 0.5^2, at most 0.625."""
    module = importlib.import_module("svcmetrics.design.aiken_v")
    rows = pd.DataFrame({"item_id": "a", "side": ["x", "y"], "estimate": [0.125, 0.75],
                         "low": [0.0, 0.25], "high": [end, 1.0], "n": 5})  # fmt: skip
    row = module._difference(rows, "side", "item_id").iloc[0]
    assert row["verdict"] == verdict and (row["high"] == 0) == (verdict == "unclear")
    turned = rows.assign(side=["y", "x"])
    row = module._difference(turned, "side", "item_id").iloc[0]
    assert row["verdict"] == verdict and (row["low"] == 0) == (verdict == "unclear")

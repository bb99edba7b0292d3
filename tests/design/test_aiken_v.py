"""Published formulas evaluated by hand, then the comparison of two panels."""

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

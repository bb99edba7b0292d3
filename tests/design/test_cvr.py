"""Critical values against the exact binomial, ratios against Lawshe's definition."""

import math

import numpy as np
import pandas as pd
import pytest

from svcmetrics import design
from svcmetrics.design.cvr import needed

# Ayre & Scally (2014), Meas. Eval. Couns. Dev. 47(1), table 2: judges, how many must agree, CVR.
AYRE = [
    (5, 5, 1.000), (6, 6, 1.000), (7, 7, 1.000), (8, 7, 0.750), (9, 8, 0.778), (10, 9, 0.800),
    (11, 9, 0.636), (12, 10, 0.667), (13, 10, 0.538), (14, 11, 0.571), (15, 12, 0.600),
    (20, 15, 0.500), (25, 18, 0.440), (30, 20, 0.333), (35, 23, 0.314), (40, 26, 0.300),
]  # fmt: skip


def panel(judges: int, agree: int) -> pd.DataFrame:
    words = ["essential"] * agree + ["useful"] * (judges - agree)
    return pd.DataFrame({"item_id": "a", "judge_key": range(judges), "relevance": words})


@pytest.mark.parametrize(("judges", "least", "ratio"), AYRE)
def test_critical_values_as_printed(judges, least, ratio):
    row = design.cvr(panel(judges, least)).table.iloc[0]
    assert row["needed"] == least
    assert row["estimate"] == pytest.approx(ratio, abs=5e-4)
    assert row["verdict"] == "keep"
    assert design.cvr(panel(judges, least - 1)).table["verdict"].item() == "revise"


def test_critical_values_are_the_binomial_tail_for_any_number():
    judges = np.arange(1, 400)
    least = needed(judges)
    for n, k in zip(judges.tolist(), least.tolist()):
        tail = sum(math.comb(n, i) for i in range(k, n + 1)) / 2**n
        assert tail <= 0.05
        assert sum(math.comb(n, i) for i in range(k - 1, n + 1)) / 2**n > 0.05


def test_four_judges_are_never_enough():
    result = design.cvr(panel(4, 4))
    assert result.table["verdict"].item() == "too_few"
    assert result.findings[0].key == "cvr.too_few"


def test_a_word_that_nobody_used_is_said():
    result = design.cvr(panel(8, 8), essential="vital")
    assert result.table["estimate"].item() == -1
    assert "cvr.nobody" in {f.key for f in result.findings}


def test_codes_may_be_numbers_and_blanks_are_counted():
    data = panel(9, 8).assign(relevance=[3] * 8 + [None])
    result = design.cvr(data, essential=[3.0])
    assert result.about["dropped"] == {"no_score": 1}
    assert result.table["estimate"].item() == 1


def test_ratings_in_digits_are_set_aside_and_strange_words_are_named():
    mixed = pd.concat([panel(8, 7), panel(8, 8).assign(item_id="b", relevance="4")])
    result = design.cvr(mixed)
    assert result.table["item_id"].tolist() == ["a"]
    assert result.about["dropped"] == {"on_a_scale": 8}
    assert design.cvi(mixed).about["dropped"] == {"in_words": 8}
    misspelt = panel(8, 7).assign(relevance=["essential"] * 7 + ["esential"])
    named = next(f for f in design.cvr(misspelt).findings if f.key == "cvr.counted_as_not")
    assert named.values["words"] == ["esential"]


@pytest.mark.parametrize("count", [8, 9])
def test_eight_items_to_revise_are_named_and_more_are_only_counted(count):
    data = pd.concat([panel(8, 3).assign(item_id=f"i{k}") for k in range(count)] +
                     [panel(8, 8).assign(item_id="z"), panel(4, 4).assign(item_id="y")])  # fmt: skip
    result = design.cvr(data)
    keys = {f.key: f.values for f in result.findings}
    assert keys["cvr.kept"] == {"items": count + 2, "kept": 1}
    assert keys["cvr.revise"]["count"] == count
    assert keys["cvr.revise"]["names"] == [f"i{k}" for k in range(8)] + ["…"] * (count - 8)
    assert result.about["mean_of_kept"] == 1
    strange = data.assign(relevance=[f"w{k % 10}" for k in range(len(data))])
    named = next(f for f in design.cvr(strange).findings if f.key == "cvr.counted_as_not")
    assert named.values["words"] == [f"w{k}" for k in range(8)]


def test_what_is_missing_is_counted_by_its_column():
    data = panel(8, 8)
    data.loc[0, "relevance"], data.loc[1, "item_id"], data.loc[2, "judge_key"] = None, None, None
    result = design.cvr(data)
    assert result.about["dropped"] == {"no_score": 1, "no_id": 2}
    assert result.table[["n", "agree"]].values.tolist() == [[5, 5]]
    # From -1 to 1, as the ratio itself: Wilson's limits of the share, doubled, less one.
    low = 1 - 1.959964**2 / (5 + 1.959964**2)
    assert result.table["low"].item() == pytest.approx(2 * low - 1, abs=1e-6)
    assert result.table["high"].item() == 1


def test_a_code_with_two_points_is_a_word_and_one_with_one_is_a_number():
    data = panel(8, 8).assign(relevance=["1.2.3"] * 7 + ["4"])
    result = design.cvr(data, essential="1.2.3")
    assert result.about["dropped"] == {"on_a_scale": 1} and result.table["agree"].item() == 7
    number = design.cvr(data.assign(relevance=[1.5] * 7 + [4.0]), essential=[1.5])
    assert "on_a_scale" not in number.about["dropped"] and number.table["n"].item() == 8

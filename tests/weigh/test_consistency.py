"""Consistency: the printed ratio, the table that is named, and the judgement that was turned round."""

import pandas as pd
import pytest

from svcmetrics import weigh
from tests.weigh.test_ahp import PAIR, drinks


def test_the_table_of_random_indices_is_named_and_matters():
    def ratio(table):
        result = weigh.consistency(drinks(), random_index=table, **PAIR)
        assert result.about["random_index"] == table
        return result.table.query("metric == 'consistency'")["estimate"].item()

    assert ratio("saaty1980") == pytest.approx(0.0223, abs=5e-5)
    assert ratio("saaty2005") == pytest.approx(0.0218, abs=5e-5)
    assert ratio("donegan_dodd1991") == pytest.approx(0.0235, abs=5e-5)


def test_the_judgement_that_was_turned_round_is_found_and_mended():
    frame = drinks()
    row = (frame["left"] == "coffee") & (frame["right"] == "tea")
    frame.loc[row, "value"] = 1 / 5
    result = weigh.consistency(frame, **PAIR)
    mend = result.table[result.table["metric"] == "mend"].iloc[0]
    assert (mend["left"], mend["right"]) in {("coffee", "tea"), ("tea", "coffee")}
    assert mend["after"] < 0.05
    ratio = mend["estimate"] if mend["left"] == "coffee" else 1 / mend["estimate"]
    assert 3 < ratio < 7


def test_any_number_of_criteria_has_a_random_index():
    n = 18
    pairs = [(f"c{i:02}", f"c{j:02}", (j + 1) / (i + 1)) for i in range(n) for j in range(i + 1, n)]
    frame = pd.DataFrame(pairs, columns=["left", "right", "value"])
    result = weigh.consistency(frame, **PAIR)
    assert result.about["random_index"] == "alonso_lamata2006"
    assert result.table.query("metric == 'consistency'")["estimate"].item() == pytest.approx(0)

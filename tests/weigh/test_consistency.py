"""Consistency: the printed ratio, the table that is named, and the judgement that was turned round."""

import numpy as np
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


def matrix(n: int, turned: dict[tuple[int, int], float] = {}) -> pd.DataFrame:  # noqa: B006
    """Consistent answers about n criteria, but for those that are turned."""
    pairs = [
        (i, j, turned.get((i, j), (j + 1) / (i + 1))) for i in range(n) for j in range(i + 1, n)
    ]
    return pd.DataFrame(
        [(f"c{i}", f"c{j}", v) for i, j, v in pairs], columns=["left", "right", "value"]
    )


@pytest.mark.parametrize(("n", "limit"), [(3, 0.31), (4, 0.35), (5, 0.37), (7, 0.37)])
def test_the_limit_of_the_geometric_index_is_that_of_the_number_of_criteria(n, limit):
    # Aguaron & Moreno-Jimenez (2003), EJOR 147, table 4.
    result = weigh.consistency(matrix(n), **PAIR)
    assert result.findings[0].key == "consistency.fine"
    assert result.findings[0].values["gci"] == limit
    rows = result.table.set_index("metric")
    assert rows["estimate"].abs().max() < 1e-9
    assert rows["n"].tolist() == [n * (n - 1) // 2] * 2
    assert "mend" not in rows.index and "consistency_thinned" not in rows.index


def test_two_criteria_are_too_few_and_comparisons_made_are_counted():
    two = weigh.consistency(matrix(2), **PAIR)
    assert [f.key for f in two.findings] == ["consistency.too_small"]
    assert two.table["estimate"].isna().all()
    some = weigh.consistency(matrix(5).drop(index=[3, 7]), **PAIR).table
    assert some["n"].unique().tolist() == [8]
    assert "consistency_thinned" in some["metric"].tolist()


def test_three_judgements_to_mend_at_most_the_worst_first():
    wrong = {(0, 1): 1 / 9, (2, 3): 9.0}
    result = weigh.consistency(matrix(5, wrong), **PAIR)
    mends = result.table[result.table["metric"] == "mend"]
    assert len(mends) == 3 and mends["n"].tolist() == [1, 1, 1]
    gap = np.abs(np.log(mends["given"] / mends["estimate"])).tolist()
    assert gap == sorted(gap, reverse=True)
    assert (mends.iloc[0]["left"], mends.iloc[0]["right"]) == ("c0", "c1")
    assert mends.iloc[0]["given"] == pytest.approx(1 / 9)
    told = next(f.values for f in result.findings if f.key == "consistency.mend")
    assert (told["a"], told["b"], told["given"]) == ("c0", "c1", mends.iloc[0]["given"])
    assert told["after"] == mends.iloc[0]["after"] < result.table["estimate"].iloc[0]
    assert result.findings[0].values["bad"] == 1


def test_judges_are_looked_at_one_by_one():
    rows = pd.concat([matrix(4).assign(who="a"), matrix(4, {(0, 3): 1 / 9}).assign(who="b"),
                      matrix(4).head(1).assign(who="c")])  # fmt: skip
    result = weigh.consistency(rows, judge="who", **PAIR)
    table = result.table
    ratio = table[table["metric"] == "consistency"].set_index("who")["estimate"]
    assert ratio["a"] == pytest.approx(0, abs=1e-9) and ratio["b"] > 0.1 and np.isnan(ratio["c"])
    assert set(table.loc[table["metric"] == "mend", "who"]) == {"b"}
    first = result.findings[0].values
    assert (first["judges"], first["bad"]) == (2, 1)
    assert result.findings[-1].key == "ahp.judges_left_out" and result.findings[-1].values == {
        "count": 1
    }
    assert table.loc[table["who"] == "c", "n"].unique().tolist() == [1]

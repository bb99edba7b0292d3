"""Published matrices first, then what must hold for any."""

import json

import numpy as np
import pandas as pd
import pytest

from svcmetrics import weigh
from svcmetrics.problems import TableError
from tests.weigh.samples import judgements

PAIR = {"of": "left", "over": "right", "value": "value"}
# Saaty (2008), Int. J. Services Sciences 1(1), 83-98: drinks in the United States, upper triangle.
DRINKS = ["coffee", "wine", "tea", "beer", "soda", "milk", "water"]
UPPER = {
    "coffee": [9, 5, 2, 1, 1, 1 / 2],
    "wine": [1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 9],
    "tea": [1 / 3, 1 / 4, 1 / 3, 1 / 9],
    "beer": [1 / 2, 1, 1 / 3],
    "soda": [2, 1 / 2],
    "milk": [1 / 3],
}


def drinks() -> pd.DataFrame:
    rows = [(a, b, v) for i, a in enumerate(DRINKS[:-1]) for b, v in zip(DRINKS[i + 1 :], UPPER[a])]
    return pd.DataFrame(rows, columns=["left", "right", "value"])


def weights(result) -> pd.Series:
    table = result.table
    return table.set_index(table.columns[0])["estimate"]


def test_saaty_drinks_as_printed():
    result = weigh.ahp(drinks(), **PAIR)
    printed = dict(zip(DRINKS, [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327]))
    assert (weights(result) - pd.Series(printed)).abs().max() < 5e-4
    assert result.about["consistency"]["cr"] == pytest.approx(0.022, abs=5e-4)
    assert result.about["consistency"]["lambda_max"] == pytest.approx(7.176629, abs=1e-6)


def test_bozoki_incomplete_matrix_as_printed():
    # Bozoki, Fulop & Ronyai (2010), Math. Comput. Modelling 52, 318-333.
    rows = [("a", "b", 1), ("a", "c", 5), ("a", "d", 2), ("b", "c", 3), ("b", "d", 4)]
    frame = pd.DataFrame(rows, columns=["left", "right", "value"])
    printed = [0.3738, 0.3920, 0.0985, 0.1357]
    np.testing.assert_allclose(weights(weigh.ahp(frame, **PAIR)), printed, atol=5e-5)
    blank = pd.concat([frame, pd.DataFrame([("c", "d", np.nan)], columns=frame.columns)])
    result = weigh.ahp(blank, **PAIR)
    np.testing.assert_allclose(weights(result), printed, atol=5e-5)
    assert result.about["dropped"] == {"no_value": 1}
    thinned = weigh.consistency(frame, **PAIR).table.set_index("metric")["estimate"]
    assert thinned["consistency_thinned"] == pytest.approx(thinned["consistency"] * 1.5)


@pytest.mark.data
def test_peers_agree_on_every_published_matrix(shared_data):
    folder = shared_data("ahp_published")
    rows = pd.read_csv(folder / "comparisons.csv")
    peers = json.loads((folder / "reference.json").read_text("utf-8"))["matrices"]
    for name, part in rows.groupby("matrix"):
        peer = peers[name]["numpy (eig of the full reciprocal matrix)"]
        for method, key in (("eigenvector", "eigen"), ("geometric_mean", "geometric_mean")):
            got = weights(weigh.ahp(part, method=method, **PAIR))
            assert (got - pd.Series(peer[f"weights_{key}"])).abs().max() < 1e-9
        table = weigh.consistency(part, **PAIR).table.set_index("metric")["estimate"]
        assert table["consistency"] == pytest.approx(peer["CR_saaty"], abs=1e-9)
        assert table["gci"] == pytest.approx(peer["GCI"], abs=1e-9)


def test_an_incomplete_matrix_whose_pairs_are_consistent_is_solved_exactly():
    true = pd.Series({"a": 0.5, "b": 0.3, "c": 0.15, "d": 0.05})
    frame = pd.DataFrame(
        [(i, j, true[i] / true[j]) for i, j in ("ab", "bc", "cd")],
        columns=["left", "right", "value"],
    )
    for method in ("eigenvector", "geometric_mean", "harker"):
        got = weights(weigh.ahp(frame, method=method, **PAIR))
        np.testing.assert_allclose(got, true, atol=1e-9)


def test_pooled_answers_and_pooled_weights_are_equal_for_geometric_means_only():
    data, names = judgements(), {"judge": "who", "of": "one", "over": "other", "value": "ratio"}
    runs = {
        (m, c): weights(weigh.ahp(data, method=m, combine=c, **names))
        for m in ("geometric_mean", "eigenvector")
        for c in ("judgements", "priorities")
    }
    np.testing.assert_allclose(
        runs["geometric_mean", "judgements"], runs["geometric_mean", "priorities"], atol=1e-12
    )
    gap = runs["eigenvector", "judgements"] - runs["eigenvector", "priorities"]
    assert 1e-6 < gap.abs().max() < 0.05


def test_the_interval_over_judges_covers():
    true = {"按时": 0.4, "退回": 0.3, "评分": 0.2, "行为": 0.1}
    hits = []
    for seed in range(60):
        table = weigh.ahp(
            judgements(8, seed), judge="who", of="one", over="other", value="ratio"
        ).table.set_index("one")
        hits += [table.at[k, "low"] <= v <= table.at[k, "high"] for k, v in true.items()]
    assert 0.90 < np.mean(hits) < 0.99


def test_criteria_that_do_not_hang_together_get_no_weight():
    frame = pd.DataFrame([("a", "b", 2), ("c", "d", 3)], columns=["left", "right", "value"])
    result = weigh.ahp(frame, **PAIR)
    assert result.table["estimate"].isna().all()
    assert result.findings[0].level == "refused"
    assert weigh.consistency(frame, **PAIR).findings[0].level == "refused"


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ([("a", "b", 0)], "not_above_zero"),
        ([("a", "a", 1)], "compared_with_itself"),
        ([("a", "b", 2), ("a", "b", 3)], "judged_twice"),
        ([("a", "b", 3), ("b", "a", 3)], "directions_differ"),
        ([("a", "b", "much")], "not_a_number"),
    ],
)
def test_bad_rows_are_named(rows, key):
    with pytest.raises(TableError) as caught:
        weigh.ahp(pd.DataFrame(rows, columns=["left", "right", "value"]), **PAIR)
    assert caught.value.problems[0].key == key
    assert all(caught.value.say(code) for code in ("zh", "en"))


def test_both_directions_may_be_given_when_they_match():
    frame = pd.DataFrame([("a", "b", 3), ("b", "a", 0.33)], columns=["left", "right", "value"])
    assert weights(weigh.ahp(frame, **PAIR))["a"] == pytest.approx(0.75, abs=0.005)

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


JUDGED = {"judge": "who", **PAIR}


def told(*judges: list[tuple[str, str, float]]) -> pd.DataFrame:
    rows = [(f"j{k}", *row) for k, rows in enumerate(judges) for row in rows]
    return pd.DataFrame(rows, columns=["who", "left", "right", "value"])


def test_the_interval_over_judges_is_the_jackknife_by_hand():
    answers = [[("a", "b", r)] for r in (1.0, 2.0, 4.0, 3.0)]
    table = weigh.ahp(told(*answers), **JUDGED).table
    logs = np.log([1.0, 2.0, 4.0, 3.0])
    # With two criteria the logit of the weight is the mean of the logarithms.
    without = (logs.sum() - logs) / 3
    half = 3.182446 * np.sqrt(3 / 4 * ((without - without.mean()) ** 2).sum())
    middle = logs.mean()
    expected = [1 / (1 + np.exp(-v)) for v in (middle, middle - half, middle + half)]
    assert table.loc[0, ["estimate", "low", "high"]].tolist() == pytest.approx(expected, abs=1e-6)
    assert table["n"].tolist() == [4, 4] and table["estimate"].sum() == pytest.approx(1)
    own = weigh.ahp(told(*answers), combine="priorities", **JUDGED).table
    np.testing.assert_allclose(own[["estimate", "low", "high"]], table[["estimate", "low", "high"]])


def test_one_judge_has_no_interval_two_have_and_who_answered_in_part_is_left_out():
    whole, part = [("a", "b", 2), ("b", "c", 3), ("a", "c", 6)], [("a", "b", 2)]
    alone = weigh.ahp(told(whole), **JUDGED)
    assert alone.table["low"].isna().all()
    assert [f.key for f in alone.findings] == ["ahp.first", "ahp.no_interval"]
    assert alone.findings[0].values == {"node": "a", "share": pytest.approx(60), "judges": 1}
    both = weigh.ahp(told(whole, [(i, j, v + 1) for i, j, v in whole]), **JUDGED)
    assert both.table["low"].notna().all() and "ahp.no_interval" not in [
        f.key for f in both.findings
    ]
    some = weigh.ahp(told(whole, part), combine="priorities", **JUDGED)
    left = {f.key: f.values for f in some.findings}
    assert left["ahp.judges_left_out"] == {"count": 1} and "ahp.no_interval" in left
    assert some.table["n"].tolist() == [1] * 3
    # Pooled, what one judge leaves out is told by the other; without that one nothing hangs together.
    pooled = weigh.ahp(told(whole, part), **JUDGED)
    assert "ahp.hangs_on_one" in [f.key for f in pooled.findings]
    assert pooled.table["n"].tolist() == [2] * 3 and pooled.table["low"].isna().all()


def test_two_criteria_cannot_contradict_one_another_and_three_can():
    assert weigh.ahp(told([("a", "b", 2)]), **JUDGED).about["consistency"] == {}
    fine = weigh.ahp(told([("a", "b", 2), ("b", "c", 3), ("a", "c", 6)]), **JUDGED)
    index = fine.about["consistency"]
    assert (index["cr"], index["ci"], index["gci"]) == pytest.approx((0, 0, 0), abs=1e-9)
    assert index["lambda_max"] == pytest.approx(3) and index["random_index"] == "saaty1980"
    round_ = weigh.ahp(told([("a", "b", 3), ("b", "c", 3), ("c", "a", 3)]), **JUDGED)
    index = round_.about["consistency"]
    assert index["lambda_max"] == pytest.approx(1 + 3 + 1 / 3)  # every row has 1, 3 and 1/3
    assert index["cr"] == pytest.approx((4 / 3) / 2 / 0.58)
    assert index["gci"] == pytest.approx(2 / 2 * 3 * np.log(3) ** 2)  # each triad is 3 log 3 off
    keys = {f.key: f.values for f in round_.findings}
    assert keys["ahp.inconsistent"]["cr"] == index["cr"]
    assert "ahp.inconsistent" not in [f.key for f in fine.findings]


def test_rows_without_a_value_or_a_name_are_counted_apart():
    frame = told([("a", "b", 2), ("b", "c", 3), ("a", "c", 6)] * 2)
    frame["who"] = ["j0"] * 3 + ["j1"] * 3
    frame.loc[0, "value"], frame.loc[1, "right"], frame.loc[4, "who"] = np.nan, None, None
    frame.loc[5, ["value", "left"]] = [np.nan, None]
    assert weigh.ahp(frame, **JUDGED).about["dropped"] == {"no_value": 2, "no_id": 2}
    with pytest.raises(TableError) as caught:
        weigh.ahp(frame.head(1), **JUDGED)
    assert caught.value.problems[0].key == "too_few_nodes"


@pytest.mark.parametrize(
    ("back", "fits"), [(0.50, True), (0.505, True), (0.52, False), (0.48, False)]
)
def test_both_directions_may_differ_by_rounding_only(back, fits):
    frame = told([("a", "b", 2), ("b", "a", back)])
    if fits:
        assert weigh.ahp(frame, **JUDGED).table["estimate"].iloc[0] == pytest.approx(
            2 / 3, abs=0.01
        )
        return
    with pytest.raises(TableError) as caught:
        weigh.ahp(frame, **JUDGED)
    assert caught.value.problems[0].key == "directions_differ"

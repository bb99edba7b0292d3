"""Collusion: planted rings and shared sheets are found as departments; honest ones are not."""

from __future__ import annotations

import importlib
import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.numeric import collusion as arrays
from svcmetrics.verify import collusion_groups

NAMES = {"rater": "r", "target": "t", "score": "s", "rater_unit": "u"}


def rated(rng, favour=None, units=8, each=10, share=0.8):
    """Raters of each department on all others: severity, quality, liking; ``favour``: points."""
    rows = [(u, k, t) for u in range(units) for k in range(each) for t in range(units) if u != t]
    table = pd.DataFrame(rows, columns=["u", "k", "t"])
    table["r"] = table["u"] * each + table["k"]
    table = table[rng.random(len(table)) < share].reset_index(drop=True)
    extra = 0.0 if favour is None else favour[table["u"], table["t"]]
    noise = rng.normal(0, 0.35, len(table)) + rng.normal(0, 0.3, len(table))
    level = rng.normal(0, 0.4, units)[table["t"]] - rng.normal(0, 0.4, units * each)[table["r"]]
    return table.assign(s=3.5 + level + extra + noise)


def ring(units, members, size):
    out = np.zeros((units, units))
    for a, b in itertools.permutations(members, 2):
        out[a, b] = size
    return out


def own(result, kind="favour"):
    table = result.table
    return table[(table["metric"] == "collusion") & (table["variant"] == kind)]


def test_a_ring_of_three_is_found_with_its_size():
    rng, named, inside = np.random.default_rng(1), 0, 0
    for k in range(8):
        table = rated(rng, ring(8, (1, 4, 6), 0.6))
        row = own(verify.collusion(table, **NAMES, rng=k)).iloc[0]
        named += row["cluster"] == "1–4–6"
        inside += row["low"] <= 0.6 <= row["high"]
    assert named >= 6 and inside >= 7


def test_honest_departments_are_rarely_named():
    rng = np.random.default_rng(2)
    alarms = [(own(verify.collusion(rated(rng), **NAMES, rng=k))["cluster"] != "").any()
              for k in range(20)]  # fmt: skip
    assert np.sum(alarms) <= 3  # 5% of 20 with room for chance


def test_favour_that_is_not_returned_is_no_collusion():
    one_way = np.zeros((8, 8))
    one_way[1, 4] = one_way[1, 6] = 0.9
    found = verify.collusion(rated(np.random.default_rng(3), one_way), **NAMES)
    assert (own(found)["cluster"] == "").all()
    assert {f.key for f in found.findings} >= {"collusion.no_favour_found", "collusion.no_forms"}


def test_the_shift_takes_the_favour_out_of_the_members():
    found = verify.collusion(rated(np.random.default_rng(4), ring(8, (0, 2), 0.9)), **NAMES)
    shifts = found.table[found.table["metric"] == "score_shift"].set_index("t")["estimate"]
    assert shifts[[0, 2]].max() < 0 < shifts.drop([0, 2]).min()


def sheets(rng, copiers=(), units=5, each=8, items=6):
    table = rated(rng, units=units, each=each)
    x = np.clip(
        np.rint(table["s"].to_numpy()[:, None] + rng.normal(0, 0.6, (len(table), items))), 1, 5
    )
    for unit in copiers:
        # The raters of one department pass one sheet round.
        for t, rows in table[table["u"] == unit].groupby("t").groups.items():
            x[rows] = np.clip(np.array([3, 4, 5, 4, 3, 4]) - t % 2, 1, 5)
    wide = pd.DataFrame(x, index=table.index).stack().rename_axis(["row", "i"]).rename("s")
    return wide.reset_index().join(table[["r", "t", "u"]], on="row")


def test_a_sheet_passed_round_a_department_is_seen_and_no_rater_named():
    table = sheets(np.random.default_rng(5), copiers=(3,)).assign(
        r=lambda d: "key" + d["r"].astype(str)
    )
    found = verify.collusion(table, **NAMES, item="i")
    row = own(found, "forms").iloc[0]
    assert row["cluster"] == "3" and row["low"] > 0.3 and row["n"] == 8
    text = found.table.to_csv() + found.say("zh") + found.say("en") + str(found.about)
    assert "key" not in text
    assert "3" in found.say("zh") and "雷同" not in found.say("en")
    honest = verify.collusion(sheets(np.random.default_rng(6)), **NAMES, item="i")
    assert (own(honest, "forms")["cluster"] == "").all()


def test_pairs_of_equal_forms_equal_a_count_by_hand():
    rng = np.random.default_rng(7)
    group, rater = rng.integers(0, 6, 40), rng.integers(0, 10, 40)
    unit = rng.integers(0, 3, 10)
    table = arrays._pairs(group, rater, unit, 3)
    by_hand = np.zeros((3, 3))
    for i, j in itertools.combinations(range(40), 2):
        if group[i] == group[j]:
            a, b = unit[rater[i]], unit[rater[j]]
            by_hand[a, b] += 1
            by_hand[b, a] += a != b
    np.testing.assert_allclose(table, by_hand)


def test_groups_below_five_raters_stay_without_a_name():
    table = rated(np.random.default_rng(8), ring(8, (0, 2), 1.5))
    few = table[~(table["u"].isin([0, 2]) & (table["k"] > 1))]
    found = own(verify.collusion(few, **NAMES))
    assert not found["cluster"].str.contains("0–2").any()
    assert (found.loc[found["n"] < 5, "n"] == 0).all()


def test_raters_who_change_department_are_counted_and_few_departments_refused():
    table = rated(np.random.default_rng(9))
    table.loc[table.index[table["r"] == 5][:1], "u"] = 7
    found = verify.collusion(table[table["u"] != table["t"]], **NAMES)
    assert "collusion.moved" in {f.key for f in found.findings}
    refused = verify.collusion(table[(table["u"] < 3) & (table["t"] < 3)], **NAMES)
    assert refused.findings[0].level == "refused" and np.isnan(refused.table["estimate"].iloc[0])


def test_the_example_study_names_no_other_group_than_the_planted_pair(example_study_folder):
    table = pd.read_parquet(example_study_folder / "rating.parquet").merge(
        pd.read_parquet(example_study_folder / "plan.parquet"), on="plan_id"
    )
    lines = pd.read_csv(example_study_folder / "unit.csv").set_index("unit_id")["parent_id"]
    unit = table["rater_unit_id"]
    table = table.assign(mine=unit.map(lines).fillna(unit), theirs=table["target_id"].map(lines))
    found = verify.collusion(
        table, rater="rater_key", target="target_id", item="item_id", score="score", wave="wave",
        rater_unit="rater_unit_id", rater_group="mine", target_group="theirs",
    )  # fmt: skip
    # Ten raters stand behind the pair: at the edge of what all groups together allow to be named.
    assert set(own(found)["cluster"]) <= {"", "D02–D04"}
    assert own(found)["low"].iloc[0] <= 0.58 <= own(found)["high"].iloc[0]
    assert own(found)["p_adjusted"].iloc[0] < 0.15
    assert (own(found, "forms")["cluster"] == "").all()
    assert pytest.approx(0, abs=0.05) == own(found, "forms")["estimate"].iloc[0]


def _people(own, raters, targets):
    """Forms of raters 0, 1, … with the unit that each form names."""
    forms = type("Forms", (), {"__len__": lambda self: len(own)})()
    forms.extra = {"u": np.array(own, dtype=object)}
    forms.rater, forms.raters, forms.targets = np.array(raters), sorted(set(raters)), targets
    return collusion_groups.people(forms, "u")


def test_a_rater_belongs_where_most_of_the_forms_say():
    who = _people(["b", "b", "c", "a", None, None, "z"], [0, 0, 0, 1, 1, 2, 3], ["a", "b", "d"])
    assert who.units == ["a", "b", "c", "d", "z"]
    assert who.rater.tolist() == [1, 0, -1, 4] and who.target.tolist() == [0, 1, 3]
    assert who.dropped == {"no_unit": 1}  # the form of a rater who never named one
    assert who.mutual_units == 2
    assert [f.values for f in who.findings] == [{"count": 1}]
    same = _people(["b", "b", "a"], [0, 0, 1], ["a", "b"])
    assert same.findings == [] and same.dropped == {} and same.mutual_units == 2


def test_partners_are_the_other_forms_of_the_same_group_within_the_units():
    group, rater = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 2, 0, 3, 1])
    everybody = np.ones(4, bool)
    # Group 0: each with two others; group 1: each with one; group 2: alone.
    assert collusion_groups._partners(group, rater, everybody).tolist() == [3, 2, 2, 1]
    assert collusion_groups._partners(group, rater, np.array([1, 1, 0, 0], bool)).tolist() == [
        1,
        1,
        0,
        0,
    ]
    none = np.zeros(0, int)
    assert collusion_groups._partners(none, none, everybody).tolist() == [0, 0, 0, 0]


def test_the_error_of_a_share_of_pairs_is_that_of_its_raters():
    who = SimpleNamespace(rater=np.array([0, 0, 0, 1]))
    equal = (np.array([0, 0]), np.array([0, 1]))
    met = (np.array([0, 0, 0, 0]), np.array([0, 1, 2, 3]))
    # Of three pairs within the unit one is equal; each rater has two, of which 1, 1 and 0 are equal.
    error = collusion_groups._error(equal, met, who, (0,), 1 / 3, 3.0)
    assert error == pytest.approx(np.sqrt((1 - 2 / 3) ** 2 * 2 + (2 / 3) ** 2) / 3)


@pytest.mark.parametrize(("n", "shown"), [(5, 5), (4, 0)])
def test_how_many_raters_stand_behind_a_group_is_told_from_five_on(n, shown):
    row = collusion_groups._row("favour", "a–b", 0.5, 0.2, 0.8, n, 0.01).iloc[0]
    assert row["n"] == shown and row["cluster"] == "a–b"
    assert row[["estimate", "low", "high", "p_adjusted"]].tolist() == [0.5, 0.2, 0.8, 0.01]
    empty = collusion_groups._stacked([])
    assert len(empty) == 0 and {"cluster", "p_adjusted"} <= set(empty)


def test_groups_below_the_alarm_are_told_or_else_the_strongest():
    found = [SimpleNamespace(p=p) for p in (0.04, 0.05, 0.051)]
    assert collusion_groups._worth_telling(found) == found[:2]
    assert collusion_groups._worth_telling(found[2:]) == found[2:]
    assert collusion_groups._worth_telling([]) == []
    who = SimpleNamespace(units=list("abc"))
    ring = SimpleNamespace(units=(0, 2))
    assert collusion_groups._name(who, ring, True) == "a–c"
    assert collusion_groups._name(who, ring, False) == ""


def test_named_groups_are_told_in_points_or_percent():
    module = importlib.import_module("svcmetrics.verify.collusion")
    rows = pd.DataFrame({"cluster": ["a–b", ""], "n": 7, "estimate": 0.25, "low": 0.125, "high": 0.5,
                         "p_adjusted": 0.01})  # fmt: skip
    for kind, scale in (("favour", 1), ("forms", 100)):
        (found,) = module._findings(rows, kind)
        assert found.level == "warning" and found.key == f"collusion.{kind}"
        assert found.values == {"names": "a–b", "n": 7, "size": 0.25 * scale, "low": 0.125 * scale,
                                "high": 0.5 * scale, "p": 0.01}  # fmt: skip
        (none,) = module._findings(rows.iloc[1:], kind)
        assert none.key == f"collusion.no_{kind}_found"
        assert module._findings(rows.iloc[:0], kind) == []


def test_shuffled_units_keep_their_numbers_and_unknown_ones_stay_out():
    who = SimpleNamespace(rater=np.array([0, 0, 1, -1, 2]))
    dealt = collusion_groups._dealt(who, 20, np.random.default_rng(1))
    assert dealt.shape == (21, 5) and dealt[0].tolist() == [0, 0, 1, -1, 2]
    assert (dealt[:, 3] == -1).all()
    assert (np.sort(np.delete(dealt, 3, axis=1), axis=1) == [0, 0, 1, 2]).all()

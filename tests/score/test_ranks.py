"""Confidence sets for ranks: quantiles from tables, coverage, the null, degenerate tables."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics.numeric.ranks import marginal_critical, rank_sets, simultaneous_critical
from svcmetrics.problems import TableError
from svcmetrics.score import ranks


def scores(estimate, se=0.1):
    names = [f"D{i}" for i in range(len(estimate))]
    return pd.DataFrame({"unit": names, "estimate": estimate, "se": se})


def sets(table, variant="simultaneous"):
    own = table[table["variant"] == variant]
    return list(zip(own["low"].astype(int), own["high"].astype(int), strict=True))


@pytest.mark.parametrize(("k", "q"), [(2, 2.772), (3, 3.314), (5, 3.858), (10, 4.474), (20, 5.012)])
def test_simultaneous_quantiles_equal_the_printed_studentised_range(k, q):
    """Upper 5% points of the studentised range, infinite degrees of freedom (Harter 1960)."""
    assert simultaneous_critical(k, 0.95) * np.sqrt(2) == pytest.approx(q, abs=0.0006)


@pytest.mark.parametrize(("k", "d"), [(2, 1.96), (3, 2.21), (4, 2.35), (6, 2.51), (10, 2.69)])
def test_marginal_quantiles_equal_dunnetts(k, d):
    """Dunnett (1964, Biometrics 20), two-sided 5%, infinite degrees of freedom, k - 1 treatments."""
    assert marginal_critical(np.ones(k), 0.95) == pytest.approx(np.full(k, d), abs=0.005)


def test_well_separated_departments_have_one_rank_each():
    table = ranks(scores([3.0, 5.0, 4.0]), target="unit", uncertainty="se").table
    assert sets(table) == sets(table, "marginal") == [(3, 3), (1, 1), (2, 2)]
    assert table["superiority"].tolist()[::2] == pytest.approx([0, 1, 0.5], abs=1e-6)


def test_equal_departments_may_hold_any_rank():
    result = ranks(scores([4.0] * 5), target="unit", uncertainty="se")
    assert set(sets(result.table)) == {(1, 5)}
    assert result.findings[0].key == "ranks.open"
    assert result.table["superiority"].tolist() == pytest.approx([0.5] * 10)


@pytest.mark.parametrize(("joint", "studies"), [(True, 400), (False, 120)])
def test_sets_cover_the_true_ranks(joint, studies):
    rng = np.random.default_rng(31)
    truth = np.array([3.0, 3.1, 3.1, 3.4, 3.6, 4.2])
    se = np.linspace(0.05, 0.3, 6)
    best, worst = 1 + (truth > truth[:, None]).sum(1), (truth >= truth[:, None]).sum(1)
    covered = []
    for _ in range(studies):
        low, high = rank_sets(rng.normal(truth, se), se, 0.95, joint=joint)
        covered.append((low <= best) & (worst <= high))
    share = np.all(covered, axis=1).mean() if joint else np.mean(covered, axis=0).min()
    assert share > 0.95 - 2.6 * np.sqrt(0.05 * 0.95 / studies)


def test_marginal_sets_lie_within_simultaneous_ones():
    rng = np.random.default_rng(2)
    table = ranks(scores(rng.normal(4, 0.3, 12), 0.12), target="unit", uncertainty="se").table
    pairs = zip(sets(table, "marginal"), sets(table), strict=True)
    assert all(wide[0] <= own[0] and own[1] <= wide[1] for own, wide in pairs)


def test_errors_of_zero_and_one_department():
    table = ranks(scores([3.0, 3.5, 3.5], 0.0), target="unit", uncertainty="se").table
    assert sets(table) == [(3, 3), (1, 2), (1, 2)]
    assert ranks(scores([3.0]), target="unit", uncertainty="se").findings[0].level == "refused"


def test_a_thousand_departments():
    rng = np.random.default_rng(4)
    result = ranks(scores(rng.normal(0, 1, 1128), 0.2), target="unit", uncertainty="se")
    assert len(result.table) == 2256
    assert len(result.say("zh")) < 500


def test_first_last_and_known_are_counted_and_named():
    table = scores([5.0, 4.0, 4.0, 3.0], 0.1)
    found = ranks(table, target="unit", uncertainty="se").findings[0]
    assert found.key == "ranks.sets" and found.level == "warning"
    told = dict(found.values)
    assert told == {"targets": 4, "first": ["D0"], "firsts": 1, "last": ["D3"], "lasts": 1,
                    "known": 2, "width": 1, "level": 95}  # fmt: skip
    sure = ranks(scores([5.0, 4.0, 3.0]), target="unit", uncertainty="se").findings[0]
    assert sure.level == "note" and sure.values["known"] == 3
    for k in (8, 9):
        many = ranks(scores([4.0] * k), target="unit", uncertainty="se").findings[0].values
        assert many["firsts"] == many["lasts"] == k and many["width"] == k
        assert many["first"] == [f"D{i}" for i in range(8)] + ["…"] * (k - 8)


def test_what_cannot_be_ranked_is_left_out_by_its_reason():
    table = scores([5.0, np.nan, 4.0, 3.0, 2.0], [0.1, 0.1, np.nan, 0.1, 0.0])
    table.loc[3, "unit"] = None
    result = ranks(table.assign(n=[9, 8, 7, 6, 5]), target="unit", uncertainty="se")
    assert result.about["dropped"] == {"no_score": 2, "no_error": 1}
    assert result.table["n"].tolist() == [9, 9, 5, 5]
    left, bare = result.findings[1:]
    assert left.values == {"names": ["D2"], "count": 1}
    assert bare.values == {"count": 1}
    free = scores([5.0, 4.0, 3.0]).assign(free=[9.0, 0.0, np.nan])
    assert ranks(free, target="unit", uncertainty="se", df="free").about["dropped"] == {
        "no_error": 2
    }


@pytest.mark.parametrize(
    ("more", "fits"),
    [({"level": 0.5}, True), ({"level": 0.49}, False), ({"level": 1.0}, False), ({"se": 0.0}, True),
     ({"se": -0.1}, False), ({"low": 4.0}, True), ({"low": 4.1}, False), ({"high": 4.0}, True),
     ({"high": 3.9}, False)],
)  # fmt: skip
def test_errors_and_levels_at_their_ends(more, fits):
    table = pd.DataFrame({"unit": [*"AB"], "estimate": 4.0, "low": 3.5, "high": 4.5, "se": 0.1})
    level = more.pop("level", 0.95) if "level" in more else 0.95
    columns = "se" if "se" in more or not more else ("low", "high")
    table = table.assign(**more)
    if fits:
        assert len(ranks(table, target="unit", uncertainty=columns, level=level).table) == 4
        return
    with pytest.raises(TableError):
        ranks(table, target="unit", uncertainty=columns, level=level)


@pytest.mark.parametrize(("count", "fits"), [(199, False), (200, True)])
def test_two_hundred_joint_draws_are_enough(count, fits):
    drawn = np.random.default_rng(1).normal([5, 4, 3], 0.1, (count, 3))
    table = pd.DataFrame({"unit": [*"ABCD"], "estimate": [5.0, 4.0, 3.0, 2.0]})
    asked = {"target": "unit", "uncertainty": pd.DataFrame(drawn, columns=[*"ABC"])}
    if not fits:
        with pytest.raises(TableError):
            ranks(table, **asked)
        return
    result = ranks(table, **asked)
    assert result.about["dropped"] == {"no_error": 1}  # D was never drawn
    assert sets(result.table) == [(1, 1), (2, 2), (3, 3)]

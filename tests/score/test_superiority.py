"""Pairs of departments: printed quantiles, the null, few degrees of freedom, joint draws, bad input."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics.numeric import pairs as every
from svcmetrics.numeric.pairs import adjusted, pairs, rank_sets
from svcmetrics.problems import TableError
from svcmetrics.score import groups, ranks, superiority


def scores(estimate, se=0.1):
    names = [f"D{i:02d}" for i in range(len(estimate))]
    return pd.DataFrame({"unit": names, "estimate": estimate, "se": se, "n": 30})


def rows(result, metric):
    return result.table[result.table["metric"] == metric]


def test_two_departments_are_an_ordinary_comparison():
    """One pair: z = 0.3 / √0.02 = 2.1213, two-sided p = 0.0339, one-sided probability 0.9831."""
    out = superiority(scores([4.0, 3.7]), target="unit", uncertainty="se")
    row = rows(out, "difference").iloc[0]
    assert row["p"] == pytest.approx(0.033895, abs=1e-6)
    assert row["p_adjusted"] == pytest.approx(0.033895, abs=2e-4)
    assert row["high"] - row["low"] == pytest.approx(2 * 1.959964 * np.sqrt(0.02), abs=1e-4)
    assert rows(out, "superiority")["estimate"].iloc[0] == pytest.approx(0.983053, abs=1e-6)


@pytest.mark.parametrize(("k", "q"), [(3, 3.314), (5, 3.858), (10, 4.474), (20, 5.012)])
def test_adjusted_p_is_five_percent_at_the_printed_studentised_range(k, q):
    """Upper 5% points of the studentised range, infinite degrees of freedom (Harter 1960)."""
    estimate = np.zeros(k)
    estimate[0] = q  # standard error 1 each: the range in units of one error
    p = adjusted(pairs(estimate, np.ones(k)))
    assert p[0, 1] == pytest.approx(0.05, abs=2e-4)


def test_a_difference_is_clear_when_its_adjusted_p_is_below_the_level():
    rng = np.random.default_rng(3)
    out = superiority(scores(rng.normal(4, 0.3, 9)), target="unit", uncertainty="se")
    own = rows(out, "difference")
    assert (own["clear"] == (own["p_adjusted"] < 0.05)).all()
    assert 0 < own["clear"].sum() < len(own)
    assert (own["p_adjusted"] >= own["p"] - 1e-6).all()


def test_equal_departments_are_called_different_no_more_often_than_stated():
    """Twelve equal departments of eight raters each: spread known from seven degrees of freedom."""
    rng = np.random.default_rng(5)
    wrong = ranked = 0
    for _ in range(400):
        x = rng.normal(size=(12, 8))
        table = scores(x.mean(axis=1), x.std(axis=1, ddof=1) / np.sqrt(8)).assign(df=7)
        data = table["estimate"].to_numpy(), table["se"].to_numpy(), np.full(12, 7.0)
        every = pairs(*data)
        wrong += (adjusted(every) < 0.05).any()
        low, high = rank_sets(every, 0.95, joint=True)
        ranked += bool((low > 1).any() or (high < 12).any())
    assert wrong <= 29 and ranked <= 29  # 20 expected at most; 29 has a chance of 2%


def test_few_degrees_of_freedom_widen_everything():
    table = scores([3.0, 3.5, 4.0, 4.6], 0.2).assign(df=5)
    wide, narrow = (
        superiority(table, target="unit", uncertainty="se", df=df) for df in ("df", None)
    )
    a, b = rows(wide, "difference"), rows(narrow, "difference")
    assert ((a["high"] - a["low"]) > 1.2 * (b["high"] - b["low"])).all()
    assert (a["p_adjusted"] >= b["p_adjusted"]).all()
    few = ranks(table, target="unit", uncertainty="se", df="df").table
    many = ranks(table, target="unit", uncertainty="se").table
    assert (few["high"] - few["low"]).sum() > (many["high"] - many["low"]).sum()
    endless = ranks(table.assign(df=1e9), target="unit", uncertainty="se", df="df").table
    joint = endless["variant"] == "simultaneous"
    pd.testing.assert_frame_equal(endless[joint], many[joint])


def test_joint_draws_give_the_same_as_the_errors_they_were_drawn_from():
    rng = np.random.default_rng(9)
    table = scores([3.0, 3.2, 3.6, 3.9, 4.2], [0.1, 0.15, 0.1, 0.2, 0.12])
    draws = pd.DataFrame(
        rng.normal(table["estimate"], table["se"], (20_000, 5)), columns=table["unit"]
    )
    one, two = (superiority(table, target="unit", uncertainty=u) for u in ("se", draws))
    for column in ("estimate", "low", "high"):
        np.testing.assert_allclose(
            rows(one, "difference")[column], rows(two, "difference")[column], atol=0.03
        )
    np.testing.assert_allclose(
        rows(one, "superiority")["estimate"], rows(two, "superiority")["estimate"], atol=0.02
    )
    a, b = (groups(table, target="unit", uncertainty=u).table for u in ("se", draws))
    assert a["group"].tolist() == b["group"].tolist()
    np.testing.assert_allclose(a[["low", "high"]], b[["low", "high"]], atol=0.02)
    a, b = (ranks(table, target="unit", uncertainty=u).table for u in ("se", draws))
    joint = a["variant"] == "simultaneous"
    assert a.loc[joint, ["low", "high"]].equals(b.loc[joint, ["low", "high"]])


def test_an_error_that_all_departments_share_separates_nobody_less():
    """One weight that lifts all alike: draws say so, single errors hide it."""
    rng = np.random.default_rng(4)
    table = scores([3.0, 3.4, 3.8], np.sqrt(0.05**2 + 0.5**2))
    draws = rng.normal(0, 0.05, (4000, 3)) + rng.normal(0, 0.5, (4000, 1))
    draws = pd.DataFrame(draws + table["estimate"].to_numpy(), columns=table["unit"])
    single = superiority(table, target="unit", uncertainty="se")
    joint = superiority(table, target="unit", uncertainty=draws)
    assert not rows(single, "difference")["clear"].any()
    assert rows(joint, "difference")["clear"].all()
    assert groups(table, target="unit", uncertainty=draws).table["group"].tolist() == [
        "below", "unclear", "above",
    ]  # fmt: skip
    assert ranks(table, target="unit", uncertainty=draws).table["low"].tolist()[::2] == [3, 2, 1]


def test_one_department_is_refused_and_errors_of_zero_are_said():
    result = superiority(scores([4.0]), target="unit", uncertainty="se")
    assert result.findings[0].level == "refused"
    assert result.table["estimate"].isna().all()
    exact = superiority(scores([4.0, 4.0, 3.0], 0.0), target="unit", uncertainty="se")
    assert rows(exact, "superiority")["estimate"].tolist() == [0.5, 1.0, 1.0]
    assert any(f.key == "uncertain.no_spread" for f in exact.findings)


def test_bad_tables_are_errors_and_missing_rows_are_left_out():
    table = scores([4.0, 3.7, 3.5])
    draws = pd.DataFrame(np.random.default_rng(1).normal(size=(500, 2)), columns=["D00", "D01"])
    out = superiority(table, target="unit", uncertainty=draws)
    assert out.about["dropped"] == {"no_error": 1}
    assert len(rows(out, "difference")) == 1
    with pytest.raises(TableError, match="200"):
        superiority(table, target="unit", uncertainty=draws[:50])
    with pytest.raises(TableError):
        superiority(pd.concat([table, table]), target="unit", uncertainty="se")
    with pytest.raises(TableError):
        superiority(table.assign(estimate=[1.0, np.inf, 2.0]), target="unit", uncertainty="se")
    with pytest.raises(TableError):
        superiority(table, target="unit", uncertainty="se", level=1.2)
    gone = superiority(table.assign(se=[0.1, np.nan, 0.1]), target="unit", uncertainty="se")
    assert gone.about["dropped"] == {"no_error": 1}


def test_the_reading_names_clear_pairs_in_both_languages():
    some = superiority(scores([4.5, 4.4, 3.0]), target="unit", uncertainty="se")
    assert "D00 > D02" in some.say("zh") and "D00 > D02" in some.say("en")
    none = superiority(scores([4.0, 4.0, 4.01]), target="unit", uncertainty="se")
    assert "不代表它们相同" in none.say("zh") and "does not show" in none.say("en")


def test_of_very_many_departments_some_draws_are_compared_and_tell_the_same(monkeypatch):
    rng = np.random.default_rng(4)
    estimate, draws = rng.normal(size=20), rng.normal(size=(4000, 20)) + rng.normal(size=(4000, 1))
    whole = pairs(estimate, draws.std(axis=0), draws=draws)
    assert len(whole.compared) == 4000
    monkeypatch.setattr(every, "_CELLS", 1000 * 20**2)
    some = pairs(estimate, draws.std(axis=0), draws=draws)
    assert len(some.compared) == 1000
    np.testing.assert_array_equal(whole.error, some.error)
    np.testing.assert_allclose(
        every.half_widths(whole, 0.95), every.half_widths(some, 0.95), rtol=0.05
    )
    np.testing.assert_allclose(every.above(whole), every.above(some), atol=0.06)
    # By hand: the share of draws in which the first lies above the second.
    moved = draws - draws.mean(axis=0) + estimate
    share = (moved[:, 0] > moved[:, 1]).mean()
    assert every.above(whole)[0, 1] == pytest.approx(share, abs=1e-12)


def test_more_departments_than_a_picture_holds_are_told_in_a_sentence():
    drawn = superiority(scores(np.linspace(3, 4, 41)), target="unit", uncertainty="se").plot()
    assert not drawn.images
    assert "41" in drawn.texts[0].get_text()
    few = superiority(scores(np.linspace(3, 4, 5)), target="unit", uncertainty="se").plot()
    assert len(few.images) == 1


def test_five_pairs_are_told_the_widest_first_with_their_least_gap():
    result = superiority(scores([1.0, 2.0, 4.0, 8.0], 0.01), target="unit", uncertainty="se")
    found = result.findings[0]
    assert found.key == "superiority.some"
    assert (found.values["pairs"], found.values["clear"], found.values["targets"]) == (6, 6, 4)
    first = [line.split(" (")[0] for line in found.values["shown"]]
    assert first == ["D03 > D00", "D03 > D01", "D03 > D02", "D02 > D00", "D02 > D01"]
    row = rows(result, "difference").iloc[2]
    assert found.values["shown"][0].endswith(f"(≥ {abs(row['high']):.2g})")
    assert rows(result, "difference")["clear"].all()
    one = superiority(scores([1.0]), target="unit", uncertainty="se")
    assert one.findings[0].level == "refused" and one.about["pairs"] == 0

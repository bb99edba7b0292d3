"""Funnel limits: closed forms, widening, and the door."""

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import svcmetrics as svc
from svcmetrics import measure
from svcmetrics.problems import TableError

COUNTS = pd.DataFrame({"unit": list("ABCDE"), "late": [9, 11, 10, 8, 30], "cases": 100})
NAMES = {"group": "unit", "count": "late", "size": "cases"}


def test_limits_of_a_share_are_exact_when_chance_explains_all():
    calm = measure.funnel(COUNTS.assign(late=[9, 11, 10, 8, 12]), **NAMES, target=0.1)
    row = calm.table.iloc[0]
    # The counts that bracket 2.5% and 97.5% of Binomial(100, 0.1) are 5 and 16.
    assert 0.04 < row["lower_95"] < 0.05 and 0.15 < row["upper_95"] < 0.16
    assert row["z"] == pytest.approx(-0.01 / 0.03)
    assert calm.about["method"] == "Spiegelhalter, exact"
    both = min(stats.binom.cdf(9, 100, 0.1), stats.binom.sf(8, 100, 0.1))
    assert row["p"] == pytest.approx(min(2 * both, 1))


def test_large_groups_have_the_limits_of_the_normal_law():
    big = COUNTS.assign(late=100_000, cases=1_000_000)
    row = measure.funnel(big, **NAMES, target=0.1).table.iloc[0]
    assert row["upper_95"] == pytest.approx(0.1 + 1.959964 * 0.0003, abs=1e-6)
    assert row["upper_998"] == pytest.approx(0.1 + 3.090232 * 0.0003, abs=1e-6)
    row = measure.funnel(big, **NAMES, kind="rate", target=0.1).table.iloc[0]
    assert row["upper_95"] == pytest.approx(0.1 + 1.959964 * np.sqrt(0.1 / 1e6), abs=1e-6)


def test_the_two_ways_to_widen_follow_their_formulas():
    rng = np.random.default_rng(9)
    n = rng.integers(200, 900, 40)
    table = pd.DataFrame(
        {"unit": range(40), "late": rng.binomial(n, rng.beta(8, 32, 40)), "cases": n}
    )
    plain, factor, between = (
        measure.funnel(table, **NAMES, spread=s) for s in ("none", "factor", "between")
    )
    phi, aim = factor.about["phi"], plain.table["target"].iloc[0]
    se = np.sqrt(aim * (1 - aim) / n)
    assert phi > 1.5
    found = factor.table["upper_95"] - aim
    np.testing.assert_allclose(found, 1.959964 * np.sqrt(phi) * se, rtol=1e-6)
    w = 1 / se**2
    tau2 = (40 * phi - 39) / (w.sum() - (w**2).sum() / w.sum())
    found = between.table["upper_95"] - aim
    np.testing.assert_allclose(found, 1.959964 * np.sqrt(se**2 + tau2), rtol=1e-6)
    assert (plain.table["verdict"] == "clear").sum() > (between.table["verdict"] == "clear").sum()
    assert "funnel.overdispersed" not in [f.key for f in plain.findings]


def test_of_many_equal_groups_hardly_one_is_called_clear():
    rng = np.random.default_rng(10)
    table = pd.DataFrame({"unit": range(500), "late": rng.binomial(300, 0.1, 500), "cases": 300})
    verdict = measure.funnel(table, **NAMES).table["verdict"]
    assert (verdict == "clear").sum() == 0
    assert 5 <= (verdict == "notable").sum() <= 40


def test_one_that_is_far_out_is_named_and_the_others_are_not():
    out = measure.funnel(COUNTS, **NAMES, target=0.1)
    assert out.table["verdict"].tolist() == ["within"] * 4 + ["clear"]
    assert out.findings[0].values["names"] == ["E"]


def test_spread_between_all_groups_widens_the_limits():
    rng = np.random.default_rng(4)
    n = np.full(60, 400)
    hits = rng.binomial(n, rng.beta(8, 32, 60))
    table = pd.DataFrame({"unit": range(60), "late": hits, "cases": n})
    out = measure.funnel(table, **NAMES)
    assert out.about["phi"] > 3
    between = np.sqrt(out.about["tau2"])  # the beta law above has a standard deviation of 0.062
    assert between == pytest.approx(0.062, rel=0.3)
    assert (out.table["verdict"] == "clear").mean() < 0.1
    assert "funnel.overdispersed" in [f.key for f in out.findings]


def test_no_size_is_dropped_and_counted_and_impossible_counts_are_an_error():
    out = measure.funnel(
        COUNTS.assign(cases=[100, 100, 0, 100, 100], late=[1, 1, 0, 1, 1]), **NAMES
    )
    assert out.about["dropped"] == {"no_count_or_size": 1}
    with pytest.raises(TableError, match="late"):
        measure.funnel(COUNTS.assign(late=101), **NAMES)
    with pytest.raises(TableError):
        measure.funnel(pd.concat([COUNTS, COUNTS]), **NAMES)


@pytest.mark.parametrize("all_or_none", [0, 100])
def test_all_or_none_everywhere_is_within(all_or_none):
    table = measure.funnel(COUNTS.assign(late=all_or_none), **NAMES).table
    assert (table["verdict"] == "within").all()
    assert (table["upper_998"] == all_or_none / 100).all()


def test_an_unknown_way_to_widen_is_an_error():
    with pytest.raises(TableError, match="wide"):
        measure.funnel(COUNTS, **NAMES, spread="wide")


def test_nothing_is_refused():
    measure.funnel(COUNTS.head(0), **NAMES).plot()
    assert measure.funnel(COUNTS.head(0), **NAMES).findings[0].level == "refused"


def test_the_planted_departments_stand_out(example_study_folder):
    # truth.toml: returns 1.65 times as frequent in D03, 0.55 times in D06.
    study = svc.read_study(example_study_folder)
    table = measure.returns(study.event, services=study.service, steps=study.step).table
    table = table[table["variant"] == ""]
    names = {"group": "unit_id", "count": "returns", "size": "outputs", "kind": "rate"}
    out = measure.funnel(table, **names, spread="none").table.set_index("unit_id")
    assert out.index[out["verdict"] == "clear"].tolist() == ["D03", "D06"]
    assert out["estimate"].idxmax() == "D03" and out["estimate"].idxmin() == "D06"


def test_what_has_no_count_size_or_name_is_left_out_and_the_ends_are_counts():
    table = pd.DataFrame({"unit": ["A", "B", None, "D", "E"], "late": [0, np.nan, 3, 4, 50],
                          "cases": [50, 50, 50, np.nan, 50.0]})  # fmt: skip
    out = measure.funnel(table, **NAMES)
    assert out.about["dropped"] == {"no_count_or_size": 3}
    assert out.table["estimate"].tolist() == [0, 1]
    assert out.table["target"].unique().tolist() == [0.5]
    with pytest.raises(TableError, match="late"):
        measure.funnel(COUNTS.assign(late=[-1, 1, 1, 1, 1]), **NAMES)
    with pytest.raises(TableError, match="late"):
        measure.funnel(COUNTS.assign(late=101), **NAMES)
    more = measure.funnel(COUNTS.assign(late=130), **NAMES, kind="rate").table
    assert more["estimate"].tolist() == [1.3] * 5  # hits may outnumber their exposure


@pytest.mark.parametrize(("groups", "few"), [(2, True), (3, False)])
def test_fewer_than_three_groups_are_warned_of(groups, few):
    out = measure.funnel(COUNTS.assign(late=10).head(groups), **NAMES)
    told = {f.key: dict(f.values) for f in out.findings}
    assert ("funnel.few" in told) is few
    assert told["funnel.none_clear"] == {"target": 0.1, "groups": groups}


def test_widened_limits_stay_between_nothing_and_all():
    table = pd.DataFrame({"unit": list("ABCDEF"), "late": [0, 20, 1, 19, 2, 18], "cases": 20})
    share = measure.funnel(table, **NAMES, spread="factor").table
    assert (share["lower_998"] == 0).all() and (share["upper_998"] == 1).all()
    rate = measure.funnel(table, **NAMES, spread="factor", kind="rate").table
    assert (rate["lower_998"] == 0).all() and (rate["upper_998"] > 1).all()


def test_z_and_p_of_widened_limits_are_those_of_the_wider_normal_law():
    table = pd.DataFrame({"unit": list("ABCDEF"), "late": [8, 12, 5, 15, 30, 10], "cases": 100})
    out = measure.funnel(table, **NAMES, spread="factor")
    se = np.sqrt(out.about["phi"]) * np.sqrt(80 / 600 * 520 / 600 / 100)
    z = (table["late"] / 100 - 80 / 600) / se
    np.testing.assert_allclose(out.table["z"], z)
    np.testing.assert_allclose(out.table["p"], 2 * stats.norm.sf(np.abs(z)))
    verdict = np.where(np.abs(z) > 1.959964, "notable", "within")
    assert out.table["verdict"].tolist() == verdict.tolist()
    assert out.about["method"] == "Spiegelhalter, factor"
    curve = out.about["curve"]
    assert set(curve["n"]) == {100.0} and len(curve["n"]) == len(curve["upper_95"])


def test_a_target_may_be_given_and_is_nothing_at_its_end():
    none = measure.funnel(COUNTS.assign(late=0), **NAMES, target=0.0)
    assert none.table["verdict"].unique().tolist() == ["within"] and none.about["phi"] == 1
    assert none.table["z"].isna().all()
    rate = measure.funnel(COUNTS, **NAMES, kind="rate", target=0.3).table
    assert (rate["target"] == 0.3).all()
    np.testing.assert_allclose(
        measure.funnel(COUNTS, **NAMES, kind="rate", target=0.3, spread="none").table["z"],
        (COUNTS["late"] / 100 - 0.3) / np.sqrt(0.3 / 100),
    )


def test_of_many_groups_only_the_furthest_are_named_and_the_others_counted():
    rng = np.random.default_rng(3)
    n = rng.integers(20, 2000, 300)
    count = rng.binomial(n, np.clip(rng.normal(0.1, 0.05, 300), 0.005, 0.5))
    table = pd.DataFrame({"d": [f"D{i:03d}" for i in range(300)], "count": count, "n": n})
    out = measure.funnel(table, group="d", count="count", size="n")
    stand_out = out.table[out.table["verdict"] != "within"]
    stand_out = stand_out.assign(far=stand_out["z"].abs(), clear=stand_out["verdict"] == "clear")
    furthest = stand_out.sort_values(["clear", "far"], ascending=False)["d"].tolist()
    assert len(stand_out) > 30
    ax = out.plot()
    named = [t.get_text() for t in ax.texts]
    assert furthest[0] in named and set(named) <= set(furthest)
    assert 3 <= len(named) <= 12
    title = ax.get_title(loc="left")
    assert {str(len(stand_out)), str(len(named))} <= set(title.split())
    ax.figure.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_group_of_one_case_counts_and_one_without_cases_is_left_out():
    table = COUNTS.assign(cases=[1, 100, 0, 100, np.nan], late=[0, 11, 0, 8, 3])
    result = measure.funnel(table, **NAMES)
    assert result.table["unit"].tolist() == ["A", "B", "D"] and result.table["n"].iloc[0] == 1
    assert result.about["dropped"] == {"no_count_or_size": 2}


@pytest.mark.parametrize(
    ("late", "kind", "fits"),
    [(0, "share", True), (100, "share", True), (101, "share", False), (101, "rate", True), (-1, "rate", False)],
)  # fmt: skip
def test_a_share_holds_no_more_than_its_cases_and_nothing_is_below_nought(late, kind, fits):
    table = COUNTS.assign(late=[late, 11, 10, 8, 30])
    if fits:
        assert len(measure.funnel(table, **NAMES, kind=kind).table) == 5
        return
    with pytest.raises(TableError) as caught:
        measure.funnel(table, **NAMES, kind=kind)
    assert caught.value.problems[0].key == "count_impossible"


def test_verdicts_at_their_levels():
    """Clear: 0.2% for one group and 5% for all together; notable: 5% for one group."""
    module = importlib.import_module("svcmetrics.measure.funnel")
    p = np.array([0.0019, 0.0019, 0.002, 0.049, 0.05])
    adjusted = np.array([0.049, 0.05, 0.01, 0.01, 0.01])
    found = module._verdicts(p, adjusted)
    assert found.tolist() == ["clear", "notable", "notable", "notable", "within"]


@pytest.mark.parametrize(("groups", "few"), [(2, True), (3, False)])
def test_what_is_told_of_a_funnel(groups, few):
    module = importlib.import_module("svcmetrics.measure.funnel")
    out = pd.DataFrame(
        {"unit": list("abc"), "target": 0.1, "verdict": ["clear", "notable", "within"]}
    )
    found = module._findings(out.head(groups), "unit", SimpleNamespace(widened=True, phi=1.7))
    keys = ["clear", "notable", "overdispersed", *(["few"] if few else [])]
    assert [f.key for f in found] == [f"funnel.{k}" for k in keys]
    assert found[0].values == {"target": 0.1, "groups": groups, "names": ["a"]}
    calm = module._findings(out.tail(1), "unit", SimpleNamespace(widened=False))
    assert [f.key for f in calm] == ["funnel.none_clear", "funnel.few"]


@pytest.mark.parametrize(
    ("tau2", "stretch", "widened", "way"),
    [(0.0, 1.0, False, "exact"), (0.0, 1.5, True, "factor"), (0.01, 1.0, True, "between")],
)
def test_how_the_limits_were_made_is_told(tau2, stretch, widened, way):
    module = importlib.import_module("svcmetrics.measure.funnel")
    shape = module._Shape(0.1, "share", 1.5, tau2, stretch)
    assert shape.widened is widened
    assert shape.about(np.array([50.0, 100]))["method"] == f"Spiegelhalter, {way}"
    assert shape.width(np.array([90.0])) ** 2 == pytest.approx(stretch * 0.001 + tau2)


@pytest.mark.parametrize(("kind", "target"), [("share", 1.01), ("share", -0.1), ("rate", -0.1)])
def test_a_target_that_cannot_be_is_refused(kind, target):
    table = pd.DataFrame({"unit": [*"AB"], "late": [1, 2], "cases": [10, 10]})
    with pytest.raises(TableError) as told:
        measure.funnel(table, group="unit", count="late", size="cases", kind=kind, target=target)
    assert told.value.problems[0].key == "target_out_of_range"


def test_the_ends_of_a_share_and_rates_above_one_may_be_targets():
    """Where all are to be late, who has one in time lies outside; two per case may be aimed at."""
    table = pd.DataFrame({"unit": [*"AB"], "late": [10, 9], "cases": [10, 10]})
    call = {"group": "unit", "count": "late", "size": "cases"}
    one = measure.funnel(table, target=1, **call).table
    assert (one["p"] == [1.0, 0.0]).all()
    none = measure.funnel(table.assign(late=[0, 1]), target=0, **call).table
    assert (none["p"] == [1.0, 0.0]).all()
    two = measure.funnel(table.assign(late=20), kind="rate", target=2.0, **call).table
    assert two["verdict"].tolist() == ["within", "within"]

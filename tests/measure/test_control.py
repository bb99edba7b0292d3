"""Control charts: printed limits, rules on made-up runs, and what chance alone would say."""

import tomllib
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import svcmetrics as svc
from svcmetrics import measure
from svcmetrics.numeric import control as charts

PUBLISHED = tomllib.loads(
    (Path(__file__).parents[1] / "published" / "control.toml").read_text("utf-8")
)["case"]


@pytest.mark.parametrize("case", PUBLISHED, ids=[c["source"][-48:] for c in PUBLISHED])
def test_the_limits_are_those_printed(case):
    rows = pd.DataFrame({"month": range(1, len(case["value"]) + 1), "x": case["value"]})
    rows["n"] = case.get("size", 1)
    sets = ~rows["month"].isin(case.get("without", []))
    rows["phase"] = np.where(sets, "trial", None)
    more = {"size": "n"} if "size" in case else {}
    table = measure.control(rows, value="x", chart=case["chart"], phase="phase", **more).table
    points = table[table["metric"] == "control"]
    for name in ("center", "lower", "upper"):
        if name in case:
            agrees(points[name].iloc[0], case[name])
    assert points.loc[points["outside"] != "", "month"].tolist() == case["outside"]
    if "range_center" in case:
        ranges = table[table["metric"] == "moving_range"]
        assert len(ranges) == len(points) - 1
        agrees(ranges["center"].iloc[0], case["range_center"])
        mean = np.abs(
            np.diff(case["value"])
        ).mean()  # by the formula: D4 is 3.267 for ranges of two
        assert ranges["upper"].iloc[0] == pytest.approx(3.267 * mean)


def agrees(found, printed):
    half = 0.5 * 10.0 ** Decimal(printed).as_tuple().exponent
    assert abs(found - float(printed)) <= half * (1 + 1e-9), (found, printed)


# The distances of a run in standard errors, the rule, and the points (from 1) that complete it.
RUNS = [
    (1, [0, 3.1, 0, -3.2], [2, 4]),
    (2, [0.5] * 9 + [-0.5], [9]),
    (2, [0.5] * 8 + [-0.5] * 8, []),
    (3, [-1, -0.5, 0, 0.5, 1, 1.5, 0], [6]),
    (3, [1, 0.5, 0, 0, -0.5, -1, -1.5], []),
    (4, [0.1, -0.1] * 7, [14]),
    (4, [0.1, -0.1] * 6 + [0.1], []),
    (5, [2.1, 0, 2.2, -2.5, 2.5], [3, 5]),
    (6, [1.1, 1.2, 0, 1.3, 1.4], [5]),
    (7, [0.9, -0.9] * 7 + [0.2], [15]),
    (8, [1.5, -1.5] * 4, [8]),
    (8, [1.5, -1.5] * 3 + [0.5, 1.5], []),
]


@pytest.mark.parametrize(("rule", "run", "where"), RUNS)
def test_the_eight_rules_of_nelson(rule, run, where):
    z = np.array(run, dtype=float)
    for side in (z, -z):
        marks = charts.nelson(side, side)[:, rule - 1]
        assert (np.flatnonzero(marks) + 1).tolist() == where


def test_rules_begin_anew_in_each_group_and_phase():
    rows = pd.DataFrame({"month": range(12), "x": [4, 6] * 6, "unit": list("AB") * 6})
    one = measure.control(rows, value="x", chart="xmr").table
    two = measure.control(rows, value="x", chart="xmr", by="unit").table
    assert set(two.loc[two["metric"] == "control", "center"]) == {4.0, 6.0}
    assert set(one.loc[one["metric"] == "control", "center"]) == {5.0}


def test_a_change_of_phase_changes_the_limits_and_a_frozen_baseline_does_not():
    rng = np.random.default_rng(1)
    bad = np.r_[rng.binomial(200, 0.10, 12), rng.binomial(200, 0.25, 12)]
    rows = pd.DataFrame({"month": range(24), "bad": bad, "n": 200})
    rows["both"] = np.repeat(["before", "after"], 12)
    rows["frozen"] = np.where(rows["month"] < 12, "before", None)
    run = {"value": "bad", "size": "n"}
    two = measure.control(rows, **run, phase="both").table
    assert (two["outside"] == "").all()
    assert two["center"].nunique() == 2
    frozen = measure.control(rows, **run, phase="frozen").table
    assert (frozen.loc[frozen["month"] >= 12, "outside"] == "above").all()
    assert frozen["center"].nunique() == 1
    assert frozen["sets_limits"].sum() == 12


def test_laney_charts_widen_with_variation_beyond_chance_and_only_then():
    rng = np.random.default_rng(2)
    n = rng.integers(2000, 4000, 60)
    calm = pd.DataFrame({"month": range(60), "bad": rng.binomial(n, 0.2), "n": n})
    wild = calm.assign(bad=rng.binomial(n, rng.beta(40, 160, 60)))
    run = {"value": "bad", "size": "n"}
    p, laney = (measure.control(wild, **run, chart=c) for c in ("p", "laney_p"))
    assert (p.table["outside"] != "").sum() > 10 > (laney.table["outside"] != "").sum()
    assert "control.wide" in [f.key for f in p.findings]
    quiet = measure.control(calm, **run)
    assert "control.wide" not in [f.key for f in quiet.findings]
    # By the formula: sigma_z is the mean moving range of z over 1.128.
    z = p.table["z"].to_numpy()
    sigma = np.abs(np.diff(z)).mean() / 1.128
    wider = laney.table["upper"] - laney.table["center"]
    np.testing.assert_allclose(wider, sigma * (p.table["upper"] - p.table["center"]))


def test_p_values_are_exact():
    rng = np.random.default_rng(4)
    x, n = rng.binomial(40, 0.3, 30).astype(float), np.full(30, 40.0)
    run = charts.shares(x, n, np.ones(30, bool))
    both = np.minimum(stats.binom.cdf(x, 40, run.centre), stats.binom.sf(x - 1, 40, run.centre))
    np.testing.assert_allclose(run.p, np.minimum(2 * both, 1), rtol=1e-9)
    count = rng.poisson(2, 30).astype(float)
    run = charts.rates(count, n, np.ones(30, bool))
    m = count.mean()
    both = np.minimum(stats.poisson.cdf(count, m), stats.poisson.sf(count - 1, m))
    np.testing.assert_allclose(run.p, np.minimum(2 * both, 1), rtol=1e-9)
    run = charts.gaps(count, np.ones(30, bool))
    q = 1 / (m + 1)
    both = np.minimum(stats.geom.cdf(count + 1, q), stats.geom.sf(count, q))
    np.testing.assert_allclose(run.p, np.minimum(2 * both, 1), rtol=1e-9)
    np.testing.assert_allclose(run.upper, m + 3 * np.sqrt(m * (m + 1)))


def test_times_between_events_are_judged_on_nelsons_scale():
    # Nelson, L. S. (1994), Journal of Quality Technology 26: the power 1/3.6 makes times between
    # events that come at random all but symmetric. Skewness of such a power, from its moments:
    m1, m2, m3 = special.gamma(1 + charts.POWER * np.arange(1, 4))
    skew = (m3 - 3 * m1 * m2 + 2 * m1**3) / (m2 - m1**2) ** 1.5
    assert abs(skew) < 0.001
    assert round(1 / 3.6, 4) == pytest.approx(charts.POWER, abs=1e-4)
    hours = np.random.default_rng(3).exponential(300, 40)
    run = charts.times(hours, np.ones(40, bool))
    y = hours**charts.POWER
    off = 3 * np.abs(np.diff(y)).mean() / 1.128
    np.testing.assert_allclose(run.upper, (y.mean() + off) ** (1 / charts.POWER))
    np.testing.assert_allclose(run.centre, y.mean() ** (1 / charts.POWER))
    np.testing.assert_allclose(run.lower, max(y.mean() - off, 0) ** (1 / charts.POWER))
    np.testing.assert_allclose(run.z, (y - y.mean()) / (off / 3))


def test_in_a_stable_company_hardly_anything_is_named():
    rng = np.random.default_rng(6)
    frames = [
        pd.DataFrame({"unit": u, "month": range(24), "bad": rng.binomial(300, 0.1, 24), "n": 300})
        for u in range(40)
    ]
    result = measure.control(pd.concat(frames), value="bad", size="n", by="unit")
    said = result.findings[0].values
    assert said["points"] == 960
    assert said["kept"] <= 1
    assert said["outside"] < 12


def test_bad_input_is_named():
    rows = pd.DataFrame({"month": [1, 2], "bad": [3, 60], "n": [50, 50]})
    with pytest.raises(svc.TableError, match="bad"):
        measure.control(rows, value="bad", size="n")
    with pytest.raises(svc.TableError, match="bad"):
        measure.control(rows.assign(bad=[-1, 2]), value="bad", size="n")
    with pytest.raises(svc.TableError, match="month"):
        measure.control(rows.assign(month=1, bad=1), value="bad", size="n")
    with pytest.raises(svc.TableError, match="pie"):
        measure.control(rows, value="bad", size="n", chart="pie")
    with pytest.raises(svc.TableError, match="size"):
        measure.control(rows, value="bad")


def test_nothing_and_no_variation_are_refused_with_a_reason():
    rows = pd.DataFrame({"month": range(5), "bad": [0.0] * 5, "n": 50})
    flat = measure.control(rows, value="bad", size="n")
    assert ("control.no_spread", "refused") in [(f.key, f.level) for f in flat.findings]
    assert "control.overall" not in [f.key for f in flat.findings]
    empty = measure.control(rows.assign(bad=np.nan), value="bad", size="n")
    assert empty.about["dropped"] == {"no_score": 5}
    assert [f.level for f in empty.findings] == ["refused"]
    assert not empty.plot().has_data()
    none = measure.control(rows.assign(n=0), value="bad", size="n")
    assert none.about["dropped"] == {"no_size": 5}


@pytest.mark.parametrize("code", ["zh", "en"])
@pytest.mark.parametrize("by", [None, "unit"])
def test_a_chart_and_a_board(code, by):
    rng = np.random.default_rng(8)
    rows = pd.DataFrame(
        {"month": list(range(15)) * 3, "unit": np.repeat(["财务部", "HR", "IT"], 15)}
    )
    rows["bad"], rows["n"] = rng.binomial(50, 0.3, 45), 50
    rows.loc[3, "bad"] = 40
    rows = rows if by else rows[:15]
    with svc.speaking(code):
        ax = measure.control(rows, value="bad", size="n", by=by).plot()
        ax.figure.canvas.draw()
    assert ax.has_data()


def board(groups: int, periods: int = 24, bad: int = 1) -> pd.DataFrame:
    """Groups whose last periods are far too many."""
    rows = pd.DataFrame({"unit": np.repeat([f"U{k}" for k in range(groups)], periods),
                         "month": list(range(periods)) * groups})  # fmt: skip
    rows["bad"] = np.where(rows["month"] >= periods - bad, 190, 10 + rows["month"] % 3)
    rows["base"] = np.where(rows["month"] < periods - bad, "base", None)
    return rows.assign(n=200)


RUN = {"value": "bad", "size": "n", "phase": "base"}


@pytest.mark.parametrize("bad", [8, 9])
def test_eight_periods_are_named_and_more_are_only_hinted_at(bad):
    found = {f.key: f.values for f in measure.control(board(1, 32, bad), **RUN).findings}
    first = [str(m) for m in range(32 - bad, 40 - bad)]
    assert found["control.above"]["periods"] == first + ["…"] * (bad - 8)
    assert found["control.overall"] == {
        "points": 32, "outside": bad, "kept": bad, "chance": pytest.approx(0.0027 * 32)
    }  # fmt: skip


@pytest.mark.parametrize(("groups", "named"), [(8, 8), (9, 8)])
def test_eight_groups_are_named(groups, named):
    result = measure.control(board(groups), **RUN, by="unit")
    told = [f.values["group"] for f in result.findings if f.key == "control.above_group"]
    assert told == [f"U{k}" for k in range(named)]
    assert result.about["runs"] == groups


@pytest.mark.parametrize(("periods", "few"), [(20, True), (21, False)])
def test_fewer_than_twenty_points_set_provisional_limits(periods, few):
    found = {
        f.key: dict(f.values) for f in measure.control(board(2, periods), **RUN, by="unit").findings
    }
    assert ("control.few" in found) is few
    assert not few or found["control.few"] == {"count": 2, "least": 20}


def test_points_below_are_named_and_rules_of_a_run_too():
    rows = board(1, 30)
    rows["bad"] = [*[60, 64] * 14, 0, 62]
    rows["base"] = "base"
    found = {f.key: f.values for f in measure.control(rows, **RUN).findings}
    assert found["control.below"]["periods"] == ["28"] and "control.above" not in found
    shift = rows.assign(bad=[*[50, 52] * 10, *[54] * 10])
    told = {f.key: f.values for f in measure.control(shift, **RUN).findings}
    assert told["control.shift"]["periods"][0] == "28" and "control.trend" not in told
    trend = rows.assign(bad=[*[50, 55, 50, 52] * 6, 46, 48, 50, 52, 54, 56])
    told = {f.key: f.values for f in measure.control(trend, **RUN).findings}
    assert told["control.trend"]["periods"][-1] == "29"


def test_what_is_missing_is_counted_and_counts_ignore_the_size_where_they_must():
    rows = board(1, 24)
    rows["bad"] = rows["bad"].astype(float)
    rows.loc[2, "n"], rows.loc[3, "bad"], rows.loc[4, "n"] = 0, np.nan, np.nan
    out = measure.control(rows, value="bad", size="n")
    assert out.about["dropped"] == {"no_score": 1, "no_size": 2}
    assert len(out.table) == 21
    whole = board(1, 24).assign(n=np.arange(24) + 200)
    c, u = (measure.control(whole, value="bad", size="n", chart=k).table for k in "cu")
    assert c["center"].unique().tolist() == [whole["bad"].mean()]
    assert c["estimate"].tolist() == whole["bad"].tolist()
    assert u["center"].iloc[0] == pytest.approx(whole["bad"].sum() / whole["n"].sum())
    np.testing.assert_allclose(u["estimate"], whole["bad"] / whole["n"])
    zero = measure.control(whole.assign(bad=[0, *[5] * 23]), value="bad", size="n", chart="u")
    assert zero.about["dropped"] == {}
    single = measure.control(whole.assign(bad=-whole["bad"]), value="bad", chart="xmr").table
    assert len(single) == 24 + 23 and single["n"].unique().tolist() == [1]
    one = measure.control(whole.head(1), value="bad", chart="xmr").table
    assert len(one) == 1


def test_false_signals_are_counted_over_all_groups_together():
    result = measure.control(board(3), **RUN, by="unit")
    points = result.table[result.table["metric"] == "control"]
    order = np.sort(points["p"].to_numpy())
    smallest = min(order[k] * len(order) / (k + 1) for k in range(len(order)))
    assert points["p_adjusted"].min() == pytest.approx(smallest)
    assert (points["p_adjusted"] >= points["p"]).all()


def test_a_board_of_many_groups_shows_the_furthest_and_counts_the_others():
    rng = np.random.default_rng(5)
    groups = [f"D{i:03d}" for i in range(90) for _ in range(12)]
    rows = pd.DataFrame({"d": groups, "month": list(range(12)) * 90, "n": 100})
    rows = rows.assign(bad=rng.binomial(100, 0.1, len(rows)))
    rows.loc[rows["d"].isin(["D007", "D050"]) & (rows["month"] == 4), "bad"] = 40
    # More groups go beyond their limits than there is room for.
    rows.loc[rows["d"].between("D020", "D065") & (rows["month"] == 6), "bad"] = 30
    out = measure.control(rows, value="bad", size="n", by="d")
    ax = out.plot()
    shown = [t.get_text() for t in ax.get_yticklabels()]
    far = out.table["z"].abs().groupby(out.table["d"]).max().nlargest(40).index
    assert shown == sorted(far)
    assert {"D007", "D050"} <= set(shown)
    left = (out.table["outside"] != "") & ~out.table["d"].isin(shown)
    assert left.sum() > 0
    assert all(f" {k}" in ax.get_title(loc="left") for k in (40, 90, left.sum()))
    assert ax.figure.get_size_inches()[1] < 16
    few = measure.control(rows[rows["d"] < "D040"], value="bad", size="n", by="d").plot()
    assert len(few.get_yticklabels()) == 40
    assert "\n" not in few.get_title(loc="left")


def test_an_index_with_the_name_of_a_column_is_no_column():
    rows = pd.DataFrame({"month": range(8), "x": [3.0, 4, 3, 5, 4, 3, 4, 9], "phase": "a"})
    plain = measure.control(rows, value="x", phase="phase", chart="c").table
    for name in ("month", "x", "index"):
        odd = rows.set_axis(pd.Index([5] * 8, name=name))
        pd.testing.assert_frame_equal(
            measure.control(odd, value="x", phase="phase", chart="c").table, plain
        )

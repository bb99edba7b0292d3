"""Impact: planted effects are clear and the others not; shifts and groups are plain arithmetic."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from svcmetrics import verify
from svcmetrics.numeric import mixed_checks
from svcmetrics.numeric.mixed import reml
from svcmetrics.numeric.raters import Ratings, fixed_targets
from svcmetrics.problems import TableError
from svcmetrics.verify import forms as reader
from svcmetrics.verify import impact_effects, impact_groups, ledger

impact = importlib.import_module("svcmetrics.verify.impact")  # the module, not the function
NAMES = {"rater": "r", "target": "t", "score": "s", "item": "i", "wave": "w"}
ALL = {**NAMES, "rater_unit": "u", "side": ("g", "h"), "mode": "m"}


def study(rng, severity=0.0, favour=0.0, mode=0.0, raters=60, targets=6, items=4):
    """Two waves, raters of six departments on two sides; only what is asked for is planted."""
    shape = (raters, targets, 2, items)
    r, t, w, i = (v.ravel() for v in np.indices(shape))
    d = pd.DataFrame({"r": r, "t": t, "w": w, "i": i, "u": r % targets})
    d["g"], d["h"] = d["u"] % 2, d["t"] % 2
    d["m"] = np.where(d["r"] // targets % 2, "named", "confidential")
    x = 3 + 0.3 * (t - 2.5) / 2.5 - rng.normal(0, severity, raters)[r] + favour * (d["g"] == d["h"])
    x = x + mode * (d["m"] == "named") + rng.normal(0, 0.25, (raters, targets))[r, t]
    d["s"] = np.clip(np.rint(2 * (x + rng.normal(0, 0.5, len(d)))) / 2, 1, 5)
    asked = rng.random((raters, targets)) < 0.6
    return d[(d["u"] != d["t"]) & asked[r, t]].reset_index(drop=True)


def overview(result):
    table = result.table
    return table[table["metric"] == "impact"].set_index("variant")


def test_each_effect_is_one_row_and_only_planted_ones_are_clear():
    rng, invented = np.random.default_rng(1), 0
    for k in range(2):
        rows = overview(verify.impact(study(rng, severity=0.5, favour=0.4), **ALL, rng=k))
        assert list(rows.index) == ["careless", "severity", "halo", "centrality", "drift", "in_group",
                                    "reciprocity", "collusion", "mode_effect"]  # fmt: skip
        assert (
            rows.loc[["severity", "halo", "in_group"], "verdict"].isin(["small", "matters"]).all()
        )
        invented += (
            rows.loc[["drift", "collusion", "mode_effect"], "verdict"]
            .isin(["small", "matters"])
            .sum()
        )
        assert rows.loc["severity", "size_low"] <= 0.5 <= rows.loc["severity", "size_high"]
        assert rows.loc["in_group", "size_low"] <= 0.4 <= rows.loc["in_group", "size_high"]
    assert invented <= 1  # of six, at 5% over all


def test_the_largest_shift_and_the_groups_are_those_of_the_rows_below():
    found = verify.impact(study(np.random.default_rng(2), severity=0.8, favour=0.6), **ALL)
    table = found.table
    for name, row in overview(found).iterrows():
        below = table[(table["metric"] == "score_shift") & (table["variant"] == name)]
        assert len(below) == 6
        assert row["estimate"] == pytest.approx(below["estimate"].abs().max())
        assert row["changed"] == (below["group_before"] != below["group_after"]).sum()
    words = set(table["group_before"]) | set(table["group_after"])
    assert words <= {"", "above", "with", "below"}


def test_a_planted_effect_that_changes_groups_matters():
    rng = np.random.default_rng(3)
    d = study(rng, favour=1.2)
    # One side has far more raters: its departments look good for that alone.
    lone = d[(d["g"] == 0) | (d["r"] < 14)]
    found = verify.impact(lone, **NAMES, side=("g", "h"))
    row = overview(found).loc["in_group"]
    assert row["verdict"] == "matters" and row["changed"] >= 1 and row["estimate"] > 0.2
    assert {"impact.overview", "impact.in_group"} <= {f.key for f in found.findings}


def test_without_columns_an_effect_is_not_asked_and_one_wave_has_no_drift():
    d = study(np.random.default_rng(4), severity=0.5)
    once = d[(d["w"] == 0) & (d["i"] == 0)]
    rows = overview(verify.impact(once, rater="r", target="t", score="s"))
    assert rows.loc["severity", "verdict"] in ("small", "matters")
    others = rows.drop(index="severity")
    assert (others["verdict"] == "not_asked").all() and others["estimate"].isna().all()
    drift = overview(verify.impact(d[d["w"] == 0], **NAMES)).loc["drift"]
    assert drift["verdict"] == "refused"
    with pytest.raises(TableError):
        verify.impact(d, **NAMES, side=("g",))


def test_departments_of_few_raters_are_hidden_and_two_are_needed():
    d = study(np.random.default_rng(5), severity=0.5)
    few = d[(d["t"] > 0) | (d["r"] < 6)]
    table = verify.impact(few, **NAMES).table
    hidden = table[(table["t"] == "0")]
    assert len(hidden) and hidden["estimate"].isna().all() and (hidden["group_before"] == "").all()
    assert (hidden["n"] == 0).all()
    alone = verify.impact(d[d["t"] == 0], **NAMES)
    assert alone.findings[0].level == "refused" and np.isnan(alone.table["estimate"].iloc[0])


def test_no_key_of_a_rater_is_in_the_result():
    d = study(np.random.default_rng(6), severity=0.5).assign(r=lambda t: "key" + t["r"].astype(str))
    found = verify.impact(d, **ALL)
    assert "key" not in found.table.to_csv() + found.say("zh") + found.say("en") + str(found.about)


def test_errors_of_means_are_those_of_raters_and_groups_hold_their_level():
    rng, called = np.random.default_rng(7), 0
    for _ in range(60):
        x = rng.normal(0, 0.5, (30, 1)) + rng.normal(0, 0.6, (30, 5))
        r, t = (v.ravel() for v in np.indices(x.shape))
        base = impact_groups.base(reader.read(
            pd.DataFrame({"r": r, "t": t, "s": x.ravel()}), rater="r", target="t", score="s"))  # fmt: skip
        called += (base.group != 0).any()
    np.testing.assert_allclose(base.error, x.std(axis=0, ddof=1) / np.sqrt(30), rtol=1e-9)
    assert called <= 7  # 5% of 60 with room for chance


def test_every_row_that_was_found_has_limits_and_every_other_none():
    found = verify.impact(study(np.random.default_rng(8), severity=0.5, favour=0.4), **ALL).table
    rows = found[
        (found["metric"] == "score_shift") | found["verdict"].isin(["small", "matters", "none"])
    ]
    # So few raters were flagged that no department's score without them is shown.
    rows = rows[rows["variant"] != "careless"]
    assert len(rows) > 50 and rows[["estimate", "low", "high"]].notna().all(axis=None)
    assert ((rows["low"] <= rows["estimate"]) & (rows["estimate"] <= rows["high"])).all()
    shifts = rows[(rows["metric"] == "score_shift") & rows["variant"].isin(["severity", "drift"])]
    assert (shifts["low"] < shifts["high"]).all() and (shifts["n"] >= 5).all()
    asked = verify.impact(study(np.random.default_rng(8)), **NAMES).table
    other = asked[asked["verdict"] == "not_asked"]
    assert len(other) == 4 and other[["estimate", "low", "high"]].isna().all(axis=None)


def _small(rng):
    """A random small design; some departments, sides, modes and last waves have one to four raters."""
    d = study(rng, severity=0.5, favour=0.3, raters=int(rng.integers(14, 30)), targets=5)
    for t in rng.choice(5, 2, replace=False):
        few = rng.choice(d["r"].unique(), int(rng.integers(1, 5)), replace=False)
        late = d["w"] == 1 if rng.random() < 0.3 else True
        d = d[(d["t"] != t) | d["r"].isin(few) | ~late]
    if rng.random() < 0.3:
        d["m"] = np.where(d["r"] < 3, "named", "confidential")
    return d.assign(t="unit " + d["t"].astype(str), u="unit " + d["u"].astype(str),
                    r="key" + d["r"].astype(str)).reset_index(drop=True)  # fmt: skip


def _everything(found):
    """All that a ledger tells: frame, findings in both languages, notes, words of the plot."""
    from matplotlib.figure import Figure

    figure = Figure()
    found.plot(ax=figure.add_subplot())
    drawn = [t.get_text() for t in figure.axes[0].texts]
    return found.table.to_csv(), found.say("zh"), found.say("en"), drawn


@pytest.mark.parametrize("seed", range(6))
def test_no_group_below_five_is_told_anywhere_in_the_ledger(seed):
    rng = np.random.default_rng(100 + seed)
    d = _small(rng)
    raters = d.groupby("t")["r"].nunique()
    thin = list(raters.index[raters < 5])
    found = verify.impact(d, **ALL)
    shifts = found.table[found.table["metric"] == "score_shift"]
    hidden = shifts[shifts["t"].isin(thin)]
    assert hidden["estimate"].isna().all() and (hidden["n"] == 0).all()
    assert (hidden[["group_before", "group_after"]] == "").all(axis=None)
    told = shifts[shifts["estimate"].notna()]
    assert (told["n"] >= 5).all()
    # Whatever the hidden ones were given, nothing else moves: they cannot be worked out.
    other = d.assign(s=d["s"].where(~d["t"].isin(thin), 6 - d["s"]))
    assert _everything(verify.impact(other, **ALL)) == _everything(found)
    verdicts = overview(found)["verdict"]
    if d.groupby("m")["r"].nunique().min() < 5:
        assert verdicts["mode_effect"] == "refused"
    last = d[d["w"] == 1].groupby("t")["r"].nunique()
    drift = told[told["variant"] == "drift"]
    assert not set(drift["t"]) & set(last.index[last < 5])
    if len(drift):
        assert drift["estimate"].sum() == pytest.approx(0, abs=1e-9)


def test_the_size_of_an_effect_that_fewer_than_five_tell_is_refused():
    d = study(np.random.default_rng(13), favour=0.4, items=1)
    forms = reader.read(d, rater="r", target="t", score="s", wave="w")
    columns = impact_effects.Columns("r", "t", "s", None, "w", "u", ("g", "h"), None)
    call = {"rater": "r", "target": "t", "score": "s", "wave": "w"}
    counts = set()
    for left_out in range(-1, 6):
        few = d[(d["r"] < 6) & (d["r"] != left_out)]
        found = verify.in_group(few, **call, rater_group="g", target_group="h")
        counts.add(found.about["raters_with_both"])
        refused = found.about["raters_with_both"] < 5
        assert impact_effects._points(found, forms, columns).why == ("refused" if refused else "")
    assert counts & {3, 4} and 5 in counts
    found = verify.collusion(d, **call, rater_unit="u", rater_group="g", target_group="h")
    lone = SimpleNamespace(
        about=found.about, findings=found.findings, table=found.table.assign(n=0)
    )
    assert impact_effects._points(lone, forms, columns).why == "refused"
    again = d[(d["w"] == 0) | (d["r"] < 4)]
    seen = reader.read(again, rater="r", target="t", score="s", wave="w")
    assert impact_effects._spread(verify.drift(again, **call), seen, columns).why == "refused"


def test_a_difference_is_shown_when_five_raters_or_more_stand_on_both_sides_of_it():
    r, t = (v.ravel() for v in np.indices((12, 3)))
    # The second department has nine raters, the third four.
    table = pd.DataFrame({"r": r, "t": t, "s": 3.0})[(t == 0) | (r < np.array([0, 9, 4])[t])]
    forms = reader.read(table, rater="r", target="t", score="s")
    for out, few in (
        (0, [0, 0, 1]),
        (1, [1, 1, 1]),
        (4, [1, 1, 1]),
        (5, [0, 1, 1]),
        (8, [1, 1, 1]),
    ):
        assert ledger.few_behind(forms, np.arange(12) < out).tolist() == few


def test_scores_without_a_few_careless_raters_are_not_told():
    rng = np.random.default_rng(12)
    d = study(rng, raters=40, targets=4, items=8)
    wild = d["r"].isin([0, 1])
    d.loc[wild, "s"] = rng.integers(1, 6, wild.sum())
    who = verify.careless_raters(d, **NAMES).set_index("r")["flagged"]
    left = d[d["r"].map(who)].groupby("t")["r"].nunique().reindex(range(4), fill_value=0)
    assert left.between(1, 4).any()
    for table in (verify.careless(d, **NAMES).table, verify.impact(d, **ALL).table):
        rows = table[table["metric"].isin(["score_without", "score_shift"])]
        if "impact" in set(table["metric"]):
            rows = rows[rows["variant"] == "careless"]
        rows = rows.set_index(rows["t"].astype(int))
        few = left.index[left.between(1, 4)]
        assert rows.loc[few, "estimate"].isna().all() and (rows.loc[few, "n"] == 0).all()
        none = left.index[left == 0]
        assert (rows.loc[none, "estimate"] == 0).all()
    said = verify.careless(d, **NAMES)
    assert "careless.hidden" in [f.key for f in said.findings]


def _thin(rng, severity, drift, raters=30, targets=6, waves=3):
    """Who rates whom differs from wave to wave, so that severity and drift move the means."""
    r, t, w = (v.ravel() for v in np.indices((raters, targets, waves)))
    hard, moved = rng.normal(0, severity, raters), rng.normal(0, drift, (raters, waves))
    pair = rng.normal(0, 0.3, (raters, targets))
    s = 3 + 0.3 * (t % 3) - hard[r] + moved[r, w] + pair[r, t] + rng.normal(0, 0.4, len(r))
    keep = rng.random(len(r)) < 0.4
    return pd.DataFrame({"r": r, "t": t, "w": w, "s": s})[keep], hard, moved


def test_shifts_by_severity_and_drift_hold_the_true_ones():
    hits = {"severity": [], "drift": []}
    for seed in range(24):
        rng = np.random.default_rng(100 + seed)
        d, hard, moved = _thin(rng, 0.4, 0.3)
        last = d[d["w"] == 2]
        for name, rows, effect in (("severity", d, -hard[d["r"]]),
                                   ("drift", last, moved[last["r"], last["w"]])):  # fmt: skip
            true = -pd.Series(effect, rows.index).groupby(rows["t"]).mean()
            true -= true.mean()
            found = _shifts_of(d, name)
            hits[name].extend((found["low"] <= true.values) & (true.values <= found["high"]))
    for held in hits.values():
        assert np.mean(held) >= 0.93 - 0.04  # 144 limits: two standard errors below the promise


def _shifts_of(d, name):
    if name == "drift":
        found = verify.drift(d, rater="r", target="t", score="s", wave="w").table
        return found[found["metric"] == "score_shift"]
    forms = reader.read(d, rater="r", target="t", score="s", wave="w")
    effect = impact_effects._severity(forms)
    return pd.DataFrame({"low": effect.low, "high": effect.high})


def test_a_variance_that_is_not_there_is_called_so_in_five_of_a_hundred_studies():
    p = []
    for seed in range(120):
        d, *_ = _thin(np.random.default_rng(seed), 0.0, 0.0)
        one = d[d["w"] == 0]
        r, t = (np.unique(one[c], return_inverse=True)[1] for c in "rt")
        model = fixed_targets(Ratings(one["s"].to_numpy(), t, r)).model
        p.append(mixed_checks.none_p(model, [0]))
    p = np.array(p)
    assert 0.3 < (p == 1).mean() < 0.75  # about half of the estimates lie on the bound
    assert (p <= 0.05).mean() <= 0.11  # 5% of 120, with room for chance: three standard errors


def test_the_p_of_a_variance_compares_with_the_model_that_has_none():
    rng = np.random.default_rng(3)
    r, t = (v.ravel() for v in np.indices((20, 6)))
    y = rng.normal(0, 0.25, 20)[r] + rng.normal(0, 0.5, 6)[t] + rng.normal(0, 0.5, 120)
    whole, without = reml(y, [t, r]), reml(y, [t])
    ratio = without.criterion - whole.criterion
    assert mixed_checks.none_p(whole, [1]) == pytest.approx(stats.chi2.sf(ratio, 1) / 2, rel=1e-4)
    # Minus twice the restricted likelihood of a plain mean.
    plain = 119 * (np.log(2 * np.pi * y.var(ddof=1)) + 1) + np.log(120)
    both = plain - whole.criterion
    expected = (stats.chi2.sf(both, 1) + stats.chi2.sf(both, 2)) / 2
    assert mixed_checks.none_p(whole, [0, 1]) == pytest.approx(expected, rel=1e-4)


def test_what_a_pair_gives_each_other_is_taken_out_of_both_and_of_nobody_else():
    d = study(np.random.default_rng(12))
    pair = d["u"].isin([1, 4]) & d["t"].isin([1, 4])
    d.loc[pair, "s"] = (d.loc[pair, "s"] + 0.8).clip(upper=5)
    found = verify.impact(d, **NAMES, rater_unit="u")
    table = found.table
    rows = table[(table["metric"] == "score_shift") & (table["variant"] == "reciprocity")]
    shift = rows.set_index("t")["estimate"]
    others = shift.drop(["1", "4"])
    np.testing.assert_allclose(others, others.iloc[0])
    for t, other in (("1", 4), ("4", 1)):
        share = (d.loc[d["t"] == int(t), "u"] == other).mean()
        assert others.iloc[0] - shift[t] == pytest.approx(0.8 * share, rel=0.4)
    size = overview(found).loc["reciprocity", "estimate"]
    assert size == pytest.approx(shift.abs().max())


def _base(spread=1.0, group=(-1, 0, 1, 0), shown=(True, True, True, False), after=None):
    group = np.array(group)
    return SimpleNamespace(
        spread=spread, group=group, shown=np.array(shown), raters=np.array([9, 8, 7, 4]),
        targets=list("abcd"), after=lambda effect: group if after is None else np.array(after),
    )  # fmt: skip


def _effect(shift=(0.1, -0.4, 0.2, 9.0), half=0.3, why=""):
    shift = np.array(shift)
    nothing = np.full(4, np.nan)
    ends = (nothing,) * 3 if why else (shift, shift - half, shift + half)
    return impact_effects.Effect("halo", (0.5, 0.4, 0.6), 0.01, *ends, why=why)


@pytest.mark.parametrize(
    ("row", "why", "word"),
    [
        ({}, "", "small"),
        ({"estimate": 0.5}, "", "matters"), ({"estimate": 0.499}, "", "small"),
        ({"changed": 1}, "", "matters"),
        ({"p_adjusted": 0.05}, "", "small"), ({"p_adjusted": 0.051, "changed": 3}, "", "none"),
        ({"p_adjusted": np.nan}, "", "none"), ({"estimate": np.nan}, "", "hidden"),
        ({}, "refused", "refused"),
    ],
)  # fmt: skip
def test_half_of_the_spread_of_departments_or_a_changed_group_matters(row, why, word):
    row = {"estimate": 0.1, "p_adjusted": 0.01, "changed": 0} | row
    assert impact._verdict(_effect(why=why), row, _base()) == word


def test_the_row_of_an_effect_is_its_largest_shown_shift_without_a_sign():
    row = impact._row(_effect(), _base(after=(0, 0, 1, 1)), "t").iloc[0]
    assert row[["estimate", "low", "high"]].tolist() == pytest.approx([0.4, 0.1, 0.7])
    assert (row["n"], row["changed"]) == (3, 1)  # the hidden one is not counted
    across = impact._row(_effect(half=0.5), _base(), "t").iloc[0]
    assert across[["estimate", "low", "high"]].tolist() == pytest.approx([0.4, 0.0, 0.9])
    none = impact._row(_effect(why="not_asked"), _base(), "t").iloc[0]
    assert none["n"] == 0 and none[["estimate", "low", "high", "changed"]].isna().all()
    touching = impact._row(_effect(half=0.4), _base(), "t").iloc[0]
    assert touching["low"] == 0


def test_shifts_of_hidden_departments_are_not_told():
    table = impact._shifts(_effect(), _base(), "t", ["e"])
    assert table["t"].tolist() == list("abcde") and table["n"].tolist() == [9, 8, 7, 0, 0]
    assert table["estimate"].tolist()[:3] == pytest.approx([0.1, -0.4, 0.2])
    assert table[["estimate", "low", "high"]].iloc[3:].isna().all(axis=None)
    assert table["group_before"].tolist() == ["below", "with", "above", "", ""]


def test_clear_effects_are_told_the_largest_first_and_others_are_counted():
    rows = pd.DataFrame({
        "variant": ["halo", "severity", "drift", "careless", "centrality", "in_group"],
        "verdict": ["small", "matters", "none", "hidden", "refused", "not_asked"],
        "estimate": [0.1, 0.3, 0.9, np.nan, 0, 0], "size": 0.5, "size_low": 0.25, "size_high": 0.75,
        "changed": 2.0, "n": 7.0,
    })  # fmt: skip
    found = impact._findings(rows)
    assert [(f.key.split(".")[1], f.level) for f in found] == [
        ("overview", "warning"), ("severity", "warning"), ("halo", "note"), ("hidden", "note"),
        ("refused", "note"), ("not_asked", "note"),
    ]  # fmt: skip
    assert found[0].values == {"asked": 4, "clear": 3, "matters": 1}
    sizes = {f.key.split(".")[1]: f.values["size"] for f in found[1:3]}
    assert sizes == {"severity": 0.5, "halo": 50.0}  # a spread in points, a share in percent
    assert found[1].values["changed"] == 2 and found[1].values["targets"] == 7
    assert found[4].values == found[5].values == {"count": 1}
    calm = impact._findings(rows.assign(verdict="none"))
    assert [(f.key, f.level) for f in calm] == [("impact.overview", "note")]


def test_errors_of_means_are_clustered_by_rater():
    """One form of each rater: the error of a mean is s / sqrt(n) with n - 1 in s."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=17)
    target = np.array([0] * 5 + [1] * 8 + [2] * 4)
    forms = SimpleNamespace(
        targets=list("abc"), target=target, rater=np.arange(17), centred=lambda: y
    )
    found = impact_groups.base(forms)
    means = [y[target == k].mean() for k in range(3)]
    errors = [y[target == k].std(ddof=1) / np.sqrt((target == k).sum()) for k in range(3)]
    np.testing.assert_allclose(found.mean, means)
    np.testing.assert_allclose(found.error, errors)
    assert found.shown.tolist() == [True, True, False] and found.raters.tolist() == [5, 8, 4]
    assert found.spread == pytest.approx(np.std(means[:2], ddof=1)) and found.group[2] == 0
    assert impact_groups.thin(forms) == ["c"]
    less = SimpleNamespace(targets=list("ac"), target=np.array([0] * 5 + [1] * 4), rater=np.arange(9),
                           centred=lambda: y[:9])  # fmt: skip
    assert impact_groups.base(less) is None


def test_departments_of_five_raters_stand_apart_by_students_t_of_four_degrees():
    """Four equal errors s: var = s² (1 − 1/4), and t at the level that holds for four together."""
    one = (1 + 0.95 ** (1 / 4)) / 2
    at = [stats.t.ppf(one, df) * np.sqrt(0.75) for df in (3, 4, 5)]
    for far, word in (((at[0] + at[1]) / 2, 1), ((at[1] + at[2]) / 2, 0)):
        mean = np.array([far, 0.0, -far, 0.0, 9.0])
        shown = np.array([True, True, True, True, False])
        found = impact_groups.groups(mean, np.ones(5), np.array([5, 5, 5, 5, 2]), shown)
        assert found.tolist() == [word, 0, -word, 0, 0]

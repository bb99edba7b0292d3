"""Many-facet Rasch: Guilford's creativity ratings, recovery, anchors, thin and extreme data."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from svcmetrics import verify
from svcmetrics.numeric import rasch, rasch_fit
from svcmetrics.problems import TableError
from svcmetrics.result import Finding
from svcmetrics.verify import facets_data, facets_findings, facets_rows

NAMES = {"target": "t", "rater": "r", "score": "s"}
# Guilford 1954, Psychometric Methods, p. 282: judge, person, traits a to e.
GUILFORD = """1 1 5 5 3 5 3|1 2 9 7 5 8 5|1 3 3 3 3 7 1|1 4 7 3 1 3 3|1 5 9 7 7 8 5|1 6 3 5 3 5 1
1 7 7 7 5 5 5|2 1 6 5 4 6 3|2 2 8 7 5 7 2|2 3 4 5 3 6 6|2 4 5 6 4 5 5|2 5 2 4 3 2 3|2 6 4 4 6 4 2
2 7 3 3 5 5 4|3 1 5 5 5 7 3|3 2 7 7 5 7 5|3 3 3 5 5 5 5|3 4 5 3 3 3 1|3 5 9 7 7 7 7|3 6 3 3 3 5 3
3 7 7 7 7 5 7"""


@pytest.fixture(scope="module")
def guilford():
    rows = np.array([r.split() for line in GUILFORD.splitlines() for r in line.split("|")], int)
    table = pd.DataFrame(rows, columns=["r", "t", *"abcde"])
    return table.melt(id_vars=["r", "t"], var_name="i", value_name="s")


@pytest.fixture(scope="module")
def found(guilford):
    return verify.facets(guilford, **NAMES, item="i", anchors={"r": None}, interaction=("r", "t"))


def simulated(rng, targets=60, raters=20, each=6, thresholds=(-1.5, -0.5, 0.5, 1.5)):
    ability, severity = rng.normal(0, 1, targets), rng.normal(0, 0.6, raters)
    t = np.repeat(np.arange(targets), each)
    r = (np.arange(targets * each) * 7 + t) % raters
    table = pd.DataFrame({"t": t, "r": r}).drop_duplicates()
    place = ability[table["t"]] - severity[table["r"]]
    p = rasch.chances(place, np.array([thresholds]), np.zeros(len(place), int))
    score = (rng.random((len(place), 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return table.assign(s=score + 1), ability, severity


def of(result, variant, column="estimate", metric="facets"):
    table = result.table
    return table.loc[(table["metric"] == metric) & (table["variant"] == variant), column].to_numpy()


def test_guilford_1954_measures_thresholds_errors_and_fit(found):
    # Joint maximum likelihood without correction; two independent solvers agree on these.
    expected = {
        "target": [-0.071, 0.664, -0.255, -0.482, 0.441, -0.584, 0.288],
        "item": [-0.280, -0.147, 0.211, -0.302, 0.518],
        "rater": [0.040, 0.245, -0.096],
    }
    for role, values in expected.items():
        np.testing.assert_allclose(of(found, role), values, atol=0.0006)
    np.testing.assert_allclose(
        of(found, "", metric="threshold"),
        [-0.690, -2.352, 0.809, -1.484, 1.719, -0.979, 2.393, 0.585], atol=0.0006,
    )  # fmt: skip
    np.testing.assert_allclose(of(found, "rater", "error"), [0.117, 0.118, 0.116], atol=0.0006)
    np.testing.assert_allclose(of(found, "rater", "infit"), [0.849, 1.475, 0.672], atol=0.0006)
    np.testing.assert_allclose(of(found, "rater", "outfit"), [0.880, 1.524, 0.666], atol=0.0006)
    np.testing.assert_allclose(
        of(found, "target", "infit"), [0.242, 0.621, 1.164, 1.346, 1.991, 0.717, 0.882], atol=0.0006
    )


def test_guilford_1954_agreement_and_thin_categories(found):
    row = found.table[found.table["metric"] == "exact_agreement"].iloc[0]
    assert row["n"] == 105 and row["estimate"] == pytest.approx(33 / 105)
    assert row["expected"] == pytest.approx(27.0 / 105, abs=0.0006)
    keys = {f.key for f in found.findings}
    assert {"facets.thin", "facets.disordered", "facets.average_falls"} <= keys
    bias = found.table[found.table["metric"] == "bias"].set_index("element")
    assert bias["p_adjusted"].idxmin() == "2 × 5" and bias.loc["2 × 5", "estimate"] < -1


def test_scores_are_sufficient(found, guilford):
    """At the solution every expected total equals the observed one."""
    data = rasch.Data(
        guilford["s"].to_numpy() - 1, guilford["t"].to_numpy() - 1, (guilford["r"].to_numpy() - 1,),
        (7, 3), np.zeros(len(guilford), int), 8,
    )  # fmt: skip
    fit = rasch.fit(data)
    away = rasch_fit.moments(data, fit).away
    assert np.abs(np.bincount(data.target, away)).max() < 1e-8
    assert np.abs(np.bincount(data.others[0], away)).max() < 1e-8


def test_known_measures_are_recovered():
    table, ability, severity = simulated(np.random.default_rng(1), targets=200, each=12)
    found = verify.facets(table, **NAMES)
    assert np.corrcoef(of(found, "target"), ability)[0, 1] > 0.9
    measure, low, high = (of(found, "rater", c) for c in ("estimate", "low", "high"))
    true = severity - severity.mean()
    assert np.abs(measure - true).mean() < 0.15
    assert ((low - 0.1 <= true) & (true <= high + 0.1)).mean() >= 0.85
    fit = of(found, "rater", "infit")
    assert 0.9 < fit.mean() < 1.1


def test_partial_credit_and_anchors():
    rng = np.random.default_rng(2)
    one, *_ = simulated(rng, targets=150, each=10)
    two, *_ = simulated(rng, targets=150, each=10, thresholds=(-2.5, -0.2, 0.2, 2.5))
    both = pd.concat([one.assign(i="a"), two.assign(i="b")])
    found = verify.facets(both, **NAMES, item="i", steps="i")
    wide = [np.ptp(of(found, k, metric="threshold")) for k in "ab"]
    assert wide[1] > wide[0] + 1
    anchored = verify.facets(one, **NAMES, anchors={"r": {0: 1.0, 1: -1.0}})
    assert of(anchored, "rater")[:2] == pytest.approx([1.0, -1.0])
    assert (of(anchored, "rater", "error")[:2] == 0).all()
    thin = one.assign(i="a").pipe(lambda t: pd.concat([t, t.iloc[:3].assign(i="b")]))
    assert verify.facets(thin, **NAMES, item="i", steps="i").findings[0].key == "facets.thin_steps"


def test_extreme_elements_get_a_measure_and_a_warning():
    table, *_ = simulated(np.random.default_rng(3))
    table.loc[table["t"] == 0, "s"] = 5
    table.loc[table["r"] == 1, "s"] = 1
    table.loc[(table["t"] == 0) & (table["r"] == 1), "s"] = 5
    table = table[~((table["t"] == 0) & (table["r"] == 1))]
    found = verify.facets(table, **NAMES)
    measure = of(found, "target")
    assert np.isfinite(measure).all() and measure[0] == measure.max()
    severity = of(found, "rater")
    assert severity[1] == severity.max()
    assert "facets.extreme" in {f.key for f in found.findings}


def test_blocks_skipped_scores_and_refusals_are_named():
    table, *_ = simulated(np.random.default_rng(4))
    apart = pd.concat([table, table.assign(t=table["t"] + 1000, r=table["r"] + 1000)])
    assert "facets.disconnected" in {f.key for f in verify.facets(apart, **NAMES).findings}
    gaps = table.assign(s=table["s"] * 2)
    assert "facets.skipped" in {f.key for f in verify.facets(gaps, **NAMES).findings}
    same = verify.facets(table.assign(s=5), **NAMES)
    assert same.findings[0].key == "facets.one_category" and np.isnan(
        same.table["estimate"].iloc[0]
    )
    with pytest.raises(TableError):
        verify.facets(table.assign(s=table["s"] + 0.5), **NAMES)
    with pytest.raises(TableError):
        verify.facets(table, **NAMES, anchors={"x": None})


def test_elements_that_lack_a_category_have_no_thresholds_of_their_own():
    rng = np.random.default_rng(4)
    table = pd.DataFrame([(t, r, i) for t in range(12) for r in range(4) for i in "abcd"],
                         columns=["t", "r", "i"])  # fmt: skip
    table["s"] = rng.integers(1, 4, len(table))
    table.loc[table["i"].isin(["b", "c"]) & (table["s"] == 2), "s"] = 3
    table.loc[(table["i"] == "c").idxmax(), "s"] = 2  # once is enough to be estimated
    refused = verify.facets(table, **NAMES, item="i", steps="i").findings[0]
    assert (refused.key, refused.values["count"]) == ("facets.thin_steps", 1)


def test_scores_that_nobody_gave_are_listed_ten_at_most():
    assert facets_data._skipped(np.array([1.0, 2.0, 4.0])) == [3.0]
    assert facets_data._skipped(np.array([1.0, 20.0])) == [float(k) for k in range(2, 12)]
    assert facets_data._skipped(np.array([0.0, 1.0])) == []


def test_forty_eight_thousand_ratings_take_a_moment():
    rng = np.random.default_rng(5)
    t = np.repeat(np.arange(500), 96)
    r, i = (np.arange(len(t)) // 12 * 13) % 100, np.tile(np.arange(12), 4000)
    place = rng.normal(0, 1, 500)[t] - rng.normal(0, 0.5, 100)[r] - rng.normal(0, 0.5, 12)[i]
    p = rasch.chances(place, np.array([[-1.5, -0.5, 0.5, 1.5]]), np.zeros(len(t), int))
    x = (rng.random((len(t), 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    fit = rasch.fit(rasch.Data(x, t, (r, i), (500, 100, 12), np.zeros(len(t), int), 4))
    assert fit.converged and fit.steps <= 12


def test_the_ill_item_of_the_example_study_is_named(example_study_folder):
    table = pd.read_parquet(example_study_folder / "rating.parquet").merge(
        pd.read_parquet(example_study_folder / "plan.parquet"), on="plan_id"
    )
    first = table[table["wave"] == "2024-12"]
    found = verify.facets(
        first, target="target_id", rater="rater_key", item="item_id", score="score"
    )
    ill = next(f for f in found.findings if f.key == "facets.items")
    assert ill.values["items"] == ["q5"]
    assert not any(key in found.say("zh") + found.say("en") for key in set(first["rater_key"]))


def test_a_rater_or_item_runs_against_the_scale_beyond_one_percent_only():
    # Fisher 1921: atanh r is normal with error 1 / sqrt(n - 3); 2.576 is its 99% limit.
    n = np.array([103, 103, 28, 28, 4, 3])
    limit = np.tanh(-2.576 / np.sqrt(np.maximum(n - 3, 1)))
    r = np.where([1, 0, 1, 0, 1, 1], limit - 0.001, limit + 0.001)
    r[5] = -1.0  # three ratings tell nothing
    own = pd.DataFrame({"ratings": n, "correlation": r})
    assert facets_findings._against(own).tolist() == [True, False, True, False, True, False]


def test_the_bias_of_all_cells_together_has_what_the_two_facets_left_free(found):
    whole = found.table[found.table["metric"] == "bias_chi_square"].iloc[0]
    cells = found.table[found.table["metric"] == "bias"]
    assert (whole["n"], whole["df"]) == (21, (3 - 1) * (7 - 1))
    assert whole["estimate"] == pytest.approx(((cells["estimate"] / cells["error"]) ** 2).sum())
    assert whole["p"] == pytest.approx(stats.chi2.sf(whole["estimate"], 12))
    assert (cells["ratings"] == 5).all() and (cells["n"] == 1).all()


def test_an_extreme_element_is_placed_three_tenths_of_a_point_inside():
    """The measure at which its expected total is the highest possible less 0.3."""
    table, *_ = simulated(np.random.default_rng(3))
    table.loc[table["t"] == 0, "s"] = 5
    own = table.loc[table["t"] == 0]
    result = verify.facets(table, **NAMES)
    severity = of(result, "rater")[own["r"].to_numpy()]
    steps = of(result, "", metric="threshold")[None]
    at = of(result, "target")[0] - severity
    expected = rasch.chances(at, steps, np.zeros(len(own), int)) @ np.arange(5.0)
    assert expected.sum() == pytest.approx(4 * len(own) - 0.3, abs=1e-4)


def test_limits_of_fit_belong_to_what_fits():
    """Linacre 2002: mean squares from 0.5 to 1.5 are productive for measurement."""
    raters = pd.DataFrame({"infit": [0.5, 1.5, 1.0]})
    items = pd.DataFrame({"infit": [1.5, 0.2], "element": ["a", "b"]})
    assert facets_findings._fit(raters, items) == []
    raters["infit"] = [0.499, 1.501, 1.6]
    items["infit"] = [1.501, 0.2]
    found = facets_findings._fit(raters, items)
    assert found[0].values == {"noisy": 2, "muted": 1, "raters": 3}
    assert found[1].values == {"items": ["a"]}


@pytest.mark.parametrize(
    ("points", "each", "refused"), [(30, 8, True), (12, 9, True), (12, 10, False), (11, 9, False)]
)
def test_a_scale_of_many_scarcely_used_points_is_no_rating_scale(points, each, refused):
    size = points * each
    scores = np.tile(np.arange(points), each)
    table = pd.DataFrame({"t": np.arange(size) % 7, "r": np.arange(size) // 7 % 9, "s": scores})
    result = verify.facets(table.drop_duplicates(["t", "r", "s"]), target="t", rater="r", score="s")
    said = {f.key: f for f in result.findings}
    assert ("facets.too_fine" in said) is refused
    if refused:
        told = said["facets.too_fine"]
        assert told.level == "refused" and told.values["points"] == points
        assert "verify.severity" in told.say("zh") and "verify.severity" in told.say("en")


def test_the_limits_of_bias_and_its_tests_are_normal(found):
    cells = found.table[found.table["metric"] == "bias"]
    size, error = cells["estimate"], cells["error"]
    np.testing.assert_allclose(cells["low"], size - stats.norm.ppf(0.975) * error, atol=1e-6)
    np.testing.assert_allclose(cells["high"], size + stats.norm.ppf(0.975) * error, atol=1e-6)
    np.testing.assert_allclose(cells["p"], 2 * stats.norm.sf(np.abs(size / error)))
    np.testing.assert_allclose(cells["p_adjusted"], stats.false_discovery_control(cells["p"]))
    # Of both facets, each combination once, the first facet before the second.
    assert cells["element"].tolist() == [f"{r} × {t}" for r in (1, 2, 3) for t in range(1, 8)]


def test_limits_stand_around_the_corrected_place_and_hold_the_one_that_is_shown():
    places = [lambda f: np.array(f.at), lambda f: np.array(f.error)]
    plain = SimpleNamespace(at=[1.0, -2.0], error=[0.5, 1.0], limits=None)
    low, high = facets_rows.ends(plain, *places)
    np.testing.assert_allclose([low, high], [[0.020018, -3.959964], [1.979982, -0.040036]])
    by = SimpleNamespace(at=[0.5, 3.0], error=[0.1, 1.0], limits=None)
    low, high = facets_rows.ends(SimpleNamespace(at=[1.0, -2.0], error=[9, 9], limits=by), *places)
    np.testing.assert_allclose([low, high], [[0.3040036, -2.0], [1.0, 4.959964]])


def _scale(counts, thresholds=((-2.0, 0.0, 2.0),), top=None):
    x = np.repeat(np.arange(len(counts)), counts)
    t = SimpleNamespace(x=x, categories=[float(c) for c in range(1, len(counts) + 1)],
                        data=SimpleNamespace(top=len(counts) - 1 if top is None else top))  # fmt: skip
    return t, SimpleNamespace(thresholds=np.array(thresholds))


def _own(estimate=(-1.0, 0.0, 1.0, 2.0), outfit=(1.0, 1.0, 1.0, 1.0)):
    return pd.DataFrame({"element": ["1", "2", "3", "4"], "estimate": estimate, "outfit": outfit})


@pytest.mark.parametrize(
    ("counts", "thresholds", "own", "key", "values"),
    [
        # Linacre 2002: ten ratings in each category, one peak, thresholds and averages that rise,
        # an outfit of 2.0 at most.
        ([10, 30, 20, 10], (-2, 0, 2), {}, None, None),
        ([9, 30, 20, 10], (-2, 0, 2), {}, "thin", {"categories": ["1"], "least": 10}),
        ([10, 30, 20, 10], (-2, 0, -0.5), {}, "disordered", {"count": 1}),
        ([10, 30, 20, 10], (-2, 0, 0), {}, None, None),
        ([10, 30, 20, 10], (-2, 0, 2), {"estimate": [-1, 0, -0.1, -0.2]}, "average_falls", {"count": 2}),
        ([10, 30, 20, 10], (-2, 0, 2), {"estimate": [-1, 0, 0, 1]}, None, None),
        ([10, 30, 20, 10], (-2, 0, 2), {"outfit": [2, 2.01, 1, 3]}, "category_misfit",
         {"categories": ["2", "4"]}),
        ([30, 10, 20, 10], (-2, 0, 2), {}, "uneven", {"counts": [30, 10, 20, 10]}),
        ([20, 20, 10, 10], (-2, 0, 2), {}, None, None),
        ([30, 20, 20, 30], (-2, 0, 2), {}, "uneven", {"counts": [30, 20, 20, 30]}),
    ],
)  # fmt: skip
def test_what_a_scale_that_works_looks_like(counts, thresholds, own, key, values):
    said = facets_findings._categories(*_scale(counts, (thresholds,)), _own(**own))
    assert [f.key for f in said] == ([f"facets.{key}"] if key else [])
    if key:
        assert said[0].values == values
        assert said[0].level == ("note" if key == "uneven" else "warning")


@pytest.mark.parametrize(
    ("top", "steps", "values"),
    [
        # Five points and more: one logit between thresholds; fewer: 1.4; never more than five.
        (4, [1.0, 5.0], None), (4, [0.99, 1.0], (1, 0, 1.0)), (4, [5.01, 1.0], (0, 1, 1.0)),
        (3, [1.4, 5.0], None), (3, [1.39, 1.2], (2, 0, 1.4)), (4, [0.0, 6.0], (1, 1, 1.0)),
        (4, [-0.1, 3.0], None),  # disorder is told by itself
    ],
)  # fmt: skip
def test_thresholds_are_neither_too_close_nor_too_far(top, steps, values):
    t, found = _scale([10, 10, 10], (np.cumsum([0.0, *steps]),), top)
    said = facets_findings._spacing(t, found)
    assert [tuple(f.values.values())[:3] for f in said] == ([values] if values else [])
    assert all(f.values["most"] == 5.0 for f in said)


@pytest.mark.parametrize(("p", "count", "largest"), [(0.049, 2, 1.5), (0.05, 1, 0.7)])
def test_bias_is_sure_below_five_percent(p, count, largest):
    bias = pd.DataFrame({"p_adjusted": [0.01, p, 0.9], "estimate": [0.7, -1.5, 3.0]})
    of = {"bias": bias, "bias_chi_square": pd.DataFrame({"p": [1e-9]})}
    (said,) = facets_findings._bias(of, ("r", "t"))
    assert said.key == "facets.bias"
    assert said.values == {"first": "r", "second": "t", "count": count, "of": 3,
                           "largest": largest, "p": 0.001}  # fmt: skip
    of = {"bias": bias.iloc[2:], "bias_chi_square": pd.DataFrame({"p": [0.4]})}
    (said,) = facets_findings._bias(of, ("r", "t"))
    assert said.key == "facets.no_bias" and said.values["largest"] == 0 and said.values["p"] == 0.4
    assert facets_findings._bias(of, None) == [] == facets_findings._bias({}, ("r", "t"))


def _limited(**more):
    t = SimpleNamespace(**{"skipped": [], "repeated": 0, "blocks": (np.array([0, 1]),), "x": np.ones(40),
                           "labels": [["a", "b"]], "data": None, **more})  # fmt: skip
    return t, SimpleNamespace(loose=[], converged=True, steps=7, limits=None)


@pytest.mark.parametrize(
    ("more", "found", "method", "key", "values"),
    [
        ({}, {}, "conditional", None, None),
        ({"skipped": [2.0, 4.0]}, {}, "conditional", "skipped", {"scores": ["2", "4"]}),
        ({"repeated": 3}, {}, "conditional", "repeated", {"count": 3}),
        ({}, {"converged": False}, "conditional", "not_converged", {"steps": 7}),
        ({}, {}, "joint", "narrow", {"ratings": 40, "targets": 2}),
        ({}, {"loose": [1]}, "joint", None, None),
        ({}, {}, "marginal", "sample", {"blocks": 2}),
    ],
)
def test_what_to_be_careful_with_is_said(more, found, method, key, values):
    t, fitted = _limited(**more)
    vars(fitted).update(found)
    own = pd.DataFrame({"note": ["", ""]})
    said = facets_findings._limits(t, fitted, own, method)
    assert [(f.key, f.values) for f in said] == ([(f"facets.{key}", values)] if key else [])
    extreme = facets_findings._limits(t, fitted, own.assign(note=["", "extreme"]), method)
    assert extreme[0] == Finding("facets.extreme", {"count": 1}, "warning")


@pytest.mark.parametrize(("factor", "told"), [(0.92, None), (0.5, 1.0), (0.001, 99.0)])
def test_measures_drawn_apart_by_more_than_a_tenth_are_told(monkeypatch, factor, told):
    monkeypatch.setattr(facets_findings.rasch_correct, "factors", lambda data: ([0.95, factor],))
    t, found = _limited()
    found.limits = object()
    said = facets_findings._drawn(t, found)
    assert [f.key for f in said] == (["facets.drawn"] if told else [])
    if told:
        assert said[0].values["share"] == pytest.approx(told)


@pytest.mark.parametrize(
    ("loose", "blocks", "key", "values"),
    [
        ([], [0, 0], "reading", {}),
        ([0, 1], [0, 1], "disconnected", {"blocks": 2}),
        ([2], [0, 0], "aliased", {"facets": ["i"]}),
    ],
)
def test_places_that_are_left_open_come_first(loose, blocks, key, values):
    t = SimpleNamespace(labels=[["a", "b"], ["x", "y", "z"], ["q"]], x=np.ones(40),
                        blocks=(np.array(blocks),))  # fmt: skip
    measure = [1.0, 3.0, 0.5, 1.5, 2.5, 9.0]
    of = {"facets": pd.DataFrame({"estimate": measure}),
          "reliability": pd.DataFrame({"estimate": [0.8, 0.1]})}  # fmt: skip
    (said,) = facets_findings._first(t, SimpleNamespace(loose=loose), of, ["t", "r", "i"])
    size = {"targets": 2, "raters": 3, "ratings": 40}
    assert (said.key, said.level) == (f"facets.{key}", "note" if key == "reading" else "refused")
    if key == "reading":
        values = size | {"reliability": 0.8, "severity": 1.0, "spread": 2**0.5}
    elif key == "disconnected":
        values = size | values
    if key == "aliased":
        assert said.values == values
    else:
        assert dict(said.values) == pytest.approx(values)
    of["reliability"]["estimate"] = np.nan
    (said,) = facets_findings._first(t, SimpleNamespace(loose=[]), of, ["t", "r", "i"])
    assert said.key == "facets.reading_one"


def test_where_targets_are_a_sample_an_extreme_one_is_estimated_and_an_extreme_rater_is_not():
    table, *_ = simulated(np.random.default_rng(3))
    table.loc[(table["t"] == 0) | (table["r"] == 0), "s"] = 5
    result = verify.facets(table, **NAMES, method="marginal").table
    own = result[result["metric"] == "facets"].set_index(["variant", "element"])["note"]
    assert own["target", "0"] == "" and own["rater", "0"] == "extreme"
    joint = verify.facets(table, **NAMES, method="joint").table
    own = joint[joint["metric"] == "facets"].set_index(["variant", "element"])["note"]
    assert own["target", "0"] == own["rater", "0"] == "extreme"


def test_the_error_of_an_extreme_element_is_that_of_its_information():
    table, *_ = simulated(np.random.default_rng(3))
    table.loc[table["t"] == 0, "s"] = 5
    own = table.loc[table["t"] == 0]
    result = verify.facets(table, **NAMES)
    at = of(result, "target")[0] - of(result, "rater")[own["r"].to_numpy()]
    steps = of(result, "", metric="threshold")[None]
    p = rasch.chances(at, steps, np.zeros(len(own), int))
    p = p if p.shape[0] == len(own) else p.T
    score = np.arange(5.0)
    variance = p @ score**2 - (p @ score) ** 2
    assert of(result, "target", "error")[0] == pytest.approx(1 / np.sqrt(variance.sum()), rel=1e-6)


def test_elements_of_lowest_and_highest_scores_are_set_aside_until_none_is_left():
    # Target 0 all highest; without it rater 0 is all lowest; without that target 1 is all highest.
    x = np.array([2, 2, 0, 2, 0, 1, 1, 2, 0])
    target = np.array([0, 0, 1, 1, 2, 2, 3, 3, 3])
    rater = np.array([0, 1, 0, 1, 0, 1, 2, 1, 2])
    free = [np.zeros(4, bool), np.zeros(3, bool)]
    keep = facets_data._informative(x, (target, rater), 2, free)
    assert keep.tolist() == [False, False, False, False, False, True, True, True, True]
    held = [np.array([True, False, False, False]), np.zeros(3, bool)]
    assert facets_data._informative(x, (target, rater), 2, held).all()


def test_ratings_of_the_same_thing_by_the_same_rater_are_counted_beyond_the_first():
    codes = (
        np.array([0, 0, 0, 1, 1, 1]),
        np.array([0, 0, 1, 1, 1, 1]),
        np.array([0, 0, 0, 1, 1, 0]),
    )
    assert facets_data._repeated(codes, [["a", "b"]] * 3) == 2
    assert facets_data._repeated(codes[:2], [["a", "b"]] * 2) == 3
    assert facets_data._repeated(codes[:1], [["a", "b"]]) == 4


@pytest.mark.parametrize(
    ("group", "x", "thin"), [([0, 0, 1, 1], [0, 1, 0, 1], 0), ([0, 0, 1, 1], [0, 1, 1, 1], 1),
                             ([0, 0, 1, 1], [0, 0, 1, 1], 2), ([0, 0, 1, 1], [0, 1, 0, 0], 1)]
)  # fmt: skip
def test_elements_that_lack_a_category_are_counted(group, x, thin):
    assert facets_data._thin(np.array(group), np.array(x), 2) == thin


def test_raters_who_never_meet_on_the_same_thing_agree_on_nothing():
    """A Latin square: each item of each department has one rater, so that no pair can agree."""
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(
        [(t, r, (t + r) % 5) for t in range(20) for r in range(5)], columns=[*"tri"]
    )
    rows["x"] = rng.integers(1, 4, len(rows))
    found = verify.facets(rows, target="t", rater="r", item="i", score="x").table
    (none,) = found[found["metric"] == "exact_agreement"].to_dict("records")
    assert none["n"] == 0
    assert np.isnan([none["estimate"], none["low"], none["high"], none["expected"]]).all()


def test_a_weight_of_nought_leaves_a_rating_out_and_says_so():
    rows = pd.DataFrame(
        {"t": [*"aabb"], "r": [*"xyxy"], "s": [1, 2, 2, 1], "w": [1.0, 0.0, 2.0, 0.5]}
    )
    kept, dropped = facets_data.read(rows, ["t", "r"], "s", "w")
    assert kept["w"].tolist() == [1.0, 2.0, 0.5]
    assert dropped == {"no_weight": 1}
    assert facets_data.read(rows.assign(w=1.0), ["t", "r"], "s", "w")[1] == {}
    with pytest.raises(TableError):
        facets_data.read(rows.assign(w=[1.0, -0.1, 2.0, 0.5]), ["t", "r"], "s", "w")

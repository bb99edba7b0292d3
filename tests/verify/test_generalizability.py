"""Generalizability: Brennan's tables, incomplete designs, fixed facets, formulas, refusals."""

import importlib
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import TableError
from svcmetrics.verify import _generalizability_findings, d_study, generalizability
from svcmetrics.verify._formula import read_formula
from tests.verify.samples import SAMPLES

PRINTED = tomllib.loads(
    (Path(__file__).parents[1] / "published" / "generalizability.toml").read_text("utf-8")
)
# The package holds the function under the same name.
MODULE = importlib.import_module("svcmetrics.verify.generalizability")
RATED = SAMPLES["generalizability"].data


def long(values, *names):
    values = np.array(values)
    index = np.indices(values.shape).reshape(values.ndim, -1)
    return pd.DataFrame(dict(zip(names, index, strict=True))).assign(score=values.ravel())


def value(result, metric, variant=None, term=None):
    table = result.table[result.table["metric"] == metric]
    table = table if variant is None else table[table["variant"] == variant]
    table = table if term is None else table[table["term"] == term]
    return table["estimate"].to_numpy()


@pytest.mark.parametrize("name", list(PRINTED))
def test_printed_tables(name):
    case = PRINTED[name]
    data = long(case["data"], *case["axes"])
    if "unique" in case:  # raters of different tasks are different persons
        data[case["unique"][0]] += 100 * data[case["unique"][1]]
    result = generalizability(data, case["formula"], object=case["object"])
    for term, printed in case["components"].items():
        assert value(result, "component", "raw", term) == pytest.approx(printed, abs=0.00005), term
    for metric, printed in case["coefficients"].items():
        assert value(result, metric) == pytest.approx(printed, abs=case["half_digit"])


def test_reml_and_mean_squares_agree_on_a_balanced_design(monkeypatch):
    case = PRINTED["synthetic_4"]
    data = long(case["data"], *case["axes"])
    one = generalizability(data, "score ~ p*t + t:r", object="p")
    monkeypatch.setattr("svcmetrics.verify._components.is_balanced", lambda *_: False)
    two = generalizability(data, "score ~ p*t + t:r", object="p")
    assert "REML" in two.about["method"]
    assert value(two, "component", "raw") == pytest.approx(value(one, "component", "raw"), rel=1e-6)
    assert value(two, "phi") == pytest.approx(value(one, "phi"), rel=1e-6)


def test_nesting_may_be_written_or_lie_in_the_labels():
    case = PRINTED["synthetic_4"]
    data = long(case["data"], *case["axes"])
    unique = data.assign(r=data["r"] + 100 * data["t"])
    a = generalizability(data, "score ~ p*t + t:r", object="p").table
    b = generalizability(unique, "score ~ p + t + p:t + r", object="p").table
    order = ["p", "t", "p:t", "residual"]
    for term in order:
        x, y = (t.loc[t["term"] == term, "estimate"].to_numpy() for t in (a, b))
        assert x == pytest.approx(y)


def test_raters_nested_in_departments_are_part_of_the_relative_error():
    data = RATED.assign(
        who=RATED["who"].astype(str) + RATED["unit"] + (RATED["who"] % 2).astype(str)
    )
    data = pd.concat([data, data.assign(points=data["points"].iloc[::-1].to_numpy())])
    result = generalizability(data, "points ~ unit + who", object="unit")
    assert value(result, "phi") == pytest.approx(value(result, "erho2"))


def test_a_fixed_facet_counts_for_the_object():
    case = PRINTED["synthetic_3"]
    data = long(case["data"], *case["axes"])
    c = case["components"]
    result = generalizability(data, case["formula"], object="p", fixed=["i"])
    universe = c["p"] + c["p:i"] / 4
    error = c["p:o"] / 2 + c["residual"] / 8
    absolute = error + c["o"] / 2 + c["i:o"] / 8
    assert value(result, "erho2") == pytest.approx(universe / (universe + error), abs=1e-4)
    assert value(result, "phi") == pytest.approx(universe / (universe + absolute), abs=1e-4)


def test_negative_components_are_shown_raw_and_cut():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(8, 6))
    noise -= noise.mean(axis=1, keepdims=True)  # equal department means: less than chance
    result = generalizability(
        long(noise, "target", "rater"), "score ~ target + rater", object="target"
    )
    assert value(result, "component", "raw", "target")[0] < 0
    assert value(result, "component", "truncated", "target")[0] == 0
    assert value(result, "phi") == [0.0]
    assert {"generalizability.none", "generalizability.negative"} <= {
        f.key for f in result.findings
    }


def test_intervals_hold_what_was_put_in(monkeypatch):
    monkeypatch.setattr(MODULE, "_DRAWS", 1000)
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(60):
        y = rng.normal(0, 1, (12, 1)) + rng.normal(0, 0.7, (1, 10)) + rng.normal(0, 1, (12, 10))
        t = generalizability(long(y, "t", "r"), "score ~ t + r", object="t", rng=1).table
        row = t[t["metric"] == "phi"].iloc[0]
        inside += row["low"] <= 1 / (1 + 0.149) <= row["high"]
    assert inside >= 52


def test_bootstrap_intervals_repeat_with_the_seed(monkeypatch):
    monkeypatch.setattr(MODULE, "_REFITS", 8)
    data = RATED[RATED["who"] < 6]
    one, two = (
        generalizability(data, "points ~ unit + who", object="unit", intervals="bootstrap", rng=3)
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(one.table, two.table)
    assert "bootstrap" in one.about["intervals"]


def test_chinese_and_quoted_names():
    data = RATED.rename(columns={"unit": "被评部门", "who": "评价 人", "points": "得分"})
    result = generalizability(data, "得分 ~ 被评部门 + `评价 人`", object="被评部门")
    assert value(result, "phi") == value(
        generalizability(RATED, "points ~ unit + who", object="unit"), "phi"
    )
    assert result.table["term"].iloc[2] == "评价 人"


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("s ~ a + b:c", [("a",), ("b", "c")]),
        ("s ~ a/b", [("a",), ("a", "b")]),
        ("s ~ a*b", [("a",), ("b",), ("a", "b")]),
        ("s ~ a + a + b:a + a:b", [("a",), ("b", "a")]),
    ],
)
def test_formulas(text, terms):
    assert list(read_formula(text).terms) == terms


@pytest.mark.parametrize(
    "text", ["score", "~ a", "s ~", "s ~ a b", "s ~ a +", "s ~ a:a", "s ~ (1|a)"]
)
def test_formulas_that_are_none(text):
    with pytest.raises(TableError):
        read_formula(text)


@pytest.mark.parametrize(
    ("change", "formula", "key"),
    [
        ({"who": 1}, "points ~ unit + who", "one_level"),
        ({"unit": "A"}, "points ~ unit + who", "one_target"),
        ({"unit": range(len(RATED))}, "points ~ unit + who", "once"),
        ({"points": 3}, "points ~ unit + who", "no_spread"),
        ({"twin": RATED["who"] + 5}, "points ~ unit + who + twin", "same"),
    ],
)
def test_degenerate_studies_are_refused(change, formula, key):
    result = generalizability(RATED.assign(**change), formula, object="unit")
    assert result.findings[0].key == f"generalizability.{key}"
    assert result.findings[0].level == "refused"
    assert result.table["estimate"].isna().all()
    assert result.table[["term", "metric"]].to_numpy().tolist() == [
        ["residual", "component"],
        ["unit", "phi"],
        ["unit", "erho2"],
    ]


@pytest.mark.parametrize(
    "call",
    [
        {"object": "nobody"},
        {"object": "unit", "fixed": ["nobody"]},
        {"object": "unit", "intervals": "exact"},
    ],
)
def test_wrong_words_are_errors(call):
    with pytest.raises(TableError):
        generalizability(RATED, "points ~ unit + who", **call)


@pytest.mark.data
def test_insteval(shared_data):
    """Shares of variance by lme4."""
    data = pd.read_csv(shared_data("insteval") / "ratings.csv")
    result = generalizability(data, "y ~ d + s", object="d")
    shares = result.table.query("variant == 'truncated'")["share"].to_numpy()
    assert shares == pytest.approx([0.154903716, 0.06010568536, 0.7849905986], rel=1e-4)


def test_two_ratings_of_a_cell_need_a_term_for_it():
    other = RATED.iloc[[2]].assign(points=RATED["points"].iloc[2] + 1)
    twice = pd.concat([RATED, other], ignore_index=True)
    with pytest.raises(TableError, match=r"who|unit"):
        generalizability(twice, "points ~ unit + who", object="unit")
    with pytest.raises(TableError):
        d_study(twice, "points ~ unit + who", object="unit", sizes={"who": [3]})
    # a cell of its own, or the occasion written into the formula, settles it
    again = pd.concat([RATED, RATED.assign(points=RATED["points"] + RATED["who"] % 3)])
    told = again.assign(time=np.repeat([1, 2], len(RATED)))
    generalizability(again, "points ~ unit*who", object="unit")
    result = generalizability(told, "points ~ unit + who + unit:who:time", object="unit")
    assert result.about["left_out"] == {"residual": ["unit:who:time"]}


def test_a_form_sent_twice_counts_once():
    once = generalizability(RATED, "points ~ unit + who", object="unit")
    twice = pd.concat([RATED, RATED.iloc[[2, 5]]])
    result = generalizability(twice, "points ~ unit + who", object="unit")
    pd.testing.assert_frame_equal(result.table, once.table)
    assert result.about["dropped"]["duplicate"] == 2
    assert "generalizability.twice" in [f.key for f in result.findings]


def test_thousands_of_raters_and_departments(monkeypatch):
    monkeypatch.setattr("svcmetrics.numeric.mixed_collapse.DENSE_LIMIT", 20)
    rng = np.random.default_rng(6)
    t, r = (x.ravel() for x in np.indices((60, 90)))
    y = rng.normal(0, 0.7, 60)[t] + rng.normal(0, 0.5, 90)[r] + rng.normal(0, 1, len(t))
    data = pd.DataFrame({"t": t, "r": r, "s": y})[rng.uniform(size=len(t)) < 0.7]
    result = generalizability(data, "s ~ t + r", object="t")
    assert "generalizability.drawn" in [f.key for f in result.findings]
    monkeypatch.setattr("svcmetrics.numeric.mixed_collapse.DENSE_LIMIT", 3000)
    exact = generalizability(data, "s ~ t + r", object="t")
    assert value(result, "phi") == pytest.approx(value(exact, "phi"), rel=1e-3)


def test_disconnected_plans_are_said():
    apart = RATED.assign(
        who=RATED["who"].astype(str) + RATED["unit"].isin(["甲", "乙"]).astype(str)
    )
    result = generalizability(apart, "points ~ unit + who", object="unit")
    assert "generalizability.disconnected" in [f.key for f in result.findings]


def test_perfect_agreement_warns():
    values = np.repeat(np.arange(6.0)[:, None], 4, axis=1)
    result = generalizability(long(values, "t", "r"), "score ~ t + r", object="t")
    assert value(result, "phi") == pytest.approx([1.0])
    assert "generalizability.perfect" in [f.key for f in result.findings]


@pytest.mark.parametrize(
    ("phi", "low", "word"),
    [(0.9, 0.8, "good"), (0.9, 0.799, "fair"), (0.5, 0.2, "fair"), (0.499, 0.2, "poor"),
     (0.0, 0.0, "none"), (0.001, 0.0, "poor"), (np.nan, np.nan, "none")],
)  # fmt: skip
def test_the_verdict_of_phi_at_its_limits(phi, low, word):
    assert _generalizability_findings._verdict({"phi": phi, "low": low}) == word


def test_the_largest_source_of_error_is_named_with_its_share():
    study = SimpleNamespace(terms=["t", "r", "residual"], codes=[0, 0])
    shares = SimpleNamespace(absolute=np.array([0.0, 0.25, 0.25]))

    def said(*parts):
        own = SimpleNamespace(truncated=np.array(parts))
        return _generalizability_findings._source(study, own, shares)

    (rater,) = said(9.0, 3.0, 1.0)
    assert rater.key == "generalizability.source" and rater.values == {"name": "r", "share": 0.75}
    (rest,) = said(9.0, 1.0, 3.0)
    assert rest.key == "generalizability.residual" and rest.values["share"] == 0.75
    assert said(9.0, 0.0, 0.0) == []


def test_eight_objects_are_not_few():
    rng = np.random.default_rng(4)
    for n, few in ((8, False), (7, True)):
        table = long(rng.normal(size=(n, 1)) * 2 + rng.normal(size=(n, 5)), "t", "r")
        keys = [f.key for f in generalizability(table, "score ~ t + r", object="t").findings]
        assert ("generalizability.few_targets" in keys) is few


def test_one_rater_who_rates_twice_cannot_be_told_from_the_unit():
    """unit and unit × who have the same levels: nothing separates their variances."""
    table = pd.DataFrame({"unit": [*"AABB"], "who": "r", "points": [4, 5, 3, 5]})
    found = generalizability(table, "points ~ unit * who", object="unit")
    assert [f.key for f in found.findings if f.level == "refused"] == ["generalizability.same"]


def test_random_signs_are_told_by_the_largest_share_they_add():
    """0.1 of 1 and 0.2 of 4: a tenth at most; a component without an error says nothing."""
    model = SimpleNamespace(simulation_errors=np.array([0.1, 0.2, np.nan]),
                            errors=np.array([1.0, 4.0, np.nan]), criterion_error=0.3)  # fmt: skip
    told = _generalizability_findings._simulation(SimpleNamespace(model=model))
    assert told == {"share": pytest.approx(0.1), "criterion": 0.3}
    assert _generalizability_findings._simulation(SimpleNamespace(model=None)) == {}

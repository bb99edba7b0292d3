"""D studies: Brennan's table, nesting, cost, refusals, real ratings."""

import importlib
from types import SimpleNamespace

import pandas as pd
import pytest
from scipy.special import fdtri

from svcmetrics import TableError
from svcmetrics.verify import d_study, generalizability
from tests.verify.samples import SAMPLES
from tests.verify.test_generalizability import PRINTED, long

RATED = SAMPLES["d_study"].data


def test_d_study_of_brennans_first_table():
    case = PRINTED["synthetic_1"]
    data = long(case["data"], *case["axes"])
    sizes = {"i": [5, 10, 15, 20]}
    table = d_study(data, case["formula"], object="p", sizes=sizes).table
    phi = table.loc[table["variant"] == "phi", "estimate"]
    assert phi.to_numpy() == pytest.approx([0.5866, 0.7395, 0.8098, 0.8502], abs=5e-5)
    erho2 = table.loc[table["variant"] == "erho2", "estimate"]
    assert erho2.to_numpy() == pytest.approx([0.6935, 0.819, 0.8716, 0.9005], abs=5e-5)


@pytest.mark.parametrize("sizes", [{}, {"who": [0]}, {"who": [3], "wave": [2]}])
def test_wrong_sizes_are_errors(sizes):
    with pytest.raises(TableError):
        d_study(RATED, "points ~ unit + who", object="unit", sizes=sizes)


def test_the_cheapest_design_that_is_good_enough():
    case = PRINTED["synthetic_1"]
    data = long(case["data"], *case["axes"])
    call = {"object": "p", "cost": {"i": 2.5}}
    result = d_study(data, case["formula"], sizes={"i": [5, 15, 20]}, **call)
    assert result.findings[0].key == "d_study.reached"
    assert result.findings[0].values["design"] == ["i 15"]
    assert result.table["cost"].iloc[0] == 12.5
    few = d_study(data, case["formula"], sizes={"i": [2, 5]}, **call)
    assert few.findings[0].key == "d_study.not_reached"


def test_nested_raters_are_counted_within_their_task():
    case = PRINTED["synthetic_4"]
    data = long(case["data"], *case["axes"])
    unique = data.assign(r=data["r"] + 100 * data["t"])
    whole = generalizability(data, "score ~ p*t + t:r", object="p").table
    for formula in ("score ~ p + t + p:t + r", "score ~ p + t + p:t + t:r"):
        table = d_study(unique, formula, object="p", sizes={"t": [3], "r": [4]}).table
        phi = whole.loc[whole["metric"] == "phi", "estimate"].iloc[0]
        assert table["estimate"].iloc[0] == pytest.approx(phi)


@pytest.mark.parametrize("change", [{"unit": "A"}, {"points": 3}, {"unit": range(len(RATED))}])
def test_degenerate_studies_are_refused(change):
    data = RATED.assign(**change)
    result = d_study(data, "points ~ unit + who", object="unit", sizes={"who": [3]})
    assert result.findings[0].level == "refused"
    assert result.table["estimate"].isna().all()


@pytest.mark.data
def test_insteval(shared_data):
    """Reliability of a lecturer's mean over 5, 10, 20, 50 students, from lme4's components."""
    data = pd.read_csv(shared_data("insteval") / "ratings.csv")
    table = d_study(data, "y ~ d + s", object="d", sizes={"s": [5, 10, 20, 50]}).table
    phi = table.loc[table["variant"] == "phi", "estimate"]
    assert phi.to_numpy() == pytest.approx([0.4782116, 0.6470137, 0.7856810, 0.9016218], rel=1e-5)


def test_limits_of_a_balanced_study_are_those_of_the_f_distribution():
    """One facet: Eρ² = 1 − MS(error)/MS(object) at the study's own size, so F gives exact limits."""
    case = PRINTED["synthetic_1"]
    data = long(case["data"], *case["axes"])
    people, items = data["p"].nunique(), data["i"].nunique()
    result = d_study(data, case["formula"], object="p", sizes={"i": [items]})
    assert result.about["intervals"] == "generalised, by simulation"
    row = result.table.query("variant == 'erho2'").iloc[0]
    df = people - 1, (people - 1) * (items - 1)
    observed = 1 / (1 - row["estimate"])
    low, high = (1 - fdtri(*df, q) / observed for q in (0.975, 0.025))
    assert row["low"] == pytest.approx(max(low, 0), abs=0.01)
    assert row["high"] == pytest.approx(high, abs=0.01)
    whole = generalizability(data, case["formula"], object="p").table.set_index("metric")
    assert row["low"] == pytest.approx(whole.loc["erho2", "low"], abs=0.01)


def test_limits_of_an_incomplete_study_say_that_they_are_of_the_delta_method():
    result = d_study(RATED.iloc[1:], "points ~ unit + who", object="unit", sizes={"who": [3]})
    assert result.about["intervals"] == "delta method"


@pytest.mark.parametrize(
    ("reach", "cost", "design", "key"),
    [
        # 4, 6, 6 and 8 ratings with phi 0.6, 0.7, 0.75 and 0.8.
        (0.7, None, ["who 2", "item 3"], "reached"), (0.701, None, ["who 3", "item 2"], "reached"),
        (0.8, None, ["who 4", "item 2"], "reached"), (0.801, None, ["who 4", "item 2"], "not_reached"),
        (0.7, [4.0, 9.0, 6.0, 5.0], ["who 4", "item 2"], "reached"),
        (0.6, None, ["who 2", "item 2"], "reached"),
    ],
)  # fmt: skip
def test_the_cheapest_design_is_told_and_of_equal_ones_the_better(reach, cost, design, key):
    module = importlib.import_module("svcmetrics.verify.d_study")
    table = pd.DataFrame({"variant": ["phi", "erho2"] * 4, "estimate": [0.6, 0.9, 0.7, 0.9, 0.75, 0.9, 0.8, 0.9],
                          "low": 0.3, "who": [2, 2, 2, 2, 3, 3, 4, 4], "item": [2, 2, 3, 3, 2, 2, 2, 2]})  # fmt: skip
    table["ratings"] = table["who"] * table["item"]
    if reach == 0.7 and cost is None:  # of two designs of six ratings the one that reaches more
        design = ["who 3", "item 2"]
    if cost is not None:
        table["cost"] = [c for c in cost for _ in "ab"]
    study = SimpleNamespace(sizes=[9, 4], object=0)
    said = module._finding(table, {"who": [2, 3, 4], "item": [2, 3]}, reach, study)
    assert said.key == f"d_study.{key}" and said.values["design"] == design
    assert said.level == ("note" if key == "reached" else "warning")
    assert said.values["targets"] == 9 and said.values["reach"] == reach


def test_a_design_costs_what_its_facets_cost_together():
    module = importlib.import_module("svcmetrics.verify.d_study")
    table = pd.DataFrame({"ratings": [4, 6]})
    wanted = {"who": [2], "item": [2]}
    assert module._cost(table, wanted, {"who": 5.0, "item": 2.0}).tolist() == [40, 60]
    assert module._cost(table, wanted, {"who": 5.0}).tolist() == [20, 30]


@pytest.mark.parametrize(("sizes", "fits"), [({"who": [1, 2]}, True), ({"who": [0, 2]}, False)])
def test_one_rater_is_a_design_and_none_is_not(sizes, fits):
    if fits:
        assert len(d_study(RATED, "points ~ unit + who", object="unit", sizes=sizes).table) == 4
        return
    with pytest.raises(TableError):
        d_study(RATED, "points ~ unit + who", object="unit", sizes=sizes)

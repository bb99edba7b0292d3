"""Variance components of lme4 and of published cases, each number that stands beside the data."""

import json
import math
from functools import cache

import numpy as np
import pandas as pd
import pytest

from svcmetrics.numeric.anova import anova
from svcmetrics.numeric.mixed import reml
from svcmetrics.score import adjust
from svcmetrics.verify import d_study, generalizability, grid, straight_lining

pytestmark = pytest.mark.data
RELATIVE = 1e-4  # what lme4's own stopping rule is good to, on its default settings


def coded(*columns):
    return [np.unique(c, return_inverse=True)[1] for c in columns]


@cache
def reference(folder):
    entries = json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    return {e["name"]: e["value"] for e in entries}


def starting(numbers, begin):
    return next(v for name, v in numbers.items() if name.startswith(begin))


@pytest.fixture
def lectures(shared_data):
    return pd.read_csv(shared_data("insteval") / "ratings.csv")


@pytest.fixture
def numbers(shared_data):
    return reference(shared_data("insteval"))


@pytest.fixture
def oracle(shared_data):
    folder = shared_data("insteval").parents[1] / "oracles"
    if not folder.is_dir():
        pytest.skip("the published cases are not beside the project")
    cases = json.loads((folder / "oracles.json").read_text("utf-8"))
    return lambda name: next(c for c in cases if c["id"] == name)


def column(data, name):
    """A column of the design by lme4's name for it: "(Intercept)", "dept7", "service1:dept7"."""
    if name == "(Intercept)":
        return np.ones(len(data))
    out = np.ones(len(data))
    for part in name.split(":"):
        variable = part.rstrip("0123456789")
        out = out * (data[variable] == int(part[len(variable) :]))
    return out


def fitted(data, random, fixed=("(Intercept)",), **options):
    X = np.column_stack([column(data, name) for name in fixed])
    return reml(data["y"].to_numpy("float64"), coded(*(data[c] for c in random)), X, **options)


def named(model, random):
    return dict(zip([*random, "Residual"], model.variances.tolist(), strict=True))


def agree(mine, theirs, relative=RELATIVE):
    assert mine == pytest.approx(theirs, rel=relative, abs=1e-12)


def effects_agree(model, rows):
    errors = np.sqrt(np.diagonal(model.coefficient_covariance))
    scale = {"Estimate": model.coefficients, "Std. Error": errors}
    scale["t value"] = model.coefficients / errors
    for i, row in enumerate(rows):
        for name, values in scale.items():
            # an estimate is compared on the scale of its own error: some are nearly zero
            near = {"Estimate": errors[i], "t value": 1.0}.get(name, 0.0)
            assert values[i] == pytest.approx(row[name], rel=RELATIVE, abs=RELATIVE * near), row


def test_insteval_students_and_lecturers(lectures, numbers):
    model = fitted(lectures, ["s", "d"])
    counts = [len(lectures), *(lectures[c].nunique() for c in ("s", "d", "dept"))]
    assert counts == numbers["n rows, students, lecturers, departments"]
    parts = named(model, ["s", "d"])
    agree(parts, numbers["m1 variance components, REML"])
    mean = numbers["m1 intercept and its SE"]
    agree(model.coefficients[0], mean["(Intercept)"])
    agree(model.coefficient_covariance[0, 0] ** 0.5, mean["2"])
    total = sum(parts.values())
    agree({k: v / total for k, v in parts.items()}, starting(numbers, "m1 share of variance"))
    noise = parts["s"] + parts["Residual"]
    agree(
        [parts["d"] / (parts["d"] + noise / n) for n in (5, 10, 20, 50)],
        starting(numbers, "m1 reliability of a lecturer mean"),
    )
    for k, (factor, begin) in enumerate((("s", "student"), ("d", "lecturer"))):
        levels = np.unique(lectures[factor])
        for name, value in numbers[
            f"m1 five highest and five lowest {begin} BLUPs"
            + (" (leniency)" if begin == "student" else "")
        ].items():
            mine = model.effects[k][np.searchsorted(levels, int(name))]
            assert mine == pytest.approx(value, rel=RELATIVE)
    tight = starting(numbers, "TIGHT m1")
    agree(parts, tight["vc"], 1e-5)
    assert model.criterion <= tight["reml"] + 1e-6
    assert model.criterion == pytest.approx(numbers["m1 REML criterion"], abs=1e-4)
    agree(model.coefficients[0], tight["b"], 1e-7)
    theta = [math.sqrt(parts[k] / parts["Residual"]) for k in ("s", "d")]
    agree(theta, list(tight["theta"].values()), 1e-5)


def test_insteval_as_it_is_described(lectures, numbers):
    """Sizes, means and flat raters, from the package's own tables."""
    for column, name in (("d", "lecturer"), ("s", "student")):
        grid_ = grid.read(lectures, row=column, column="d" if column == "s" else "s", score="y")
        size = np.bincount(grid_.row)
        peer = numbers[f"ratings per {name}: quantiles"]
        assert np.quantile(size, [0, 0.25, 0.5, 0.75, 1]).tolist() == list(peer.values())
    by_service = adjust(
        lectures.assign(who=np.arange(len(lectures))), target="service", rater="who", score="y"
    ).table
    own = by_service[by_service["variant"] == "raw mean"].set_index("service")["estimate"]
    agree(own.tolist(), list(numbers["mean rating by service (0/1)"].values()), 1e-9)
    flat, of = starting(numbers, "share of students who gave one value")
    often = lectures.groupby("s")["y"].transform("size") >= 5
    kept = lectures[often]
    own = straight_lining(kept, form="s", item="d", score="y").table.iloc[0]
    assert own["n"] == kept["s"].nunique()
    assert [round(own["estimate"] * own["n"]), own["n"]] == [flat, of]


def test_insteval_with_departments_and_service(lectures, numbers):
    rows = starting(numbers, "m2 fixed effects")
    model = fitted(lectures, ["s", "d", "dept"], [r["row"] for r in rows])
    parts = named(model, ["s", "d", "dept"])
    agree(parts, numbers["m2 variance components, REML"])
    effects_agree(model, rows)
    tight = starting(numbers, "TIGHT m2")
    agree(parts, tight["vc"], 2e-5)
    assert model.criterion <= tight["reml"] + 1e-6
    agree(model.coefficients, list(tight["b"].values()), 1e-6)
    theta = [math.sqrt(parts[k] / parts["Residual"]) for k in ("s", "d", "dept")]
    agree(theta, list(tight["theta"].values()), 1e-5)


def test_insteval_full_likelihood_with_departments_fixed(lectures, numbers):
    rows = numbers["m3 fixed effects"]
    model = fitted(lectures, ["s", "d"], [r["row"] for r in rows], restricted=False)
    agree(named(model, ["s", "d"]), numbers["m3 variance components, ML"])
    log_likelihood, aic = numbers["m3 logLik, AIC"]
    assert -model.criterion / 2 == pytest.approx(log_likelihood, abs=1e-4)
    assert model.criterion + 2 * (len(rows) + 3) == pytest.approx(aic, abs=2e-4)
    effects_agree(model, rows)


def test_insteval_full_likelihood_with_ages(lectures, numbers):
    rows = starting(numbers, "m4 fixed effects")
    random = ["s", "d", "dept"]
    model = fitted(lectures, random, [r["row"] for r in rows], restricted=False)
    agree(named(model, random), numbers["m4 variance components, ML"])
    assert -model.criterion / 2 == pytest.approx(numbers["m4 logLik"], abs=1e-4)
    effects_agree(model, rows)


def test_insteval_departments_by_service(lectures, oracle):
    want = oracle("insteval_large_crossed")["expected"]
    both = lectures.assign(both=lectures["dept"] * 2 + lectures["service"])
    model = fitted(both, ["s", "d", "both"], ["(Intercept)", "service1"])
    names = ["var_s", "var_d", "var_dept_service", "resid"]
    agree(model.variances.tolist(), [want[n] for n in names])
    agree(model.coefficients.tolist(), [want["intercept"], want["service1"]])
    assert model.criterion <= want["REMLcrit"] + 5e-4  # printed to three places


def test_penicillin(oracle):
    case = oracle("penicillin_crossed_reml")
    y = np.array(case["input"]["plate_by_sample_A..F"])
    plate, sample = (x.ravel() for x in np.indices(y.shape))
    model = reml(y.ravel(), [plate, sample])
    want = case["expected"]
    names = ["plate", "sample", "residual"]
    agree(dict(zip(names, model.variances.tolist(), strict=True)), want["REML"], 1e-6)
    agree(model.coefficients[0], want["intercept"], 1e-8)
    assert model.effects[1] == pytest.approx(want["sample_BLUP"], abs=2e-6)


def _balanced(y, factors):
    sizes = [int(c.max()) + 1 for c in factors]
    return anova(y, factors, sizes)


@pytest.mark.parametrize("name", ["brennan_2001_sd1_pxi", "brennan_2001_sd3_pxixo"])
def test_brennan_crossed(oracle, name):
    case = oracle(name)
    want = case["expected"]
    y, facets = _brennan(case)
    own = dict(zip(("p", "i", "o"), facets, strict=False))
    terms = [t for t in want["var"] if t != "".join(own)]
    codes = [coded(sum(own[f] * 100**j for j, f in enumerate(t)))[0] for t in terms]
    model, table = reml(y, codes), _balanced(y, codes)
    for k, term in enumerate([*terms, "".join(own)]):
        assert model.variances[k] == pytest.approx(want["var"][term], rel=RELATIVE), term
        assert table.components[k] == pytest.approx(want["var"][term], abs=1e-6), term
        assert table.mean_squares[k] == pytest.approx(want["MS"][term], abs=6e-5), term


def _brennan(case):
    if "data" in case["input"]:
        y = np.array(case["input"]["data"], dtype="float64")
        return y.ravel(), [x.ravel() for x in np.indices(y.shape)]
    y = np.array(case["input"]["columns_o1i1..o1i4_o2i1..o2i4_by_person"], dtype="float64")
    y = y.reshape(2, 4, -1)
    o, i, p = (x.ravel() for x in np.indices(y.shape))
    return y.ravel(), [p, i, o]


def test_brennan_crossed_coefficients(oracle):
    case = oracle("brennan_2001_sd1_pxi")
    y, (p, i) = _brennan(case)
    data = pd.DataFrame({"p": p, "i": i, "y": y})
    want = case["expected"]["D_study_n_i:[Erho2,Phi]"]
    sizes = {"i": [int(n) for n in want]}
    table = d_study(data, "y ~ p + i", object="p", sizes=sizes).table
    for n, (erho2, phi) in want.items():
        rows = table[table["i"] == int(n)].set_index("variant")["estimate"]
        assert rows["erho2"] == pytest.approx(erho2, abs=5.1e-5)
        assert rows["phi"] == pytest.approx(phi, abs=5.1e-5)
    case = oracle("brennan_2001_sd3_pxixo")
    y, (p, i, o) = _brennan(case)
    data = pd.DataFrame({"p": p, "i": i, "o": o, "y": y})
    table = generalizability(data, "y ~ p*i*o", object="p").table.set_index("metric")["estimate"]
    assert table["erho2"] == pytest.approx(case["expected"]["Erho2_ni4_no2"], abs=1e-6)
    assert table["phi"] == pytest.approx(case["expected"]["Phi_ni4_no2"], abs=1e-6)


def test_brennan_raters_within_tasks(shared_data):
    folder = shared_data("brennan2001_table3_2")
    data = pd.read_csv(folder / "scores_long.csv")
    numbers = reference(folder)
    task, person = data["Task"].to_numpy(), data["Person"].to_numpy()
    rater = task * 100 + data["Rater"].to_numpy()
    codes = coded(person, task, rater, task * 100 + person)
    model = reml(data["Score"].to_numpy("float64"), codes)
    exact = starting(numbers, "EXACT ANOVA")
    agree(model.variances.tolist(), list(exact.values()), 1e-6)
    # lme4 on its default settings stops early here: 3e-4, as the reference itself says
    theirs = numbers["same by lmer"]
    names = ["Person", "Task", "Task:Rater", "Person:Task", "Residual"]
    agree(model.variances.tolist(), [theirs[n] for n in names], 6e-4)
    study = generalizability(data, "Score ~ Person*Task + Task:Rater", object="Person").table
    squares = study.query("variant == 'raw'")
    squares = squares.set_index("term")["mean_square"]
    printed = starting(numbers, "ANOVA mean squares")
    renamed = {"Residuals": "residual"}
    for name, value in printed.items():
        agree(squares[renamed.get(name, name)], value, 1e-7)
    want = starting(numbers, "D study, n_t=3")
    own = study.set_index("metric")["estimate"]
    agree(own["erho2"], want["Erho2"], 6e-4)
    agree(own["phi"], want["Phi"], 6e-4)
    agree(own["sem_relative"] ** 2, want["rel"], 6e-4)
    agree(own["sem_absolute"] ** 2, want["abs"], 6e-4)
    last = numbers["gtheory dstudy with the data as the D study"]
    universe = own["erho2"] / (1 - own["erho2"]) * own["sem_relative"] ** 2
    mine = [own["erho2"], own["phi"], universe, own["sem_relative"] ** 2]
    mine += [own["sem_absolute"] ** 2, own["sem_relative"], own["sem_absolute"]]
    agree(mine, last, 6e-4)

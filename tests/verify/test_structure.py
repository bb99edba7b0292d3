"""Structure: a published model, known dimensions, halo, what cannot be checked, bad input."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import special

from svcmetrics import InputError, verify
from svcmetrics.numeric import confirmatory, dimensions
from svcmetrics.verify import structure_findings, structure_rows

WORDS = {"person": "p", "item": "i", "score": "s"}
THREE = np.repeat([0, 1, 2], 3)
DIMENSION = {f"q{k}": "abc"[k // 3] for k in range(9)}


def made(seed=1, n=400, phi=0.4, load=0.7, points=True):
    """Answers of n forms to nine items, three on each of three dimensions, 1 to 7."""
    rng = np.random.default_rng(seed)
    r = np.where(np.eye(3), 1.0, phi)
    factor = rng.multivariate_normal(np.zeros(3), r, n)
    x = load * factor[:, THREE] + np.sqrt(1 - load**2) * rng.normal(size=(n, 9))
    return np.clip(np.round(4 + 1.5 * x), 1, 7) if points else x


def long(x, dimension=None):
    wide = pd.DataFrame(x, columns=[f"q{k}" for k in range(x.shape[1])]).rename_axis("p")
    data = wide.reset_index().melt("p", var_name="i", value_name="s")
    return data.assign(d=data["i"].map(dimension or DIMENSION))


def told(result):
    return {f.key.removeprefix("structure."): f for f in result.findings}


def counts(result):
    table = result.table
    return table[table["metric"] == "structure"].set_index("variant")["estimate"].to_dict()


def of(result, metric, variant=""):
    table = result.table
    return table[(table["metric"] == metric) & (table["variant"] == variant)]


def test_thurstone_as_fox_prints_it():
    """Fox 2006, Structural Equation Modeling 13, 465-486: chi-square as n - 1 times the misfit.

    His second-order factor over three factors is three correlated factors, written otherwise.
    """
    path = Path(__file__).parents[1] / "published" / "thurstone_1941.toml"
    printed = tomllib.loads(path.read_text("utf-8"))["nine"]
    r, n = np.array(printed["correlation"]), printed["n"] - 1
    own = confirmatory.indices(r, confirmatory.fit(r, THREE, n), n)
    names = ["chi2", "df", "p", "rmsea", "rmsea_low", "rmsea_high", "tli", "cfi", "srmr"]
    assert [own[k] for k in names] == pytest.approx(
        [38.196, 24, 0.033101, 0.052822, 0.015262, 0.083067, 0.98002, 0.98668, 0.043595], rel=2e-5
    )
    assert own["base_chi2"] == pytest.approx(1101.9, abs=0.05)


def test_the_three_dimensions_of_a_form_are_found():
    result = verify.structure(long(made()), **WORDS, dimension="d")
    # Three items each are few for the least partial correlation, which errs towards too few.
    assert counts(result) | {"partial": 3} == dict.fromkeys(
        ("claimed", "components", "factors", "partial"), 3
    )
    assert {"as_claimed", "fit_good", "one_is_worse"} <= set(told(result))
    assert not {"weak", "close", "elsewhere", "improper"} & set(told(result))
    # 1 to 7 in whole points take about 3% off a loading.
    assert of(result, "loading")["estimate"].to_numpy() == pytest.approx(0.7, abs=0.1)
    assert of(result, "dimension_correlation")["estimate"].to_numpy() == pytest.approx(
        0.4, abs=0.15
    )
    chance = of(result, "eigenvalue", "component")
    assert (chance["chance_limit"] > chance["expected"]).all() and chance[
        "expected"
    ].sum() == pytest.approx(9)


def test_chi_square_holds_its_level_and_limits_hold_the_truth():
    """80 studies: the claim is rejected at its level, the limits cover as stated."""
    p, inside, apart, rmsea = [], [], [], []
    for seed in range(80):
        r = np.corrcoef(made(seed, points=False).T)
        found = confirmatory.fit(r, THREE, 400)
        own = confirmatory.indices(r, found, 400)
        p.append(own["p"])
        rmsea.append(own["rmsea_low"] == 0)
        inside.append(np.abs(found.loading - 0.7) < 1.96 * found.loading_error)
        apart.append(np.abs(found.phi - 0.4)[np.triu_indices(3, 1)]
                     < 1.96 * found.phi_error[np.triu_indices(3, 1)])  # fmt: skip
    assert np.mean(np.array(p) < 0.05) < 0.05 + 2.5 * 0.025
    assert np.mean(rmsea) > 0.95 - 2.5 * 0.025
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)
    assert np.mean(apart) == pytest.approx(0.95, abs=0.05)


def test_items_with_nothing_in_common_are_said_to_have_none():
    """Horn's rule at 95%: a first component of pure chance is seen in about one study of twenty."""
    seen = 0
    limit = np.quantile(dimensions.by_chance(9, 200, 1000, np.random.default_rng(1)), 0.95, axis=0)
    for seed in range(200):
        r = np.corrcoef(np.random.default_rng(seed).normal(size=(9, 200)))
        seen += np.linalg.eigvalsh(r)[-1] > limit[0, 0]
    assert 2 <= seen <= 19
    quiet = np.random.default_rng(5).integers(1, 6, (300, 9)).astype(float)
    result = verify.structure(long(quiet), **WORDS, dimension="d")
    assert counts(result)["components"] == 0 and {"nothing", "little"} <= set(told(result))


def test_one_general_impression_is_enough_where_there_is_nothing_else():
    halo = made(3, phi=1.0)
    result = verify.structure(long(halo), **WORDS, dimension="d")
    assert counts(result)["components"] == 1
    said = told(result)
    assert said["fewer"].level == "warning" and len(said["close"].values["pairs"]) == 3
    assert {"one_is_enough", "one_is_good"} & set(said)


def test_the_test_of_one_factor_rejects_no_more_than_it_states():
    """Under one factor, the difference lies at an edge of the model: it rejects too seldom."""
    seen = 0
    for seed in range(60):
        r = np.corrcoef(made(seed, phi=1.0, points=False).T)
        one, three = (confirmatory.fit(r, f, 400) for f in (np.zeros(9, int), THREE))
        if three is not None:
            seen += confirmatory.chance(400 * (one.misfit - three.misfit), 3) < 0.05
    assert seen <= 7


def test_the_least_partial_correlation_is_that_of_regressions_on_components():
    x = made(5, phi=0.1)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    left = []
    vector = np.linalg.eigh(np.corrcoef(x.T))[1][:, ::-1]
    for many in range(8):
        score = x @ vector[:, :many]
        rest = x - score @ np.linalg.lstsq(score, x, rcond=None)[0] if many else x
        r = np.corrcoef(rest.T)
        left.append(((r**2).sum() - 9) / 72)
    assert dimensions.least_partial(np.corrcoef(x.T)) == int(np.argmin(left))


def test_an_item_on_the_wrong_dimension_is_named():
    wrong = {**DIMENSION, "q0": "c"}
    said = told(verify.structure(long(made(phi=0.2)), **WORDS, dimension="d"))
    assert "elsewhere" not in said
    result = verify.structure(long(made(phi=0.2), wrong), **WORDS, dimension="d")
    assert told(result)["elsewhere"].values["items"][0] == "q0 → a"
    assert "weak" in told(result) and told(result)["weak"].values["items"] == ["q0"]
    row = of(result, "elsewhere").iloc[0]
    assert row["estimate"] == pytest.approx(0.7, abs=0.15) and row["p"] < 1e-6
    # Nine items might each load on two further dimensions.
    assert row["p"] == pytest.approx(18 * special.chdtrc(1, row["chi2"]))


def test_a_further_loading_by_score_is_near_the_refitted_one():
    r = np.corrcoef(made(2, phi=0.3, points=False).T)
    f = THREE.copy()
    chi2, _ = confirmatory.further(r, confirmatory.fit(r, f, 400), f, 400)
    # At the truth the score tests of the 18 tries behave as chi-squares of one degree.
    assert np.nanmean(chi2) == pytest.approx(1, abs=0.8)
    assert np.isnan(chi2[np.arange(9), f]).all()


def test_differences_between_departments_are_taken_out():
    """All items follow the department's level: within departments nothing is common."""
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(8), 60)
    x = rng.normal(size=(480, 9)) + 2 * rng.normal(size=8)[unit][:, None]
    data = long(x).assign(u=lambda d: unit[d["p"]])
    assert counts(verify.structure(data, **WORDS))["components"] == 1
    within = verify.structure(data, **WORDS, target="u")
    assert counts(within)["components"] == 0
    assert within.about["groups"] == 7 and of(within, "structure", "claimed")["n"].iloc[0] == 473
    with pytest.raises(InputError, match="than one target"):
        verify.structure(data.assign(u=np.arange(len(data)) % 7), **WORDS, target="u")


def test_pairwise_uses_all_answers_and_the_fit_complete_forms():
    x = made(7)
    x[np.random.default_rng(1).random(x.shape) < 0.05] = np.nan
    result = verify.structure(long(x), **WORDS, dimension="d", missing="pairwise")
    whole = int(np.isfinite(x).all(axis=1).sum())
    each = result.table[(result.table["metric"] == "kmo") & (result.table["i"] != "")]
    assert each["n"].tolist() == np.isfinite(x).sum(axis=0).tolist()
    assert of(result, "cfi", "claimed")["n"].iloc[0] == whole
    r, pairs = dimensions.pairwise(x)
    np.testing.assert_allclose(r, pd.DataFrame(x).corr().to_numpy(), atol=1e-12)
    assert of(result, "structure", "claimed")["n"].iloc[0] == pairs.min()


def test_dimensions_of_one_item_and_no_claim_are_said():
    alone = {**dict.fromkeys(DIMENSION, "a"), "q8": "b"}
    result = verify.structure(long(made(phi=0.9), alone), **WORDS, dimension="d")
    assert told(result)["alone"].values["dimensions"] == ["b"]
    own = of(result, "loading")
    assert own.loc[own["i"] == "q8", "estimate"].isna().all() and own["estimate"].notna().sum() == 8
    each = verify.structure(long(made(), {k: k for k in DIMENSION}), **WORDS, dimension="d")
    assert "no_claim" in told(each) and counts(each)["claimed"] == 1
    assert not of(each, "cfi", "claimed").empty
    data = long(made())
    data.loc[data["p"] < 3, "d"] = "b"
    with pytest.raises(InputError, match="q0"):
        verify.structure(data, **WORDS, dimension="d")
    lost = long(made(), {k: v for k, v in DIMENSION.items() if k != "q4"})
    assert told(verify.structure(lost, **WORDS, dimension="d"))["no_dimension"].values["items"] == [
        "q4"
    ]


@pytest.mark.parametrize(
    ("x", "key"),
    [
        (made()[:, :2], "structure.too_few_items"),
        (np.full((40, 9), 4.0), "answers.no_variation"),
        (np.column_stack([made()[:, :8], np.full(400, 3.0)]), "omega.constant"),
        (np.column_stack([made()[:, :8], made()[:, 0]]), "structure.twins"),
        (made()[:9], "omega.too_few"),
        (made()[:1], "answers.nobody_left"),
    ],
)
def test_nothing_to_look_at_is_refused(x, key):
    result = verify.structure(long(x), **WORDS, dimension="d")
    assert [f.key for f in result.findings if f.level == "refused"] == [key]
    assert result.table["estimate"].isna().all()


def test_too_many_claims_for_too_few_forms_end_in_words():
    rng = np.random.default_rng(0)
    for n in (10, 15, 20):
        for _ in range(2):
            result = verify.structure(
                long(rng.integers(1, 4, (n, 9)).astype(float)), **WORDS, dimension="d"
            )
            assert (result.findings and np.isfinite(result.table["estimate"]).any()) or any(
                f.level == "refused" for f in result.findings
            )
            one = of(result, "rmsea", "claimed")
            assert (one["low"] <= one["high"]).all()


# Hu and Bentler 1999: 0.95, 0.06, 0.08 together are good; 0.90, 0.08 and 0.10 are the usual ends of fair.
GOOD = {"cfi": 0.95, "rmsea": 0.06, "srmr": 0.08, "rmsea_low": 0.0}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, "good"),
        ({"cfi": 0.949}, "fair"), ({"rmsea": 0.061}, "fair"), ({"srmr": 0.081}, "fair"),
        ({"cfi": 0.90}, "fair"), ({"cfi": 0.899}, "poor"),
        ({"rmsea": 0.09, "rmsea_low": 0.08}, "fair"), ({"rmsea": 0.09, "rmsea_low": 0.081}, "poor"),
        ({"srmr": 0.10}, "fair"), ({"srmr": 0.101}, "poor"),
    ],
)  # fmt: skip
def test_a_fit_is_good_fair_or_poor_by_the_customary_cut_offs(change, word):
    assert structure_findings.quality(GOOD | change) == word


def _claim(many=2, **more):
    return SimpleNamespace(**{"names": list("ab")[:many], "many": many, "alone": [], "without": [],
                              "each_alone": False, "items": 6, "factor": None, **more})  # fmt: skip


@pytest.mark.parametrize(
    ("components", "claim", "key", "level"),
    [
        (0, _claim(), "nothing", "warning"),
        (1, _claim(), "fewer", "warning"),
        (2, _claim(), "as_claimed", "note"),
        (3, _claim(), "more", "warning"),
        (2, _claim(each_alone=True), "no_claim", "note"),
        (2, _claim(0), "no_claim", "note"),
    ],
)
def test_the_reading_compares_what_is_claimed_with_what_is_there(components, claim, key, level):
    seen = SimpleNamespace(components=components, factors=1, partial=1, kmo=0.7)
    found = structure_findings._reading(claim, seen, 120)
    assert (found.key, found.level) == (f"structure.{key}", level)
    assert found.values["n"] == 120 and found.values["claimed"] == claim.many


class _Models(SimpleNamespace):
    """Fits whose indices are given."""

    def indices(self, model):
        return self.given[model]

    def difference(self):
        return self.apart


def _fits(df=3, proper=True, apart=None, one=None, cfi=0.97):
    own = GOOD | {"df": df, "cfi": cfi}
    none = np.zeros(0)
    model = SimpleNamespace(proper=proper, loading=none, loading_error=none, phi=np.eye(2),
                            phi_error=np.zeros((2, 2)))  # fmt: skip
    return _Models(models={"claimed": model}, persons=90, apart=apart,
                   given={"claimed": own, "one_factor": GOOD | (one or {})})  # fmt: skip


@pytest.mark.parametrize(
    ("fits", "keys"),
    [
        (_fits(), ["fit_good"]),
        (_fits(1), ["fit_good"]),
        (_fits(0), ["saturated"]),
        (_fits(cfi=0.8), ["fit_poor"]),
        (_fits(proper=False), ["fit_good", "improper"]),
    ],
)
def test_what_is_said_of_the_fit(fits, keys):
    found = structure_findings._fit(_claim(), fits)
    assert [f.key.removeprefix("structure.") for f in found] == keys
    bad = {"fit_poor", "improper"}
    assert [f.level == "warning" for f in found] == [k in bad for k in keys]


@pytest.mark.parametrize(
    ("apart", "one", "many", "key"),
    [
        ((9.0, 1, 0.05), {"cfi": 0.8}, 2, "one_is_worse"),
        ((9.0, 1, 0.051), {"cfi": 0.8}, 2, "one_is_enough"),
        ((9.0, 1, 0.001), {}, 2, "one_is_good"),
        ((9.0, 1, 0.001), {"cfi": 0.8}, 1, None),
        (None, {}, 2, None),
    ],
)
def test_one_impression_is_compared_at_five_percent(apart, one, many, key):
    found = structure_findings._against_one(_claim(many), _fits(apart=apart, one=one))
    assert [f.key for f in found] == ([f"structure.{key}"] if key else [])
    if found:
        assert found[0].level == ("note" if key == "one_is_worse" else "warning")
        assert [found[0].values[k] for k in ("chi2", "df", "p")] == list(apart)


@pytest.mark.parametrize(
    ("n", "kmo", "keys"),
    [(100, 0.6, set()), (99, 0.6, {"few"}), (100, 0.59, {"little"}), (100, np.nan, set())],
)
def test_few_forms_and_little_in_common_are_warned_of(n, kmo, keys):
    seen = SimpleNamespace(components=2, factors=2, partial=2, kmo=kmo)
    form = SimpleNamespace(items=[], table=np.zeros((0, 0)))
    found = structure_findings.findings(form, _claim(), seen, _fits(), n, 7)
    by = {f.key.removeprefix("structure."): f for f in found}
    assert set(by) & {"few", "little"} == keys and all(by[k].level == "warning" for k in keys)
    assert by["as_claimed"].values["n"] == n + 7  # forms, with what the departments took


def test_weak_items_and_close_dimensions_are_named_by_their_limits():
    """Limits of the normal kind: 1.96 errors on the z scale are near 1.96 errors for small ones."""
    model = SimpleNamespace(
        loading=np.array([0.5, -0.5, 0.3, 0.39, 0.41]), loading_error=np.full(5, 1e-9),
        phi=np.array([[1.0, 0.899], [0.899, 1.0]]), phi_error=np.full((2, 2), 1e-9), proper=True,
    )  # fmt: skip
    fits = SimpleNamespace(models={"claimed": model})
    form = SimpleNamespace(items=list("vwxyz"))
    found = structure_findings._parts(form, _claim(), fits)
    assert [f.key for f in found] == ["structure.weak"] and found[0].level == "warning"
    assert found[0].values == {"items": ["x", "y"], "least": 0.4}
    for r in (0.901, -0.901, 1.2):
        model.phi = np.array([[1.0, r], [r, 1.0]])
        found = structure_findings._parts(form, _claim(), fits)
        assert found[1].values == {"pairs": ["a / b"], "limit": 0.9}
    assert structure_findings._parts(form, _claim(), SimpleNamespace(models={})) == []


def test_three_items_and_more_forms_than_items_are_needed():
    for items, forms, key in (
        (3, 4, None),
        (2, 40, "structure.too_few_items"),
        (3, 3, "omega.too_few"),
    ):
        x = np.random.default_rng(items + forms).normal(size=(forms, items))
        found = verify.structure(long(x), **WORDS).findings
        assert [f.key for f in found if f.level == "refused"] == ([key] if key else [])


def test_a_further_loading_is_told_where_it_is_large_and_sure_the_surest_first(monkeypatch):
    chi2 = np.array([[np.nan, 5.0, 9.0], [7.0, np.nan, 8.0]])
    change = np.array([[0.0, 0.2, -0.2], [0.199, 0.0, 0.5]])
    p = {5.0: 0.0024, 9.0: 0.0, 7.0: 0.0, 8.0: 0.0025}  # times four tries: 0.0096 and 0.01
    monkeypatch.setattr(structure_rows.confirmatory, "further", lambda *_: (chi2, change))
    monkeypatch.setattr(structure_rows.confirmatory, "chance",
                        lambda c, df: np.vectorize(lambda v: p.get(v, np.nan))(c))  # fmt: skip
    claim = SimpleNamespace(factor=np.array([0, 1]), many=3)
    fits = SimpleNamespace(models={"claimed": None}, r=None, persons=90)
    found = structure_rows.elsewhere(claim, fits)
    assert [(i, f, c) for i, f, c, *_ in found] == [(0, 2, -0.2), (0, 1, 0.2)]
    assert [row[4] for row in found] == pytest.approx([0, 0.0096])
    assert structure_rows.elsewhere(SimpleNamespace(factor=None, many=3), fits) == []
    assert structure_rows.elsewhere(SimpleNamespace(factor=claim.factor, many=1), fits) == []


def test_limits_of_correlations_stand_on_fishers_scale():
    low, high = structure_rows.limits(
        np.array([0.6, 1.0, -1.2, 0.3]), np.array([0.05, 0.1, 0.1, 0.0])
    )
    z = np.arctanh(0.6) + 1.959964 * np.array([-1, 1]) * 0.05 / 0.64
    np.testing.assert_allclose([low[0], high[0]], np.tanh(z))
    assert np.isnan([*low[1:], *high[1:]]).all()


def test_the_claim_is_compared_with_one_factor_by_the_difference_of_chi_squares():
    one = {"chi2": 30.0, "df": 9.0}
    for two, expected in (
        ({"chi2": 22.185, "df": 6.0}, (7.815, 3.0, 0.05)),
        ({"chi2": 31.0, "df": 8.0}, (0.0, 1.0, 1.0)),  # never below nought
        ({"chi2": 22.0, "df": 9.0}, None),
    ):
        fits = structure_rows.Fits(90, np.eye(3), {"claimed": None, "one_factor": None})
        object.__setattr__(fits, "indices", {"claimed": two, "one_factor": one}.__getitem__)
        found = fits.difference()
        assert found == (expected and pytest.approx(expected, abs=1e-4))
    assert structure_rows.Fits(90, np.eye(3), {"claimed": None}).difference() is None

"""Every number of the peers on real ratings and questionnaires is compared, by name, or the reason said.

The sets lie beside the project. A name of reference.json that no check here knows fails the last
test. Where a peer is not followed, the check says why and compares what should come out instead.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special

from svcmetrics import score, verify
from svcmetrics.numeric import consistency, polychoric, round_robin, round_robin_two

Check = Callable[[Any, Any], None]
CHECKS: dict[str, dict[str, Check]] = {}
# Numbers that another file compares.
ELSEWHERE: dict[str, dict[str, str]] = {}


def checks(data: str, *names: str) -> Callable[[Check], Check]:
    """Register a check for these names of a set; it gets the folder and the value of the name."""

    def put(check: Check) -> Check:
        for name in names:
            CHECKS.setdefault(data, {})[name] = check
        return check

    return put


def near(ours: Any, peer: Any, digits: float = 1e-8) -> None:
    np.testing.assert_allclose(
        np.asarray(ours, dtype=float), np.asarray(peer, dtype=float), rtol=digits, atol=digits
    )


def long(wide: pd.DataFrame, row: str, column: str) -> pd.DataFrame:
    return wide.melt(row, var_name=column, value_name="score").dropna()


def read(folder, name: str = "ratings_wide.csv") -> pd.DataFrame:
    return pd.read_csv(folder / name)


# ---------------------------------------------------------------- Shrout & Fleiss, standard setting

SIX = ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]


def _rated(folder) -> pd.DataFrame:
    wide = read(folder).drop(columns="itemdiff", errors="ignore")
    if wide.columns[0].lower().startswith("rater"):  # units without a name
        wide.insert(0, "unit", range(len(wide)))
    return long(wide, wide.columns[0], "judge").rename(columns={wide.columns[0]: "target"})


@cache
def _icc(folder) -> Any:
    return verify.icc(_rated(folder), target="target", rater="judge", score="score")


@checks("shrout_fleiss1979", "six ICCs with F, p and 95% CI (ANOVA)")
@checks("standard_setting", "six ICCs (ANOVA) with CI")
def six_forms(folder, value):
    ours = _icc(folder).table.set_index("form").loc[SIX]
    columns = {"ICC": "estimate", "F": "F", "df1": "df1", "df2": "df2", "p": "p",
               "lower bound": "low", "upper bound": "high"}  # fmt: skip
    for theirs, mine in columns.items():
        near(ours[mine], [row[theirs] for row in value], 1e-6)


@checks("shrout_fleiss1979", "mean squares (BMS, WMS, JMS, EMS) and df")
def mean_squares(folder, value):
    ours = _icc(folder).about["mean_squares"]
    names = {"BMS": "targets", "JMS": "raters", "EMS": "residual", "WMS": "within"}
    near([ours[names[k]] for k in value], list(value.values()))


def _irr(form: str) -> Check:
    def check(folder, value):
        row = _icc(folder).table.set_index("form").loc[form]
        near(row["estimate"], value[0])
        if form != "ICC(2,k)":  # irr puts ICC(A,k) into degrees of freedom made for one rating
            near([row["low"], row["high"]], value[1:3])
        near(row["F"], value[3])
        if form.startswith("ICC(2"):  # irr tests ICC(A) with those degrees of freedom too
            _of_irr(_icc(folder).about["mean_squares"], float(row["estimate"]), form, value)
        else:
            near(row["p"], value[4])

    return check


def _of_irr(ms: dict[str, float], icc: float, form: str, value: list[float]) -> None:
    """irr's p and limits from the package's mean squares, once its degrees of freedom are taken.

    They are Satterthwaite's for MSJ and MSE weighted by the estimate itself; irr puts the ICC of a
    mean where that of one rating belongs, and tests no agreement with them, where MSE alone counts.
    """
    n, k, msr, msc, mse = 6, 4, ms["targets"], ms["raters"], ms["residual"]
    a, b = k * icc / (n * (1 - icc)), 1 + k * icc * (n - 1) / (n * (1 - icc))
    df = (a * msc + b * mse) ** 2 / (
        (a * msc) ** 2 / (k - 1) + (b * mse) ** 2 / ((n - 1) * (k - 1))
    )
    near(special.fdtrc(n - 1, df, msr / mse), value[4])
    if form == "ICC(2,k)":
        low, high = special.fdtri(n - 1, df, 0.975), special.fdtri(df, n - 1, 0.975)
        near(n * (msr - low * mse) / (low * (msc - mse) + n * msr), value[1])
        near(n * (high * msr - mse) / (msc - mse + n * high * msr), value[2])


for _words, _form in (
    ("oneway consistency", "ICC(1"), ("twoway consistency", "ICC(3"), ("twoway agreement", "ICC(2"),
):  # fmt: skip
    for _unit, _k in (("single", "1"), ("average", "k")):
        checks("shrout_fleiss1979", f"irr icc {_words} {_unit} (value, lower, upper, F, p)")(
            _irr(f"{_form},{_k})")
        )


@checks("shrout_fleiss1979", "variance components of target, judge, residual (lmer REML)")
@checks("standard_setting", "variance components item, rater, residual")
def two_way_components(folder, value):
    table = verify.generalizability(_rated(folder), "score ~ target + judge", object="target").table
    raw = table[table["variant"] == "raw"].set_index("term")["estimate"]
    near(raw[["target", "judge", "residual"]], list(value.values()), 1e-4)


@checks("shrout_fleiss1979", "Kendall W (corrected for ties)")
@checks("standard_setting", "Kendall W")
def kendall(folder, value):
    row = verify.kendall_w(_rated(folder), target="target", rater="judge", score="score").table
    near(row.loc[0, ["estimate", "chi2", "p"]].astype(float), value, 1e-7)


# -------------------------------------------------------------------------------- agreement

NAMES = {
    "gwet.ac1.raw": ("gwet_ac1", "gwet_ac2"), "fleiss.kappa.raw": ("fleiss", "fleiss"),
    "krippen.alpha.raw": ("krippendorff_weighted",) * 2, "conger.kappa.raw": ("conger",) * 2,
    "bp.coeff.raw": ("brennan_prediger",) * 2, "pa.coeff.raw": ("raw_agreement",) * 2,
}  # fmt: skip


def _categories(folder) -> pd.DataFrame:
    """Ratings with whole numbers for categories."""
    data = _rated(folder)
    if data["score"].dtype == object or pd.api.types.is_string_dtype(data["score"]):
        data = data.assign(score=data["score"].str[0].astype(int))
    return data


@cache
def _agreement(folder, weights: str) -> pd.DataFrame:
    out = verify.agreement(
        _categories(folder), target="target", rater="judge", score="score", weights=weights
    )
    return out.table[out.table["metric"] == "agreement"].set_index("variant")


def _irrcac(function: str, weights: str) -> Check:
    def check(folder, value):
        name = NAMES[function][weights != "nominal"]
        row, peer = _agreement(folder, weights).loc[name], value[0]
        near([row["estimate"], row["se"]], [peer["coeff.val"], peer["coeff.se"]], 1.2e-5)
        ends = [float(v) for v in peer["conf.int"].strip("()").split(",")]
        near([row["low_t"], row["high_t"]], ends, 6e-4)
        raw = 1 - (1 - peer["pa"]) / (1 - peer["pe"])  # observed and expected agree with it
        near(row["estimate"], raw, 1e-9)
        df = (row["low_t"], row["estimate"], row["se"])
        # irrCAC takes p from 1, which leaves the rounding of 1 in it.
        np.testing.assert_allclose(_p_of_t(*df), peer["p.value"], rtol=1e-6, atol=2.3e-16)

    return check


def _p_of_t(low: float, estimate: float, se: float) -> float:
    """The p of no agreement, with the degrees of freedom that the t limits were made with."""
    t = (estimate - low) / se
    df = next(n for n in range(1, 200) if abs(special.stdtrit(n, 0.975) - t) < 1e-9)
    return float(2 * special.stdtr(df, -estimate / se))


for _function in NAMES:
    checks("fleiss1971_diagnoses", f"irrCAC {_function} (pa, pe, coeff, SE, CI, p)")(
        _irrcac(_function, "nominal")
    )
    for _word in ("unweighted", "ordinal", "quadratic", "linear"):
        checks("gwet_4raters", f"irrCAC {_function} {_word} (coeff, SE, CI, p)")(
            _irrcac(_function, "nominal" if _word == "unweighted" else _word)
        )


@checks("gwet_4raters", "Krippendorff alpha nominal / ordinal / interval / ratio (irr)")
def four_metrics(folder, value):
    for word, peer in value.items():
        weights = "quadratic" if word == "interval" else word
        near(_agreement(folder, weights).loc["krippendorff", "estimate"], peer)


@checks("fleiss1971_diagnoses", "Krippendorff alpha nominal (irr)")
def counted_pairs(folder, value):
    """irr counts 900 pairs for the 180 values when none is missing; 1 − 1/n is then too large."""
    right = 1 - (1 - value) * (1 - 1 / 180) / (1 - 1 / 900)
    near(_agreement(folder, "nominal").loc["krippendorff", "estimate"], right)


@checks("standard_setting", "Krippendorff alpha nominal, ordinal, interval")
def counted_pairs_again(folder, value):
    """The same slip: 9,516 pairs for 793 values (and nominal counts of them in the ranks)."""
    for weights, peer in zip(("nominal", "quadratic"), (value[0], value[2]), strict=True):
        right = 1 - (1 - peer) * (1 - 1 / 793) / (1 - 1 / 9516)
        near(_agreement(folder, weights).loc["krippendorff", "estimate"], right)
    ordinal = _agreement(folder, "ordinal").loc["krippendorff", "estimate"]
    near(ordinal, 1 - (1 - value[1]) * (1 - 1 / 793) / (1 - 1 / 9516), 2e-6)


@checks("fleiss1971_diagnoses", "Fleiss kappa, z, p")
def fleiss(folder, value):
    out = verify.agreement(
        _categories(folder), target="target", rater="judge", score="score", weights="nominal"
    )
    near(out.table.set_index("variant").loc["fleiss", "estimate"], value[0])
    near(out.about["fleiss_z"], value[1])
    near(2 * special.ndtr(-out.about["fleiss_z"]), value[2])


@checks("fleiss1971_diagnoses", "Fleiss kappa by category")
def by_category(folder, value):
    out = verify.agreement(
        _categories(folder), target="target", rater="judge", score="score", weights="nominal"
    ).table
    peer = {k: [r["Freq"] for r in value if r["Var2"] == k] for k in ("Kappa", "z", "p.value")}
    own = out.loc[out["metric"] == "category_kappa", "estimate"].to_numpy()
    z = own * np.sqrt(
        30 * 6 * 5 / 2
    )  # the error by chance is the same for all (Fleiss et al. 1979)
    for ours, name in ((own, "Kappa"), (z, "z"), (2 * special.ndtr(-z), "p.value")):
        np.testing.assert_allclose(ours, peer[name], atol=5.1e-4)  # printed to three digits


@checks("fleiss1971_diagnoses", "Conger exact kappa")
def conger(folder, value):
    near(_agreement(folder, "nominal").loc["conger", "estimate"], value)


@checks("fleiss1971_diagnoses", "Light kappa")
def light(folder, value):
    near(_agreement(folder, "nominal").loc["cohen_mean", "estimate"], value)


@checks("fleiss1971_diagnoses", "Cohen kappa raters 1-2, 3-4 (value, z)")
def cohen(folder, value):
    data = _categories(folder)
    for pair, peer in ((("rater1", "rater2"), value[0]), (("rater3", "rater4"), value[2])):
        two = data[data["judge"].isin(pair)]
        out = verify.agreement(
            two, target="target", rater="judge", score="score", weights="nominal"
        )
        near(out.table.set_index("variant").loc["cohen", "estimate"], peer)
        near(out.about["cohen_z"], value[value.index(peer) + 1])


@checks("standard_setting", "Fleiss kappa")
def fleiss_again(folder, value):
    near(_agreement(folder, "nominal").loc["fleiss", "estimate"], value)


@checks(
    "standard_setting", "mean pairwise Cohen kappa: unweighted, linear, quadratic (all 78 pairs)"
)
def pairwise(folder, value):
    for weights, word in (("nominal", "unweighted"), ("linear", "equal"), ("quadratic", "squared")):
        near(_agreement(folder, weights).loc["cohen_mean", "estimate"], value[word])


@checks("standard_setting", "Gwet AC1 / AC2 (quadratic)")
def gwet(folder, value):
    for weights, name, peer in (
        ("nominal", "gwet_ac1", value[0]), ("quadratic", "gwet_ac2", value[1]),
    ):  # fmt: skip
        row = _agreement(folder, weights).loc[name]
        near([row["estimate"], row["se"]], [peer["coeff.val"], peer["coeff.se"]], 1.2e-5)


@checks("fleiss1971_diagnoses", "percent of subjects with full agreement")
def unanimous(folder, value):
    table = verify.agreement(
        _categories(folder), target="target", rater="judge", score="score", weights="nominal"
    ).table
    near(100 * table.loc[table["metric"] == "unanimous", "estimate"].iloc[0], value)


@checks("standard_setting", "correlation of item mean rating with itemdiff")
def with_difficulty(folder, value):
    table = score.adjust(_rated(folder), target="target", rater="judge", score="score").table
    own = table[table["variant"] == "raw mean"].set_index("target")["estimate"]
    wide = read(folder)
    near(np.corrcoef(own[wide.iloc[:, 0]], wide["itemdiff"])[0, 1], value)


# -------------------------------------------------------------------------------- Brennan


@cache
def _brennan(folder) -> Any:
    data = pd.read_csv(folder / "scores_long.csv")
    return verify.generalizability(
        data, "Score ~ Person * Task + Task:Rater", object="Person"
    ).table


TERMS = {
    "Person": "Person", "p": "Person", "Task": "Task", "t": "Task", "Rater:Task": "Task:Rater",
    "Task:Rater": "Task:Rater", "r:t": "Task:Rater", "Person:Task": "Person:Task",
    "pt": "Person:Task", "Residual": "residual", "Residuals": "residual", "pr:t": "residual",
}  # fmt: skip


def _terms(folder, value: dict[str, float], column: str, digits: float) -> None:
    table = _brennan(folder)
    own = table[table["variant"] == "raw"].set_index("term")[column]
    for name, peer in value.items():
        near(own[TERMS[name]], peer, digits)


@checks("brennan2001_table3_2", "G study p x (r:t), REML")
def g_study(folder, value):
    _terms(folder, {row["source"]: row["var"] for row in value}, "estimate", 6e-4)  # lmer's stop
    table = _brennan(folder)
    own = table[table["variant"] == "raw"].set_index("term")["estimate"]
    own = 100 * own / own.sum()
    np.testing.assert_allclose(
        [own[TERMS[row["source"]]] for row in value], [row["percent"] for row in value], atol=0.051
    )


@checks("brennan2001_table3_2", "same by lmer")
def g_study_again(folder, value):
    _terms(folder, value, "estimate", 6e-4)


@checks("brennan2001_table3_2", "ANOVA mean squares p, t, r:t, pt, pr:t")
def squares(folder, value):
    _terms(folder, value, "mean_square", 1e-7)


@checks(
    "brennan2001_table3_2",
    "EXACT ANOVA (expected mean squares) components; REML equals them for these balanced data, "
    "lmer's default stop is good to about 3e-4",
)
def exact(folder, value):
    _terms(folder, value, "estimate", 1e-8)


@checks(
    "brennan2001_table3_2",
    "D study, n_t=3 n_r=4 per task: generalizability, dependability, relative and absolute error "
    "variance",
)
def d_study(folder, value):
    own = _brennan(folder).set_index("metric")["estimate"]
    ours = [own["erho2"], own["phi"], own["sem_relative"] ** 2, own["sem_absolute"] ** 2]
    near(ours, [value[k] for k in ("Erho2", "Phi", "rel", "abs")], 4e-4)


@checks("brennan2001_table3_2", "gtheory dstudy with the data as the D study")
def d_study_again(folder, value):
    own = _brennan(folder).set_index("metric")["estimate"]
    near([own["erho2"], own["phi"]], value[:2], 4e-4)
    near([own["sem_relative"] ** 2, own["sem_absolute"] ** 2], value[3:5], 4e-4)
    near([own["sem_relative"], own["sem_absolute"]], value[5:7], 4e-4)
    _terms(folder, {"Person": value[2]}, "estimate", 6e-4)


# -------------------------------------------------------------------------------- questionnaires

SCALES = {
    "agree": ("A", [1]), "conscientious": ("C", [4, 5]), "extraversion": ("E", [1, 2]),
    "neuroticism": ("N", []), "openness": ("O", [2, 5]),
}  # fmt: skip


def _scale(folder, scale: str) -> pd.DataFrame:
    """Answers of one scale with the reversed items turned (1 to 6)."""
    letter, turned = SCALES[scale]
    wide = pd.read_csv(folder / "responses.csv", dtype={"person": str})
    wide = wide[["person", *(f"{letter}{i}" for i in range(1, 6))]].copy()
    for i in turned:
        wide[f"{letter}{i}"] = 7 - wide[f"{letter}{i}"]
    return long(wide, "person", "item")


CALL = {"person": "person", "item": "item", "score": "score"}


def _alpha_total(data: pd.DataFrame, value: dict[str, float]) -> None:
    result = verify.alpha(data, **CALL, missing="pairwise")
    table = result.table
    first = table.set_index(["metric", "variant"])["estimate"]
    near(first["alpha", "raw"], value["raw_alpha"])
    near(first["alpha", "standardised"], value["std.alpha"])
    near(table.loc[table["metric"] == "lambda6", "estimate"].iloc[0], value["G6(smc)"])
    own = [first["item_correlation", word] for word in ("mean", "median")]
    near(own, [value["average_r"], value["median_r"]])
    k = (table["metric"] == "item_rest").sum()
    near(k * own[0] / (1 - own[0]), value["S/N"], 1e-7)  # the ratio of signal to noise
    near([result.about["mean"], result.about["sd"]], [value["mean"], value["sd"]])
    # psych takes all persons for the standard error; the package the smallest pair, as for limits.
    near(table["se"].iloc[0] * np.sqrt(table["n"].iloc[0] / data["person"].nunique()), value["ase"])


@cache
def _alpha(folder, scale: str) -> pd.DataFrame:
    return verify.alpha(_scale(folder, scale), **CALL, missing="pairwise").table


def _scale_checks(scale: str) -> None:
    @checks("bfi", f"{scale} alpha: raw, std, G6, mean r, S/N, SE, mean, sd, median r")
    def total(folder, value):
        _alpha_total(_scale(folder, scale), value[0])

    @checks("bfi", f"{scale} alpha Feldt 95% CI")
    def feldt(folder, value):
        # psych takes all 2,800 persons; the package takes the smallest pair, which is safer.
        near(
            np.ravel(consistency.feldt(value["alpha"], 2800, 5)),
            [value["lower.ci"], value["upper.ci"]],
            1e-6,
        )
        row = _alpha(folder, scale).iloc[0]
        near(row[["low", "high"]].astype(float), [value["lower.ci"], value["upper.ci"]], 1e-3)

    @checks("bfi", f"{scale} alpha if item dropped; r.drop")
    def dropped(folder, value):
        table = _alpha(folder, scale)
        without = table[table["metric"] == "alpha_without"]["estimate"]
        near(without, [row["raw_alpha"] for row in value])
        rest = table[table["metric"] == "item_rest"]["estimate"]
        near(rest, [row["r.drop"] for row in value])

    @checks(
        "bfi",
        f"{scale} omega total, one factor (lavaan CFA, ML, complete cases): "
        "(sum l)^2/((sum l)^2+sum theta)",
    )
    def omega(folder, value):
        row = verify.omega(_scale(folder, scale), **CALL, fit="ml", rng=1).table.iloc[0]
        near(row["estimate"], value[0], 2e-5)
        assert row["n"] == value[1]

    @checks("bfi", f"{scale} split-half: max lambda4, min, mean, Guttman lambda6")
    def halves(folder, value):
        table = verify.split_half(_scale(folder, scale), **CALL, missing="pairwise").table
        own = table[table["metric"] == "split_half_standardised"].set_index("variant")["estimate"]
        assert own["highest"] >= value[0] - 1e-9 and own["lowest"] <= value[1] + 1e-9
        # psych 2.2 walks through the first five of the ten splits only: those five are its numbers.
        wide = _scale(folder, scale).pivot(index="person", columns="item", values="score")
        r = consistency.correlations(consistency.covariances(wide.to_numpy())[0])
        signs = np.full((5, 5), -1.0)
        for row, pair in zip(signs, itertools.combinations(range(5), 2), strict=False):
            row[list(pair)] = 1.0
        five = 1 - ((signs @ r) * signs).sum(axis=1) / r.sum()
        near([five.max(), five.min(), five.mean()], value[:3], 1e-7)
        six = _alpha(folder, scale)
        near(six.loc[six["metric"] == "lambda6", "estimate"].iloc[0], value[3])


for _name in SCALES:
    _scale_checks(_name)


@checks("bfi", "polychoric alpha, agree")
def ordinal(folder, value):
    """psych lets R's optimize stop at 1.2e-4 of a correlation: 3e-6 of its alpha is that stop.

    With the same search and the same stop the package's likelihood gives psych's six digits.
    """
    from scipy.optimize import fminbound

    data = _scale(folder, "agree")
    table = verify.alpha(data, **CALL, missing="pairwise", correlations="polychoric").table
    near(table["estimate"].iloc[0], value, 4e-6)
    wide = data.pivot(index="person", columns="item", values="score").to_numpy()
    codes = np.where(np.isfinite(wide), wide - 1, -1).astype(np.int64)
    shares = np.stack([np.bincount(c[c >= 0]) / (c >= 0).sum() for c in codes.T])
    cut, pairs = polychoric.thresholds(shares), np.triu_indices(5, 1)
    r = np.eye(5)
    for i, j, counts in zip(*pairs, polychoric.tables(codes, pairs), strict=True):

        def misfit(rho, counts=counts, ends=(cut[i][None], cut[j][None])):
            return -(counts * np.log(polychoric.chances(np.array([rho]), *ends)[0])).sum()

        r[i, j] = r[j, i] = fminbound(misfit, -1, 1, xtol=np.finfo(float).eps ** 0.25)
    near(consistency.alpha(r), value, 5e-7)


@cache
def _structure(folder) -> Any:
    wide = pd.read_csv(folder / "responses.csv", dtype={"person": str}).iloc[:, :26]
    data = long(wide, "person", "item").assign(dimension=lambda d: d["item"].str[0])
    return verify.structure(data, **CALL, dimension="dimension", missing="pairwise")


def _of_structure(folder, metric: str, variant: str = "") -> pd.DataFrame:
    table = _structure(folder).table
    return table[(table["metric"] == metric) & (table["variant"] == variant)]


@checks("bfi", "KMO overall")
def kmo(folder, value):
    near(_of_structure(folder, "kmo")["estimate"].iloc[0], value, 1e-9)


@checks("bfi", "eigenvalues of the correlation matrix (pairwise)")
def eigenvalues(folder, value):
    near(_of_structure(folder, "eigenvalue", "component")["estimate"], value, 1e-8)


@checks("bfi", "five-factor CFA, ML, complete cases: chisq, df, cfi, tli, rmsea, srmr, n")
def confirmatory(folder, value):
    row = _of_structure(folder, "chi_square", "claimed").iloc[0]
    near([row["estimate"], row["df"], row["n"]], [value["chisq"], value["df"], value["n"]], 1e-9)
    for name in ("cfi", "tli", "rmsea"):
        near(_of_structure(folder, name, "claimed")["estimate"].iloc[0], value[name], 1e-9)
    # lavaan stops where the misfit no longer changes; loadings, and so residuals, are then 1e-8 off.
    near(_of_structure(folder, "srmr", "claimed")["estimate"].iloc[0], value["srmr"], 5e-9)


@checks("bfi", "parallel analysis number of factors and components (psych fa.parallel, seed 1)")
def parallel(folder, value):
    own = [
        _of_structure(folder, "structure", v)["estimate"].iloc[0] for v in ("factors", "components")
    ]
    near(own, value)


@checks("bfi", "missing values per item")
def missing(folder, value):
    own = _of_structure(folder, "kmo").iloc[1:].set_index("item")["n"]
    near(2800 - own[list(value)], list(value.values()))


# -------------------------------------------------------------------------------- groups

LEAD = [f"LEAD{i:02d}" for i in range(1, 12)]


def _companies(folder, columns: list[str]) -> pd.DataFrame:
    wide = pd.read_csv(folder / "responses.csv").reset_index(names="who")
    return wide.melt(["who", "COMPID"], columns, var_name="item", value_name="score").dropna()


def _aggregated(folder, columns: list[str], scale: tuple[float, float], several: bool) -> Any:
    return _groups(folder, tuple(columns), scale, several)


@cache
def _groups(folder, columns: tuple[str, ...], scale: tuple[float, float], several: bool) -> Any:
    word = {"item": "item"} if several else {}
    return verify.aggregation(
        _companies(folder, list(columns)), target="COMPID", rater="who", score="score", scale=scale,
        **word,
    ).table  # fmt: skip


SCALE_OF = {"LEAD": (1, 5), "TSIG": (1, 5), "HOSTILE": (0, 4)}


def _one_way(column: str, metric: str) -> Check:
    def check(folder, value):
        table = _aggregated(folder, [column], SCALE_OF[column], False)
        # multilevel takes the mean size of the groups in ICC(1).
        variant = "mean_size" if metric == "icc1" else "exact_size"
        own = table[(table["metric"] == metric) & (table["variant"] == variant)]
        near(own["estimate"].iloc[0], value)

    return check


def _groups_reml(column: str) -> Check:
    def check(folder, value):
        data = _companies(folder, [column])
        table = verify.generalizability(data, "score ~ COMPID", object="COMPID").table
        own = table[table["variant"] == "raw"].set_index("term")["estimate"]
        near([own["COMPID"], own["residual"]], list(value.values()), 1e-4)

    return check


for _column in SCALE_OF:
    checks("lq2002", f"{_column} ICC1 (ANOVA)")(_one_way(_column, "icc1"))
    checks("lq2002", f"{_column} ICC2 (ANOVA)")(_one_way(_column, "icc2"))
    checks("lq2002", f"{_column} variance components REML")(_groups_reml(_column))


def _each(table: pd.DataFrame, metric: str, variant: str = "uniform") -> pd.Series:
    """One value per group, in the order of the labels, cut at 0 as the peer has it."""
    own = table[(table["metric"] == metric) & (table["variant"] == variant)]
    return own[own.iloc[:, 0] != ""].set_index(own.columns[0])["estimate"]


def _sizes(table: pd.DataFrame, metric: str, variant: str = "uniform") -> pd.Series:
    own = table[(table["metric"] == metric) & (table["variant"] == variant)]
    return own.set_index(own.columns[0])["n"]


@checks(
    "lq2002",
    "rwg(j) LEAD 11 items, uniform null for a 5-point scale (variance 2): summary over 49 companies",
)
def rwg_j(folder, value):
    own = _each(_aggregated(folder, LEAD, (1, 5), True), "rwg_j")
    near([own.mean(), own.median(), own.min(), own.max()], value)


@checks("lq2002", "rwg(j) LEAD for the first five companies")
def rwg_j_each(folder, value):
    own = _each(_aggregated(folder, LEAD, (1, 5), True), "rwg_j")
    near([own[row["grpid"]] for row in value], [row["rwg.j"] for row in value])
    own = _sizes(_aggregated(folder, LEAD, (1, 5), True), "rwg_j")
    near([own[row["grpid"]] for row in value], [row["gsize"] for row in value])


@checks("lq2002", "rwg of the LEAD scale score, uniform null: summary")
def rwg(folder, value):
    own = _each(_aggregated(folder, ["LEAD"], (1, 5), False), "rwg")
    near([own.mean(), own.median()], value)


@checks("lq2002", "AD(m) LEAD items mean: summary")
def deviation(folder, value):
    own = _each(_aggregated(folder, LEAD, (1, 5), True), "ad", "")
    near([own.mean(), own.min(), own.max()], value)


@checks("lq2002", "awg LEAD items, range 1..5: mean")
def a_wg(folder, value):
    near(_each(_aggregated(folder, LEAD, (1, 5), True), "a_wg", "").mean(), value)


def _form(folder, columns: list[str]) -> pd.DataFrame:
    return _companies(folder, columns).rename(columns={"who": "person"})


@checks("lq2002", "alpha raw, standardised, G6, mean r, S/N for LEAD")
def lead(folder, value):
    _alpha_total(_form(folder, LEAD), value[0])


@checks("lq2002", "alpha if item dropped")
def lead_without(folder, value):
    table = verify.alpha(_form(folder, LEAD), **CALL).table
    without = table[table["metric"] == "alpha_without"]["estimate"]
    near(without, [row["raw_alpha"] for row in value])
    wide = _form(folder, LEAD).pivot(index="person", columns="item", values="score")
    r = np.corrcoef(wide.to_numpy().T)
    for k, row in enumerate(value):
        rest = np.delete(np.delete(r, k, axis=0), k, axis=1)
        own = [consistency.alpha(rest), consistency.lambda6(rest), (rest.sum() - 10) / 90]
        near(own, [row["std.alpha"], row["G6(smc)"], row["average_r"]])


@checks("lq2002", "item-rest correlation r.drop")
def lead_rest(folder, value):
    table = verify.alpha(_form(folder, LEAD), **CALL).table
    near(table[table["metric"] == "item_rest"]["estimate"], list(value.values()))


@checks("lq2002", "alpha TSIG")
def tsig(folder, value):
    columns = [f"TSIG{i:02d}" for i in (1, 2, 3)]
    near(verify.alpha(_form(folder, columns), **CALL).table["estimate"].iloc[0], value)


@checks("lq2002", "alpha HOSTILE")
def hostile(folder, value):
    columns = [f"HOSTIL{i:02d}" for i in range(1, 6)]
    near(verify.alpha(_form(folder, columns), **CALL).table["estimate"].iloc[0], value)


@checks("lq2002", "company sizes: quantiles")
def sizes_of_companies(folder, value):
    table = _aggregated(folder, ["LEAD"], (1, 5), False)
    own = table[
        (table["metric"] == "rwg") & (table["variant"] == "uniform") & (table["COMPID"] != "")
    ]
    near(np.quantile(own["n"].astype(float), [0, 0.25, 0.5, 0.75, 1]), list(value.values()))


@checks("lq2002", "raw company means of LEAD, first five")
def company_means(folder, value):
    table = score.adjust(
        _companies(folder, ["LEAD"]), target="COMPID", rater="who", score="score"
    ).table
    own = table[table["variant"] == "raw mean"].set_index("COMPID")["estimate"]
    own.index = own.index.astype(str)
    near(own[list(value)], list(value.values()), 1e-9)


@checks("lq2002", "BLUPs (shrunken company means) of LEAD, first five")
def shrunken_means(folder, value):
    """Means drawn to the middle by the components that ours are compared for above."""
    from svcmetrics.numeric.mixed import reml

    data = _companies(folder, ["LEAD"])
    codes, names = pd.factorize(data["COMPID"], sort=True)
    fit = reml(data["score"].to_numpy(), [codes.astype(np.intp)])
    n = np.bincount(codes)
    mean = np.bincount(codes, data["score"]) / n
    keep = fit.variances[0] / (fit.variances[0] + fit.variances[1] / n)
    middle = (keep * mean).sum() / keep.sum()  # generalised least squares
    ours = dict(zip(map(str, names), middle + keep * (mean - middle), strict=True))
    near([ours[row["row"]] for row in value], [row["(Intercept)"] for row in value], 2e-5)


@cache
def _klein(folder, column: str) -> Any:
    data = pd.read_csv(folder / "responses.csv").reset_index(names="who")
    low, high = np.floor(data[column].min()), np.ceil(data[column].max())
    table = verify.aggregation(
        data, target="GRPID", rater="who", score=column, scale=(low, high)
    ).table
    own = table[table["metric"].isin(["icc1", "icc2"])].drop_duplicates("metric")
    return own.set_index("metric")["estimate"]


for _column in ("JOBSAT", "COHES"):

    @checks("klein2000", f"ICC1, ICC2 of {_column} by group")
    def equal_groups(folder, value, column=_column):
        own = _klein(folder, column)
        near([own["icc1"], own["icc2"]], value)


def _platoons(folder, columns: list[str]) -> pd.DataFrame:
    wide = pd.read_csv(folder / "cohesion_11_people.csv").reset_index(names="who")
    data = wide.melt(["who", "PLATOON"], columns, var_name="item", value_name="score").dropna()
    several = {"item": "item"} if len(columns) > 1 else {}
    return verify.aggregation(
        data, target="PLATOON", rater="who", score="score", scale=(1, 5), **several
    ).table


COHESION = [f"COH{i:02d}" for i in range(1, 6)]
for _title, _columns, _metric, _variant, _key in (
    ("rwg of COH01 by PLATOON (uniform 5-point)", COHESION[:1], "rwg", "uniform", "rwg"),
    ("rwg(j) of the five items by PLATOON", COHESION, "rwg_j", "uniform", "rwg.j"),
    ("rwg(j) Lindell r*wg(j)", COHESION, "rwg_star", "uniform", "rwg.lindell"),
    ("AD(m)", COHESION, "ad", "", "AD.M"),
    ("awg", COHESION, "a_wg", "", "a.wg"),
):

    @checks("klein2000", f"cohesion: {_title}")
    def platoons(folder, value, call=(_columns, _metric, _variant, _key)):
        columns, metric, variant, key = call
        own = _each(_platoons(folder, columns), metric, variant)
        near([own[row["grpid"]] for row in value], [row[key] for row in value])
        own = _sizes(_platoons(folder, columns), metric, variant)
        size = "gsize" if "gsize" in value[0] else "nraters"
        near([own[row["grpid"]] for row in value], [row[size] for row in value])
        if (
            "avg.grp.var" in value[0]
        ):  # of the mean scores of complete forms: rwg is 1 less half of it
            wide = pd.read_csv(folder / "cohesion_11_people.csv").dropna(subset=COHESION)
            wide = wide.assign(who=wide.index, score=wide[COHESION].mean(axis=1))
            table = verify.aggregation(
                wide, target="PLATOON", rater="who", score="score", scale=(1, 5)
            ).table
            own = _each(table, "rwg")
            near(
                [2 - 2 * own[row["grpid"]] for row in value], [row["avg.grp.var"] for row in value]
            )
            assert [row["nitems"] for row in value] == [len(columns)] * 2


# -------------------------------------------------------------------------------- twenty raters

CRITERIA = ["k1", "k2", "k3", "k4", "k5"]


@cache
def _writing(folder) -> pd.DataFrame:
    data = pd.read_csv(folder / "ratings.csv")
    return data.assign(total=data[CRITERIA].sum(axis=1))


@checks("writing_raters20", "n ratings, students, raters; students with 2+ raters")
def sizes(folder, value):
    data = _writing(folder)
    out = verify.icc(data, target="idstud", rater="rater", score="total")
    assert [out.about["ratings"], out.about["targets"], out.about["raters"]] == value[:3]
    assert (data["idstud"].value_counts() > 1).sum() == value[3]


def _criterion(column: str) -> Check:
    def check(folder, value):
        table = verify.generalizability(
            _writing(folder), f"{column} ~ idstud + rater", object="idstud"
        ).table
        own = table[table["variant"] == "raw"].set_index("term")["estimate"]
        near([own["idstud"], own["rater"], own["residual"]], list(value.values()), 4e-4)

    return check


for _column in CRITERIA:
    checks("writing_raters20", f"{_column} variance components student, rater, residual (REML)")(
        _criterion(_column)
    )
checks("writing_raters20", "total score k1+..+k5: variance components")(_criterion("total"))


@checks(
    "writing_raters20", "five criteria as fixed, student, rater, student:rater (halo), rater:item"
)
def halo(folder, value):
    """With the criteria's means taken off: REML with a fixed factor, balanced over criteria."""
    from svcmetrics.numeric.mixed import reml

    data = _writing(folder).melt(["idstud", "rater"], CRITERIA, var_name="item", value_name="y")
    item = pd.factorize(data["item"], sort=True)[0]
    x = np.eye(5)[item]
    keys = {"idstud": ["idstud"], "rater": ["rater"], "idstud:rater": ["idstud", "rater"],
            "rater:item": ["rater", "item"]}  # fmt: skip
    codes = [data.groupby(v, sort=True).ngroup().to_numpy(np.intp) for v in keys.values()]
    fit = reml(data["y"].to_numpy(float), codes, X=x)
    ours = dict(zip([*keys, "Residual"], fit.variances, strict=True))
    near([ours[k] for k in value], list(value.values()), 1e-3)


@checks("writing_raters20", "rater BLUPs on the total (leniency, + = lenient)")
def leniency(folder, value):
    """The peer takes students as random; so do these predictions (severity: positive is severe)."""
    from svcmetrics.numeric.mixed import reml

    data = _writing(folder)
    codes = [pd.factorize(data[c], sort=True)[0].astype(np.intp) for c in ("idstud", "rater")]
    fit = reml(data["total"].to_numpy(float), codes)
    near(fit.effects[1], list(value.values()), 2e-3)
    ours = verify.severity(data, rater="rater", target="idstud", score="total").table
    own = ours[ours["metric"] == "severity"].set_index("rater")["estimate"]
    # Students taken as fixed: only the 332 who were rated twice tell raters apart.
    assert np.corrcoef(-own[list(value)], list(value.values()))[0, 1] > 0.6


@checks("writing_raters20", "raw rater means on the total")
def raw_means(folder, value):
    """Raters as the units that are compared: their raw means beside the adjusted ones."""
    data = _writing(folder)
    table = score.adjust(data, target="rater", rater="idstud", score="total").table
    own = table[table["variant"] == "raw mean"].set_index("rater")["estimate"]
    near(own[list(value)], list(value.values()))


@checks("writing_raters20", "alpha of the five criteria over all rows")
def criteria(folder, value):
    data = _writing(folder).reset_index(names="person")
    _alpha_total(long(data[["person", *CRITERIA]], "person", "item"), value[0])


ELSEWHERE["writing_raters20"] = dict.fromkeys(
    (
        "MFRM item+step+rater (partial credit by item, additive rater severity; TAM tam.mml.mfr): "
        "rater severities (xsi, + = severe) and SE",
        "same model: item parameters", "same model: deviance, person variance, EAP reliability",
    ),
    "tests/verify/test_facets_tam.py: all of them, by the rules of TAM",
)  # fmt: skip

# -------------------------------------------------------------------------------- round robins

MADE_OF = ("actor", "partner", "relationship", None, "actor_partner", "dyadic")  # TripleR's rows
PEOPLE = {"roundrobin_liking": ("rater", "ratee"),
          "roundrobin_warner1979": ("actor.id", "partner.id")}  # fmt: skip


@cache
def _relations(folder, *measures: str) -> pd.DataFrame:
    """Reciprocity of one measure, or of two as two items."""
    names = PEOPLE[folder.name]
    data = read(folder, "ratings_long.csv").melt(list(names), measures, "item", "y")
    more = {"item": "item"} if len(measures) > 1 else {}
    return verify.reciprocity(data, rater=names[0], target=names[1], score="y", **more).table


def _parts(folder, word: str, *measures: str) -> pd.DataFrame:
    table = _relations(folder, *measures)
    return table[table["metric"].str.startswith(word + "_")].set_index("variant")


def _errors_of_triple_r(row, own, correlation: float, units: int, name: str) -> None:
    """Standardised value, error, its square, t and p, from those of the package."""
    near(correlation, row["standardized"])
    near([own**2, own, row["estimate"] / own], [row["SEVAR"], row["se"], row["t.value"]])
    # TripleR takes one side also for the covariance within pairs, which can be of either sign;
    # the package takes both sides for all.
    p = special.stdtr(units - 1, -abs(row["t.value"])) * (2 if name == "actor_partner" else 1)
    near(p, row["p.value"])


def _standardized(value: pd.Series, name: str, total: float) -> float:
    if name == "dyadic":
        return value["dyadic"] / value["relationship"]
    if name == "actor_partner":
        return value["actor_partner"] / np.sqrt(value["actor"] * value["partner"])
    return value[name] / total


def _one_measure(measure: str) -> Check:
    def check(folder, value):
        own = _parts(folder, "relation", measure)
        total = own.loc[["actor", "partner", "relationship"], "estimate"].sum()
        for name, row in zip(MADE_OF, value, strict=True):
            if name:  # one measure tells no errors apart
                near(own.loc[name, "estimate"], row["estimate"])
                share = _standardized(own["estimate"], name, total)
                _errors_of_triple_r(row, own.loc[name, "error"], share, own["n"].iloc[0], name)
                twice = 1 if name == "actor_partner" else 2
                near(own.loc[name, "p"], row["p.value"] * twice, 1e-8)

    return check


for _set, _name, _measure in (
    ("liking", "SRM univariate, liking_a: variance components (estimate, standardized, se, t, p)", "liking_a"),
    ("liking", "SRM univariate, liking_b", "liking_b"),
    ("liking", "SRM univariate, metaliking_a", "metaliking_a"),
    ("warner1979", "SRM univariate, prop.T1", "prop.T1"),
    ("warner1979", "SRM univariate, prop.T2", "prop.T2"),
    ("warner1979", "SRM univariate, prop.T3", "prop.T3"),
):  # fmt: skip
    checks(f"roundrobin_{_set}", _name)(_one_measure(_measure))


def _two_measures(*measures: str) -> Check:
    """What both share; what TripleR calls error is what each has for itself."""

    def check(folder, value):
        own = _parts(folder, "shared", *measures)
        seen = own["estimate"]
        alone = sum(_parts(folder, "relation", m)["estimate"] for m in measures) / 2 - seen
        error = alone[["actor", "partner", "relationship"]].clip(lower=0).sum()
        total = seen[["actor", "partner", "relationship"]].sum() + error
        near([error, error / total], [value[3]["estimate"], value[3]["standardized"]])
        for name, row in zip(MADE_OF, value, strict=True):
            if not name:
                continue
            near(seen[name], row["estimate"])
            mine = own.loc[name, "error"]
            if name == "actor_partner":
                crossings = _crossings(folder, *measures)
                # The peer: the mean of the variances of the two crossings, as if they were one.
                peer = float(np.sqrt((crossings**2).mean()))
                assert 0.9 * peer < mine < peer
                mine = peer
            share = _standardized(seen, name, total)
            _errors_of_triple_r(row, mine, share, own["n"].iloc[0], name)

    return check


def _crossings(folder, one: str, two: str) -> np.ndarray:
    """Errors of actor of one measure with partner of the other, both ways."""
    data = read(folder, "ratings_long.csv")
    actor, partner = (
        pd.factorize(data[c], sort=True)[0].astype(np.int64) for c in PEOPLE[folder.name]
    )
    x, y = (data[c].to_numpy(float) for c in (one, two))
    return round_robin_two.shared(x, y, actor, partner, int(actor.max()) + 1).six_errors[2:4]


checks("roundrobin_liking", "SRM latent construct liking from liking_a and liking_b")(
    _two_measures("liking_a", "liking_b")
)
checks("roundrobin_warner1979", "SRM latent construct from T1 and T2")(
    _two_measures("prop.T1", "prop.T2")
)


def _effects(folder, measure: str) -> pd.DataFrame:
    data = read(folder, "ratings_long.csv")
    names = PEOPLE[folder.name]
    units = np.unique(data[names[0]])
    codes = [np.searchsorted(units, data[c]).astype(np.int64) for c in names]
    fit = round_robin.fitted(data[measure].to_numpy(float), *codes, len(units))
    return pd.DataFrame({"a": fit.actor, "p": fit.partner}, index=units.astype(str))


def _effects_of(measure: str) -> Check:
    def check(folder, value):
        own = _effects(folder, measure).loc[[v["id"] for v in value]]
        near(own, [[v[f"{measure}.a"], v[f"{measure}.p"]] for v in value])

    return check


checks("roundrobin_warner1979", "actor and partner effects T1")(_effects_of("prop.T1"))
checks(
    "roundrobin_liking", "actor (rater) and partner (ratee) effects, first six people, liking_a"
)(_effects_of("liking_a"))


@checks("roundrobin_liking", "reliability of actor and partner effects, liking_a")
def effects_reliable(folder, value):
    """Variance of the effects over that of their estimates (Bonito and Kenny 2010)."""
    own = _parts(folder, "relation", "liking_a")
    part, n = own["estimate"], own["n"].iloc[0]
    noise = (part["relationship"] * (n - 1) + part["dyadic"]) / (n * (n - 2))
    near([part[k] / (part[k] + noise) for k in ("actor", "partner")], value)


@checks("roundrobin_liking", "mean of all ratings")
def mean_of_all(folder, value):
    data = read(folder, "ratings_long.csv")
    codes = [pd.factorize(data[c], sort=True)[0].astype(np.int64) for c in ("rater", "ratee")]
    near(round_robin.effects(data["liking_a"].to_numpy(float), *codes, 54)[0], value)


@checks("roundrobin_liking", "crossed random effects, ignoring reciprocity (lmer REML)")
def crossed(folder, value):
    data = read(folder, "ratings_long.csv")
    table = verify.generalizability(data, "liking_a ~ rater + ratee", object="ratee").table
    raw = table[table["variant"] == "raw"].set_index("term")["estimate"]
    near(raw[["rater", "ratee", "residual"]], list(value.values()), 1e-4)


# ----------------------------------------------------------- careless raters, lectures: elsewhere

ELSEWHERE["careless_sim200"] = dict.fromkeys(
    (
        *(f"summary of {k} over 200 respondents (per respondent: indices_reference.csv)"
          for k in ("longstring", "longstring_avg", "irv", "mahad", "evenodd", "psychsyn")),
        "mahad flagged at 99%",
    ),
    "tests/verify/test_careless.py: test_summaries_of_the_reference_are_met",
)  # fmt: skip

_MODELS = {
    "test_insteval_students_and_lecturers": (
        "n rows, students, lecturers, departments", "m1 variance components, REML",
        "m1 intercept and its SE", "m1 REML criterion",
        "m1 share of variance: student (rater leniency), lecturer (ratee), residual",
        "m1 reliability of a lecturer mean over n raters, n=5,10,20,50 (sd2/(sd2+(ss2+se2)/n))",
        "m1 five highest and five lowest lecturer BLUPs",
        "m1 five highest and five lowest student BLUPs (leniency)",
        "TIGHT m1 y~1+(1|s)+(1|d), REML: variance components, REML criterion, theta, intercept (use "
        "these for accuracy; the default fits above stop earlier, about 6 digits)",
    ),
    "test_insteval_with_departments_and_service": (
        "m2 variance components, REML", "m2 fixed effects (estimate, SE, t)",
        "TIGHT m2 y~service+(1|s)+(1|d)+(1|dept), REML",
    ),
    "test_insteval_full_likelihood_with_departments_fixed": (
        "m3 variance components, ML", "m3 logLik, AIC", "m3 fixed effects",
    ),
    "test_insteval_full_likelihood_with_ages": (
        "m4 variance components, ML", "m4 fixed effects (treatment contrasts)", "m4 logLik",
    ),
    "test_insteval_as_it_is_described": (
        "ratings per lecturer: quantiles", "ratings per student: quantiles",
        "mean rating by service (0/1)",
        "share of students who gave one value to all their lectures, among those with 5+ ratings",
    ),
}  # fmt: skip
ELSEWHERE["insteval"] = {
    name: f"tests/numeric/test_mixed_references.py: {test}"
    for test, names in _MODELS.items() for name in names
}  # fmt: skip
# Seconds of another machine are no number to meet; benchmarks compare the speed.
ELSEWHERE["insteval"] |= dict.fromkeys(
    (
        "seconds for lmer fits m1..m4, one run each, on a 2-core machine while other jobs ran",
        "seconds of the two TIGHT fits (machine still shared)",
    ),
    "benchmarks/mixed.py: against the stored seconds of lme4",
)

# -------------------------------------------------------------------------------- all of them

SETS = (
    "shrout_fleiss1979", "brennan2001_table3_2", "gwet_4raters", "fleiss1971_diagnoses", "bfi",
    "lq2002", "klein2000", "standard_setting", "writing_raters20", "roundrobin_liking",
    "roundrobin_warner1979", "careless_sim200", "insteval",
)  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize(("data", "name"), [(d, n) for d in SETS for n in CHECKS.get(d, {})])
def test_the_number_of_the_peer_comes_out(shared_data, data, name):
    folder = shared_data(data)
    numbers = json.loads((folder / "reference.json").read_text("utf-8"))["numbers"]
    value = {n["name"]: n["value"] for n in numbers}[name]
    CHECKS[data][name](folder, value)


@pytest.mark.data
@pytest.mark.parametrize("data", SETS)
def test_no_number_is_left_out_in_silence(shared_data, data):
    numbers = json.loads((shared_data(data) / "reference.json").read_text("utf-8"))["numbers"]
    known = {**CHECKS.get(data, {}), **ELSEWHERE.get(data, {})}
    assert {n["name"] for n in numbers} == set(known)


def test_what_is_compared_elsewhere_is_there():
    project = Path(__file__).parents[1]
    for told in {v for names in ELSEWHERE.values() for v in names.values()}:
        file, what = told.split(": ", 1)
        text = (project / file).read_text("utf-8")
        assert not what.startswith("test_") or f"def {what}(" in text


@pytest.mark.data
@pytest.mark.parametrize("data", ["shrout_fleiss1979", "brennan2001_table3_2", "gwet_4raters"])
def test_printed_numbers_of_the_sets(shared_data, data):
    folder = shared_data(data)
    printed = json.loads((folder / "reference.json").read_text("utf-8"))["published"]
    if data == "shrout_fleiss1979":
        near(_icc(folder).table.set_index("form").loc[SIX, "estimate"],
             list(printed["ICC"].values()), 6e-3)  # fmt: skip
        ours = _icc(folder).about["mean_squares"]
        near([ours[k] for k in ("targets", "within", "raters", "residual")],
             list(printed["MS"].values()), 6e-3)  # fmt: skip
    elif data == "brennan2001_table3_2":
        _terms(folder, printed["components"], "estimate", 6e-5)
    else:
        own = _agreement(folder, "nominal")["estimate"]
        names = {"AC1": "gwet_ac1", "Fleiss": "fleiss", "Krippendorff": "krippendorff"}
        near([own[v] for v in names.values()], [printed[k] for k in names], 6e-6)

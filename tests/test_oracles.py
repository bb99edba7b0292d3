"""Published cases of reliability and generalizability, kept beside the project: all numbers of each."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.numeric.mixed import reml
from tests.conftest import SHARED

PATH = SHARED / "oracles" / "oracles.json"
AREAS = ("reliability", "gtheory")
FORM = {"target": "target", "rater": "rater", "score": "score"}


def _cases() -> dict[str, dict[str, Any]]:
    if not PATH.exists():
        return {}
    return {c["id"]: c for c in json.loads(PATH.read_text("utf-8")) if c["area"] in AREAS}


CASES = _cases()


def long(rows, first: str = "target", second: str = "rater") -> pd.DataFrame:
    """Rows × columns, None for missing, as one row per score."""
    cells = [(i, j, v) for i, row in enumerate(rows) for j, v in enumerate(row) if v is not None]
    return pd.DataFrame(cells, columns=[first, second, "score"])


def near(ours: Any, wanted: Any, off: float) -> None:
    np.testing.assert_allclose(np.asarray(ours, float), np.asarray(wanted, float), rtol=0, atol=off)


def alpha_feldt_attitude(case):
    data = long(case["input"]["data_rows_persons_cols_items"], "person", "item")
    row = verify.alpha(data, person="person", item="item", score="score").table.iloc[0]
    wanted = [v for k, v in case["expected"].items() if "alpha" in k and not isinstance(v, list)]
    near(row["estimate"], wanted[0], 1e-5)
    limits = [v for v in case["expected"].values() if isinstance(v, list) and len(v) == 2]
    near(row[["low", "high"]].astype(float), limits[0], 1e-4)


def shrout_fleiss_1979(case):
    found = verify.icc(long(case["input"]["ratings"]), **FORM)
    table = found.table.dropna(subset=["form"]).set_index("form")
    wanted = case["expected"]
    near([table.loc[f, "estimate"] for f in wanted["ICC"]], list(wanted["ICC"].values()), 1e-6)
    for form, ends in wanted["CI95"].items():
        near(table.loc[form, ["low", "high"]].astype(float), ends, 1e-6)
    squares = found.about["mean_squares"]
    names = {"BMS": "targets", "JMS": "raters", "EMS": "residual", "WMS": "within"}
    near([squares[names[k]] for k in wanted["MS"]], list(wanted["MS"].values()), 6e-5)
    near(sorted(table["F"].unique()), wanted["F_targets"], 6e-6)


def gwet_cac_raw4raters(case):
    """The case has the one rating of unit 12 under rater 2; R, whose numbers it gives, under 3."""
    rows = [list(r) for r in zip(*case["input"]["observers_by_units"], strict=True)]
    as_given = verify.agreement(long(rows), **FORM, weights="nominal").table.set_index("variant")
    near(as_given.loc["conger", ["estimate", "se"]].astype(float), [0.76207, 0.15011], 6e-6)
    rows[11] = [None, None, 3, None]
    names = {
        "AC1": ("nominal", "gwet_ac1"), "fleiss": ("nominal", "fleiss"),
        "krippendorff_nominal": ("nominal", "krippendorff_weighted"),
        "conger": ("nominal", "conger"), "brennan_prediger": ("nominal", "brennan_prediger"),
        "AC2_quadratic": ("quadratic", "gwet_ac2"), "AC2_ordinal": ("ordinal", "gwet_ac2"),
    }  # fmt: skip
    for name, wanted in case["expected"].items():
        weights, variant = names[name]
        found = verify.agreement(long(rows), **FORM, weights=weights).table
        row = found.set_index("variant").loc[variant]
        near([row["estimate"], row["se"]], [wanted["coef"], wanted["se"]], 1e-5)
        if "ci" in wanted:
            near(row[["low_t", "high_t"]].astype(float), wanted["ci"], 1e-4)


def fleiss_1971(case):
    rows = [np.repeat(np.arange(5), counts).tolist() for counts in case["input"]["counts"]]
    found = verify.agreement(long(rows), **FORM, weights="nominal")
    table, wanted = found.table, case["expected"]
    near(table.set_index("variant").loc["fleiss", "estimate"], wanted["kappa"], 1e-5)
    near(found.about["fleiss_z"], wanted["z_null"], 1e-4)
    each = table.loc[table["metric"] == "category_kappa", "estimate"]
    near(each, wanted["category_kappa"], 6e-5)


def kendall_w_ties(case):
    rows = list(zip(*case["input"]["raters_by_subjects"], strict=True))
    row = verify.kendall_w(long(rows), **FORM).table.iloc[0]
    wanted = case["expected"]
    near(row[["estimate", "chi2", "df", "p"]].astype(float), list(wanted.values()), 1e-5)


def _components(data, formula, measured):
    table = verify.generalizability(data, formula, object=measured).table
    return table[table["variant"] == "raw"].set_index("term"), table.set_index("metric")["estimate"]


def brennan_2001_sd1_pxi(case):
    data, wanted = long(case["input"]["data"], "p", "i"), case["expected"]
    raw, whole = _components(data, "score ~ p + i", "p")
    for column, key, off in (("estimate", "var", 1e-6), ("mean_square", "MS", 6e-5)):
        near(
            raw.loc[["p", "i", "residual"], column], [wanted[key][k] for k in ("p", "i", "pi")], off
        )
    near(whole[["erho2", "phi"]], wanted["D_study_n_i:[Erho2,Phi]"]["12"], 6e-5)
    sizes = {int(k): v for k, v in wanted["D_study_n_i:[Erho2,Phi]"].items()}
    plan = verify.d_study(data, "score ~ p + i", object="p", sizes={"i": list(sizes)}).table
    for n, (erho2, phi) in sizes.items():
        own = plan[plan["i"] == n].set_index("variant")["estimate"]
        near(own[["erho2", "phi"]], [erho2, phi], 6e-5)


def brennan_2001_sd3_pxixo(case):
    columns, wanted = case["input"]["columns_o1i1..o1i4_o2i1..o2i4_by_person"], case["expected"]
    cells = [(p, c % 4, c // 4, v) for c, col in enumerate(columns) for p, v in enumerate(col)]
    data = pd.DataFrame(cells, columns=["p", "i", "o", "score"])
    raw, whole = _components(data, "score ~ p * i * o", "p")
    names = {"pio": "residual", "pi": "p:i", "po": "p:o", "io": "i:o", "p": "p", "i": "i", "o": "o"}
    for column, key, off in (("estimate", "var", 1e-5), ("mean_square", "MS", 6e-5)):
        near([raw.loc[names[k], column] for k in wanted[key]], list(wanted[key].values()), off)
    near(whole[["erho2", "phi"]], [wanted["Erho2_ni4_no2"], wanted["Phi_ni4_no2"]], 1e-5)


def penicillin_crossed_reml(case):
    data = long(case["input"]["plate_by_sample_A..F"], "plate", "sample")
    raw, _ = _components(data, "score ~ plate + sample", "plate")
    wanted = case["expected"]
    for term, value in wanted["REML"].items():
        near(raw.loc[term, "estimate"], value, 1e-4 * value)
    codes = [data[c].to_numpy(np.intp) for c in ("plate", "sample")]
    fit = reml(data["score"].to_numpy(), codes)
    near(fit.effects[1], wanted["sample_BLUP"], 1e-4)
    near(data["score"].mean(), wanted["intercept"], 1e-6)


ELSEWHERE = {"insteval_large_crossed": "tests/test_real_studies.py and tests/numeric/test_mixed.py"}
CHECKS = {
    f.__name__: f
    for f in (
        alpha_feldt_attitude, shrout_fleiss_1979, gwet_cac_raw4raters, fleiss_1971, kendall_w_ties,
        brennan_2001_sd1_pxi, brennan_2001_sd3_pxixo, penicillin_crossed_reml,
    )
}  # fmt: skip


@pytest.mark.data
@pytest.mark.skipif(not CASES, reason="the published cases are not beside the project")
@pytest.mark.parametrize("name", CHECKS)
def test_all_numbers_of_the_case_come_out(name):
    CHECKS[name](CASES[name])


@pytest.mark.data
@pytest.mark.skipif(not CASES, reason="the published cases are not beside the project")
def test_no_case_is_left_out_in_silence():
    assert set(CASES) == {*CHECKS, *ELSEWHERE}

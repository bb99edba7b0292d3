"""Halo: lme4's components on real writing ratings, planted sizes with coverage, honest refusals."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify

halo = importlib.import_module("svcmetrics.verify.halo")  # the module, not the function
NAMES = {"rater": "r", "target": "t", "item": "i", "score": "s"}


def planted(rng, halo=0.5, raters=40, targets=8, items=5):
    x = rng.normal(0, 0.4, (1, targets, 1)) + rng.normal(0, 0.4, (raters, 1, 1))
    x = x + rng.normal(0, halo, (raters, targets, 1)) + rng.normal(0, 0.5, (raters, targets, items))
    r, t, i = (v.ravel() for v in np.indices(x.shape))
    table = pd.DataFrame({"r": r, "t": t, "i": i, "s": x.ravel()})
    return table[rng.random((raters, targets))[r, t] < 0.6]


@pytest.mark.data
def test_components_equal_lme4_on_writing_ratings(shared_data):
    table = pd.read_csv(shared_data("writing_raters20") / "ratings.csv")
    table = table.melt(id_vars=["idstud", "rater"], value_vars=["k1", "k2", "k3", "k4", "k5"])
    found = verify.halo(table, rater="rater", target="idstud", item="variable", score="value")
    ours = found.table[found.table["metric"] == "halo_variance"].set_index("variant")["estimate"]
    # lmer(value ~ item + (1|idstud) + (1|rater) + (1|idstud:rater) + (1|rater:item)), lme4 1.1.31
    peer = {"pair": 0.0300173286546361, "target": 0.369882752972999, "rater_item": 0.0125375295626484,
            "rater": 0.0218958784331636, "residual": 0.270021246691156}  # fmt: skip
    for name, value in peer.items():
        assert ours[name] == pytest.approx(value, rel=1e-4), name


def test_the_planted_halo_lies_in_its_interval():
    rng, hits, shares = np.random.default_rng(1), 0, 0
    for _ in range(6):
        table = verify.halo(planted(rng), **NAMES).table.set_index("metric")
        hits += table.loc["halo_sd", "low"] <= 0.5 <= table.loc["halo_sd", "high"]
        shares += table.loc["halo", "low"] <= 0.5 <= table.loc["halo", "high"]
    assert hits >= 4 and shares >= 4


def test_no_halo_is_said_to_be_little():
    found = verify.halo(planted(np.random.default_rng(2), halo=0.0), **NAMES)
    assert found.findings[0].key == "halo.little"
    strong = verify.halo(planted(np.random.default_rng(2), halo=1.0), **NAMES)
    assert strong.findings[0].key == "halo.mostly"


def test_the_halo_of_the_example_study_is_near_what_was_planted(example_study_folder):
    table = pd.read_parquet(example_study_folder / "rating.parquet").merge(
        pd.read_parquet(example_study_folder / "plan.parquet"), on="plan_id"
    )
    two = table[table["wave"].isin(["2024-12", "2025-01"])]
    found = verify.halo(
        two, rater="rater_key", target="target_id", item="item_id", score="score", wave="wave"
    )
    row = found.table.set_index("metric").loc["halo_sd"]
    # 0.35 for liking, 0.25 for the own line in half of the forms: 0.37 together.
    assert row["low"] - 0.02 <= 0.37 <= row["high"] + 0.02


def test_one_item_and_all_the_same_are_refused():
    table = planted(np.random.default_rng(3))
    assert verify.halo(table[table["i"] == 0], **NAMES).findings[0].key == "halo.few"
    assert verify.halo(table.assign(s=4), **NAMES).findings[0].level == "refused"


def test_next_to_no_halo_has_a_finite_limit_that_says_so():
    rng = np.random.default_rng(5)
    limits = []
    for _ in range(12):
        row = verify.halo(planted(rng, halo=0.0, raters=30), **NAMES).table.set_index("metric")
        limits.append(row.loc["halo", "high"])
        assert 0 <= row.loc["halo", "low"] <= row.loc["halo", "estimate"] <= row.loc["halo", "high"]
    assert max(limits) < 0.25


def test_an_item_that_runs_against_the_others_is_named():
    table = planted(np.random.default_rng(6))
    table.loc[table["i"] == 2, "s"] *= -1
    named = [f for f in verify.halo(table, **NAMES).findings if f.key == "halo.reversed"]
    assert [f.values["items"] for f in named] == [["2"]]
    straight = verify.halo(planted(np.random.default_rng(6)), **NAMES)
    assert "halo.reversed" not in [f.key for f in straight.findings]


@pytest.mark.parametrize(
    ("low", "key"),
    [(0.05, "little"), (0.051, "some"), (0.5, "some"), (0.501, "mostly"), (0.0, "little")],
)
def test_halo_is_little_some_or_most_by_its_lower_limit(low, key):
    answers = np.ones((10, 4))
    answers[0, 0] = np.nan  # 3.9 items on a form
    found = SimpleNamespace(share=(0.6, low, 0.8), sd=(0.3, 0.2, 0.4), variances={"pair": 0.09})
    forms = type("Forms", (), {"answers": answers, "__len__": lambda self: 10})()
    said = halo._reading(forms, found)
    assert (said.key, said.level) == (f"halo.{key}", "warning" if key == "mostly" else "note")
    assert dict(said.values) == pytest.approx(
        {"share": 60, "low": 100 * low, "high": 80, "n": 10, "sd": 0.3, "items": 3.9,
         "worth": 3.9 / (1 + 2.9 * 0.6)}
    )  # fmt: skip
    # Kish's design effect: the error of a mean of k items with a common part.
    table = halo._table(forms, found).set_index("metric")
    ratio = table.loc["halo_error_ratio", ["estimate", "low", "high"]].tolist()
    assert ratio == pytest.approx([(1 + 2.9 * s) ** 0.5 for s in (0.6, low, 0.8)])
    assert table.loc["halo_sd", ["estimate", "low", "high"]].tolist() == [0.3, 0.2, 0.4]
    assert (table["n"] == 10).all()


@pytest.mark.parametrize(
    ("raters", "targets", "items", "few"),
    [(2, 2, 2, False), (1, 4, 3, True), (4, 1, 1, True), (3, 1, 2, True), (2, 2, 1, True)],
)
def test_two_items_four_forms_and_two_raters_are_asked_for(raters, targets, items, few):
    shape = (raters, targets, items)
    r, t, i = (v.ravel() for v in np.indices(shape))
    score = np.random.default_rng(1).normal(size=len(r))
    found = verify.halo(pd.DataFrame({"r": r, "t": t, "i": i, "s": score}), **NAMES)
    assert (found.findings[0].key == "halo.few") is few


@pytest.mark.parametrize(
    ("codes", "useful"), [([0, 0, 0, 0], False), ([0, 0, 0, 1], True), ([0, 1, 2, 3], False)]
)
def test_a_factor_needs_two_levels_and_fewer_than_answers(codes, useful):
    assert halo._useful(np.array(codes), 4) is useful

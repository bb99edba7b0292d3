"""The workbench puts questions to what a study holds, and says what it does not hold."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import verify
from svcmetrics.simulate import company
from svcmetrics.workbench import Workbench


@pytest.fixture(scope="module")
def bench():
    return Workbench(company(events=300, ratings=3000))


@pytest.fixture(scope="module")
def bare():
    """Three columns: no waves, no items, no departments of raters."""
    rng = np.random.default_rng(1)
    rows = [(f"p{r}", f"D{d}", float(rng.integers(1, 6))) for r in range(30) for d in range(5)]
    return Workbench(
        svc.Study({"rating": pd.DataFrame(rows, columns=["rater_key", "target_id", "score"])})
    )


def test_the_call_that_is_shown_gives_the_same_numbers(bench):
    for question in (verify.halo, verify.severity, verify.icc, verify.alpha, verify.drift):
        told = bench.ask(question)
        again = eval(told.about["call"], {"verify": verify, "bench": bench})
        np.testing.assert_array_equal(told.table["estimate"], again.table["estimate"])


def test_no_pseudonym_and_no_number_of_a_form_is_shown(bench):
    keys = {*bench.ratings["rater_key"], *bench.ratings["form"].dropna()}
    for question in (verify.icc, verify.alpha, verify.severity, verify.facets, verify.reportable):
        page = bench.show(question, figure=False)._repr_html_()
        assert not keys & set(re.findall(r"\w+", page)), question.__name__


def test_rows_of_single_raters_stay_off_the_page(bench):
    result = bench.ask(verify.severity)
    assert result.table["rater_key"].notna().sum() > 5
    assert not re.search(r"\bR\d\d+\b", bench.show(verify.severity, figure=False)._repr_html_())


def test_what_is_lacking_is_said_in_words(bare):
    for question in (
        verify.halo,
        verify.drift,
        verify.in_group,
        verify.reciprocity,
        verify.mode_effect,
    ):
        result = bare.ask(question)
        assert [f.level for f in result.findings] == ["refused"]
        assert result.table["estimate"].isna().all()
        for code in ("zh", "en"):
            assert "_" not in result.say(code)
    assert bare.ask(verify.severity).table["estimate"].notna().any()
    assert bare.ask(verify.icc).table["estimate"].notna().any()


def test_a_formula_with_a_column_that_is_not_there_is_refused(bare):
    found = bare.ask(verify.generalizability, formula="score ~ target_id + rater_key + item_id")
    assert found.findings[0].level == "refused"


def test_a_rater_with_several_cases_counts_once_per_wave_department_and_item(bench):
    long = bench.ratings
    assert not long.duplicated(["wave", "rater_key", "target_id", "item_id"]).any()
    assert not bench.forms.duplicated(["wave", "rater_key", "target_id"]).any()
    assert bench.answers["wave"].nunique() == 1


def test_one_verdict_per_wave_and_both_must_pass(bench):
    found = bench.verdicts()
    table, said = found.table, dict(found.findings[0].values)
    assert table["wave"].tolist() == sorted(bench.ratings["wave"].unique())
    good = (table["wave_verdict"] == "yes") & ~table["formality_verdict"].isin(
        ["mechanical", "flat"]
    )
    assert said["both"] == good.sum()
    last = verify.reportable(
        bench.answers, target="target_id", rater="rater_key", item="item_id", score="raw_score"
    )
    assert table["wave_verdict"].iloc[-1] == last.about["verdict"]


def test_without_waves_there_is_one_verdict(bare):
    assert len(bare.verdicts().table) == 1

"""A result cannot be changed, escapes its data and reads in two languages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import metric
from svcmetrics.result import ESTIMATE_COLUMNS, Finding, Result, estimates

HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def result() -> Result:
    table = estimates(
        "icc",
        groups={"unit": [HOSTILE, "财务部"]},
        estimate=[0.123456789, np.nan],
        low=[0.1, np.nan],
        high=[0.2, np.nan],
        n=[7, 2],
    )
    return Result("icc", table, [Finding("display.more_rows", {"count": 3})], {"dropped": {}})


def test_the_columns_stand_in_one_order(result):
    assert tuple(result.table.columns) == ("unit", *ESTIMATE_COLUMNS)


def test_results_stack(result):
    both = pd.concat([result.table, result.table], ignore_index=True)
    assert len(both) == 4


def test_what_comes_out_is_a_copy(result):
    mine = result.table
    mine.loc[0, "estimate"] = 99
    result.about["dropped"]["x"] = 1
    assert result.table.loc[0, "estimate"] == 0.123456789
    assert result.about["dropped"] == {}


def test_what_went_in_was_copied():
    table = estimates("icc", estimate=1.0, n=3)
    result = Result("icc", table)
    table.loc[0, "estimate"] = 5.0
    assert result.table.loc[0, "estimate"] == 1.0


def test_it_cannot_be_assigned_to(result):
    with pytest.raises(AttributeError, match="cannot be changed"):
        result.name = "other"


def test_html_escapes_names_headers_and_sentences(result):
    assert HOSTILE not in result._repr_html_()
    assert "&lt;script&gt;" in result._repr_html_()
    renamed = Result(
        "icc",
        result.table.rename(columns={"unit": HOSTILE}),
        [Finding("where.file", {"value": HOSTILE})],
    )
    assert HOSTILE not in renamed._repr_html_()


def test_it_speaks_the_current_language_and_the_other_one(result):
    with svc.speaking("en"):
        assert result.text == "3 more rows are not shown."
    assert result.say("zh") != result.say("en")


def test_display_rounds_and_the_table_does_not(result):
    assert "0.123456789" not in repr(result)
    assert result.table.loc[0, "estimate"] == 0.123456789


def test_a_missing_number_is_a_dash_in_display(result):
    assert "—" in repr(result)
    assert svc.lang.say("where.file", "en", value=float("nan")) == "file —"


def test_a_finding_has_one_of_three_levels():
    with pytest.raises(ValueError, match="'error' is no level"):
        Finding("where.file", {}, "error")  # type: ignore[arg-type]


def test_a_metric_answers_under_its_own_name(monkeypatch):
    monkeypatch.setattr(metric, "REGISTRY", {})

    @metric.metric(better="higher", source="nobody")
    def mine() -> Result:
        return Result("yours", estimates("yours", variant="x", estimate=1.0, n=1))

    with pytest.raises(ValueError, match="'mine' answered as 'yours'"):
        mine()


def test_a_table_without_the_columns_is_refused():
    with pytest.raises(ValueError, match="lacks the columns"):
        Result("icc", pd.DataFrame({"estimate": [1.0]}))


def test_an_unknown_language_is_refused_in_both_languages():
    with pytest.raises(ValueError, match="not available") as error:
        svc.use_language("fr")
    assert "不可用" in str(error.value)

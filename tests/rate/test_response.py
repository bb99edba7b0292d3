"""The share of planned forms that came back."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics.problems import TableError
from svcmetrics.rate.response import response

PLAN = pd.DataFrame({"plan_id": list("abcdef"), "wave": ["1", "1", "1", "2", "2", "2"]})


def test_shares_per_wave_and_in_all_with_wilsons_interval():
    table = response(PLAN, ratings=pd.DataFrame({"plan_id": ["a", "a", "b", "d"]})).table
    assert table["wave"].tolist() == ["1", "2", "all"]
    assert table["answered"].tolist() == [2, 1, 3]
    assert table["estimate"].tolist() == pytest.approx([2 / 3, 1 / 3, 0.5])
    # Wilson 95% of 3 of 6: (0.5 ± …) as printed by statsmodels 0.15 proportion_confint(method="wilson")
    assert table.loc[2, ["low", "high"]].tolist() == pytest.approx([0.1876164, 0.8123836], abs=1e-6)


def test_answers_to_forms_never_planned_are_counted_and_left_out():
    result = response(PLAN, ratings=pd.DataFrame({"plan_id": ["a", "zz"]}))
    assert result.about["dropped"] == {"not_planned": 1}
    assert result.table["answered"].iloc[-1] == 1


def test_a_silent_wave_is_named():
    plan = pd.DataFrame({"plan_id": range(200), "wave": ["1"] * 100 + ["2"] * 100})
    result = response(plan, ratings=pd.DataFrame({"plan_id": range(110)}))
    (warning,) = [f for f in result.findings if f.level == "warning"]
    assert warning.values["waves"] == ["2"]


def test_an_empty_plan_is_refused_with_a_reason():
    result = response(PLAN.head(0), ratings=pd.DataFrame({"plan_id": ["a"]}))
    assert result.table["estimate"].isna().all()
    assert result.findings[0].level == "refused"


def test_a_form_planned_twice_is_an_error():
    with pytest.raises(TableError, match="repeat the key"):
        response(pd.concat([PLAN, PLAN]), ratings=PLAN)


def test_forms_without_an_id_and_answers_never_planned_are_counted_apart():
    plan = pd.concat([PLAN, pd.DataFrame({"plan_id": [None], "wave": ["1"]})])
    result = response(plan, ratings=pd.DataFrame({"plan_id": ["a", "zz", "zy", None]}))
    assert result.about["dropped"] == {"no_id": 1, "not_planned": 2}
    assert result.table["n"].tolist() == [3, 3, 6]
    told = result.findings[0].values
    row = result.table.iloc[-1]
    assert told == {k: row[k] for k in ("estimate", "low", "high", "n")}


def test_a_wave_is_low_when_even_the_upper_limit_is_below_seventy_percent():
    plan = pd.DataFrame({"plan_id": range(200), "wave": ["1"] * 100 + ["2"] * 100})

    def low(answered):
        back = [*range(answered), *range(100, 200)]
        result = response(plan, ratings=pd.DataFrame({"plan_id": back}))
        high = result.table.loc[0, "high"]
        return high, any(f.key == "response.low" for f in result.findings)

    for answered in range(55, 68):
        high, told = low(answered)
        assert told == (high < 0.7)
    assert low(61)[1] and not low(62)[1]
    alone = response(plan, ratings=pd.DataFrame({"plan_id": range(60)}), wave=None)
    assert len(alone.table) == 1 and len(alone.findings) == 1


def test_a_plan_of_which_every_form_came_back_may_have_been_made_from_the_answers():
    plan = pd.DataFrame({"plan_id": ["a", "b", "c"], "wave": "1"})
    full = response(plan, ratings=pd.DataFrame({"plan_id": ["a", "b", "c"]}))
    told = {f.key: f for f in full.findings}["response.every_form"]
    assert told.level == "warning" and told.values == {"n": 3}
    most = response(plan, ratings=pd.DataFrame({"plan_id": ["a", "b"]}))
    assert "response.every_form" not in {f.key for f in most.findings}

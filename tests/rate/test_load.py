"""Forms counted by hand."""

import pandas as pd
import pytest

from svcmetrics import rate

PLAN = pd.DataFrame(
    {"wave": [1] * 10 + [2] * 3, "rater_key": ["a"] * 6 + ["b"] * 3 + ["c"] + ["a", "b", "c"]}
)


def numbers(result) -> dict:
    table = result.table
    return {
        (w, m, v): e
        for w, m, v, e in zip(table["wave"], table["metric"], table["variant"], table["estimate"])
    }


def test_forms_per_rater_and_wave():
    got = numbers(rate.load(PLAN, cap=4, minutes=6))
    assert [got[1, "load", v] for v in ("mean", "median", "p90", "max")] == pytest.approx(
        [10 / 3, 3, 6, 6]
    )
    assert got[1, "load_over_cap", ""] == pytest.approx(1 / 3)
    assert got[1, "load_hours", ""] == pytest.approx(1.0)
    assert got[2, "load", "max"] == 1
    assert got[2, "load_over_cap", ""] == 0


def test_the_cap_is_a_warning_only_when_it_is_broken():
    assert {f.level for f in rate.load(PLAN, cap=6).findings} == {"note"}
    broken = rate.load(PLAN, cap=5).findings[-1]
    assert (broken.key, broken.values["wave"]) == ("load.over_cap", "1")


def test_without_waves_and_without_rows():
    assert rate.load(PLAN, wave=None).table["estimate"].iloc[3] == 7
    assert rate.load(PLAN.head(0)).findings[0].level == "refused"
    lost = rate.load(PLAN.assign(rater_key=[None, *PLAN["rater_key"][1:]]))
    assert lost.about["dropped"] == {"no_id": 1}


def test_the_reading_tells_the_usual_and_the_worst_of_all_waves():
    told = {f.key: f.values for f in rate.load(PLAN, cap=4, minutes=6).findings}
    assert told["load.usual"] == pytest.approx(
        {"mean": (10 / 3 + 1) / 2, "most": 6, "hours": 1.0, "cap": 4}
    )
    assert told["load.over_cap"] == {"share": pytest.approx(100 / 3), "cap": 4, "wave": "1"}
    assert rate.load(PLAN, cap=6).about["axis"] == [0.0, None]


def test_by_default_eight_forms_of_three_minutes_are_not_too_many():
    eight = pd.DataFrame({"wave": 1, "rater_key": ["a"] * 8 + ["b"] * 2})
    result = rate.load(eight)
    assert [f.key for f in result.findings] == ["load.usual"]
    assert result.table["estimate"].iloc[-1] == 0.5
    nine = pd.concat([eight, eight.head(1)])
    assert rate.load(nine, wave=None).findings[-1].values["wave"] is None

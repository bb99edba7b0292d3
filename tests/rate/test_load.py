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

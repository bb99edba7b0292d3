"""Minutes per form and hours in all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.rate.burden import burden


def test_the_median_and_its_interval_from_order_statistics():
    # n = 10: the 2nd and 9th value hold the median with 97.9% (David & Nagaraja 2003, table 7.1).
    answers = pd.DataFrame({"plan_id": range(10), "seconds": np.arange(1, 11) * 60})
    row = burden(answers).table.iloc[0]
    assert row["estimate"] == 5.5
    assert (row["low"], row["high"]) == (2.0, 9.0)
    assert row["hours"] == 55 / 60


def test_a_form_counts_once_however_many_items_it_has():
    answers = pd.DataFrame({"plan_id": ["a", "a", "a", "b"], "seconds": [60, 60, 60, 180]})
    assert burden(answers).table.loc[0, ["estimate", "n"]].tolist() == [2.0, 2]


def test_too_few_forms_give_no_interval():
    row = burden(pd.DataFrame({"plan_id": ["a"], "seconds": [60]})).table.iloc[0]
    assert row["estimate"] == 1.0
    assert np.isnan(row["low"]) and np.isnan(row["high"])


def test_forms_without_a_time_are_counted():
    result = burden(pd.DataFrame({"plan_id": ["a", "b"], "seconds": [60, np.nan]}))
    assert result.about["dropped"] == {"no_time": 1}


def test_no_time_at_all_is_refused_with_a_reason():
    result = burden(pd.DataFrame({"plan_id": ["a"], "seconds": [np.nan]}))
    assert result.table["estimate"].isna().all()
    assert result.findings[0].level == "refused"


def test_six_forms_are_the_first_whose_extremes_hold_the_median():
    six = burden(pd.DataFrame({"plan_id": range(6), "seconds": np.arange(1, 7) * 60}))
    assert six.table.loc[0, ["low", "high"]].tolist() == [1.0, 6.0]
    five = burden(pd.DataFrame({"plan_id": range(5), "seconds": np.arange(1, 6) * 60}))
    assert five.table.loc[0, ["low", "high"]].isna().all()
    row = six.table.iloc[0]
    assert six.findings[0].values == {k: row[k] for k in ("estimate", "low", "high", "n", "hours")}


def test_each_wave_and_all_together_and_no_hours_of_nothing():
    data = pd.DataFrame({"plan_id": ["a", "b", "c"], "w": [1, 1, 2], "seconds": [60, 180, 600]})
    result = burden(data, wave="w")
    assert result.table["w"].tolist() == ["1", "2", "all"]
    assert result.table["estimate"].tolist() == [2.0, 10.0, 3.0]
    assert result.about["dropped"] == {}
    none = burden(data.assign(seconds=np.nan), wave="w")
    assert none.table[["w", "n", "hours"]].to_numpy().tolist() == [["all", 0, 0.0]]
    assert none.about["dropped"] == {"no_time": 3}

"""Shortening against the frozen baseline: by hand, season aware, free of the mix of services."""

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from svcmetrics import measure
from tests.measure.logs import two_years

EVENTS, BOOK = two_years()


def _table(**arguments) -> pd.DataFrame:
    return measure.shortening(EVENTS, services=BOOK, **arguments).table


def test_a_fifth_shorter_in_the_same_month():
    hr = _table().query("provider_id == 'HR'").set_index("variant")
    assert hr.loc["same_month", "estimate"] == pytest.approx(0.8)
    assert hr.loc["same_month", ["n", "old"]].tolist() == [10, 10]
    assert hr.loc["same_month", "high"] < 1


def test_other_months_only_cannot_be_told_from_the_season():
    pur = _table().query("provider_id == 'PUR'").set_index("variant")
    assert pur.loc["all_months", "estimate"] == pytest.approx(1.0)
    assert pd.isna(pur.loc["same_month", "estimate"])
    only = measure.shortening(EVENTS, services=BOOK[BOOK["service_id"] == "BUY"])
    assert "shortening.season" in [f.key for f in only.findings]


def test_the_mix_of_services_cannot_pass_for_an_effect():
    # Fewer slow cases in the new year halve the raw mean, and change no service.
    slow = EVENTS["case_id"].str.startswith("BUY2025") & EVENTS["case_id"].str[-1].isin(list("789"))
    table = measure.shortening(EVENTS[~slow], services=BOOK, by=None).table.set_index("variant")
    assert 0.8 < table.loc["all_months", "estimate"] < 1


def test_a_later_start_of_the_new_period():
    assert _table(since="2025-04-01", by=None).query("variant == 'all_months'")["n"].tolist() == [
        10
    ]


def test_too_few_cases_are_refused():
    few = EVENTS[EVENTS["case_id"].str.endswith("-033")]
    out = measure.shortening(few, services=BOOK)
    assert out.findings[0].level == "refused"


@pytest.mark.parametrize(("old", "new", "known"), [(5, 5, True), (4, 9, False), (9, 4, False)])
def test_five_cases_on_either_side_are_enough(old, new, known):
    day = EVENTS["case_id"].str.extract(r"(\d+)$")[0].str[2:].astype(int)
    year = EVENTS["case_id"].str.slice(3, 7)
    pay = EVENTS["service_id"] == "PAY"
    kept = EVENTS[pay & ((year == "2024") & (day <= old) | (year == "2025") & (day <= new))]
    book = BOOK[BOOK["service_id"] == "PAY"]
    out = measure.shortening(kept, services=book)
    assert out.table["estimate"].notna().tolist() == [known, known]
    assert out.table[["n", "old"]].values.tolist() == [[new, old] if known else [0, 0]] * 2
    assert (out.findings[0].level == "refused") is not known


def test_the_last_day_of_the_baseline_is_in_it_and_the_day_after_is_not():
    def counts(edge, **more):
        table = measure.shortening(
            EVENTS, services=BOOK[BOOK["service_id"] == "PAY"].assign(baseline_to=edge), **more
        ).table
        return table.loc[0, ["n", "old"]].tolist()

    assert counts("2024-03-10") == [10, 10]
    assert counts("2024-03-05T00:00") == [15, 5]  # of ten days of March the first five
    assert counts("2024-03-05", since="2024-03-06") == [15, 5]
    assert counts("2024-03-05", since="2024-03-07") == [14, 5]
    assert counts("2024-12-31", since="2025-03-05") == [6, 10]


def test_welchs_limits_by_hand():
    row = _table().query("provider_id == 'HR' and variant == 'all_months'").iloc[0]
    # On either side ten logarithms that lie log 1.1 above and below their mean.
    variance = 2 * np.log(1.1) ** 2 * 10 / 9 / 10
    half = 2.100922 * np.sqrt(variance)  # t of 18 degrees of freedom
    expected = [0.8, 0.8 * np.exp(-half), 0.8 * np.exp(half)]
    assert row[["estimate", "low", "high"]].tolist() == pytest.approx(expected, rel=1e-6)


def test_what_took_less_than_a_minute_counts_as_a_minute():
    quick = EVENTS[EVENTS["service_id"] == "PAY"].copy()
    new = quick["case_id"].str.startswith("PAY2025") & (quick["action"] == "close")
    start = quick.groupby("case_id")["at"].transform("first")
    at_once = quick.assign(at=quick["at"].where(~new, start))
    a_minute = quick.assign(at=quick["at"].where(~new, start + pd.Timedelta(minutes=1)))
    book = BOOK[BOOK["service_id"] == "PAY"]
    one, two = (measure.shortening(e, services=book).table for e in (at_once, a_minute))
    pd.testing.assert_frame_equal(one, two)
    assert one["estimate"].iloc[0] == pytest.approx(1 / 60 / 10)


def test_open_cases_are_counted_and_emergencies_are_not_routine():
    still = EVENTS[~((EVENTS["case_id"] == "PAY2025-031") & (EVENTS["action"] == "close"))]
    out = measure.shortening(still, services=BOOK)
    assert out.about["dropped"] == {"not_closed": 1}
    other = BOOK.assign(routine=["nonroutine", None])
    table = measure.shortening(EVENTS, services=other).table
    assert table["provider_id"].unique().tolist() == ["PUR"]  # what says nothing is routine
    named = measure.shortening(EVENTS, services=BOOK).findings
    assert [f.values["groups"] for f in named if f.key == "shortening.shorter"] == [["HR"]]


@pytest.mark.parametrize(("high", "told"), [(0.999, ["HR"]), (1.0, None)])
def test_a_group_is_shorter_where_the_whole_interval_lies_below_one(high, told):
    module = importlib.import_module("svcmetrics.measure.shortening")
    log = np.log([2.0, 3, 2, 3, 2] * 2)
    rows = pd.DataFrame(
        {"service_id": "a", "month_of_year": 3, "log": log, "new": [0] * 5 + [1] * 5}
    )
    table = pd.DataFrame({"unit": ["HR", "IT"], "variant": ["same_month", "all_months"],
                          "high": [high, 0.1]})  # fmt: skip
    cases = SimpleNamespace(by=["unit"], findings=list)
    found = {f.key: f.values for f in module._findings(table, rows, cases)}
    assert found.get("shortening.shorter") == ({"groups": told} if told else None)
    assert found["shortening.overall"]["estimate"] == pytest.approx(1.0)
    assert found["shortening.overall"]["mixed"] == pytest.approx(1.0)


def test_limits_are_welchs_on_the_log_of_the_time():
    module = importlib.import_module("svcmetrics.measure.shortening")
    rng = np.random.default_rng(5)
    old, new = rng.normal(2, 0.5, 9), rng.normal(1.8, 0.2, 6)
    rows = pd.DataFrame({"s": "a", "log": np.r_[old, new], "new": [0] * 9 + [1] * 6})
    found = module._pooled(rows, ["s"])
    welch = stats.ttest_ind(new, old, equal_var=False)
    ends = welch.confidence_interval(0.95)
    assert found["estimate"] == pytest.approx(np.exp(new.mean() - old.mean()))
    assert [found["low"], found["high"]] == pytest.approx(np.exp([ends.low, ends.high]))
    assert (found["n"], found["old"]) == (6, 9)
    even = module._pooled(rows.assign(log=rows["new"] * -0.5), ["s"])
    assert [even[k] for k in ("low", "estimate", "high")] == pytest.approx([np.exp(-0.5)] * 3)

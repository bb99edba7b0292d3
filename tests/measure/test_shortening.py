"""Shortening against the frozen baseline: by hand, season aware, free of the mix of services."""

import pandas as pd
import pytest

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

"""Services judged against their own frozen baseline instead of a promise."""

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import measure
from tests.measure.logs import log, two_years

EVENTS, BOOK = two_years()
NOTHING = BOOK.assign(promise_h=None)


def test_hours_by_hand():
    # PAY took 11 h and 9.09 h five times each in the baseline, BUY ten times as long.
    found = measure.from_baseline(EVENTS, services=NOTHING).set_index("service_id")
    middle = (11 + 10 / 1.1) / 2
    assert found["promise_h"].to_dict() == pytest.approx({"PAY": middle, "BUY": 10 * middle})
    assert found["baseline_cases"].to_dict() == {"PAY": 10, "BUY": 10}
    assert set(found["valid_from"]) == {"2025-01-01"}
    slow = measure.from_baseline(EVENTS, services=NOTHING, share=0.9).set_index("service_id")
    assert slow.loc["PAY", "promise_h"] == pytest.approx(11)
    assert list(found.columns[: len(BOOK.columns) - 1]) == list(BOOK.columns[1:])


def test_ratio_and_expected_against_the_baseline():
    book = measure.from_baseline(EVENTS, services=NOTHING)
    ratio = measure.time_ratio(EVENTS, services=book).table
    middle = ratio[ratio["variant"] == "median"].set_index("provider_id")["estimate"]
    # In 2025 PAY takes 8 h instead of 10, BUY as long as before; the baseline is not judged.
    assert middle["HR"] == pytest.approx(8 * (1.1 + 1 / 1.1) / 2 / book["promise_h"][0])
    assert middle["PUR"] == pytest.approx(1)
    table = measure.standardised(EVENTS, services=book).table
    late = table[table["variant"] == "late"].set_index("provider_id")
    assert late["n"].to_dict() == {"HR": 10, "PUR": 10}
    assert late["observed"].to_dict() == {"HR": 0, "PUR": 5}


def test_who_answers_for_being_slower_than_before():
    rows = "\n".join(
        f"""
        c{year}{day} S {year}-03-{day:02}T08:00 submit
        c{year}{day} S {year}-03-{day:02}T{10 + late}:00 deliver 1 @A
        c{year}{day} S {year}-03-{day:02}T{12 + late}:00 deliver 2 @B
        """
        for year, late in ((2024, 0), (2025, 3)) for day in range(1, 7)
    )  # fmt: skip
    services = pd.DataFrame({
        "service_id": ["S"], "provider_id": ["A"], "clock": "calendar",
        "baseline_from": "2024-01-01", "baseline_to": "2024-12-31",
    })  # fmt: skip
    steps = pd.DataFrame({
        "service_id": "S", "step_no": [1, 2], "unit_id": ["A", "B"], "role_weight": [0.5, 0.5],
        "is_final": [False, True],
    })  # fmt: skip
    events = log(rows)
    book = measure.from_baseline(events, services=services, steps=steps)
    assert book["promise_h"].tolist() == [4.0]
    out = measure.responsibility(events, services=book, steps=steps)
    own = out.table[out.table["variant"] == "own"].set_index("unit_id")
    assert own["hours"].to_dict() == pytest.approx({"A": 18.0, "B": 0.0})


def test_too_few_cases_or_none_give_no_hours():
    few = EVENTS[EVENTS["case_id"].isin(["PAY2024-031", "PAY2024-032", "BUY2025-061"])]
    found = measure.from_baseline(few, services=NOTHING)
    assert found["promise_h"].isna().all()
    assert found["baseline_cases"].tolist() == [2, 0]
    out = measure.time_ratio(few, services=found)
    assert out.findings[0].level == "refused"
    assert np.isnan(out.table["estimate"]).all()
    none = measure.from_baseline(EVENTS, services=NOTHING.assign(baseline_to=None))
    assert none["promise_h"].isna().all()


def test_a_wrong_share_or_a_missing_baseline_is_an_error():
    with pytest.raises(svc.TableError, match=r"1\.5"):
        measure.from_baseline(EVENTS, services=BOOK, share=1.5)
    with pytest.raises(svc.TableError, match="baseline_to"):
        measure.from_baseline(EVENTS, services=BOOK.drop(columns="baseline_to"))


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_share_lies_between_nothing_and_all(share):
    with pytest.raises(svc.TableError):
        measure.from_baseline(EVENTS, services=BOOK, share=share)


@pytest.mark.parametrize(("count", "known"), [(4, False), (5, True)])
def test_five_cases_make_a_baseline(count, known):
    cases = [f"PAY2024-03{day}" for day in range(1, count + 1)]
    found = measure.from_baseline(EVENTS[EVENTS["case_id"].isin(cases)], services=NOTHING)
    assert found["promise_h"].notna().tolist() == [known, False]
    assert found["baseline_cases"].tolist() == [count, 0]


def test_the_edges_of_the_baseline_are_in_it():
    pay = EVENTS[EVENTS["service_id"] == "PAY"]
    book = NOTHING.assign(baseline_from="2024-03-02", baseline_to="2024-03-09")
    found = measure.from_baseline(pay, services=book)
    assert found["baseline_cases"].tolist() == [8, 0]
    assert found["valid_from"].tolist() == ["2024-03-10"] * 2

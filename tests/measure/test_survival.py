"""Time with open cases: printed curves, peers, and the door."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from svcmetrics import measure
from svcmetrics.numeric import survival as curves
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS

# Freireich et al. (1963), 6-MP group, weeks in remission; + was still in remission.
WEEKS = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35.0])
ENDED = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], dtype=bool)


def test_remission_curve_as_printed():
    # Kleinbaum and Klein (2012), Survival Analysis, table 2.1 and p. 64: estimates and SE.
    curve = curves.kaplan_meier(curves.ends(WEEKS, ENDED))
    assert curve.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.survival == pytest.approx(
        [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5
    )
    assert np.sqrt(curve.variance) == pytest.approx(
        [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=5e-5
    )
    median, low, high = curves.quantile(curve, 0.5)
    assert (median, low) == (23, 13)
    assert np.isnan(high)


def test_restricted_mean_as_printed():
    # SAS LIFETEST on the same data, mean up to 35 weeks: 23.2869, standard error 2.8276.
    curve = curves.kaplan_meier(curves.ends(WEEKS, ENDED))
    mean, low, _ = curves.restricted_mean(curve, 35.0)
    assert mean == pytest.approx(23.2874, abs=5e-4)
    assert (mean - low) / 1.959964 == pytest.approx(2.8276, abs=5e-4)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_quantiles_equal_statsmodels(share):
    rng = np.random.default_rng(8)
    time, ended = rng.exponential(5, 200).round(1) + 0.1, rng.random(200) < 0.7
    peer = SurvfuncRight(time, ended)
    ours = curves.quantile(curves.kaplan_meier(curves.ends(time, ended)), share)
    assert ours[0] == peer.quantile(share)
    assert ours[1:] == pytest.approx(peer.quantile_ci(share, method="cloglog"))


def test_without_open_cases_everything_is_a_plain_share():
    rng = np.random.default_rng(9)
    time, cause = rng.exponential(1, 400), rng.integers(1, 3, 400)
    share, low, high = curves.cumulative_incidence(curves.ends(time, cause), 1, 1.0)
    plain = np.mean((time <= 1) & (cause == 1))
    assert share == pytest.approx(plain)
    sigma = np.sqrt(plain * (1 - plain) / 400)
    assert high - low == pytest.approx(2 * 1.96 * sigma, rel=0.02)


def test_the_two_ways_of_ending_and_the_rest_add_up():
    rng = np.random.default_rng(10)
    time, cause = rng.exponential(1, 300).round(2) + 0.01, rng.integers(0, 3, 300)
    both = sum(curves.cumulative_incidence(curves.ends(time, cause), k, 1.5)[0] for k in (1, 2))
    curve = curves.kaplan_meier(curves.ends(time, cause > 0))
    left = curve.survival[curve.time <= 1.5][-1]
    assert both + left == pytest.approx(1)


def test_cases_by_hand():
    table = measure.survival(SMALL, services=SERVICES, steps=STEPS, calendar=CALENDAR).table
    hr = table[table["provider_id"] == "HR"].set_index("variant")
    # Ended after 5, 6, 6, 7 and 40 of 16 hours; g was withdrawn after 3; f is open after 40.
    assert hr.loc["median", ["estimate", "n", "open_cases"]].tolist() == [6 / 16, 7, 1]
    assert hr.loc["withdrawn", "estimate"] == pytest.approx(1 / 7)
    assert hr.loc["done_in_promise", "estimate"] == pytest.approx(4 / 7)


def test_without_any_promise_time_is_told_in_hours():
    out = measure.survival(
        SMALL, services=SERVICES.assign(promise_h=None), steps=STEPS, calendar=CALENDAR
    )
    hr = out.table[out.table["provider_id"] == "HR"].set_index("variant")
    assert hr.loc["median", "estimate"] == 6
    assert set(hr["time_unit"]) == {"hours"}
    assert "done_in_promise" not in hr.index
    assert out.findings[0].key == "survival.hours"


def test_without_promise_and_calendar_time_is_told_in_hours_of_day_and_night():
    log = pd.DataFrame(
        {
            "case_id": ["a", "a", "b", "b", "c"],
            "seq": [1, 2, 1, 2, 1],
            "service_id": "s",
            "action": ["submit", "close", "submit", "close", "submit"],
            # a takes 24 hours, b 48, c is open after 48
            "at": [f"2024-09-0{d} 09:00" for d in (2, 3, 2, 4, 2)],
        }
    )
    book = pd.DataFrame({"service_id": ["s"], "provider_id": ["HR"], "clock": ["business"]})
    out = measure.survival(log, services=book)
    rows = out.table.set_index("variant")
    assert rows.loc["median", "estimate"] == 48
    assert rows.loc["median", ["n", "open_cases"]].tolist() == [3, 1]
    assert set(rows["time_unit"]) == {"natural_hours"}
    assert out.findings[0].key == "survival.natural_hours"


def test_cases_of_a_service_that_nobody_listed_keep_a_row_of_their_own():
    known = SERVICES.assign(promise_h=None).query("service_id != 'IT1'")
    out = measure.survival(SMALL, services=known, steps=STEPS, calendar=CALENDAR)
    cases = out.table[out.table["variant"] == "done"].set_index("provider_id")["n"]
    assert cases["HR"] == 7 and cases[cases.index.isna()].tolist() == [1]


def test_nothing_to_time_is_refused():
    out = measure.survival(SMALL.iloc[:0], services=SERVICES, steps=STEPS)
    assert out.findings[0].level == "refused"


def hours(times: list[float], still: list[float] = (), gone: list[float] = ()) -> pd.DataFrame:
    """Cases of a service that promises ten hours: closed, still open at the end, withdrawn."""
    end, rows = pd.Timestamp("2024-10-01 00:00"), []
    for k, (took, word) in enumerate([*((t, "close") for t in times), *((t, None) for t in still),
                                      *((t, "withdraw") for t in gone)]):  # fmt: skip
        start = end - pd.Timedelta(hours=took)
        rows.append((f"c{k}", 1, "s", start, "submit"))
        if word:
            rows.append((f"c{k}", 2, "s", end, word))
    return pd.DataFrame(rows, columns=["case_id", "seq", "service_id", "at", "action"])


TEN = pd.DataFrame(
    {"service_id": ["s"], "provider_id": ["HR"], "promise_h": [10.0], "clock": ["calendar"]}
)


def test_cases_are_compared_up_to_twice_the_promise_or_as_far_as_there_are_any():
    far = measure.survival(hours([5, 10, 15, 40]), services=TEN).table.set_index("variant")
    assert far["horizon"].unique().tolist() == [2.0]
    assert far.loc["done", "estimate"] == 0.75  # 40 hours lie beyond
    assert far.loc["done_in_promise", "estimate"] == 0.5  # ten hours are within ten
    assert far.loc["restricted_mean", "estimate"] == pytest.approx((0.5 + 1 + 1.5 + 2) / 4)
    near = measure.survival(hours([5, 10, 15]), services=TEN).table
    assert near["horizon"].unique().tolist() == [1.5]
    told = measure.survival(hours([5, 10, 15, 40]), services=TEN)
    assert told.findings[0].values["naive"] == pytest.approx(1.25)
    assert told.findings[1].values == {"share": 0.5}


def test_where_most_are_open_the_median_is_not_known_and_that_is_said():
    out = measure.survival(hours([5], still=[8, 9, 20]), services=TEN)
    row = out.table.set_index("variant").loc["median"]
    assert np.isnan(row["estimate"]) and row[["n", "ended", "open_cases"]].tolist() == [4, 1, 3]
    assert [f.key for f in out.findings] == [
        "survival.overall", "survival.promise", "survival.too_open"
    ]  # fmt: skip
    both = measure.survival(hours([5, 5], gone=[5, 5]), services=TEN).table.set_index("variant")
    assert both.loc[["done", "withdrawn"], "estimate"].tolist() == [0.5, 0.5]
    assert both.loc["done", ["ended", "open_cases"]].tolist() == [4, 0]


def test_without_a_promise_nine_in_ten_cases_set_the_horizon():
    times = list(range(1, 12))
    out = measure.survival(hours(times), services=TEN.assign(promise_h=None, clock="calendar"))
    assert out.table["horizon"].iloc[0] == pytest.approx(10.0)
    assert len(out.about["curve"]["time"]) == 201
    assert out.about["curve"]["time"][-1] == pytest.approx(10.0)
    assert out.about["curve"]["done"][-1] == pytest.approx(10 / 11)

"""Cases by hand: status, time that counts, time that does not; and laws of splitting."""

import pandas as pd
import pyarrow as pa
import pytest

from svcmetrics import measure
from svcmetrics.io import engine
from svcmetrics.measure.case_rows import differs
from svcmetrics.problems import TableError
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS, log

STUDY = {"services": SERVICES, "steps": STEPS, "calendar": CALENDAR}


@pytest.fixture(scope="module")
def cases() -> pd.DataFrame:
    return measure.cases(SMALL, **STUDY).set_index("case_id")


def test_what_became_of_each_case(cases):
    assert cases["status"].to_dict() == {
        "a": "closed", "b": "closed", "c": "closed", "d": "rejected", "e": "closed",
        "f": "open", "g": "withdrawn", "h": "closed", "i": "closed",
    }  # fmt: skip


def test_hours_by_hand(cases):
    hours = ["elapsed_h", "business_h", "paused_h", "paused_business_h"]
    # a: Mon 9–12, 13–18 (8 h) and Tue 9–12, 13–17 (7 h); stopped Mon 14:30–18 and Tue 9–14:30.
    assert cases.loc["a", hours].tolist() == [32.0, 15.0, 24.0, 8.0]
    # c: with the requester Mon 10:00 to Wed 10:00: Mon 2 + 5, Tue 8, Wed 1.
    assert cases.loc["c", ["requester_h", "requester_business_h"]].tolist() == [48.0, 16.0]
    # c has no close: its end is the delivery of the final step.
    assert cases.loc["c", "end_at"] == pd.Timestamp("2024-09-04T16:00", tz="Asia/Shanghai")
    # f is open: its age up to the last event of the log, Mon 9 September, 10:00.
    assert cases.loc["f", "elapsed_h"] == 7 * 24 + 1
    assert pd.isna(cases.loc["f", "end_at"])


def test_counts_flags_and_links(cases):
    assert cases["n_returns"].sum() == 2
    assert cases["n_rejects"].sum() == 1
    assert cases.loc["e", "prev_case_id"] == "d"
    assert cases.index[cases["is_emergency"]].tolist() == ["h"]
    assert not cases[["no_start", "after_close", "negative"]].any(axis=None)
    assert cases["provider_id"].to_dict()["i"] == "IT"


def test_a_stopped_clock_inside_a_wait_for_the_requester_counts_once():
    events = log("""
        x PAY 2024-09-02T09:00 submit
        x PAY 2024-09-02T10:00 return 1
        x PAY 2024-09-02T11:00 pause 1
        x PAY 2024-09-02T15:00 resume 1
        x PAY 2024-09-02T16:00 resubmit
        x PAY 2024-09-02T17:00 close
    """)
    one = measure.cases(events, **STUDY).iloc[0]
    assert one[["elapsed_h", "paused_h", "requester_h"]].tolist() == [8.0, 4.0, 2.0]
    assert one[["business_h", "paused_business_h", "requester_business_h"]].tolist() == [
        7.0,
        3.0,
        2.0,
    ]


def test_stopped_clocks_that_overlap_count_once():
    """Stamps out of order: 09:00 to 12:00 stopped, in it 10:00 to 11:00 stopped once more; all of
    it while the work lay with the requester, who therefore held nothing up.
    """
    events = log("""
        x PAY 2024-09-02T08:00 submit
        x PAY 2024-09-02T09:00 return 1
        x PAY 2024-09-02T09:00 pause 1
        x PAY 2024-09-02T12:00 resume 1
        x PAY 2024-09-02T10:00 pause 1
        x PAY 2024-09-02T11:00 resume 1
        x PAY 2024-09-02T12:00 resubmit
        x PAY 2024-09-02T13:00 close
    """)
    one = measure.cases(events, **STUDY).iloc[0]
    assert one[["requester_h", "requester_business_h"]].tolist() == [0.0, 0.0]
    assert one["paused_h"] == 3.0


def test_a_pause_that_nobody_ended_lasts_to_the_end_of_the_case():
    events = log("""
        x PAY 2024-09-02T09:00 submit
        x PAY 2024-09-02T10:00 pause 1
        x PAY 2024-09-02T11:00 pause 1
        x PAY 2024-09-02T17:00 close
        y PAY 2024-09-02T09:00 submit
        y PAY 2024-09-02T12:00 pause 1
    """)
    paused = measure.cases(events, **STUDY, until="2024-09-03T09:00").set_index("case_id")[
        "paused_h"
    ]
    assert paused.to_dict() == {"x": 7.0, "y": 21.0}


@pytest.mark.parametrize(
    ("tail", "status", "flag"),
    [
        ("reject", "rejected", False),
        ("reject resubmit", "open", False),
        ("reject resubmit close", "closed", False),
        ("close comment", "closed", False),
        ("close deliver", "closed", True),
        ("close return", "open", False),
        ("close return deliver close", "closed", False),
        ("withdraw", "withdrawn", False),
    ],
)
def test_how_a_case_ends(tail, status, flag):
    words = ["submit", "accept", *tail.split()]
    lines = [f"x IT1 2024-09-02T{9 + i:02}:00 {w}" for i, w in enumerate(words)]
    one = measure.cases(log("\n".join(lines)), services=SERVICES).iloc[0]
    assert (one["status"], one["after_close"]) == (status, flag)


def test_a_case_without_a_submission_and_one_that_ends_before_it_starts_are_flagged():
    events = log("""
        x PAY 2024-09-02T09:00 accept 1
        x PAY 2024-09-02T17:00 close
        y PAY 2024-09-03T09:00 submit
        y PAY 2024-09-02T17:00 close
    """)
    out = measure.cases(events, **STUDY).set_index("case_id")
    assert out.index[out["no_start"]].tolist() == ["x"]
    assert out.index[out["negative"]].tolist() == ["y"]


def test_two_halves_of_a_log_give_the_cases_of_the_whole():
    whole = measure.cases(SMALL, **STUDY, until="2024-09-10")
    first = SMALL["case_id"] < "d"
    halves = [measure.cases(SMALL[k], **STUDY, until="2024-09-10") for k in (first, ~first)]
    pd.testing.assert_frame_equal(pd.concat(halves, ignore_index=True), whole)


def test_the_zone_of_the_stamps_and_the_way_they_are_held_change_nothing(tmp_path):
    whole = measure.cases(SMALL, **STUDY)
    lima = SMALL.assign(at=SMALL["at"].dt.tz_convert("America/Lima"))
    bare = SMALL.assign(at=SMALL["at"].dt.tz_localize(None))
    text = SMALL.assign(at=[t.isoformat() for t in SMALL["at"]])
    SMALL.to_parquet(tmp_path / "event.parquet")
    for events in (lima, bare, text, tmp_path / "event.parquet"):
        pd.testing.assert_frame_equal(measure.cases(events, **STUDY), whole)


def test_a_stamp_finer_than_a_microsecond_is_cut_not_refused():
    fine = SMALL.assign(at=SMALL["at"].dt.as_unit("ns") + pd.Timedelta(1, "ns"))
    pd.testing.assert_frame_equal(measure.cases(fine, **STUDY), measure.cases(SMALL, **STUDY))


def test_an_engine_table_stays_in_its_engine():
    backend = engine.connect(memory="500MB")
    table = backend.create_table("event", SMALL)
    out = measure.cases(table, **STUDY)
    assert engine.is_table(out)
    frame = engine.frame(out.order_by("case_id"))
    whole = measure.cases(SMALL, **STUDY)
    hours = [c for c in whole if c.endswith("_h")]
    pd.testing.assert_frame_equal(frame[["case_id", *hours]], whole[["case_id", *hours]])


def test_without_a_calendar_there_is_no_working_time():
    out = measure.cases(SMALL, services=SERVICES, steps=STEPS)
    assert out["business_h"].isna().all()
    assert out["elapsed_h"].notna().all()


def test_outside_the_calendar_working_time_is_unknown_and_the_case_stays():
    events = SMALL.assign(at=SMALL["at"] + pd.Timedelta(days=100))
    out = measure.cases(events, **STUDY).set_index("case_id")
    assert len(out) == 9
    far = SMALL.assign(at=SMALL["at"] + pd.Timedelta(days=600))
    assert measure.cases(far, **STUDY)["business_h"].isna().all()


def test_a_number_that_repeats_in_a_case_is_an_error():
    with pytest.raises(TableError, match="重复"):
        measure.cases(pd.concat([SMALL, SMALL.head(1)]))
    long = pd.DataFrame(
        {"case_id": "x", "seq": [*range(200), 7], "service_id": "s", "action": "comment"}
    )
    with pytest.raises(TableError, match="repeat"):
        measure.cases(long.assign(at=pd.Timestamp("2024-09-02")))
    measure.cases(long.head(200).assign(at=pd.Timestamp("2024-09-02")))


def test_an_unknown_action_and_a_missing_column_are_named():
    with pytest.raises(TableError, match="dance"):
        measure.cases(SMALL.assign(action="dance"))
    with pytest.raises(TableError, match="service_id"):
        measure.cases(SMALL.drop(columns="service_id"))


def test_an_empty_log_gives_no_cases():
    assert len(measure.cases(SMALL.head(0), **STUDY)) == 0


def test_a_value_is_another_one_unless_the_same_is_known_to_stand_before():
    """What is unknown is not known to be the same, neither as a text nor as a code of it."""
    words = pa.array(["a", "a", None, None, "b", "b", "a"])
    wanted = [True, False, True, True, True, False, True]
    assert differs(words).tolist() == wanted
    assert differs(words.dictionary_encode()).tolist() == wanted
    assert differs(words.slice(0, 0)).tolist() == []

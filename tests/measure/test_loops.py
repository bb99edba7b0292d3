"""Loops by hand: what is a repeat, what is none, and between which steps cases go back and forth."""

import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.problems import TableError
from tests.measure.logs import SERVICES, SMALL, STEPS, log

STUDY = {"services": SERVICES, "steps": STEPS}


def _of(events, variant, **arguments) -> pd.DataFrame:
    table = measure.loops(events, **arguments).table
    return table[table["variant"] == variant]


def _extra(text: str) -> int:
    return int(_of(log(text), "extra", by=None)["count"].sum())


def test_by_hand():
    # Of a b c d e: a passes steps 1 and 2 twice; c passes step 1 twice, returned to the requester.
    assert _of(SMALL, "looped", **STUDY)["count"].tolist() == [0, 2]
    rate = _of(SMALL, "extra", **STUDY).set_index("service_id").loc["PAY"]
    assert rate[["estimate", "count", "n"]].tolist() == [60, 3, 5]
    steps = _of(SMALL, "step_extra", **STUDY).set_index(["service_id", "step_no"])
    assert steps.loc["PAY", ["count", "n"]].to_numpy().tolist() == [[2, 5], [1, 4], [0, 4]]


def test_printed_limits_come_through():
    # Clopper and Pearson for 2 of 5, Garwood for a count of 3 (printed: 0.6187 to 8.7673).
    share = _of(SMALL, "looped", **STUDY).set_index("service_id").loc["PAY"]
    assert (share["low"], share["high"]) == pytest.approx((0.052745, 0.853367), abs=1e-6)
    rate = _of(SMALL, "extra", **STUDY).set_index("service_id").loc["PAY"]
    assert (rate["low"] / 20, rate["high"] / 20) == pytest.approx((0.6187, 8.7673), abs=5e-5)


def test_pairs_say_from_where_to_where_and_whether_it_recurs():
    pair = _of(SMALL, "return_pair", **STUDY).iloc[0]
    assert pair[["step_no", "to_step_no", "count", "cases", "recurring"]].tolist() == [
        2,
        1,
        1,
        1,
        0,
    ]
    asked = _of(SMALL, "to_requester", **STUDY).iloc[0]
    assert asked[["step_no", "count"]].tolist() == [1, 1]
    ping_pong = """
        a PAY 2024-09-02T09:00 deliver 1 @HR
        a PAY 2024-09-02T10:00 return 2 >1 @FIN
        a PAY 2024-09-02T11:00 deliver 1 @HR
        a PAY 2024-09-02T12:00 return 2 >1 @FIN
        a PAY 2024-09-02T13:00 deliver 1 @HR
        a PAY 2024-09-02T14:00 approve 2 @FIN
        a PAY 2024-09-02T15:00 close
    """
    pair = _of(log(ping_pong), "return_pair").iloc[0]
    assert pair[["count", "cases", "recurring"]].tolist() == [2, 1, 1]
    assert _extra(ping_pong) == 4


@pytest.mark.parametrize(
    "text",
    [
        # Two people hand in parts of one step's output, one after the other.
        "a S 2024-09-02T09:00 deliver 1\na S 2024-09-02T10:00 deliver 1\na S 2024-09-02T11:00 close",
        # Steps side by side: taken up in turn, done in turn.
        "a S 2024-09-02T09:00 accept 1\na S 2024-09-02T09:30 accept 2\n"
        "a S 2024-09-02T10:00 deliver 1\na S 2024-09-02T11:00 deliver 2\na S 2024-09-02T12:00 close",
        # A rule that approves again does no work again.
        "a S 2024-09-02T09:00 approve 1 auto\na S 2024-09-02T10:00 deliver 2\n"
        "a S 2024-09-02T11:00 approve 1 auto\na S 2024-09-02T12:00 close",
        # The same return recorded twice is one passage.
        "a S 2024-09-02T09:00 return 2 >1\na S 2024-09-02T09:00 return 2 >1\na S 2024-09-02T12:00 close",
    ],
)
def test_what_is_no_loop(text):
    assert _extra(text) == 0


def test_open_cases_and_cases_without_steps_are_counted_apart():
    events = pd.concat([SMALL, log("z PAY 2024-09-02T09:00 submit\nz PAY 2024-09-02T10:00 close")])
    out = measure.loops(events, **STUDY)
    assert out.about["dropped"] == {"open_or_withdrawn": 2, "no_step": 1}
    assert "loops.no_step" in [f.key for f in out.findings]


def test_emergencies_stand_apart():
    assert _of(SMALL, "emergency_looped", **STUDY)["n"].tolist() == [1]


def test_nothing_ended_is_refused():
    out = measure.loops(log("a PAY 2024-09-02T09:00 submit\na PAY 2024-09-02T09:30 deliver 1"))
    assert out.findings[0].level == "refused"
    assert out.about["dropped"] == {"open_or_withdrawn": 1}


def test_by_unit_of_the_catalogue_and_unknown_columns():
    assert _of(SMALL, "looped", **STUDY, by="provider_id")["n"].tolist() == [5, 1]
    with pytest.raises(TableError, match="nowhere"):
        measure.loops(SMALL, by="nowhere")


def test_a_log_without_any_return_names_no_step_to_go_back_to():
    log = pd.DataFrame(
        {"case_id": "a", "seq": [1, 2, 3], "service_id": "s", "step_no": [None, 1, 1],
         "action": ["submit", "deliver", "close"], "at": pd.date_range("2024-09-02", periods=3)}
    )  # fmt: skip
    table = measure.loops(log).table
    assert table["to_step_no"].isna().all()
    assert set(table["variant"]) >= {"looped", "step_looped"}

"""Visits of steps: they add up to the case, and queue is told from touch."""

import pytest

from svcmetrics import measure
from tests.measure.logs import CALENDAR, SERVICES, SMALL, STEPS

STUDY = {"services": SERVICES, "steps": STEPS, "calendar": CALENDAR}
VISITS = measure.passages(SMALL, **STUDY)


@pytest.mark.parametrize("column", ["elapsed_h", "business_h", "paused_h"])
def test_the_visits_of_a_case_add_up_to_its_time(column):
    cases = measure.cases(SMALL, **STUDY).set_index("case_id")[column]
    total = VISITS.groupby("case_id")[column].sum()
    assert (total - cases).abs().max() < 1e-9


def test_the_way_of_one_case():
    a = VISITS[VISITS["case_id"] == "a"]
    assert a["kind"].tolist() == ["step"] * 5 + ["closing"] * (len(a) - 5)
    assert a["step_no"].tolist()[:5] == [1, 2, 1, 2, 3]
    assert a["unit_id"].tolist()[:5] == ["HR", "FIN", "HR", "FIN", "HR"]
    assert a["elapsed_h"].tolist()[:5] == [2.0, 3.0, 25.5, 0.5, 1.0]
    assert a["paused_h"].tolist()[:5] == [0.0, 0.0, 24.0, 0.0, 0.0]


def test_queue_and_touch_where_an_accept_tells_them_apart():
    first = VISITS[(VISITS["case_id"] == "a") & (VISITS["visit_no"] == 1)].iloc[0]
    assert first[["queue_h", "touch_h"]].tolist() == [1.0, 1.0]
    b = VISITS[VISITS["case_id"] == "b"]
    assert b[["queue_h", "touch_h"]].isna().all(axis=None)


def test_time_with_the_requester_is_a_visit_of_its_own():
    c = VISITS[VISITS["case_id"] == "c"]
    assert c["kind"].tolist() == ["step", "requester", "step", "step", "step"]
    assert c.loc[c["kind"] == "requester", "elapsed_h"].tolist() == [48.0]
    assert c.loc[c["kind"] == "requester", "unit_id"].isna().all()


def test_an_open_case_ends_with_an_open_visit():
    f = VISITS[VISITS["case_id"] == "f"]
    assert f["open"].tolist()[-1]
    assert f["elapsed_h"].sum() == 7 * 24 + 1

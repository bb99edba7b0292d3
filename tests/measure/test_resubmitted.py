"""Rejected cases and what takes them up: linked as arrays or by joins, it is the same."""

from dataclasses import replace

import pandas as pd
import pytest

from svcmetrics.io import engine, held
from svcmetrics.measure import resubmitted
from svcmetrics.measure.cases import case_facts, timed_once
from svcmetrics.measure.log import read_log
from svcmetrics.simulate import company
from tests.measure.logs import SMALL, STEPS

STUDY = company(events=6000, ratings=300, units=6)


@pytest.mark.parametrize(
    ("events", "steps"),
    [(SMALL, STEPS), (STUDY.event, STUDY.step), (SMALL.iloc[:0], STEPS),
     (SMALL.assign(actor_key=None), STEPS)],
    ids=["small", "company", "empty", "nobody"],
)  # fmt: skip
@pytest.mark.parametrize("days", [0.5, 30])
def test_arrays_and_joins_agree(events, steps, days, monkeypatch):
    log = read_log(events, "Asia/Shanghai")
    assert log.ready
    parts = engine.frame(resubmitted.resubmitted(log, steps, days))
    held.forget()
    timed_once(log, None, steps, {})  # the times of the cases have the facts too
    later = engine.frame(resubmitted.resubmitted(log, steps, days))
    pd.testing.assert_frame_equal(parts, later)
    unready = replace(log, ready={})
    arrays = engine.frame(resubmitted.resubmitted(unready, steps, days))
    monkeypatch.setattr(resubmitted, "_as_arrays", None)  # as on an engine of another kind
    joins = engine.frame(resubmitted._by_joins(case_facts(log, steps), days))
    kinds = list(resubmitted._KINDS)
    one, two, three = (t.sort_values(kinds, ignore_index=True) for t in (parts, arrays, joins))
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_frame_equal(two[three.columns], three, check_dtype=False)
    assert one["cases"].sum() == events["case_id"].nunique()


@pytest.mark.parametrize("ready", [True, False], ids=["in order", "in the engine"])
def test_a_pair_has_a_number_where_it_was_ever_rejected(ready):
    log = read_log(STUDY.event, "Asia/Shanghai")
    facts = case_facts(log, STUDY.step)
    found = resubmitted._of_parts(log, STUDY.step) if ready else resubmitted._of_engine(facts)
    rows, services = resubmitted._coded(found)
    cases = engine.frame(facts).set_index("case_id").loc[found["case_id"].to_pylist()]
    assert services[rows["service_id"]].tolist() == cases["service_id"].tolist()
    both = list(zip(cases["requester"], cases["service_id"], strict=True))
    known = {b for b, s in zip(both, cases["status"], strict=True) if s == "rejected"}
    known = {b for b in known if isinstance(b[0], str)}
    pair = rows["pair"].tolist()
    assert [p >= 0 for p in pair] == [b in known for b in both]
    assert len({(b, p) for b, p in zip(both, pair, strict=True) if p >= 0}) == len(known)
    assert {p for p in pair if p >= 0} == set(range(len(known)))

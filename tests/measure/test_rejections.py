"""Rejections and their re-submissions: by link, by rule, with and without."""

import numpy as np
import pandas as pd

from svcmetrics import measure
from tests.measure import odd_log
from tests.measure.logs import SMALL, STEPS, log


def _count(events, **arguments):
    return (
        measure.rejections(events, steps=STEPS, by=None, **arguments)
        .table.set_index("variant")["count"]
        .to_dict()
    )


def test_one_rejection_found_both_ways():
    # Finished: a b c d e h i. Returned: a, c. Taken up again: d by e.
    assert _count(SMALL) == {
        "rejected": 1, "linked_by_id": 1, "linked_by_rule": 1, "linked": 1,
        "rework_within": 2, "rework": 3,
    }  # fmt: skip


def test_the_rule_needs_requester_service_and_time():
    assert _count(SMALL.assign(prev_case_id=None))["linked"] == 1
    assert _count(SMALL.assign(prev_case_id=None), days=1)["linked"] == 0
    other = SMALL.assign(prev_case_id=None, actor_key=SMALL["case_id"])
    assert _count(other)["linked"] == 0


def test_a_new_case_takes_up_one_rejection_only():
    events = log("""
        a PAY 2024-09-02T09:00 submit ~p
        a PAY 2024-09-02T10:00 reject 1
        b PAY 2024-09-02T09:30 submit ~p
        b PAY 2024-09-02T10:30 reject 1
        c PAY 2024-09-03T09:00 submit ~p
        c PAY 2024-09-03T10:00 close
    """)
    assert _count(events)["linked_by_rule"] == 1


def test_no_finished_case_is_refused():
    out = measure.rejections(log("a PAY 2024-09-02T09:00 submit ~p"))
    assert out.findings[0].level == "refused"


def test_links_by_rule_are_those_of_looking_at_every_pair():
    rng = np.random.default_rng(4)
    n = 300
    start = rng.integers(0, 400, n)
    case = pd.DataFrame({
        "case_id": [f"c{i:03d}" for i in range(n)], "service_id": rng.choice(["s", "t"], n),
        "actor_key": rng.choice(["p", "q", None], n), "start": start,
        # Some end at once, some are stamped before their own submission.
        "end": start + rng.integers(-2, 6, n), "action": rng.choice(["reject", "close"], n),
    })  # fmt: skip
    hour, day = pd.Timedelta(hours=1), pd.Timestamp("2024-01-01")
    first = case.assign(seq=1, at=day + case["start"] * hour, action="submit")
    last = case.assign(seq=2, at=day + case["end"] * hour, actor_key="x")
    events = pd.concat([first, last], ignore_index=True)
    got = measure.rejections(events, days=1, by=None).table.set_index("variant")
    takes: dict[str, list[tuple[int, str]]] = {}
    for new in case.dropna().itertuples():
        fits = [
            (-old.end, old.case_id) for old in case.dropna().itertuples()
            if old.action == "reject" and old.case_id != new.case_id
            and (old.actor_key, old.service_id) == (new.actor_key, new.service_id)
            and old.end <= new.start
        ]  # fmt: skip
        if fits and new.start + min(fits)[0] <= 24:
            takes.setdefault(min(fits)[1], []).append((new.start, new.case_id))
    again = {min(found)[1] for found in takes.values()}
    assert got.loc["linked_by_rule", "count"] == len(takes) > 20
    assert got.loc["rework", "count"] == len(again)


def test_thirty_days_to_the_minute_are_within_thirty_days():
    """no5 comes thirty days after no4 was rejected, no7 a minute later than that after no6."""

    def linked(**more):
        table = measure.rejections(
            odd_log.EVENTS, steps=odd_log.STEPS, by="service_id", **more
        ).table.set_index(["variant", "service_id"])["count"]
        return [int(table[kind, service]) for kind in ("linked_by_rule", "linked_by_id", "linked")
                for service in ("BUY", "PAY", "IT1")]  # fmt: skip

    assert linked() == [3, 0, 0, 0, 1, 0, 3, 1, 0]
    assert linked(days=29.99) == [2, 0, 0, 0, 1, 0, 2, 1, 0]
    assert linked(days=31) == [3, 1, 0, 0, 1, 0, 3, 1, 0]
    # no1 is followed by no2 after 22 hours, that by no3 after 46.
    assert linked(days=1)[0] == 1 and linked(days=2)[0] == 2


def test_rework_counts_what_came_back_within_a_case_and_what_was_taken_up_again():
    result = measure.rejections(odd_log.EVENTS, steps=odd_log.STEPS)
    told = {f.key: dict(f.values) for f in result.findings}
    assert told["rejections.overall"] == {"count": 5, "share": 5 / 48, "n": 48}
    assert told["rejections.linked"] == {"by_id": 1 / 5, "linked": 4 / 5, "days": 30}
    # Back within the case: gross, worst, it3, new, fire2. Taken up again: no2, no3, no5, no9.
    assert told["rejections.rework"] == {"without": 5 / 48, "with_": 9 / 48}

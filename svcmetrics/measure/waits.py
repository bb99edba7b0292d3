"""Stretches of a case in which nobody but the requester, or a stopped clock, holds it up."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.clocks import Clocks, with_worked
from svcmetrics.measure.log import ENDS, FLOW, is_in

# What starts the clock again: a resume, a new submission, or the end of the case.
_MARKS = ("pause", "resume", "resubmit", *ENDS)


def pauses(events: Table) -> Table:
    """case_id, a_us, b_us of every stopped clock; b_us is NULL while it still stands."""
    held = events.filter(events["action"] == "pause").select("case_id").distinct()
    marks = events.filter(is_in(events["action"], _MARKS)).semi_join(held, "case_id")
    window = ibis.window(group_by="case_id", order_by="seq")
    marks = marks.mutate(b_us=marks["at_us"].lead().over(window))
    return marks.filter(marks["action"] == "pause").select("case_id", "b_us", a_us="at_us")


def sent_back(events: Table) -> Table:
    """Every return and rejection with the event that moved the case on: next_action, _step, _us.

    Only cases in which something was sent back are looked at. The next event is sought in sorted
    rows: pairing all of a case would take hours where two steps play ping-pong a thousand times.
    """
    columns = ("case_id", "seq", "service_id", "at_us", "action", "to_step_no")
    back = events.filter(is_in(events["action"], ("return", "reject"))).select(*columns)
    back = engine.keep(back)  # few rows, and the engine should know so before it joins
    flow = events.filter(is_in(events["action"], FLOW))
    flow = flow.select("case_id", "seq", next_us="at_us", next_action="action", next_step="step_no")
    flow = flow.filter(flow["case_id"].isin(back["case_id"]))
    return engine.next_row(back, flow, within="case_id", by="seq")


def to_requester(back: Table) -> Table:
    """Those that went to the requester: nothing internal is named, and the requester acts next."""
    acts = is_in(back["next_action"], ("submit", "resubmit"))
    leaves = (back["next_action"] == "withdraw").fill_null(False) & back["to_step_no"].isnull()
    waits = (
        back["next_action"].isnull() & back["to_step_no"].isnull() & (back["action"] == "return")
    )
    return back.filter(acts | leaves | waits)


def requester_waits(events: Table) -> Table:
    """case_id, a_us, b_us while the work lay with the requester; b_us is NULL while it still does."""
    back = to_requester(sent_back(events))
    return back.select("case_id", a_us="at_us", b_us="next_us")


def within(stretches: Table, cases: Table) -> Table:
    """Stretches cut to the time of their case, with its clock: case_id, clock_id, a_us, b_us."""
    bounds = cases.select("case_id", "clock_id", "start_us", "stop_us")
    rows = stretches.inner_join(bounds, "case_id")
    rows = rows.mutate(
        a_us=ibis.greatest(rows["a_us"], rows["start_us"]),
        b_us=ibis.least(rows["b_us"].fill_null(rows["stop_us"]), rows["stop_us"]),
    )
    rows = rows.filter(rows["b_us"] > rows["a_us"])
    return rows.select("case_id", "clock_id", "a_us", "b_us")


def overlap(one: Table, two: Table) -> Table:
    """The parts of the first stretches in which the second ones of the same case run too."""
    other = two.select(case_2="case_id", a_2="a_us", b_2="b_us")
    both = one.inner_join(other, one["case_id"] == other["case_2"])
    both = both.mutate(
        a_us=ibis.greatest(both["a_us"], both["a_2"]), b_us=ibis.least(both["b_us"], both["b_2"])
    )
    both = both.filter(both["b_us"] > both["a_us"])
    return both.select("case_id", "clock_id", "a_us", "b_us")


def lengths(book: Clocks, **kinds: Table) -> Table:
    """Per case: the sums of its stretches of each kind, ``<kind>_us`` elapsed and ``<kind>_work``.

    One end outside the calendar leaves the whole sum of working time unknown, not smaller.
    """
    columns = ("case_id", "clock_id", "a_us", "b_us")
    named = [t.select(*columns, kind=ibis.literal(k)) for k, t in kinds.items()]
    rows = with_worked(ibis.union(*named), book, {"a_work": "a_us", "b_work": "b_us"})
    rows = rows.mutate(us=rows["b_us"] - rows["a_us"], work=rows["b_work"] - rows["a_work"])
    sums = {}
    for k in kinds:
        ours = rows["kind"] == k
        unknown = (ours & rows["work"].isnull()).any()
        worked = rows["work"].sum(where=ours).fill_null(0)
        sums[f"{k}_us"] = rows["us"].sum(where=ours).fill_null(0)
        sums[f"{k}_work"] = ibis.ifelse(unknown, ibis.null("int64"), worked)
    return rows.group_by("case_id").aggregate(**sums)

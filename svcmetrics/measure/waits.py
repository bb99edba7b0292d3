"""Stretches of a case in which nobody but the requester, or a stopped clock, holds it up."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, Table

from svcmetrics.io import engine
from svcmetrics.measure.actions import FLOW, MARKS, among, is_in, number, text
from svcmetrics.measure.clocks import Clocks, with_worked
from svcmetrics.measure.log import Log


def pauses(log: Log) -> Table:
    """case_id, a_us, b_us of every stopped clock; b_us is NULL while it still stands."""
    return _stretches(log)[0]


def sent_back(log: Log) -> Table:
    """Every return and rejection with the event that moved the case on: next_action, _step, _us."""
    return _stretches(log)[1]


def _stretches(log: Log) -> tuple[Table, Table]:
    """Both from one pass over the log, and only over cases in which there is any of it."""

    def make() -> tuple[Table, Table]:
        c = log.cases
        some = c.filter(c["n_pauses"] + c["n_returns"] + c["n_rejects"] > 0).select("case_id")
        columns = ("case_id", "seq", "service_id", "at_us", "action", "step_no", "to_step_no")
        # Their words are looked at afterwards: most rows of the log are gone by then.
        rows = log.events.select(*columns).semi_join(engine.keep(some), "case_id")
        rows = rows.mutate(word=number(rows["action"]).cast("int8")).drop("action")
        rows = engine.keep(rows)
        return engine.keep(_pauses(rows)), engine.keep(_sent_back(rows))

    return log.once("stretches", make)


def _pauses(rows: Table) -> Table:
    marks = rows.filter(among(rows["word"], MARKS))
    window = ibis.window(group_by="case_id", order_by="seq")
    marks = marks.mutate(b_us=marks["at_us"].lead().over(window))
    return marks.filter(among(marks["word"], ("pause",))).select("case_id", "b_us", a_us="at_us")


def _sent_back(rows: Table) -> Table:
    """In sorted rows: pairing all events of a case would take hours where two steps play ping-pong
    a thousand times.
    """
    flow = rows.filter(among(rows["word"], FLOW))
    window = ibis.window(group_by="case_id", order_by="seq")
    after = {"next_us": "at_us", "next_word": "word", "next_step": "step_no"}
    flow = flow.mutate(**{new: flow[old].lead().over(window) for new, old in after.items()})
    back = flow.filter(among(flow["word"], ("return", "reject")))
    return back.select(
        "case_id", "seq", "service_id", "at_us", "to_step_no", "next_us", "next_step",
        action=text(back["word"]), next_action=text(back["next_word"]),
    )  # fmt: skip


def to_requester(back: Table) -> Table:
    """Those that went to the requester: see ``went_to_requester``."""
    return back.filter(went_to_requester(back))


def went_to_requester(back: Table) -> BooleanValue:
    """Whether nothing internal is named, and the requester acts next."""
    acts = is_in(back["next_action"], ("submit", "resubmit"))
    leaves = (back["next_action"] == "withdraw").fill_null(False) & back["to_step_no"].isnull()
    waits = (
        back["next_action"].isnull() & back["to_step_no"].isnull() & (back["action"] == "return")
    )
    return (acts | leaves | waits).fill_null(False)


def requester_waits(log: Log) -> Table:
    """case_id, a_us, b_us while the work lay with the requester; b_us is NULL while it still does."""
    back = to_requester(sent_back(log))
    return back.select("case_id", a_us="at_us", b_us="next_us")


def within(stretches: Table, cases: Table) -> Table:
    """Stretches cut to the time of their case, with its clock: case_id, clock_id, a_us, b_us.

    Where stamps are out of order stretches may overlap; each moment is left in the first of them.
    """
    bounds = cases.select("case_id", "clock_id", "start_us", "stop_us")
    rows = stretches.inner_join(bounds, "case_id")
    rows = rows.mutate(
        a_us=ibis.greatest(rows["a_us"], rows["start_us"]),
        b_us=ibis.least(rows["b_us"].fill_null(rows["stop_us"]), rows["stop_us"]),
    )
    earlier = ibis.window(group_by="case_id", order_by=("a_us", "b_us"), preceding=(None, 1))
    seen = rows["b_us"].max().over(earlier).fill_null(rows["a_us"])
    rows = rows.mutate(a_us=ibis.greatest(rows["a_us"], seen))
    rows = rows.filter(rows["b_us"] > rows["a_us"])
    return rows.select("case_id", "clock_id", "a_us", "b_us")


def overlap(one: Table, two: Table) -> Table:
    """The parts of the first stretches in which the second ones of the same case run too.

    Stretches of one table do not overlap among themselves. So their edges, sorted, tell at every
    moment whether both run, and a case with thousands of stretches costs no more than many cases.
    """
    # Most cases have stretches of one kind only.
    one, two = one.semi_join(two, "case_id"), two.semi_join(one, "case_id")
    edges = [
        t.select("case_id", "clock_id", at=t[at], one=ibis.literal(own * step, "int64"),
                 two=ibis.literal((1 - own) * step, "int64"))
        for t, own in ((one, 1), (two, 0)) for at, step in (("a_us", 1), ("b_us", -1))
    ]  # fmt: skip
    rows = ibis.union(*edges)
    # All edges of one moment are one row, or the order among them would matter.
    rows = rows.group_by("case_id", "at").aggregate(
        clock_id=rows["clock_id"].min(), one=rows["one"].sum(), two=rows["two"].sum()
    )
    window = ibis.window(group_by="case_id", order_by="at")
    running = ibis.window(group_by="case_id", order_by="at", preceding=(None, 0))
    rows = rows.mutate(
        b_us=rows["at"].lead().over(window),
        one=rows["one"].sum().over(running),
        two=rows["two"].sum().over(running),
    )
    both = rows.filter((rows["one"] > 0) & (rows["two"] > 0) & rows["b_us"].notnull())
    return both.select("case_id", "clock_id", "b_us", a_us="at")


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

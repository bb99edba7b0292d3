"""From events to visits of steps: where a case was, waited and was worked on."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.cases import case_times, joined, local_frame
from svcmetrics.measure.catalogue import step_table
from svcmetrics.measure.clocks import HOUR, Clocks, clocks
from svcmetrics.measure.log import FLOW, Log, is_in, read_log
from svcmetrics.measure.waits import lengths, pauses, within

_HOURS = ("elapsed", "business", "paused", "paused_business", "queue", "touch")


def passages(
    events: Any,
    *,
    services: pd.DataFrame | None = None,
    steps: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    timezone: str = "Asia/Shanghai",
    until: object = None,
) -> Any:
    """At which step was a case, how long did it wait there and how long was it worked on?

    Arguments as in ``cases``. The time before an event belongs to the step that this event comes
    from; time in the hands of the requester, the moment until a case is closed and time whose step
    is not named are visits of their own (``kind``: step, requester, closing, unknown). So the visits of a case
    add up to its time exactly.

    Comes back as one row per visit: ``case_id, service_id, visit_no, kind, step_no, unit_id,
    start_at, end_at, elapsed_h, business_h, paused_h, paused_business_h`` and, where an ``accept``
    tells them apart, ``queue_h`` (until it was taken up) and ``touch_h`` (from then on, stopped
    clock taken off).
    ``open`` marks the visit that had not ended when the log was drawn.

    It misleads where steps run side by side: an event log has one line of time per case.

    Source: House rules of the log.

    >>> log = pd.DataFrame({"case_id": "a", "seq": [1, 2, 3], "service_id": "s",
    ...     "action": ["submit", "accept", "deliver"], "step_no": [None, 1, 1],
    ...     "at": ["2024-09-02 09:00", "2024-09-02 11:00", "2024-09-02 12:00"]})
    >>> passages(log)[["step_no", "elapsed_h", "queue_h", "touch_h"]].values.tolist()
    [[1.0, 3.0, 2.0, 1.0]]
    """
    log = read_log(events, timezone, until=until)
    book = clocks(calendar, timezone) if calendar is not None else {}
    cases = engine.keep(case_times(log, services, steps, book))
    table = visit_table(log, cases, steps, book)
    keys = ("case_id", "visit_no")
    return table if engine.is_table(events) else local_frame(table.order_by(*keys), timezone)


def visit_table(log: Log, cases: Table, steps: pd.DataFrame | None, book: Clocks) -> Table:
    """The visits of these cases, as ``passages`` gives them."""
    return _measured(_visits(_pieces(log, cases)), log, cases, steps, book)


def _pieces(log: Log, cases: Table) -> Table:
    """The stretches between events that move a case, each with the step that it belongs to."""
    e = log.events.filter(is_in(log.events["action"], FLOW))
    e = e.select("case_id", "seq", "at_us", "action", "step_no", "to_step_no", "unit_id")
    e = e.inner_join(cases.select("case_id", "start_us", "end_us", "stop_us"), "case_id")
    e = e.filter((e["at_us"] >= e["start_us"]) & (e["at_us"] <= e["stop_us"]))
    tail = _tails(e)
    e = e.select(*tail.columns).union(tail)
    window = ibis.window(group_by="case_id", order_by="seq")
    e = e.mutate(
        a_us=e["at_us"].lag().over(window),
        prev_action=e["action"].lag().over(window),
        prev_to=e["to_step_no"].lag().over(window),
    )
    # The log ends with an event: nothing has happened to that case since.
    e = e.filter(e["a_us"].notnull() & ((e["action"] != "tail") | (e["at_us"] > e["a_us"])))
    back = is_in(e["prev_action"], ("return", "reject"))
    acts = is_in(e["action"], ("submit", "resubmit"))
    leaves = is_in(e["action"], ("withdraw", "tail")) & e["prev_to"].isnull()
    requester = back & (acts | leaves)
    step = ibis.coalesce(e["step_no"], e["prev_to"])
    closing = (e["action"] == "close") & step.isnull()
    kind = ibis.cases(
        (requester, "requester"), (step.notnull(), "step"), (closing, "closing"), else_="unknown"
    )
    return e.mutate(kind=kind, step=ibis.ifelse(requester, ibis.null("int64"), step))


def _tails(e: Table) -> Table:
    """For cases that are still open: the moment at which the log was drawn, as a last row."""
    last = (
        e.filter(e["end_us"].isnull())
        .group_by("case_id")
        .aggregate(seq=e["seq"].max() + 1, at_us=e["stop_us"].max())
    )
    null = ibis.null("int64")
    return last.select(
        "case_id", "seq", "at_us", action=ibis.literal("tail"), step_no=null, to_step_no=null,
        unit_id=ibis.null("string"),
    )  # fmt: skip


def _visits(pieces: Table) -> Table:
    """Stretches in a row at the same place are one visit."""
    window = ibis.window(group_by="case_id", order_by="seq")
    place = pieces["kind"].concat(" ", pieces["step"].fill_null(0).cast("string"))
    p = pieces.mutate(place=place)
    p = p.mutate(moved=(p["place"] != p["place"].lag().over(window)).fill_null(True).cast("int64"))
    p = p.mutate(visit_no=p["moved"].cumsum(group_by="case_id", order_by="seq"))
    taken = p["action"] == "accept"
    return p.group_by("case_id", "visit_no").aggregate(
        kind=p["kind"].min(),
        step_no=p["step"].min(),
        by_unit=engine.last_by(p["unit_id"], p["seq"], p["unit_id"].notnull()),
        a_us=engine.first_by(p["a_us"], p["seq"], p["seq"].notnull()),
        b_us=engine.last_by(p["at_us"], p["seq"], p["seq"].notnull()),
        taken_us=engine.first_by(p["at_us"], p["seq"], taken),
        open=(p["action"] == "tail").any(),
    )


def _measured(
    visits: Table, log: Log, cases: Table, steps: pd.DataFrame | None, book: Clocks
) -> Table:
    v = joined(visits, cases.select("case_id", "service_id", "clock_id"), "case_id")
    v = engine.keep(joined(v, step_table(steps), "service_id", "step_no"))
    # One id per visit, so that stopped time can be laid over visits as over cases.
    v = v.mutate(key=v["case_id"].concat("\x1f", v["visit_no"].cast("string")))
    stopped = engine.keep(within(pauses(log), cases))
    whole = v.select("clock_id", "a_us", "b_us", case_id="key")
    sums = lengths(
        book,
        whole=whole,
        paused=_by_visit(v, stopped, "a_us"),
        touched=_by_visit(v.filter(v["taken_us"].notnull()), stopped, "taken_us"),
    )
    v = joined(v, sums.rename(key="case_id"), "key")
    us = {
        "elapsed": v["whole_us"],
        "business": v["whole_work"],
        "paused": v["paused_us"],
        "paused_business": v["paused_work"],
        "queue": v["taken_us"] - v["a_us"],
        "touch": v["b_us"] - v["taken_us"] - v["touched_us"],
    }
    return v.select(
        "case_id", "service_id", "visit_no", "kind", "step_no",
        unit_id=ibis.ifelse(v["kind"] == "requester", ibis.null("string"), ibis.coalesce(v["step_unit"], v["by_unit"])),
        start_at=engine.instant(v["a_us"]), end_at=engine.instant(v["b_us"]),
        **{f"{k}_h": us[k] / HOUR for k in _HOURS}, open=v["open"],
    )  # fmt: skip


def _by_visit(stretch: Table, stopped: Table, since: str) -> Table:
    """Stopped time inside visits, under the id of the visit."""
    ours = stretch.select("case_id", "clock_id", "b_us", "key", a_us=since)
    other = stopped.select(case_2="case_id", a_2="a_us", b_2="b_us")
    both = ours.inner_join(other, ours["case_id"] == other["case_2"])
    both = both.mutate(
        a_us=ibis.greatest(both["a_us"], both["a_2"]), b_us=ibis.least(both["b_us"], both["b_2"])
    )
    both = both.filter(both["b_us"] > both["a_us"])
    return both.select("clock_id", "a_us", "b_us", case_id="key")

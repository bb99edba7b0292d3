"""From events to cases: one row each, with the time that counts and the time that does not."""

from __future__ import annotations

from functools import partial
from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine, held
from svcmetrics.io.times import zone
from svcmetrics.measure.actions import ACTIONS
from svcmetrics.measure.catalogue import default_clock, service_table, step_table
from svcmetrics.measure.clocks import HOUR, Clocks, clocks, mark_of, with_worked
from svcmetrics.measure.instants import local_micros
from svcmetrics.measure.log import Log, read_log
from svcmetrics.measure.part_facts import STATUS
from svcmetrics.measure.part_times import Timed, timed
from svcmetrics.measure.waits import lengths, overlap, pauses, requester_waits, within

# Under this name the parts in which the times of cases lie are held.
PARTS = "parts"
KINDS = ("elapsed", "business", "paused", "requester", "paused_business", "requester_business")
COUNTS = ("n_events", "n_returns", "n_rejects", "n_resubmits")


def cases(
    events: Any,
    *,
    services: pd.DataFrame | None = None,
    steps: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    timezone: str = "Asia/Shanghai",
    until: object = None,
) -> Any:
    """What became of each case, and how long did it take?

    ``events``: the ``event`` table as a frame, an engine table or a Parquet file. ``services``,
    ``steps``, ``calendar``: the tables of the study; without them there is no provider, no final
    step and no working time. ``timezone``: the clock of stamps without an offset. ``until``: when
    the log was drawn (default: its last event); the age of open cases is counted up to then.

    Comes back as one row per case: ``service_id, provider_id, month`` (of its start),
    ``first_at, last_at`` (of all its events), ``start_at`` (first submission), ``end_at``,
    ``status`` (closed, open, withdrawn, rejected), hours ``elapsed_h, business_h`` from start to
    end, in them ``paused_h`` (clock stopped) and ``requester_h`` (lay with the requester, clock
    running) with their working time ``paused_business_h, requester_business_h``; ``n_events,
    n_returns, n_rejects, n_resubmits``; ``is_emergency``, ``prev_case_id``; and the flags
    ``no_start``, ``after_close`` and ``negative``. A frame gives a frame, an engine table an
    engine table.

    A case ends with the last close, reject or withdraw that no later submission or return opens
    again; without one, with the delivery of its final step. It misleads when close is stamped by
    a nightly job: then name the final step and drop these events.

    Source: House rules of the log, facts 1 to 6 of the table description.

    >>> log = pd.DataFrame({"case_id": "c1", "seq": [1, 2], "service_id": "s",
    ...     "at": ["2024-09-27 16:00", "2024-10-08 10:00"], "action": ["submit", "close"]})
    >>> cases(log)[["status", "elapsed_h"]]
       status  elapsed_h
    0  closed      258.0
    """
    log = read_log(events, timezone, until=until)
    book = clocks(calendar, timezone) if calendar is not None else {}
    table = finished_table(case_times(log, services, steps, book), timezone)
    if not engine.is_table(events):
        return local_frame(table.order_by("case_id"), timezone)
    # The times are held already; these columns are worked out by whoever asks for them.
    known = held.marks(services, steps)
    mark = log.mark and known and ("cases", log.mark, log.until, known, mark_of(book), timezone)
    held.once(mark or None, PARTS, lambda: timed_once(log, services, steps, book).parts)
    return held.tell(table, mark or None)


def case_times(
    log: Log, services: pd.DataFrame | None, steps: pd.DataFrame | None, book: Clocks
) -> Table:
    """The cases with all times in whole microseconds; ``stop_us`` is the end, or the log's.

    Held for whoever asks the same log again with the same catalogue and calendar.
    """
    catalogue = service_table(services, book)
    table = timed_once(log, services, steps, book).table
    table = joined(_named(table), catalogue, "service_id")
    return table.mutate(
        clock_id=ibis.coalesce(table["clock_id"], default_clock(book)),
        is_emergency=(table["routine"] == "emergency").fill_null(False),
    )


def timed_once(
    log: Log, services: pd.DataFrame | None, steps: pd.DataFrame | None, book: Clocks
) -> Timed:
    """With the parts that they lie in, for a log that was read in order."""
    catalogue = service_table(services, book)
    known = held.marks(services, steps)
    key = known and ("times", log.until, *known, mark_of(book))
    if log.ready:
        return log.once(key, lambda: timed(log, steps, catalogue, book))
    late = partial(_timed, log, catalogue, steps, book)
    return log.once(key, lambda: Timed(engine.keep(late(), ordered=False), []))


def _timed(log: Log, catalogue: Table, steps: pd.DataFrame | None, book: Clocks) -> Table:
    """Facts and times of each case; stretches are few, so they are summed apart and then joined."""
    table, clock = _facts(log, steps), default_clock(book)
    if len(book) != 1:  # else there is no other
        table = joined(table, catalogue.select("service_id", "clock_id"), "service_id")
        clock = ibis.coalesce(table["clock_id"], clock)
    table = table.mutate(clock_id=clock)
    bounds = table.filter(table["n_pauses"] + table["n_returns"] + table["n_rejects"] > 0)
    bounds = engine.keep(bounds.select("case_id", "clock_id", "start_us", "stop_us"), ordered=False)
    paused = engine.keep(within(pauses(log), bounds), ordered=False)
    waits = engine.keep(within(requester_waits(log), bounds), ordered=False)
    sums = lengths(book, paused=paused, waited=waits, both=overlap(waits, paused))
    facts = [c for c in table.columns if c not in ("clock_id", "requester", "n_pauses")]
    table = with_worked(table, book, {"from_us": "start_us", "to_us": "stop_us"})
    t = joined(table, sums, "case_id")
    n = {k: ibis.ifelse(t["paused_us"].isnull(), 0, t[k]) for k in sums.columns if k != "case_id"}
    return t.select(
        *facts,
        business_us=t["to_us"] - t["from_us"],
        paused_us=n["paused_us"],
        paused_business_us=n["paused_work"],
        requester_us=n["waited_us"] - n["both_us"],
        requester_business_us=n["waited_work"] - n["both_work"],
    )


def joined(left: Table, right: Table, *keys: str) -> Table:
    """All rows of the left table with the columns of the right one, where there are any."""
    other = right.rename({f"{k}_of_right": k for k in keys})
    match = [left[k] == other[f"{k}_of_right"] for k in keys]
    return left.left_join(other, match).drop(*(f"{k}_of_right" for k in keys))


def case_facts(log: Log, steps: pd.DataFrame | None) -> Table:
    """Per case where it starts and how it ended; nothing is measured yet."""
    return _named(_facts(log, steps))


def _facts(log: Log, steps: pd.DataFrame | None) -> Table:
    """The same without what follows from other columns: what is held should be narrow."""
    t = joined(log.cases, step_table(steps).drop("step_unit"), "service_id", "step_no")
    delivered = t["delivered_us"].notnull() & t["is_final"].fill_null(False)
    names = {"reject": "rejected", "withdraw": "withdrawn"}
    numbers = ((ACTIONS.index(k), STATUS.index(v)) for k, v in names.items())
    word = t["end_word"].cases(*numbers, else_=STATUS.index("closed"))
    ended = t["ended_us"].notnull()
    end_us = ibis.coalesce(
        t["ended_us"], ibis.ifelse(delivered, t["delivered_us"], ibis.null("int64"))
    )
    start_us = ibis.coalesce(t["submit_us"], t["first_us"])
    stop_us = ibis.coalesce(end_us, ibis.greatest(ibis.literal(log.until, "int64"), start_us))
    state = ibis.ifelse(ended, word, delivered.ifelse(STATUS.index("closed"), STATUS.index("open")))
    return t.select(
        "case_id", "service_id", "prev_case_id", "requester", "first_us", "last_us",
        *COUNTS, "n_pauses", start_us=start_us, end_us=end_us, stop_us=stop_us,
        state=state.cast("int8"), no_start=t["submit_us"].isnull(), after_close=t["after_close"],
    )  # fmt: skip


def _named(t: Table) -> Table:
    return t.mutate(
        status=t["state"].cases(*enumerate(STATUS)),
        elapsed_us=t["stop_us"] - t["start_us"],
        negative=t["stop_us"] < t["start_us"],
        **{c: t[c].cast("int64") for c in COUNTS},
    )


def local_frame(table: Table, timezone: str) -> pd.DataFrame:
    """The rows as a frame whose instants show the clock of the zone."""
    frame = engine.frame(table)
    stamps = frame.select_dtypes("datetimetz").columns
    zone(timezone)
    return frame.assign(**{c: frame[c].dt.tz_convert(timezone) for c in stamps})


def finished_table(t: Table, timezone: str) -> Table:
    """The public columns: instants with the zone, hours."""
    stamps = {f"{n}_at": engine.instant(t[f"{n}_us"]) for n in ("first", "last", "start", "end")}
    hours = {f"{n}_h": t[f"{n}_us"] / HOUR for n in KINDS}
    return t.select(
        "case_id", "service_id", "provider_id", "status", **stamps, **hours,
        month=engine.month(local_micros(t["start_us"], timezone)),
        **{c: t[c] for c in (*COUNTS, "is_emergency", "prev_case_id", "no_start", "after_close",
                             "negative")},
    )  # fmt: skip

"""From events to cases: one row each, with the time that counts and the time that does not."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.catalogue import default_clock, service_table, step_table
from svcmetrics.measure.clocks import HOUR, Clocks, clocks
from svcmetrics.measure.instants import local_micros
from svcmetrics.measure.log import ACTIONS, ENDS, FLOW, OUTPUTS, REOPENS, Log, read_log
from svcmetrics.measure.waits import lengths, overlap, pauses, requester_waits, within

KINDS = ("elapsed", "business", "paused", "requester", "paused_business", "requester_business")


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
    return table if engine.is_table(events) else local_frame(table.order_by("case_id"), timezone)


def case_times(
    log: Log, services: pd.DataFrame | None, steps: pd.DataFrame | None, book: Clocks
) -> Table:
    """The cases with all times in whole microseconds; ``stop_us`` is the end, or the log's."""
    catalogue = service_table(services, book)
    table = joined(_ends(log, steps), catalogue, "service_id")
    table = table.mutate(
        clock_id=ibis.coalesce(table["clock_id"], default_clock(book)),
        is_emergency=(table["routine"] == "emergency").fill_null(False),
    )
    table = engine.keep(table)  # pauses and waits look at it again
    paused = engine.keep(within(pauses(log.events), table))
    waits = engine.keep(within(requester_waits(log.events), table))
    whole = table.select("case_id", "clock_id", a_us="start_us", b_us="stop_us")
    both = overlap(waits, paused)
    sums = lengths(book, whole=whole, paused=paused, waited=waits, both=both)
    sums = sums.select(
        "case_id",
        elapsed_us="whole_us",
        business_us="whole_work",
        paused_us="paused_us",
        paused_business_us="paused_work",
        requester_us=sums["waited_us"] - sums["both_us"],
        requester_business_us=sums["waited_work"] - sums["both_work"],
    )
    return joined(table, sums, "case_id")


def joined(left: Table, right: Table, *keys: str) -> Table:
    """All rows of the left table with the columns of the right one, where there are any."""
    other = right.rename({f"{k}_of_right": k for k in keys})
    match = [left[k] == other[f"{k}_of_right"] for k in keys]
    return left.left_join(other, match).drop(*(f"{k}_of_right" for k in keys))


def _ends(log: Log, steps: pd.DataFrame | None) -> Table:
    """Per case where it starts and how it ends, in one pass over the events.

    Words become numbers, because they are compared many times; ``seq * 16 + word`` puts an
    event's place and its word into one integer, so that the largest names the last.
    """
    e = log.events
    e = e.mutate(word=e["action"].cases(*((w, i) for i, w in enumerate(ACTIONS)), else_=15))
    seq, word, at = e["seq"], e["word"], e["at_us"]
    flow, end = _among(word, FLOW), _among(word, ENDS)
    place = seq * 16 + word.cast("int64")
    table = e.group_by("case_id").aggregate(
        service_id=e["service_id"].min(),
        prev_case_id=e["prev_case_id"].min(),
        first_us=at.min(),
        last_us=at.max(),
        submit_us=engine.first_by(at, seq, _among(word, ("submit",))),
        end=place.max(where=end),
        end_at=engine.last_by(at, seq, end),
        open_seq=seq.max(where=_among(word, REOPENS)),
        flow=place.max(where=flow),
        flow_at=engine.last_by(at, seq, flow),
        step_no=engine.last_by(e["step_no"].fill_null(0), seq, flow),
        work_seq=seq.max(where=word != ACTIONS.index("comment")),
        n_events=e.count(),
        **{f"n_{w}s": _among(word, (w,)).sum() for w in ("return", "reject", "resubmit")},
    )
    return _status(joined(table, step_table(steps), "service_id", "step_no"), log.until)


def _among(word: Any, words: tuple[str, ...]) -> Any:
    return word.isin([ACTIONS.index(w) for w in words])


def _status(t: Table, until: int) -> Table:
    end_seq, end_word = (t["end"] - t["end"] % 16) / 16, t["end"] % 16
    ended = (end_seq > t["open_seq"].fill_null(-1)).fill_null(False)
    output = _among(t["flow"] % 16, OUTPUTS).fill_null(False)
    delivered = ~ended & output & t["is_final"].fill_null(False)
    names = {"reject": "rejected", "withdraw": "withdrawn"}
    word = end_word.cases(*((ACTIONS.index(k), v) for k, v in names.items()), else_="closed")
    end_us = ibis.ifelse(
        ended, t["end_at"], ibis.ifelse(delivered, t["flow_at"], ibis.null("int64"))
    )
    start_us = ibis.coalesce(t["submit_us"], t["first_us"])
    stop_us = ibis.coalesce(end_us, ibis.greatest(ibis.literal(until, "int64"), start_us))
    return t.select(
        "case_id", "service_id", "prev_case_id", "first_us", "last_us", "n_events",
        "n_returns", "n_rejects", "n_resubmits",
        start_us=start_us, end_us=end_us, stop_us=stop_us,
        status=ibis.ifelse(ended, word, ibis.ifelse(delivered, "closed", "open")),
        no_start=t["submit_us"].isnull(),
        after_close=ended & (t["work_seq"] > end_seq),
        negative=stop_us < start_us,
    )  # fmt: skip


def local_frame(table: Table, timezone: str) -> pd.DataFrame:
    """The rows as a frame whose instants show the clock of the zone."""
    frame = engine.frame(table)
    stamps = frame.select_dtypes("datetimetz").columns
    return frame.assign(**{c: frame[c].dt.tz_convert(timezone) for c in stamps})


def finished_table(t: Table, timezone: str) -> Table:
    """The public columns: instants with the zone, hours."""
    stamps = {f"{n}_at": engine.instant(t[f"{n}_us"]) for n in ("first", "last", "start", "end")}
    hours = {f"{n}_h": t[f"{n}_us"] / HOUR for n in KINDS}
    return t.select(
        "case_id", "service_id", "provider_id", "status", **stamps, **hours,
        month=engine.month(local_micros(t["start_us"], timezone)),
        **{c: t[c] for c in ("n_events", "n_returns", "n_rejects", "n_resubmits", "is_emergency",
                             "prev_case_id", "no_start", "after_close", "negative")},
    )  # fmt: skip

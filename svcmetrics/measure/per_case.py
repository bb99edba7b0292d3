"""All events of a case in one row: the one pass over the log that everything else starts from."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, IntegerValue, Table

from svcmetrics.io import engine
from svcmetrics.measure.actions import ENDS, FLOW, OUTPUTS, REOPENS, UNKNOWN, among, number

# Without one of these an event cannot be used.
NEEDED = ("case_id", "seq", "service_id", "at_us", "action")
COUNTED = ("return", "reject", "resubmit", "pause")


def per_case(events: Table) -> Table:
    """Per case: first and last instant, submission and who did it, how it ended if it has, counts.

    ``ended_us, end_word``: the last end that nothing opened again. ``delivered_us``: otherwise the
    last output, at ``step_no``; whether that step is the final one is for the catalogue to say.
    ``n_unusable``: rows that cannot be used. ``is_doubtful``: a number may occur twice.
    """
    wide = _aggregated(events)
    turn, flow = wide["turn"] & 15, wide["flow"] & 15
    ended = among(turn, ENDS).fill_null(False)
    output = among(flow, OUTPUTS).fill_null(False)
    none = ibis.null("int64")
    return wide.select(
        "case_id", "service_id", "prev_case_id", "requester", "first_us", "last_us", "submit_us", "step_no",
        ended_us=ibis.ifelse(ended, _moment(wide["turn"]), none),
        end_word=ibis.ifelse(ended, turn.cast("int8"), ibis.null("int8")),
        delivered_us=ibis.ifelse(~ended & output, _moment(wide["flow"]), none),
        after_close=ended & ~among(wide["work"], ENDS),
        is_doubtful=(engine.bits(wide["bits"]) != wide["n_events"]) | (wide["wide"] > 60),
        **{n: wide[n].cast("int32") for n in wide.columns if n.startswith("n_")},
    )  # fmt: skip


def _aggregated(events: Table) -> Table:
    """Few columns of the last event that ends or opens a case, that moves it, that is no comment.

    ``at_us * 16 + word`` puts the instant of an event and its word into one integer. Up to 60
    numbers of a case are marked as bits of one integer: as many bits as events means that none
    repeats; longer cases are looked at one by one.
    """
    e = events.mutate(word=number(events["action"]))
    seq, word, at = e["seq"], e["word"], e["at_us"]
    flow = among(word, FLOW)
    packed = at * 16 + word.cast("int64")
    bit = ibis.literal(1, "int64") << ((seq % 61 + 61) % 61).cast("int64")
    return e.group_by("case_id").aggregate(
        service_id=e["service_id"].min(),
        prev_case_id=e["prev_case_id"].min(),
        requester=engine.first_by(
            e["actor_key"], seq, among(word, ("submit",)) & e["actor_key"].notnull()
        ),
        first_us=at.min(),
        last_us=at.max(),
        submit_us=engine.first_by(at, seq, among(word, ("submit",))),
        turn=engine.last_by(packed, seq, among(word, (*ENDS, *REOPENS))),
        flow=engine.last_by(packed, seq, flow),
        step_no=engine.last_by(e["step_no"].fill_null(0), seq, flow),
        work=engine.last_by(word, seq, ~among(word, ("comment",))),
        wide=seq.max() - seq.min(),
        bits=bit.bit_or(),
        n_events=e.count(),
        n_unusable=e.count(where=~usable(e) | (word == UNKNOWN)),
        **{f"n_{w}s": e.count(where=among(word, (w,))) for w in COUNTED},
    )


def _moment(packed: IntegerValue) -> IntegerValue:
    return (packed - (packed & 15)) >> 4  # type: ignore[no-any-return]


def usable(events: Table) -> BooleanValue:
    """Whether an event has all that it needs."""
    first, *rest = (events[c].notnull() for c in NEEDED)
    for condition in rest:
        first = first & condition
    return first  # type: ignore[no-any-return]

"""A cleaned event log as the tables unit, service, step, event and commitment of a study.

What the log cannot know (what kind of output a service has, whether it is in scope) gets a stated
default, and the report asks for confirmation.
"""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io.derived import UNKNOWN_UNIT, service_table, unit_table
from svcmetrics.io.log_doubts import tell_returns
from svcmetrics.io.log_steps import derive_steps
from svcmetrics.io.mapping import WORKFLOWS, Mapping
from svcmetrics.io.quality import Tally
from svcmetrics.privacy import pseudonymise

_REQUESTING = ("submit", "resubmit", "withdraw", "comment", "reject")
_OUTPUTS = ("deliver", "approve")
_WORKING = ("submit", "resubmit", "accept", *_OUTPUTS, "close")
_PLACEHOLDERS = {
    "undefined",
    "missing",
    "unknown",
    "empty",
    "null",
    "none",
    "n/a",
    "-",
    "未知",
    "空",
    "无",
}
Tables = dict[str, pd.DataFrame]


def log_tables(
    events: pd.DataFrame,
    cases: Tables,
    mapping: Mapping,
    tally: Tally,
    *,
    key: bytes,
    known: Dictionary[str, Any],
    timezone: str,
) -> Tables:
    """All tables that follow from ``events`` (of ``clean_events``) and ``cases`` (of ``case_tables``).

    ``known``: the tables that the study has already; steps keep the numbers they have there.
    """
    default = mapping.constant("event.service_id") or mapping.constant(
        "service.service_id", "service"
    )
    events = events.assign(
        service_id=events["service_id"].fillna(default),
        unit_id=events["unit_id"].fillna(UNKNOWN_UNIT),
    )
    requesters = requester_units(events)
    events = _in_context(events, requesters, tally)
    if mapping.format not in WORKFLOWS:  # there the code says that it is one
        tell_returns(events, tally)
    units = _units(events, requesters, tally)
    steps = derive_steps(events, requesters, known.get("step"))
    services = _services(events, requesters, mapping, tally)
    begun = events.groupby("case_id")["at"].min()
    events = _with_closing(events, cases.get("closing"), tally)
    out = {"unit": units, "service": services, "step": steps}
    out["event"] = _event_table(events, steps, mapping, key, timezone)
    if "commitment" in cases:
        out["commitment"] = _commitments(cases["commitment"], begun, tally, timezone)
    return out


def requester_units(events: pd.DataFrame) -> set[str]:
    """Units that do nothing but ask: at least half of their events submit, hardly any works."""
    asks = events["action"].isin(["submit", "resubmit"]).groupby(events["unit_id"]).mean()
    idle = events["action"].isin(_REQUESTING).groupby(events["unit_id"]).mean()
    chosen = set(asks.index[(asks >= 0.5) & (idle >= 0.8)]) - {UNKNOWN_UNIT}
    return chosen if len(chosen) < len(asks) else set()


def _in_context(events: pd.DataFrame, requesters: set[str], tally: Tally) -> pd.DataFrame:
    """Words that depend on the rest of the case: a second submit, a rejection after which the case goes on."""
    case, action = events["case_id"], events["action"].copy()
    opened = pd.Series(False, events.index)
    if not (action == "submit").any():
        # A log that begins with the work: the first event stands for the request that it answers.
        opened = ~case.duplicated()
        action = action.mask(opened, "submit")
        events = events.assign(action=action)
    again = (action == "submit") & events.assign(s=action == "submit").groupby(
        ["case_id", "activity"], dropna=False
    )["s"].cumsum().gt(1)
    action = action.mask(again, "resubmit")
    refused = action.isin(["reject", "return"])
    own = (action == "reject") & events["unit_id"].isin(requesters)
    echo = own & refused.groupby(case).shift(fill_value=False)
    action = action.mask(echo, "comment").mask(own & ~echo, "withdraw")
    # What was taken up before and is only put down afterwards is no further work.
    taken = action.groupby([case, events["activity"]], dropna=False).shift() == "accept"
    works = (action.isin(_WORKING) & ~(taken & action.isin(_OUTPUTS))).astype("int64")
    later = works[::-1].groupby(case[::-1]).cumsum()[::-1] - works
    sent_back = (action == "reject") & (later > 0)
    undone = (action == "withdraw") & (later > 0)
    action = action.mask(sent_back, "return").mask(undone, "comment")
    for name, mask in (
        ("opened_by_first", opened),
        ("resubmits", again),
        ("echoes", echo),
        ("own_rejections", own & ~echo),
        ("rejections_returned", sent_back),
        ("withdrawals_undone", undone),
    ):
        if mask.any():
            tally.say(name, count=int(mask.sum()))
    return events.assign(action=action)


def _units(events: pd.DataFrame, requesters: set[str], tally: Tally) -> pd.DataFrame:
    ids = pd.Series(sorted(events["unit_id"].unique()), dtype="str")
    fillers = [u for u in ids if _is_filler(u)]
    if fillers:
        tally.say("filler_units", "warning", names=fillers)
    if (ids == UNKNOWN_UNIT).any():
        count = int((events["unit_id"] == UNKNOWN_UNIT).sum())
        tally.say("no_unit", "warning", count=count)
    if requesters:
        tally.say("requesters", names=sorted(requesters))
    return unit_table(ids, service_unit=~ids.isin(requesters))


def _is_filler(unit: str) -> bool:
    return unit.strip().lower() in _PLACEHOLDERS


def _services(
    events: pd.DataFrame, requesters: set[str], mapping: Mapping, tally: Tally
) -> pd.DataFrame:
    likely = ~events["unit_id"].isin(requesters) & events["activity"].notna() & ~events["is_auto"]
    likely &= ~events["unit_id"].map(_is_filler) & (events["unit_id"] != UNKNOWN_UNIT)
    likely &= ~events["action"].isin(["submit", "resubmit", "withdraw"])
    rows = events.assign(likely=likely, rank=events.groupby("case_id").cumcount())
    counts = rows.groupby(["service_id", "unit_id"]).agg(n=("likely", "sum"), late=("rank", "mean"))
    # Of two equally busy units, the one that acts later hands the service over.
    counts = counts.reset_index().sort_values(
        ["service_id", "n", "late", "unit_id"], ascending=[True, False, False, True]
    )
    providers = counts.drop_duplicates("service_id").set_index("service_id")["unit_id"]
    ids = pd.Series(sorted(events["service_id"].unique()), dtype="str")
    given = mapping.constant("service.provider_id")
    return service_table(
        ids, pd.Series(given, ids.index) if given else providers.reindex(ids), mapping, tally
    )


def _with_closing(events: pd.DataFrame, closing: pd.DataFrame | None, tally: Tally) -> pd.DataFrame:
    """End dates of a case file as close events, unless the log closes its cases itself."""
    if closing is None:
        return events
    if (events["action"] == "close").any():
        tally.say("closing_not_used", count=len(closing))
        return events
    ours = closing[closing["case_id"].isin(events["case_id"])]
    last = events.groupby("case_id").agg(last=("at", "max"), service_id=("service_id", "first"))
    ours = ours.join(last, on="case_id")
    early = int((ours["at"] < ours["last"]).sum())
    tally.say("closing_added", count=len(ours), early=early)
    extra = ours[["case_id", "service_id", "at"]].assign(
        action="close", is_auto=False, place=np.inf
    )
    return pd.concat([events, extra]).sort_values(
        ["case_id", "at", "place"], kind="stable", ignore_index=True
    )


def _event_table(
    events: pd.DataFrame,
    steps: pd.DataFrame,
    mapping: Mapping,
    key: bytes,
    timezone: str,
) -> pd.DataFrame:
    number = steps.set_index(["service_id", "activity"])["step_no"]
    place, sent = (
        pd.MultiIndex.from_frame(events[["service_id", name]]) for name in ("activity", "to_step")
    )
    actors = (
        events["actor"] if mapping.persons == "pseudonym" else pseudonymise(events["actor"], key)
    )
    table = pd.DataFrame({
        "case_id": events["case_id"],
        "seq": events.groupby("case_id").cumcount(),
        "service_id": events["service_id"],
        "at": events["at"].dt.tz_convert(timezone),
        "step_no": pd.array(number.reindex(place).to_numpy(), dtype="Int64"),
        "to_step_no": pd.array(number.reindex(sent).to_numpy(), dtype="Int64"),
        "unit_id": events["unit_id"],
        "actor_key": actors,
        "action": events["action"],
        "reason_code": events["reason_code"],
        "is_auto": events["is_auto"].astype("boolean"),
    })  # fmt: skip
    return table


def _commitments(
    table: pd.DataFrame, begun: pd.Series, tally: Tally, timezone: str
) -> pd.DataFrame:
    """Deadlines agreed beforehand, for cases of the log."""
    known = table["case_id"].isin(begun.index)
    if (~known).any():
        tally.say("cases_without_events", "warning", count=int((~known).sum()))
    late = int((table["agreed_at"] > table["case_id"].map(begun)).sum())
    if late:
        tally.say("agreed_after_start", "warning", count=late)
    out = table[known].reset_index(drop=True)
    for column in ("agreed_at", "due_at"):
        out[column] = out[column].dt.tz_convert(timezone)
    return out

"""Rules of the workflow log and the deadlines that were agreed."""

from __future__ import annotations

import pandas as pd

from svcmetrics.checks.view import View, filled, some


def check(view: View) -> None:
    """Events, then commitments."""
    event = view.table("event", "case_id", "seq", "at")
    if event is not None:
        _order(view, event)
        _steps(view, event)
        _links(view, event)
    commitment = view.table("commitment", "case_id", "agreed_at", "due_at")
    if commitment is not None:
        _deadlines(view, commitment)
        _starts(view, commitment)


def _order(view: View, event: pd.DataFrame) -> None:
    """Times that run back against the sequence number, and cases that change their service."""
    table = event[["case_id", "seq", "at"]].sort_values(["case_id", "seq"], kind="stable")
    back = (table["at"] < table["at"].shift()) & (table["case_id"] == table["case_id"].shift())
    view.say("events_back", "event", back.reindex(event.index), column="at", level="warning")
    if "service_id" in event.columns:
        first = event.groupby("case_id")["service_id"].transform("first")
        changed = event["service_id"].notna() & (event["service_id"] != first)
        view.say("case_two_services", "event", changed, column="service_id")


def _steps(view: View, event: pd.DataFrame) -> None:
    step = view.table("step", "service_id", "step_no")
    if step is None or "service_id" not in event.columns:
        return
    known = pd.MultiIndex.from_frame(step[["service_id", "step_no"]])
    described = event["service_id"].isin(step["service_id"])
    for column in ("step_no", "to_step_no"):
        if column in event.columns and event[column].notna().any():
            pairs = pd.MultiIndex.from_arrays([event["service_id"], event[column]])
            bad = described & event[column].notna() & ~pairs.isin(known)
            view.say("step_unknown", "event", bad, column=column, level="warning")


def _links(view: View, event: pd.DataFrame) -> None:
    given = filled(event, "prev_case_id")
    if given.any():
        previous = event["prev_case_id"]
        view.say(
            "case_own_previous",
            "event",
            given & (previous == event["case_id"]),
            column="prev_case_id",
        )
        gone = given & ~previous.isin(event["case_id"])
        view.say(
            "previous_unknown",
            "event",
            gone,
            column="prev_case_id",
            level="warning",
            bad=some(previous[gone]),
        )


def _deadlines(view: View, commitment: pd.DataFrame) -> None:
    view.say(
        "due_before_agreed",
        "commitment",
        commitment["due_at"] <= commitment["agreed_at"],
        column="due_at",
    )
    if "rev" in commitment.columns:
        unexplained = (commitment["rev"] > 0) & ~filled(commitment, "reason")
        view.say("revision_unexplained", "commitment", unexplained, column="reason")


def _starts(view: View, commitment: pd.DataFrame) -> None:
    """A promise made after the work began cannot be kept or broken: the case is not assessable."""
    starts = _case_starts(view)
    if starts is None:
        return
    known = commitment["case_id"].isin(starts.index)
    view.say("case_unknown", "commitment", commitment["case_id"].notna() & ~known, column="case_id",
             bad=some(commitment.loc[~known, "case_id"]))  # fmt: skip
    original = commitment["rev"] == 0 if "rev" in commitment.columns else known
    late = original & (commitment["agreed_at"] > commitment["case_id"].map(starts))
    view.say("promise_after_start", "commitment", late, column="agreed_at", level="warning")


def _case_starts(view: View) -> pd.Series | None:
    event = view.study.tables.get("event")
    if event is None:
        return None
    if isinstance(event, pd.DataFrame):
        return (
            event.groupby("case_id")["at"].min()
            if {"case_id", "at"} <= set(event.columns)
            else None
        )
    commitment = view.table("commitment", "case_id")
    wanted = [] if commitment is None else commitment["case_id"].dropna().unique().tolist()
    few = event.filter(event.case_id.isin(wanted)) if len(wanted) < 1000 else event
    starts = few.group_by("case_id").aggregate(start=few["at"].min()).execute()
    return starts.set_index("case_id")["start"]

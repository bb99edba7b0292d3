"""Share of cases on time, against the promise of the service or the deadline agreed beforehand."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table, Value

from svcmetrics.io import engine
from svcmetrics.measure.cases import joined
from svcmetrics.measure.deadlines import deadlines
from svcmetrics.measure.group_names import group_names
from svcmetrics.measure.inputs import By, Cases, gross, net, promised, read_cases
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.result import Finding, Result, estimates

COUNTS = ("on_time", "late", "open_overdue", "pending", "not_assessable")
_WITHDRAWN = len(COUNTS)


@metric(
    better="higher",
    low=0,
    high=1,
    source="Wilson 1927, JASA 22; house facts 3 to 7 of the log",
    drawing="series",
)
def on_time(
    events: Any,
    *,
    services: pd.DataFrame,
    steps: pd.DataFrame | None = None,
    commitments: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    by: By = "provider_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How many cases were finished within the time that was promised?

    ``events``: the ``event`` table, or the table that ``cases`` made of it. ``services``: promise
    (hours), clock and provider of each service. ``commitments``: deadlines agreed case by case.
    ``calendar``: office hours; a promise in working hours cannot be judged without it. ``by``: one
    or several columns of the cases or the catalogue, ``month`` included; None: all together.

    Comes back with one row per group and variant: ``promise`` (clock stopped while the requester
    had to act), ``promise_gross`` (nothing taken off), ``deadline`` (agreed before the start) and
    ``deadline_revised`` (last change that both sides accepted); emergencies in variants of their
    own. Beside the share (Wilson interval, 95%): ``n`` and its parts, ``closed_only`` (without open
    cases) and ``pause_share`` (time that the clock stood still).

    Open cases past their time count as late; open cases within it are ``pending`` and left out;
    withdrawn cases are left out; a rejection is an answer. A case without a promise at its start
    is ``not_assessable``, never late. It misleads when much of the time is stopped: read
    ``pause_share`` and ``promise_gross`` beside it.

    Source: Wilson (1927), JASA 22, 209–212; house facts of the log.

    >>> log = pd.DataFrame({"case_id": ["a", "a", "b", "b"], "seq": [1, 2, 1, 2],
    ...     "service_id": "s", "action": ["submit", "close"] * 2, "at": ["2024-09-02 09:00",
    ...     "2024-09-02 12:00", "2024-09-02 09:00", "2024-09-04 12:00"]})
    >>> book = pd.DataFrame({"service_id": ["s"], "provider_id": ["HR"], "promise_h": [24],
    ...     "clock": ["calendar"]})
    >>> on_time(log, services=book).table[["provider_id", "estimate", "n"]].values.tolist()[0]
    ['HR', 0.5, 2]
    """
    cases = read_cases(
        events, services=services, steps=steps, calendar=calendar, timezone=timezone, by=by
    )
    table, named = _with_deadlines(cases.table, commitments, timezone)
    counts, withdrawn = _counted(table, cases.by, _variants(commitments))
    result = _table(counts, cases.by)
    has_promise = bool(result.loc[result["variant"] == "promise", "n"].sum())
    judged = "promise" if has_promise else "deadline"
    about = {
        "method": "Wilson",
        "level": 0.95,
        "drawn": [judged, {"promise": "promise_gross", "deadline": "deadline_revised"}[judged]],
        "unit": "share",
        "dropped": cases.dropped | _positive({"withdrawn": withdrawn}) | named,
        "open_cases": "overdue count as late, others are pending",
    }
    return Result("on_time", result, _findings(result, cases, named), about)


def _variants(commitments: pd.DataFrame | None) -> tuple[str, ...]:
    agreed = () if commitments is None else ("deadline", "deadline_revised")
    return ("promise", "promise_gross", *agreed)


def _with_deadlines(
    table: Table, commitments: pd.DataFrame | None, timezone: str
) -> tuple[Table, dict[str, int]]:
    if commitments is None:
        none = ibis.null("int64")
        return table.mutate(due_us=none, due_revised_us=none), {}
    table = joined(table, deadlines(commitments, timezone), "case_id")
    late = (table["agreed_us"] > table["start_us"]).fill_null(False)
    table = engine.keep(
        table.mutate(
            agreed_late=late,
            due_us=ibis.ifelse(late, ibis.null("int64"), table["due_us"]),
            due_revised_us=ibis.ifelse(late, ibis.null("int64"), table["due_revised_us"]),
        )
    )
    return table, _positive(
        {"agreed_after_start": engine.row(table.aggregate(n=table["agreed_late"].sum()))["n"]}
    )


def _counted(table: Table, by: list[str], variants: tuple[str, ...]) -> tuple[pd.DataFrame, int]:
    """Cases per group, variant and outcome, emergencies apart, in one pass; and the withdrawn."""
    if "stopped_us" not in table.columns:
        table = table.mutate(stopped_us=table["paused_us"] + table["requester_us"])
    table = table.mutate(**{v: _outcome(table, v) for v in variants})
    found = engine.frame(
        table.group_by([*by, "is_emergency", *variants]).aggregate(
            cases=table.count(),
            stopped=table["stopped_us"].sum(),
            elapsed=table["elapsed_us"].sum(),
        )
    )
    parts = [_of_variant(found, by, v) for v in variants]
    counts = pd.concat(parts)
    counts = counts[counts[list(COUNTS)].sum(axis=1) > 0].reset_index(drop=True)
    return counts, int(found.loc[found[variants[0]] == _WITHDRAWN, "cases"].sum())


def _of_variant(found: pd.DataFrame, by: list[str], variant: str) -> pd.DataFrame:
    outcome = found[variant]
    known = outcome.isin([COUNTS.index(k) for k in COUNTS[:-1]])
    sums = {k: found["cases"].where(outcome == i, 0) for i, k in enumerate(COUNTS)}
    sums |= {k: found[k].where(known, 0) for k in ("stopped", "elapsed")}
    keys = [*by, "is_emergency"]
    rows = found[keys].assign(**sums).groupby(keys, dropna=False, as_index=False).sum()
    return rows.assign(variant=variant)


def _outcome(table: Table, variant: str) -> Value:
    """What became of a case, as its place among the counts."""
    used, allowed = _measured(table, variant)
    status, within = table["status"], used <= allowed
    place = {k: ibis.literal(COUNTS.index(k), "int8") for k in COUNTS}
    return ibis.cases(
        (status == "withdrawn", ibis.literal(_WITHDRAWN, "int8")),
        (used.isnull() | allowed.isnull(), place["not_assessable"]),
        (status == "open", ibis.ifelse(within, place["pending"], place["open_overdue"])),
        else_=ibis.ifelse(within, place["on_time"], place["late"]),
    )


def _measured(table: Table, variant: str) -> tuple[Any, Any]:
    """What is compared: time used and time allowed, or the end and the deadline."""
    if variant == "deadline":
        return table["stop_us"], table["due_us"]
    if variant == "deadline_revised":
        return table["stop_us"], table["due_revised_us"]
    used = net(table) if variant == "promise" else gross(table)
    return used, ibis.ifelse(promised(table), table["promise_us"], ibis.null("int64"))


def _table(counts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    counts = counts.sort_values(["is_emergency", "variant", *by], kind="stable")
    whole = counts[list(COUNTS)].fillna(0).astype(int)
    hits, closed = whole["on_time"], whole["on_time"] + whole["late"]
    n = closed + whole["open_overdue"]
    low, high = intervals.wilson(hits, n)
    names = counts["variant"].where(
        ~counts["is_emergency"].astype(bool), "emergency_" + counts["variant"]
    )
    ratio = counts["stopped"].astype(float) / counts["elapsed"].astype(float).where(lambda x: x > 0)
    return estimates(
        "on_time",
        groups={c: counts[c].to_numpy() for c in by},
        variant=names.to_numpy(),
        estimate=hits.to_numpy() / n.where(n > 0).to_numpy(dtype=float, na_value=float("nan")),
        low=low,
        high=high,
        n=n.to_numpy(),
        **{c: whole[c].to_numpy() for c in COUNTS},
        closed_only=(hits / closed.where(closed > 0)).to_numpy(dtype=float),
        pause_share=ratio.to_numpy(),
    )


def _findings(table: pd.DataFrame, cases: Cases, named: dict[str, int]) -> list[Finding]:
    main = table[table["variant"] == "promise"]
    agreed = table[table["variant"] == "deadline"]
    main = agreed if agreed["n"].sum() and not main["n"].sum() else main
    n, hits = int(main["n"].sum()), int(main["on_time"].sum())
    out = [_reading(table, main, hits, n)]
    missing = int(main["not_assessable"].sum())
    overdue = int(main["open_overdue"].sum())
    if missing:
        out.append(Finding("on_time.not_assessable", {"count": missing}, "warning"))
    if overdue:
        out.append(Finding("on_time.open_overdue", {"count": overdue}))
    if named:
        out.append(Finding("on_time.agreed_late", {"count": sum(named.values())}, "warning"))
    empty = main.loc[main["n"] == 0]
    if n and len(empty) and cases.by:
        groups = group_names(empty, cases.by)
        out.append(Finding("on_time.group_without", {"groups": groups}, "refused"))
    return out + cases.findings()


def _reading(table: pd.DataFrame, main: pd.DataFrame, hits: int, n: int) -> Finding:
    if not n:
        return Finding("on_time.none", {}, "refused")
    low, high = intervals.wilson(hits, n)
    clock = main["pause_share"].mean() if len(main) else float("nan")
    gross_ = table[table["variant"] == "promise_gross"]
    whole = gross_["on_time"].sum() / gross_["n"].sum() if gross_["n"].sum() else float("nan")
    values = {"share": hits / n, "low": float(low), "high": float(high), "n": n}
    if main["variant"].iloc[0] == "deadline":
        return Finding("on_time.deadline", values)
    return Finding("on_time.overall", {**values, "paused": clock, "gross": float(whole)})


def _positive(counts: dict[str, Any]) -> dict[str, int]:
    return {k: int(v) for k, v in counts.items() if v and v > 0}

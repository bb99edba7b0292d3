"""Finished cases that took longer than promised, with the hours and the promise of each of their steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.cases import case_times, joined
from svcmetrics.measure.catalogue import service_table
from svcmetrics.measure.clocks import HOUR, Clocks, clocks
from svcmetrics.measure.inputs import by_calendar, promised
from svcmetrics.measure.instants import local_micros, utc_micros
from svcmetrics.measure.log import read_log
from svcmetrics.measure.passages import visit_table
from svcmetrics.tables import numbers, require, unique

_NEEDED = (
    "case_id", "service_id", "step_no", "unit_id", "start_at", "open", "elapsed_h", "paused_h",
    "business_h", "paused_business_h",
)  # fmt: skip
_CASE = (
    "service_id",
    "start_us",
    "promise_us",
    "clock",
    "in_scope",
    "is_emergency",
    "valid_from",
    "valid_to",
    "status",
    "no_start",
    "negative",
)


@dataclass(frozen=True)
class Delays:
    """``cases``: one row per late case. ``visits``: one per visit of their steps, in order.

    ``cases``: case_id, service_id, month, is_emergency, promise_h, delay_h, shared_h (what the
    steps have to share; the rest passed outside any named step). ``visits``: case, service_id,
    step_no, unit_id, net_h, done_h (hours of the case at its end).
    """

    cases: pd.DataFrame
    visits: pd.DataFrame
    judged: int
    dropped: dict[str, int]


def delays(
    events: Any,
    *,
    services: pd.DataFrame,
    steps: pd.DataFrame,
    calendar: pd.DataFrame | None,
    timezone: str,
) -> Delays:
    """Late cases from events, or from the table that ``passages`` made of them."""
    book = clocks(calendar, timezone) if calendar is not None else {}
    visits, cases, dropped = _read(events, services, steps, book, timezone)
    local = local_micros(cases["start_us"], timezone)
    cases = cases.mutate(month=engine.month(local), start_day=engine.day(local))
    cases = joined(cases, _net(visits, cases), "case_id")
    cases = engine.keep(
        cases.mutate(allowed=ibis.ifelse(promised(cases), cases["promise_us"] / HOUR, None))
    )
    kept, reasons = _kept(cases)
    late = kept.filter(kept["net_h"] > kept["allowed"] + 1e-9)
    rows = late.select(
        "case_id", "service_id", "month", "is_emergency", promise_h="allowed", net_h="net_h"
    )
    chosen = joined(visits.semi_join(late, "case_id"), late.select("case_id", "clock"), "case_id")
    pieces = chosen.select(
        "case_id", "visit_no", "service_id", "kind", "step_no", "unit_id", net_h=_hours(chosen)
    )
    found = engine.frame(rows.order_by("case_id"))
    judged = int(engine.row(kept.aggregate(n=kept.count()))["n"])
    return _finished(
        found, engine.frame(pieces.order_by("case_id", "visit_no")), judged, dropped | reasons
    )


def _read(
    events: Any, services: pd.DataFrame, steps: pd.DataFrame, book: Clocks, timezone: str
) -> tuple[Table, Table, dict[str, int]]:
    """Visits, cases and what was dropped; passages know nothing of withdrawal."""
    if {"visit_no", "kind"} <= set(getattr(events, "columns", ())):
        visits = engine.as_table(events)
        require(visits, *_NEEDED)  # type: ignore[arg-type]
        start = utc_micros(visits["start_at"], timezone)
        cases = visits.group_by("case_id").aggregate(
            service_id=visits["service_id"].min(),
            start_us=start.min(),
            status=ibis.ifelse(visits["open"].any(), "open", "closed"),
        )
        cases = joined(cases, service_table(services, book), "service_id")
        emergency = (cases["routine"] == "emergency").fill_null(False)
        cases = cases.mutate(is_emergency=emergency, no_start=False, negative=False)
        return visits, cases.select("case_id", *_CASE), {}
    log = read_log(events, timezone)
    cases = engine.keep(case_times(log, services, steps, book))
    return (
        engine.keep(visit_table(log, cases, steps, book)),
        cases.select("case_id", *_CASE),
        dict(log.dropped),
    )


def _hours(visits: Table) -> Any:
    """Hours on the clock of the promise, without what the clock stood still."""
    whole = visits["elapsed_h"] - visits["paused_h"]
    worked = visits["business_h"] - visits["paused_business_h"]
    return ibis.ifelse(by_calendar(visits), whole, worked)


def _net(visits: Table, cases: Table) -> Table:
    """Per case the hours that count: all visits but those in the hands of the requester."""
    v = joined(visits, cases.select("case_id", "clock"), "case_id")
    v = v.filter(v["kind"] != "requester")
    hours = _hours(v)
    whole = hours.count() == v.count()
    total = engine.whole(hours * HOUR).sum() / HOUR
    return v.group_by("case_id").aggregate(net_h=ibis.ifelse(whole, total, None))


def _kept(cases: Table) -> tuple[Table, dict[str, int]]:
    """Cases that can be judged, and how many cannot, by the first reason."""
    reason = ibis.cases(
        (~cases["in_scope"].fill_null(True), "out_of_scope"),
        (cases["no_start"], "no_start"),
        (cases["negative"], "negative"),
        (cases["status"] == "withdrawn", "withdrawn"),
        (cases["status"] == "open", "open"),
        (cases["allowed"].isnull(), "no_promise"),
        (cases["net_h"].isnull(), "not_timed"),
        else_="",
    )
    cases = cases.mutate(reason=reason)
    counts = engine.frame(cases.group_by("reason").aggregate(n=cases.count()))
    dropped = {str(r): int(n) for r, n in zip(counts["reason"], counts["n"]) if r}
    return cases.filter(cases["reason"] == ""), dropped


def _finished(
    cases: pd.DataFrame, visits: pd.DataFrame, judged: int, dropped: dict[str, int]
) -> Delays:
    visits = visits.assign(case=pd.Index(cases["case_id"]).get_indexer(visits["case_id"]))
    counts = visits["kind"] == "step"
    named = visits[counts].copy()
    named["done_h"] = named.groupby("case")["net_h"].cumsum()
    own = named.groupby("case")["net_h"].sum().reindex(range(len(cases)), fill_value=0.0).to_numpy()
    delay = (cases["net_h"] - cases["promise_h"]).to_numpy()
    shared = np.clip(own - cases["promise_h"].to_numpy(), 0.0, None)
    cases = cases.assign(delay_h=delay, shared_h=np.minimum(shared, delay)).drop(columns="net_h")
    keep = ["case", "service_id", "step_no", "unit_id", "net_h", "done_h"]
    return Delays(cases, named[keep].reset_index(drop=True), judged, dropped)


def step_promises(steps: pd.DataFrame, services: pd.DataFrame) -> pd.DataFrame:
    """Per step its hours and role weight; what a step does not promise is filled from the whole.

    Hours left over by the promises of the other steps are shared among those without one, by role
    weight. ``filled`` marks them. Steps that promise more than the service are for the rules to cut.
    """
    require(steps, "service_id", "step_no", "unit_id")
    unique(steps, "service_id", "step_no")
    table = steps.reset_index(drop=True)
    out = pd.DataFrame({"service_id": table["service_id"].astype("str")})
    out["step_no"] = numbers(table, "step_no")
    out["unit"] = table["unit_id"].astype("str")
    for column in ("promise_h", "role_weight"):
        out[column] = numbers(table, column) if column in table else np.nan
    whole = services.assign(service_id=services["service_id"].astype("str")).set_index(
        "service_id"
    )["promise_h"]
    left = out["service_id"].map(whole).astype(float) - out.groupby("service_id")[
        "promise_h"
    ].transform("sum")
    out["filled"] = out["promise_h"].isna()
    weight = out["role_weight"].fillna(0).where(out["filled"], 0.0)
    total = weight.groupby(out["service_id"]).transform("sum")
    evenly = out["filled"] / out["filled"].groupby(out["service_id"]).transform("sum")
    share = (weight / total).where(total > 0, evenly)
    out["promise_h"] = out["promise_h"].fillna(left.clip(lower=0) * share).fillna(0.0)
    return out

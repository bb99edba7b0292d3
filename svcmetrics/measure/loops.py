"""Loops: steps that a case passes more than once, and between which steps it goes back and forth."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.cases import case_times
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.log import OUTPUTS, Log, is_in, read_log
from svcmetrics.measure.returns import charge
from svcmetrics.measure.scoped import scoped
from svcmetrics.measure.waits import sent_back, to_requester
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.result import Finding, Result, estimates

_BACK = ("return", "reject")
_SUBMITS = ("submit", "resubmit")
_PLACE = ("step_no", "to_step_no")


@metric(
    better="lower",
    low=0,
    source="Clopper and Pearson 1934, Biometrika 26; Garwood 1936, Biometrika 28; house fact 2",
    drawing="repeats",
)
def loops(
    events: Any,
    *,
    services: pd.DataFrame | None = None,
    steps: pd.DataFrame | None = None,
    by: By = "service_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How often does a case pass the same step again?

    ``events``: the ``event`` table. ``services``: names emergencies, which stand apart. ``steps``:
    names final steps. ``by``: columns of the case (``service_id, provider_id, month`` of its
    start) or of the catalogue; None: all together. A step ends a passage when it delivers,
    approves, returns or rejects; the next passage of the same step begins when another step or
    the requester has had the case, or its output came back. Automatic approvals are no work.

    Comes back per group over ended cases: ``looped`` (share that passed any step more than once,
    limits of Clopper and Pearson) and ``extra`` (passages beyond the first of each step, per 100
    cases, limits of Garwood). With ``service_id`` among ``by`` also per step: ``step_looped`` and
    ``step_extra`` of the cases that passed it; and where cases turn round: ``return_pair`` (returns from
    ``step_no`` to ``to_step_no`` per 100 cases) and ``to_requester``, with ``count``, ``cases``
    (that had it) and ``recurring`` (cases in which it happened at least twice).

    It misleads where steps run side by side and hand over in parts: then A, B, A is no loop. Few
    cases with many loops make Garwood's limits too narrow: read ``looped`` beside ``extra``.

    Source: Clopper and Pearson (1934), Biometrika 26, 404–413; Garwood (1936), Biometrika 28,
    437–442; house fact 2 of the log.

    >>> log = pd.DataFrame({"case_id": "a", "seq": range(7), "service_id": "s",
    ...     "action": ["submit", "deliver", "return", "deliver", "approve", "deliver", "close"],
    ...     "step_no": [None, 1, 2, 1, 2, 3, None], "to_step_no": [None, None, 1, *[None] * 4],
    ...     "at": pd.date_range("2024-09-02", periods=7)})
    >>> loops(log, by=None).table[["variant", "estimate", "count"]].values.tolist()
    [['looped', 1.0, 1], ['extra', 200.0, 2]]
    """
    names = columns_of(by)
    log = read_log(events, timezone)
    cases, dropped = _ended(log, services, steps, names, timezone)
    passed = _passages(log)
    counts, per_step, left = _counted(cases, passed, names)
    table = _whole(counts, names)
    if "service_id" in names and len(counts):
        rows = [_per_step(per_step, names), *_pairs(log, steps, cases, counts, names)]
        table = pd.concat([table, *(r for r in rows if len(r))])
        # A log without any return names no step to go back to; the column is there all the same.
        order = [*names, *_PLACE, *(c for c in table if c not in (*names, *_PLACE))]
        table = table.reindex(columns=order)
    about = {
        "method": "Clopper-Pearson; Garwood",
        "level": 0.95,
        "per": 100,
        "shown": "step_extra" if (table["variant"] == "step_extra").any() else "extra",
        "dropped": log.dropped | dropped | left,
    }
    return Result("loops", table, _findings(table, counts, left), about)


def _ended(
    log: Log, services: pd.DataFrame | None, steps: pd.DataFrame | None, names: list[str], timezone: str
) -> tuple[Table, dict[str, int]]:  # fmt: skip
    """Closed and rejected cases in scope; the others are counted."""
    cases = case_times(log, services, steps, {})
    cases = cases.select("case_id", "service_id", "status", at_us="start_us")
    cases, dropped = scoped(cases, services, names, timezone)
    ended = cases["status"].isin(("closed", "rejected"))
    left = engine.row(cases.aggregate(n=(~ended).sum()))["n"]
    if pd.notna(left) and left:
        dropped["open_or_withdrawn"] = int(left)
    return cases.filter(ended), dropped


def _passages(log: Log) -> Table:
    """case_id, step_no, passes: how often each case was passed on, or back, by each step."""
    e = log.events
    by_hand = is_in(e["action"], OUTPUTS) & ~e["is_auto"].fill_null(False) & e["step_no"].notnull()
    e = e.filter(by_hand | is_in(e["action"], (*_BACK, *_SUBMITS)))
    asks = is_in(e["action"], _SUBMITS)
    e = e.mutate(place=ibis.ifelse(asks, 0, e["step_no"].fill_null(0)))
    window = ibis.window(group_by="case_id", order_by="seq")
    e = e.mutate(
        before=e["place"].lag().over(window).fill_null(0),
        came_back=is_in(e["action"].lag().over(window), _BACK) & is_in(e["action"], OUTPUTS),
    )
    e = e.filter((e["place"] > 0) & ((e["place"] != e["before"]) | e["came_back"]))
    return e.group_by("case_id", step_no="place").aggregate(passes=e.count())


def _counted(
    cases: Table, passed: Table, names: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Counts per group and per step of it; cases in which no step is named are left out."""
    keys = [*names, "is_emergency"]
    rows = engine.keep(passed.inner_join(cases.select("case_id", *keys), "case_id"))
    again = (rows["passes"] > 1).sum()
    extra = (rows["passes"] - 1).sum()
    found = rows.group_by("case_id", *keys).aggregate(extra=extra)
    counts = found.group_by(keys).aggregate(
        n=found.count(), looped=(found["extra"] > 0).sum(), extra=found["extra"].sum()
    )
    per_step = rows.group_by([*keys, "step_no"]).aggregate(
        n=rows.count(), looped=again, extra=extra
    )
    whole = engine.row(cases.aggregate(n=cases.count()))["n"]
    counts = engine.frame(counts).sort_values(["is_emergency", *names], kind="stable")
    bare = int(whole) - int(counts["n"].sum())
    return counts, engine.frame(per_step), {"no_step": bare} if bare else {}


def _whole(counts: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    groups = {c: counts[c].to_numpy() for c in names}
    return pd.concat([_share(counts, groups, "looped"), _rate(counts, groups, "extra")])


def _per_step(counts: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    counts = counts.sort_values(["is_emergency", *names, "step_no"], kind="stable")
    groups = {c: counts[c].to_numpy() for c in (*names, "step_no")}
    return pd.concat([_share(counts, groups, "step_looped"), _rate(counts, groups, "step_extra")])


def _share(counts: pd.DataFrame, groups: dict[str, Any], variant: str) -> pd.DataFrame:
    n, hits = counts["n"].to_numpy(), counts["looped"].to_numpy()
    low, high = intervals.clopper_pearson(hits, n)
    return estimates("loops", groups=groups, variant=_words(counts, variant), estimate=hits / n,
                     low=low, high=high, n=n, count=hits)  # fmt: skip


def _rate(counts: pd.DataFrame, groups: dict[str, Any], variant: str, **more: Any) -> pd.DataFrame:
    n, extra = counts["n"].to_numpy(), counts["extra"].to_numpy().astype(int)
    low, high = intervals.garwood(extra, n / 100)
    return estimates("loops", groups=groups, variant=_words(counts, variant),
                     estimate=100 * extra / n, low=low, high=high, n=n, count=extra, **more)  # fmt: skip


def _words(counts: pd.DataFrame, variant: str) -> list[str]:
    return [f"emergency_{variant}" if e else variant for e in counts["is_emergency"]]


def _pairs(
    log: Log, steps: pd.DataFrame | None, cases: Table, counts: pd.DataFrame, names: list[str]
) -> list[pd.DataFrame]:
    """Returns from each step to each other one, and to the requester, per 100 cases of the group."""
    sender = log.events.select("case_id", "seq", from_step="step_no")
    sender = sender.rename(case_2="case_id", seq_2="seq")
    inside = charge(log, steps)[0].select("case_id", "seq", to_step_no="step_no")
    outside = sent_back(log)
    outside = to_requester(outside.filter(outside["action"] == "return"))
    outside = outside.select("case_id", "seq", to_step_no=ibis.null("int64"))
    out = []
    for variant, back in (("return_pair", inside), ("to_requester", outside)):
        same = [back["case_id"] == sender["case_2"], back["seq"] == sender["seq_2"]]
        rows = _recurring(back.inner_join(sender, same), cases, [*names, "is_emergency"])
        rows = rows.merge(counts.drop(columns=["looped", "extra"]), on=[*names, "is_emergency"])
        rows = rows.sort_values(["is_emergency", *names, "extra", *_PLACE], kind="stable",
                                ascending=[True] * (1 + len(names)) + [False, True, True])  # fmt: skip
        groups = {c: rows[c].to_numpy() for c in (*names, *_PLACE)}
        more = {c: rows[c].to_numpy().astype(int) for c in ("cases", "recurring")}
        out.append(_rate(rows, groups, variant, **more))
    return out


def _recurring(back: Table, cases: Table, keys: list[str]) -> pd.DataFrame:
    """How often each pair occurs, in how many cases, and in how many of them more than once."""
    rows = back.inner_join(cases.select("case_id", *keys), "case_id")
    places = {"step_no": rows["from_step"], "to_step_no": rows["to_step_no"]}
    each = rows.group_by("case_id", *keys, **places).aggregate(times=rows.count())
    whole = each.group_by([*keys, *_PLACE]).aggregate(
        extra=each["times"].sum(), cases=each.count(), recurring=(each["times"] > 1).sum()
    )
    return engine.frame(whole)


def _findings(table: pd.DataFrame, counts: pd.DataFrame, left: dict[str, int]) -> list[Finding]:
    named = [Finding("loops.no_step", {"count": left["no_step"]}, "warning")] if left else []
    main = counts[~counts["is_emergency"].astype(bool)]
    n, looped, extra = (int(main[c].sum()) for c in ("n", "looped", "extra"))
    if not n:
        return [Finding("loops.none", {}, "refused"), *named]
    low, high = intervals.clopper_pearson(looped, n)
    values = {"share": looped / n, "low": float(low), "high": float(high), "n": n}
    out = [Finding("loops.overall", {**values, "rate": 100 * extra / n})]
    for variant, place in (("step_extra", "step_no"), ("return_pair", "to_step_no")):
        rows = table[(table["variant"] == variant) & (table["count"] > 0)]
        if place in rows and len(rows):
            top = rows.sort_values(["count", "n"], ascending=[False, True], kind="stable").iloc[0]
            out.append(Finding(f"loops.{variant}", _values(top)))
    return out + named


def _values(row: pd.Series) -> dict[str, Any]:
    """What a sentence about a step, or about a pair of steps, says."""
    keys = ("service_id", "step_no", "to_step_no", "count", "n", "cases", "recurring")
    plain = {k: row[k] for k in keys if k in row and pd.notna(row[k])}
    plain = {k: int(v) if isinstance(v, (float, np.number)) else v for k, v in plain.items()}
    return {**plain, "rate": float(row["estimate"])}

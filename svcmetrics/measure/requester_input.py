"""Input quality of the requesting side: first submissions that had to go back for mending."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.cases import joined
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.log import OUTPUTS, Log, is_in, read_log
from svcmetrics.measure.scoped import scoped
from svcmetrics.measure.waits import sent_back, to_requester
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.study import MIN_RATERS

_COUNTS = ("n", "returned", "sent_back", "times")
_UNIT = "requester_unit_id"
_PERSONS = ("actor_key", "requester")


@metric(
    better="lower",
    low=0,
    source="Wilson 1927, JASA 22; Garwood 1936, Biometrika 28; house facts 1, 2 and 4 of the log",
    drawing="series",
)
def requester_input(
    events: Any,
    *,
    services: pd.DataFrame | None = None,
    by: By = "service_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How often does a first submission go back to the requester before any work came of it?

    ``events``: the ``event`` table. ``services``: names emergencies, which stand apart. ``by``:
    columns of the submission (``service_id, month, requester_unit_id`` – the unit that submits)
    or of the catalogue; None: all together. There is no grouping by person.

    A first submission is that of a case which re-submits no other. It is judged once the provider
    has delivered or approved something by hand, closed the case or sent it back; an approval by the
    requesting unit itself is no output of the provider. Comes back per group: ``returned`` (share
    returned to the requester before the first output) and ``sent_back`` (returned or rejected),
    with Wilson limits, and ``per_100`` (returns to the requester before the first output per 100
    submissions; one may go back twice), with Garwood's. ``requesters`` counts who submitted.

    A number about one or two persons is a number about persons: groups with fewer than five
    requesters are taken together (``small_…``), and are not shown when they are fewer in all.
    Where the log does not say who submits, units are not told apart.

    It misleads when a form is hard to fill in: a high share asks for a better form first. Returns
    by agreement outside the system are not seen.

    Source: Wilson (1927), JASA 22, 209–212; Garwood (1936), Biometrika 28, 437–442.

    >>> log = pd.DataFrame({"case_id": [*"abcde"] * 2 + ["a"], "seq": [1] * 5 + [2] * 5 + [3],
    ...     "service_id": "s", "action": ["submit"] * 5 + ["return"] + ["deliver"] * 4 + ["resubmit"],
    ...     "actor_key": [*"pqrst"] + [None] * 6, "at": pd.date_range("2024-09-02", periods=11)})
    >>> requester_input(log).table[["variant", "estimate", "n"]].values.tolist()
    [['returned', 0.2, 5], ['sent_back', 0.2, 5], ['per_100', 20.0, 5]]
    """
    names = columns_of(by)
    persons = [c for c in names if c in _PERSONS]
    if persons:
        raise table_error("no_persons", column=persons[0])
    log = read_log(events, timezone)
    first, dropped = scoped(engine.keep(_submissions(log)), services, names, timezone)
    judged, left = _judged(first)
    counts = _counted(judged, names)
    table = _table(counts, names)
    about = {"method": "Wilson; Garwood", "level": 0.95, "per": 100, "drawn": ["returned"], "unit": "share",
             "dropped": log.dropped | dropped | left}  # fmt: skip
    return Result("requester_input", table, _findings(table, left), about)


def _submissions(log: Log) -> Table:
    """One row per case: its first submission, and what came first of output, return and rejection."""
    e = log.events
    asks = e["action"] == "submit"
    case = e.group_by("case_id").aggregate(
        service_id=e["service_id"].min(),
        prev_case_id=e["prev_case_id"].min(),
        at_us=engine.first_by(e["at_us"], e["seq"], asks),
        asked_seq=e["seq"].min(where=asks),
        rejected_seq=e["seq"].min(where=e["action"] == "reject"),
        closed_seq=e["seq"].min(where=e["action"] == "close"),
        withdrawn=(e["action"] == "withdraw").any(),
        **{_UNIT: engine.first_by(e["unit_id"], e["seq"], asks & e["unit_id"].notnull())},
        requester=engine.first_by(e["actor_key"], e["seq"], asks & e["actor_key"].notnull()),
    )
    made = e.filter(is_in(e["action"], OUTPUTS) & ~e["is_auto"].fill_null(False))
    made = made.select("case_id", "seq", "unit_id").inner_join(
        case.select("case_id", _UNIT), "case_id"
    )
    made = made.filter((made["unit_id"] != made[_UNIT]).fill_null(True))
    made = made.group_by("case_id").aggregate(made_seq=made["seq"].min())
    case = engine.keep(joined(case, made, "case_id"))
    done = ibis.least(case["made_seq"], case["closed_seq"])
    case = case.mutate(done_seq=ibis.coalesce(done, case["made_seq"], case["closed_seq"]))
    back = sent_back(log)
    back = to_requester(back.filter(back["action"] == "return")).select("case_id", "seq")
    back = back.inner_join(case.select("case_id", "done_seq"), "case_id")
    back = back.filter(back["done_seq"].isnull() | (back["seq"] < back["done_seq"]))
    return joined(case, back.group_by("case_id").aggregate(times=back.count()), "case_id")


def _judged(first: Table) -> tuple[Table, dict[str, int]]:
    """First submissions that somebody has looked at, with what became of them."""
    rejected = first["rejected_seq"].notnull() & (
        first["done_seq"].isnull() | (first["rejected_seq"] < first["done_seq"])
    )
    times = first["times"].fill_null(0)
    seen = first["done_seq"].notnull() | rejected | (times > 0)
    why = ibis.cases(
        (first["asked_seq"].isnull(), "no_start"),
        (first["prev_case_id"].notnull(), "resubmission"),
        (~seen & first["withdrawn"], "withdrawn"),
        (~seen, "not_yet_judged"),
        else_="",
    )
    first = engine.keep(
        first.mutate(why=why, times=times, returned=times > 0, back=(times > 0) | rejected)
    )
    found = engine.frame(first.group_by("why").aggregate(n=first.count()).order_by("why"))
    left = {str(w): int(n) for w, n in zip(found["why"], found["n"]) if w}
    return first.filter(first["why"] == ""), left


def _counted(judged: Table, names: list[str]) -> pd.DataFrame:
    """Counts per group and requester, so that persons can be counted without being shown."""
    keys = [*names, "is_emergency", "requester"]
    return engine.frame(
        judged.group_by(keys).aggregate(
            n=judged.count(),
            returned=judged["returned"].sum(),
            sent_back=judged["back"].sum(),
            times=judged["times"].sum(),
        )
    )


def _table(counts: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    parts = [
        _rows(_pooled(own, names), names, prefix)
        for kind, prefix in ((False, ""), (True, "emergency_"))
        if len(own := counts[counts["is_emergency"] == kind])
    ]
    if parts:
        return pd.concat(parts)
    return estimates("requester_input", groups=dict.fromkeys(names), n=0, count=0, requesters=0)


def _pooled(counts: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """One row per group with enough requesters, and one for all the others."""
    sizes = _summed(counts, names)
    size = _persons(sizes, names)
    chosen = (size < MIN_RATERS).to_numpy(copy=True)
    if not chosen.any():
        return sizes.assign(small=False, shown=True)
    pool = _pool(counts, sizes[chosen], names)
    while not chosen.all() and _persons(pool, names).iloc[0] < MIN_RATERS:
        chosen[int(np.argmin(np.where(chosen, np.inf, size)))] = (
            True  # the smallest of the others joins them
        )
        pool = _pool(counts, sizes[chosen], names)
    enough = bool(_persons(pool, names).iloc[0] >= MIN_RATERS)
    rest = sizes[~chosen].assign(small=False, shown=True)
    pool = pool.assign(small=True, shown=enough)
    return pd.concat([rest, pool]) if len(rest) else pool


def _persons(sizes: pd.DataFrame, names: list[str]) -> pd.Series:
    """How many requesters stand behind each row.

    Where the log does not say who submits, submissions stand in: a service is no person. A unit
    may be one, so there not knowing is not enough.
    """
    stand_in = 0 if _UNIT in names else sizes["n"]
    return sizes["requesters"].where(sizes["requesters"] > 0, stand_in)


def _summed(counts: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    sums = {c: (c, "sum") for c in _COUNTS} | {"requesters": ("requester", "nunique")}
    if names:
        return counts.groupby(names, dropna=False, as_index=False).agg(**sums)
    whole = counts.assign(_all="").groupby("_all", as_index=False).agg(**sums)
    return whole.drop(columns="_all")


def _pool(counts: pd.DataFrame, members: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    own = counts.merge(members[names], on=names) if names else counts
    return _summed(own, [])


def _rows(groups: pd.DataFrame, names: list[str], prefix: str) -> pd.DataFrame:
    parts = []
    n = groups["n"].to_numpy(dtype=float)
    for kind, column in (
        ("returned", "returned"),
        ("sent_back", "sent_back"),
        ("per_100", "times"),
    ):
        hits, per = groups[column].to_numpy(dtype=float), 100 if kind == "per_100" else 1
        of = intervals.garwood(hits, n / 100) if per == 100 else intervals.wilson(hits, n)
        shown = groups["shown"].to_numpy(dtype=bool)
        estimate, low, high, count = (
            np.where(shown, v, np.nan) for v in (per * hits / n, *of, hits)
        )
        words = [f"{'small_' if s else ''}{prefix}{kind}" for s in groups["small"]]
        parts.append(
            estimates(
                "requester_input",
                groups={c: groups[c].to_numpy() if c in groups else None for c in names},
                variant=words,
                estimate=estimate,
                low=low,
                high=high,
                n=groups["n"].to_numpy(),
                count=count,
                requesters=groups["requesters"].to_numpy(),
            )
        )
    return pd.concat(parts)


def _findings(table: pd.DataFrame, left: dict[str, int]) -> list[Finding]:
    main = table[table["variant"].isin(["returned", "small_returned"])]
    out = []
    if main["estimate"].notna().any():
        told = main[main["estimate"].notna()]
        n, hits = int(told["n"].sum()), int(told["count"].sum())
        low, high = intervals.wilson(hits, n)
        values = {"share": hits / n, "low": float(low), "high": float(high), "n": n}
        out.append(Finding("requester_input.overall", values))
    else:
        out.append(Finding("requester_input.none", {}, "refused"))
    small = table[
        table["variant"].str.contains("small_") & table["variant"].str.endswith("returned")
    ]
    if small["estimate"].notna().any():
        out.append(Finding("requester_input.small", {"least": MIN_RATERS}))
    if (small["estimate"].isna() & (small["n"] > 0)).any():
        out.append(Finding("requester_input.few", {"least": MIN_RATERS}, "refused"))
    for key in ("not_yet_judged", "resubmission"):
        if key in left:
            out.append(Finding(f"requester_input.{key}", {"count": left[key]}))
    if "no_start" in left:
        out.append(Finding("log.no_start", {"count": left["no_start"]}, "warning"))
    return out

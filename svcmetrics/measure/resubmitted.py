"""Which rejected cases come back as a new one: by the id that they name, or by a rule."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.cases import case_facts, joined
from svcmetrics.measure.clocks import DAY
from svcmetrics.measure.log import Log
from svcmetrics.measure.part_facts import STATUS, facts_once
from svcmetrics.numeric.distinct import distinct
from svcmetrics.numeric.followers import followers

_FACTS = ("service_id", "state", "start_us", "end_us", "n_returns", "prev_case_id", "requester")
_TABLE = 1 << 24
# What the cases of one kind have in common.
_KINDS = ("service_id", "status", "n_returns", "by_id", "by_rule", "again")


def resubmitted(log: Log, steps: pd.DataFrame | None, days: float) -> Table:
    """How many ``cases`` of each kind there are.

    A kind is: service, status, returns, whether it was rejected and then followed by id, by
    rule, and whether it re-submits another. Cases of the embedded engine are linked as arrays,
    others by joins.
    """
    if log.ready:
        return engine.small(_as_arrays(_of_parts(log, steps), int(days * DAY)))
    facts = case_facts(log, steps)
    facts = facts.select("case_id", *_FACTS, "status")
    if engine.home(facts).name == "duckdb":
        return engine.small(_as_arrays(_of_engine(facts), int(days * DAY)))
    return _by_joins(facts, days)


def _of_engine(facts: Table) -> pa.Table:
    """The facts as an Arrow table; what repeats is numbered."""
    found = engine.arrow(facts.select("case_id", *_FACTS))
    place = found.schema.get_field_index("service_id")
    services = found["service_id"].combine_chunks().dictionary_encode()
    return found.set_column(place, "service_id", services)


def _of_parts(log: Log, steps: pd.DataFrame | None) -> pa.Table:
    """The same of a log that was read in order."""
    made = []
    for part, facts in zip(log.ready["parts"], facts_once(log, steps), strict=True):
        new = {k: facts[k] for k in ("start_us", "end_us", "state")}
        old = {k: part.cases[k] for k in ("case_id", *_FACTS) if k not in new}
        made.append(pa.RecordBatch.from_pydict(old | new))
    return pa.Table.from_batches(made)


def _as_arrays(facts: pa.Table, within: int) -> pd.DataFrame:
    rows, services = _coded(facts)
    ids, named = facts["case_id"], facts["prev_case_id"]
    gone = rows["status"] == STATUS.index("rejected")
    pair, start, end = (rows.pop(c) for c in ("pair", "start_us", "end_us"))
    kinds = rows | {c: np.zeros(len(gone), dtype=bool) for c in ("by_id", "by_rule")}
    gone_rows = np.flatnonzero(gone)
    kinds["by_id"][gone_rows] = pc.is_in(ids.filter(pa.array(gone)), pc.drop_null(named)).to_numpy()
    old, new = followers(pair, start, end, gone, lambda r: ids.take(r).to_numpy(), within=within)
    kinds["by_rule"][old] = kinds["again"][new] = True
    found, cases = distinct(kinds)
    named_kinds = {
        "service_id": services[found["service_id"]], "status": np.array(STATUS)[found["status"]]
    }  # fmt: skip
    table = pd.DataFrame({**found, **named_kinds, "cases": cases})[[*_KINDS, "cases"]]
    return table.astype(dict.fromkeys(named_kinds, "str"))  # text, even when there is none


def _coded(facts: pa.Table) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The facts in arrays, text as numbers; the services by number.

    ``pair``: the number of requester and service where one of their cases was ever rejected, or -1.
    """
    services = facts["service_id"].unify_dictionaries().combine_chunks()
    rows = {
        "service_id": services.indices.to_numpy(),
        "status": np.array(facts["state"]),
        "n_returns": np.array(facts["n_returns"].cast("int32")),
        "start_us": np.array(facts["start_us"]),
        "end_us": np.array(pc.fill_null(facts["end_us"], 0)),
        "again": np.array(pc.is_valid(facts["prev_case_id"])),
    }
    gone = rows["status"] == STATUS.index("rejected")
    rows["pair"] = _pairs(facts["requester"], rows["service_id"], gone)
    return rows, services.dictionary.to_numpy(zero_copy_only=False)


def _pairs(requester: pa.ChunkedArray, service: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """One number for each requester and service with a rejection, at all of their cases; or -1.

    All others cannot be linked by rule.
    """
    ever = pc.drop_null(pc.unique(requester.filter(pa.array(gone))))
    who = np.array(pc.fill_null(pc.index_in(requester, ever), -1))
    wide = int(service.max(initial=0)) + 1
    key = np.where(who < 0, -1, who * np.int64(wide) + service)
    known = np.unique(key[gone & (key >= 0)])
    if len(ever) * wide <= _TABLE:  # a table of all pairs is faster than a search; its last is none
        place = np.full(len(ever) * wide + 1, -1, np.int32)
        place[known] = np.arange(len(known))
        return place[key]
    found = np.searchsorted(known, key).clip(max=len(known) - 1)
    return np.where(known[found] == key, found, -1)


def _by_joins(c: Table, days: float) -> Table:
    """The same in the engine."""
    rule = engine.keep(_by_rule(_may_follow(c), days))
    no, yes = ibis.literal(False), ibis.literal(True)
    old = c.filter(c["prev_case_id"].notnull())
    marks = ibis.union(
        old.select(case_id="prev_case_id", by_id=yes, by_rule=no, again=no),
        rule.select("case_id", by_id=no, by_rule=yes, again=no),
        rule.select(case_id="new_case", by_id=no, by_rule=no, again=yes),
    )
    flags = ("by_id", "by_rule", "again")
    marks = marks.group_by("case_id").aggregate(**{k: marks[k].any() for k in flags})
    c = joined(c, marks, "case_id")
    c = c.mutate(**{k: c[k].fill_null(False) for k in flags})
    c = c.mutate(
        again=c["again"] | c["prev_case_id"].notnull(),
        by_id=c["by_id"] & (c["status"] == "rejected"),
    )
    return c.group_by(list(_KINDS)).aggregate(cases=c.count())


def _may_follow(c: Table) -> Table:
    """Cases that may be linked by rule, with the number of their pair; all others are most of the log."""
    known = c.filter(c["requester"].notnull())
    pairs = known.filter(known["status"] == "rejected").select("requester", "service_id").distinct()
    pairs = engine.keep(pairs.mutate(pair=ibis.row_number()), ordered=False)
    columns = ("case_id", "status", "start_us", "end_us", "pair")
    return engine.keep(known.inner_join(pairs, ["requester", "service_id"]).select(*columns))


def _by_rule(c: Table, days: float) -> Table:
    """Pairs of a rejected case and the case that takes it up; a new case has one predecessor."""
    rejected = c.filter(c["status"] == "rejected").rename(gone_us="end_us", old_case="case_id")
    # A rejection stamped before its own submission must not follow itself: looked at one by one.
    odd = (c["status"] == "rejected") & (c["end_us"] <= c["start_us"])
    odd = odd.fill_null(False)
    nearest = engine.keep(_latest(c.filter(~odd), rejected).union(_each(c.filter(odd), rejected)))
    since = nearest["start_us"] - nearest["gone_us"]
    nearest = nearest.filter(since <= int(days * DAY))
    order = ibis.window(group_by="old_case", order_by=["start_us", "case_id"])
    first = nearest.mutate(place=ibis.row_number().over(order))
    return first.filter(first["place"] == 0).select(case_id="old_case", new_case="case_id")


def _latest(c: Table, rejected: Table) -> Table:
    """Each case with the latest rejection not after its start; of two at once the first by name.

    Twice the time, counted backwards, makes "not after" the next larger number.
    """
    back = rejected.group_by("pair", by=-2 * rejected["gone_us"]).aggregate(
        gone_us=rejected["gone_us"].min(), old_case=rejected["old_case"].min()
    )
    c = c.mutate(by=-2 * c["start_us"] - 1)
    starts = c.select("pair", "by").distinct()
    found = engine.next_row(starts, back, within="pair", by="by")
    found = found.filter(found["old_case"].notnull()).rename(pair_2="pair", by_2="by")
    both = c.inner_join(found, [c["pair"] == found["pair_2"], c["by"] == found["by_2"]])
    return both.select("case_id", "start_us", "gone_us", "old_case")


def _each(c: Table, rejected: Table) -> Table:
    """The same by looking at every pair of cases, and never at one case with itself."""
    old = rejected.select("gone_us", "old_case", pair_2="pair")
    pairs = c.inner_join(old, c["pair"] == old["pair_2"])
    pairs = pairs.filter(
        pairs["start_us"] >= pairs["gone_us"], pairs["case_id"] != pairs["old_case"]
    )
    order = ibis.window(group_by="case_id", order_by=[ibis.desc("gone_us"), "old_case"])
    nearest = pairs.mutate(place=ibis.row_number().over(order))
    nearest = nearest.filter(nearest["place"] == 0)
    return nearest.select("case_id", "start_us", "gone_us", "old_case")
